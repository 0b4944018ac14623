"""PNG files, written with nothing but zlib."""

from __future__ import annotations

import struct
import zlib

import numpy as np

# channels → colour type of the format
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png_bytes(pixels: np.ndarray, level: int = 6) -> bytes:
    """Packs a picture as a PNG file.

    Args:
        pixels: uint8 array (height, width) or (height, width, channels): grey, grey + alpha, RGB or RGBA.
        level: how hard zlib tries, 0 to 9.

    Returns:
        the content of the file.
    """
    pixels = np.atleast_3d(pixels)
    height, width, channels = pixels.shape
    # each row starts with the number of its filter, 0 = none
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    packed = zlib.compress(rows.tobytes(), level)
    for kind, data in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return content
