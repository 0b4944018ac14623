"""Preprocessing next to keras_preprocessing, the NumPy and SciPy original that Keras 2.2 to 2.10 use.

    pip install keras-preprocessing scipy pillow
    python benchmarks/preprocessing.py [--write FILE] [--only WORD …]

Without keras-preprocessing only our times are shown. Everything runs in one thread, both sides in turn, and
what counts is that thread's CPU time: so other processes disturb it little. Every case is listed, also those
where the original is faster. Results kept: benchmarks/results/preprocessing.md.
"""

import argparse
import importlib
import importlib.metadata
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _kernels import header, median

from pykeras import preprocessing as ours
from pykeras.preprocessing import image, sequence, text  # noqa: F401

Case = tuple[str, Callable[[Any], Callable[[], Any]]]
RNG = np.random.RandomState(0)
EVERYTHING = {
    "rotation_range": 20,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 10,
    "zoom_range": 0.2,
    "channel_shift_range": 10.0,
    "horizontal_flip": True,
    "rescale": 1 / 255,
}


def pictures(n: int, size: int) -> np.ndarray:
    """Random pictures."""
    return RNG.uniform(0, 255, (n, size, size, 3)).astype("float32")


def image_cases(folder: str) -> Iterator[Case]:
    """Single functions and whole batches."""
    for size in (32, 224):
        x = pictures(1, size)[0]
        name = f"{size} × {size} × 3"
        yield (
            f"apply_affine_transform, {name}",
            lambda k, x=x: lambda: k.image.apply_affine_transform(x, theta=20, zx=0.9, zy=1.1),
        )
        yield f"apply_channel_shift, {name}", lambda k, x=x: lambda: k.image.apply_channel_shift(x, 9.0, 2)
        yield f"apply_brightness_shift, {name}", lambda k, x=x: lambda: k.image.apply_brightness_shift(x, 0.8)
        for setting in ("featurewise", "samplewise"):
            both = {f"{setting}_center": True, f"{setting}_std_normalization": True}
            yield f"standardize {setting}, {name}", lambda k, x=x, both=both: standardized(k, x, both)
    flows: list[tuple[str, dict[str, Any]]] = [
        ("rescale", {"rescale": 1 / 255}),
        ("shifts and flips", {"width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True}),
        ("everything", EVERYTHING),
        ("everything, brightness", {**EVERYTHING, "brightness_range": (0.5, 1.5)}),
    ]
    for size in (32, 224):
        x = pictures(32, size)
        for name, settings in flows:
            yield (
                f"flow, 32 pictures of {size} × {size}: {name}",
                lambda k, x=x, settings=settings: flow(k, x, settings),
            )
    small = pictures(1000, 16)
    white = {"zca_whitening": True, "featurewise_center": True}
    yield "flow, 32 pictures of 16 × 16: whitened", lambda k: flow(k, small, white)
    many = pictures(1000, 32)
    yield "fit featurewise, 1000 pictures of 32 × 32", lambda k: fitting(k, many)
    for ending in ("png", "jpg"):
        yield f"flow_from_directory, 8 {ending} files of 256 × 256", lambda k, e=ending: files(k, folder, e)


def standardized(k: Any, x: np.ndarray, settings: dict[str, Any]) -> Callable[[], Any]:
    """A call that standardises a copy of an image."""
    generator = k.image.ImageDataGenerator(**settings)
    generator.fit(x[None])
    return lambda: generator.standardize(x.copy())


def flow(k: Any, x: np.ndarray, settings: dict[str, Any]) -> Callable[[], Any]:
    """A call that makes a batch."""
    generator = k.image.ImageDataGenerator(**settings)
    if settings.get("zca_whitening"):
        generator.fit(x)
    batches = generator.flow(x, np.arange(len(x)), batch_size=32)
    return lambda: next(batches)


def fitting(k: Any, x: np.ndarray) -> Callable[[], Any]:
    """A call that computes statistics of a data set."""
    generator = k.image.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    return lambda: generator.fit(x)


def files(k: Any, folder: str, ending: str) -> Callable[[], Any]:
    """A call that reads a batch of image files."""
    path = os.path.join(folder, ending)
    if not os.path.isdir(path):
        for number in range(8):
            os.makedirs(os.path.join(path, "one"), exist_ok=True)
            smooth = np.repeat(np.repeat(pictures(1, 16)[0], 16, 0), 16, 1)
            image.save_img(os.path.join(path, "one", f"{number}.{ending}"), smooth)
    generator = k.image.ImageDataGenerator(**EVERYTHING)
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # "Found 8 images …"
    batches = generator.flow_from_directory(path, target_size=(224, 224), batch_size=8)
    sys.stdout.close()
    sys.stdout = out
    return lambda: next(batches)


def text_cases() -> Iterator[Case]:
    """A thousand reviews of 230 words."""
    words = ["".join(RNG.choice(list("abcdefghijklmnop"), RNG.randint(2, 9))) for _ in range(20000)]
    places = RNG.zipf(1.1, (1000, 230)) % len(words)
    ascii_texts = [
        " ".join(words[i].capitalize() if i % 9 else words[i] + "," for i in row) for row in places
    ]
    for name, texts in [("ASCII", ascii_texts), ("with accents", [t.replace("e", "é") for t in ascii_texts])]:

        def fitted(k: Any, texts: list[str] = texts) -> Any:
            tokenizer = k.text.Tokenizer(num_words=5000)
            tokenizer.fit_on_texts(texts)
            return tokenizer

        yield f"fit_on_texts, 1000 texts, {name}", lambda k, fitted=fitted: lambda: fitted(k)
        yield (
            f"texts_to_sequences, 1000 texts, {name}",
            lambda k, fitted=fitted, texts=texts: call(fitted(k).texts_to_sequences, texts),
        )
    for mode in ("binary", "count", "freq", "tfidf"):
        yield (
            f"sequences_to_matrix {mode}, 100 texts",
            lambda k, fitted=fitted, mode=mode: matrix(fitted(k), ascii_texts[:100], mode),
        )
    yield "hashing_trick md5, one text", lambda k: call(k.text.hashing_trick, ascii_texts[0], 1000, "md5")


def call(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """A call with its arguments."""
    return lambda: function(*arguments)


def matrix(tokenizer: Any, texts: list[str], mode: str) -> Callable[[], Any]:
    """A call that makes a matrix."""
    return call(tokenizer.sequences_to_matrix, tokenizer.texts_to_sequences(texts), mode)


def sequence_cases() -> Iterator[Case]:
    """Padding, pairs, windows."""
    rows = [RNG.randint(1, 5000, n).tolist() for n in RNG.randint(50, 400, 1000)]
    yield "pad_sequences, 1000 lists to 100", lambda k: call(k.sequence.pad_sequences, rows, 100)
    vectors = [RNG.normal(size=(n, 8)) for n in RNG.randint(50, 400, 200)]
    yield (
        "pad_sequences, 200 arrays of vectors",
        lambda k: call(lambda: k.sequence.pad_sequences(vectors, 100, dtype="float32")),
    )
    words = RNG.randint(0, 5000, 1000).tolist()
    yield "skipgrams, 1000 words", lambda k: call(k.sequence.skipgrams, words, 5000)
    series = RNG.normal(size=(10000, 8))
    for shuffle in (False, True):
        yield (
            f"TimeseriesGenerator, 128 windows of 50{', shuffled' if shuffle else ''}",
            lambda k, shuffle=shuffle: call(
                k.sequence.TimeseriesGenerator(series, series[:, 0], 50, shuffle=shuffle).__getitem__, 3
            ),
        )


def original() -> Any:
    """The module keras_preprocessing with its parts, or None."""
    try:
        package = importlib.import_module("keras_preprocessing")
        import scipy.ndimage
    except ImportError:
        return None
    # Names that it uses and today's NumPy and SciPy no longer have.
    if not hasattr(np, "unicode_"):
        np.unicode_ = np.str_  # type: ignore[attr-defined]
    if not hasattr(scipy.ndimage, "interpolation"):
        scipy.ndimage.interpolation = scipy.ndimage
    for part in ("image", "sequence", "text"):
        importlib.import_module(f"keras_preprocessing.{part}")
    return package


def versions(names: list[str]) -> str:
    """Names with versions, as far as installed."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def main() -> None:
    """Runs the cases and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", help="also write the table to this file")
    parser.add_argument("--only", nargs="+", default=[""], help="cases whose name has one of these words")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    theirs = original()
    lines = header("Preprocessing beside keras_preprocessing").splitlines()[:3]
    lines += [
        versions(["keras-preprocessing", "scipy", "pillow"]) + "; one thread.",
        f"CPU time, medians of {args.rounds} alternating rounds of a tenth of a second;",
        "ratio = original / pykeras, above 1 pykeras is faster.",
        "",
        "| case | pykeras | original | ratio |",
        "|---|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in [*image_cases(folder), *text_cases(), *sequence_cases()]:
            if not any(word in name for word in args.only):
                continue
            random.seed(0)
            np.random.seed(0)
            calls = [make(package) for package in (ours, theirs) if package is not None]
            times = cpu_seconds(calls, args.rounds)
            mine = median(times[0])
            if theirs is None:
                line = f"| {name} | {short(mine)} | | |"
            else:
                other = median(times[1])
                line = f"| {name} | {short(mine)} | {short(other)} | **{other / mine:.1f}** |"
            print(line, flush=True)
            lines.append(line)
    if args.write:
        with open(args.write, "w") as file:
            file.write("\n".join(lines) + "\n")


def cpu_seconds(calls: list[Callable[[], Any]], rounds: int) -> list[list[float]]:
    """The CPU seconds of this thread in every run of each call."""
    times: list[list[float]] = [[] for _ in calls]
    for one in calls:
        one()
    for _ in range(rounds):
        for one, kept in zip(calls, times):
            end = time.thread_time() + 0.1
            while (start := time.thread_time()) < end:
                one()
                kept.append(time.thread_time() - start)
    return times


def short(seconds: float) -> str:
    """Seconds for reading."""
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


if __name__ == "__main__":
    main()
