"""A drawing surface: filled boxes, smooth lines, enlarged pictures, lettering; saved as PNG.

Written against numpy only, because the product does not depend on a plotting library.
"""

import itertools
import os
from collections.abc import Sequence

import numpy as np

from ..utils._png import png_bytes
from . import font

Color = tuple[float, float, float]
Point = tuple[float, float]

BLACK: Color = (0.0, 0.0, 0.0)
WHITE: Color = (1.0, 1.0, 1.0)


def rgb(code: str) -> Color:
    """Turn a colour like `'#1f77b4'` into three shares 0..1 of red, green and blue."""
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def mix(a: Color, b: Color, share: float) -> Color:
    """Blend two colours: `share` 0 gives `a`, 1 gives `b`."""
    red, green, blue = (p + (q - p) * share for p, q in zip(a, b, strict=True))
    return red, green, blue


class Canvas:
    """A picture of `width` × `height` pixels; x runs right, y runs down, whole numbers are pixel edges.

    Args:
        width, height: size in pixels.
        color: the background.
    """

    def __init__(self, width: int, height: int, color: Color = WHITE):
        self.pixels = np.empty((height, width, 3))
        self.pixels[:] = color

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Fill a rectangle; its corner and size are rounded to whole pixels, parts outside are cut off."""
        x0, y0 = round(x), round(y)
        x1, y1 = x0 + round(width), y0 + round(height)
        self.pixels[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = color

    def frame(self, x: float, y: float, width: float, height: float, color: Color, pen: int = 1) -> None:
        """Draw the outline of a rectangle, `pen` pixels thick, just inside its edges."""
        self.box(x, y, width, pen, color)
        self.box(x, y + height - pen, width, pen, color)
        self.box(x, y, pen, height, color)
        self.box(x + width - pen, y, pen, height, color)

    def strokes(self, segments: Sequence[Sequence[float]], color: Color, pen: float) -> None:
        """Draw straight strokes with a round pen in one go: where they overlap the ink is not darker.

        Args:
            segments: (x0, y0, x1, y1) in pixels each.
            color: of the ink.
            pen: diameter in pixels.
        """
        if not segments:
            return
        lines = np.asarray(segments, dtype=float)
        reach = pen / 2 + 1
        left, top = np.floor(np.minimum(lines[:, :2], lines[:, 2:]).min(0) - reach).astype(int)
        right, bottom = np.ceil(np.maximum(lines[:, :2], lines[:, 2:]).max(0) + reach).astype(int)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        if left >= right or top >= bottom:
            return
        ink = np.zeros((bottom - top, right - left))
        for x0, y0, x1, y1 in lines:
            # only the neighbourhood of this stroke: a long curve has a big bounding box, many short strokes
            u0, u1 = int(max(min(x0, x1) - reach, left)), int(min(max(x0, x1) + reach + 1, right))
            v0, v1 = int(max(min(y0, y1) - reach, top)), int(min(max(y0, y1) + reach + 1, bottom))
            if u0 >= u1 or v0 >= v1:
                continue
            px, py = np.arange(u0, u1) + 0.5 - x0, np.arange(v0, v1)[:, None] + 0.5 - y0
            dx, dy = x1 - x0, y1 - y0
            along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            distance = np.hypot(px - along * dx, py - along * dy)
            part = ink[v0 - top : v1 - top, u0 - left : u1 - left]
            np.maximum(part, np.clip(pen / 2 + 0.5 - distance, 0, 1), out=part)
        area = self.pixels[top:bottom, left:right]
        area += (np.asarray(color) - area) * ink[:, :, None]

    def line(self, points: Sequence[Point], color: Color, pen: float = 2.0) -> None:
        """Draw a smooth line through (x, y) points; a single point gives a dot."""
        path = list(points) if len(points) > 1 else [*points, *points]
        self.strokes([(*p, *q) for p, q in itertools.pairwise(path)], color, pen)

    def picture(self, x: int, y: int, values: np.ndarray, scale: int, paper: Color, ink: Color) -> None:
        """Draw a grey picture enlarged, every value a square.

        Args:
            x, y: upper left corner in pixels.
            values: (rows, columns), 0 is paper and 1 is ink.
            scale: pixels per value.
            paper, ink: the colours of 0 and 1.
        """
        shares = np.kron(np.clip(values, 0, 1), np.ones((scale, scale)))[:, :, None]
        rows, columns = shares.shape[:2]
        low, high = np.asarray(paper), np.asarray(ink)
        self.pixels[y : y + rows, x : x + columns] = low + (high - low) * shares

    def text(
        self,
        x: float,
        y: float,
        text: str,
        color: Color = BLACK,
        size: float = 14.0,
        anchor: str = "left",
        bold: bool = False,
    ) -> float:
        """Write one line.

        Args:
            x, y: the anchor, in pixels; `y` is the base line.
            text: characters that the lettering lacks are written as `?`.
            color: of the ink.
            size: height of a capital in pixels.
            anchor: 'left', 'center' or 'right' of the text lies at `x`.
            bold: with a thicker pen.

        Returns:
            the width in pixels.
        """
        unit = size / 7
        width = text_width(text, size)
        x -= {"left": 0.0, "center": width / 2, "right": width}[anchor]
        segments = []
        for character in text:
            if character == " ":
                x += (font.SPACE + 1) * unit
                continue
            character = character if character in font.GLYPHS else "?"
            for stroke in font.STROKES[character]:
                u0, v0, u1, v1 = ((value + 0.5) * unit for value in stroke)
                segments.append((x + u0, y - size + v0, x + u1, y - size + v1))
            x += (font.GLYPHS[character][0] + 1) * unit
        self.strokes(segments, color, unit * (1.25 if bold else 0.85))
        return width

    def save(self, path: str | os.PathLike) -> None:
        """Write an 8-bit RGB PNG file.

        Raises:
            OSError: the file cannot be written.
        """
        bytes_ = np.rint(np.clip(self.pixels, 0, 1) * 255).astype(np.uint8)
        with open(path, "wb") as file:
            file.write(png_bytes(bytes_, level=9))


def text_width(text: str, size: float) -> float:
    """Width in pixels of one line of text whose capitals are `size` pixels high."""
    widths = [font.SPACE if c == " " else font.GLYPHS.get(c, font.GLYPHS["?"])[0] for c in text]
    return (sum(widths) + max(len(widths) - 1, 0)) * size / 7
