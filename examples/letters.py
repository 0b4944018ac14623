"""Pictures of words for image_ocr.py: of several sizes, at random places, slightly turned, with noise."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ALPHABET = "abcdefghijklmnopqrstuvwxyz "


def draw(text, width, height, rough, source):
    """A picture of a text.

    Args:
        text: what to write.
        width, height: of the picture, in pixels.
        rough: whether place, angle, size and background vary.
        source: `random.Random`.

    Returns:
        float32 (width, height, 1), ink 1 and paper 0: time runs along the first axis.
    """
    size = source.randint(int(0.42 * height), int(0.55 * height)) if rough else int(0.5 * height)
    font = ImageFont.load_default(size)
    while size > 6 and font.getlength(text) > width - 8:  # long words are written smaller
        size -= 1
        font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    free = width - (right - left), height - (bottom - top)
    place = [source.randint(2, max(2, n - 2)) if rough else max(2, n // 2) for n in free]
    picture = Image.new("L", (width, height), 0)
    ImageDraw.Draw(picture).text((place[0] - left, place[1] - top), text, fill=255, font=font)
    if rough:
        picture = picture.rotate(source.uniform(-3, 3), resample=Image.BILINEAR)
    pixels = np.asarray(picture, "float32").T[..., np.newaxis] / 255
    if rough:
        noise = np.random.RandomState(source.randrange(2**31))
        pixels = np.clip(pixels + noise.normal(0, 0.1, pixels.shape), 0, 1)
    return pixels.astype("float32")


def make_words(number, longest, letters, source):
    """Words of 2 to `longest` letters drawn at random, for when no list is given."""
    return ["".join(source.choices(letters, k=source.randint(2, longest))) for _ in range(number)]


def read_words(path, longest):
    """The words of a list (one a line) that consist of the letters a to z and are not too long."""
    with open(path, encoding="utf-8") as file:
        words = [line.strip().lower() for line in file]
    return [word for word in words if 2 <= len(word) <= longest and set(word) <= set(ALPHABET)]


def distance(a, b):
    """How many letters must be put in, taken out or changed to make b of a (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
