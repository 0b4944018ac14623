"""Event files as TensorBoard reads them: records with check sums that hold protocol buffers.

A file is a row of records: length (8 bytes), its check sum, the data, their check sum. The data of a record
is an `Event`; the few messages that are needed are encoded here by hand, so nothing has to be installed.

Source: the public formats of TensorFlow: TFRecord, and the messages Event, Summary, HistogramProto, GraphDef.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

# ----------------------------------------------------------------------------------------- check sums


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)  # the polynomial of Castagnoli, reversed
        table.append(crc)
    return table


_TABLE = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """Returns the CRC-32C of `data`, rotated and shifted as records want it."""
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


# ------------------------------------------------------------------------------------ protocol buffers


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF  # negative numbers are written in two's complement of 64 bits
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes | str) -> bytes:
    """A string, a byte string or a message inside another."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _doubles(field: int, values: Any) -> bytes:
    return _bytes(field, np.asarray(values, "<f8").tobytes())


# --------------------------------------------------------------------------------------------- messages


def scalar(tag: str, value: float) -> bytes:
    """A `Summary.Value` with one number."""
    return _bytes(1, tag) + _float(2, float(np.float32(value)))


def image(tag: str, png: bytes, height: int, width: int, channels: int) -> bytes:
    """A `Summary.Value` with a picture."""
    shape = _integer(1, height) + _integer(2, width) + _integer(3, channels)
    return _bytes(1, tag) + _bytes(4, shape + _bytes(4, png))


class Histogram:
    """Counts numbers in buckets whose limits grow by a tenth, for both signs; NaN and ±inf are left out."""

    _positive = 1e-12 * 1.1 ** np.arange(775)  # up to 1e20
    limits = np.concatenate([-_positive[::-1], [0.0], _positive, [np.finfo("f8").max]])

    def __init__(self) -> None:
        self.counts = np.zeros(len(self.limits), np.int64)
        self.least, self.most = np.inf, -np.inf
        self.sum = self.squares = 0.0

    def add(self, values: Any) -> None:
        """Counts all elements of an array."""
        flat = np.asarray(values, "f8").ravel()
        flat = flat[np.isfinite(flat)]
        if not flat.size:
            return
        places = np.searchsorted(self.limits, flat, side="right")
        self.counts += np.bincount(np.minimum(places, len(self.limits) - 1), minlength=len(self.limits))
        self.least, self.most = min(self.least, flat.min()), max(self.most, flat.max())
        self.sum += float(flat.sum())
        self.squares += float(flat @ flat)

    def message(self) -> bytes:
        """The counts as a `HistogramProto`."""
        used = np.flatnonzero(self.counts)
        if not used.size:
            return _doubles(6, [0.0]) + _doubles(7, [0.0])
        part = slice(used[0], used[-1] + 1)
        # the first bucket begins at the smallest number and not at minus infinity: readers divide by widths
        limits = np.concatenate([self.limits[max(0, part.start - 1) : part.start], self.limits[part]])
        counts = np.concatenate([np.zeros(len(limits) - (part.stop - part.start)), self.counts[part]])
        return (
            _double(1, self.least)
            + _double(2, self.most)
            + _double(3, float(self.counts.sum()))
            + _double(4, self.sum)
            + _double(5, self.squares)
            + _doubles(6, limits)
            + _doubles(7, counts)
        )


def histogram(tag: str, counted: Histogram) -> bytes:
    """A `Summary.Value` with a histogram."""
    return _bytes(1, tag) + _bytes(5, counted.message())


def node(name: str, op: str, inputs: Iterable[str], shapes: Iterable[Any]) -> bytes:
    """A `NodeDef`: one box of the graph.

    Args:
        name: unique name; '/' makes groups.
        op: what it does.
        inputs: names of the nodes that it reads.
        shapes: shapes of its outputs; None stands for any size.
    """
    found = b""
    for shape in shapes:
        sizes = b"".join(_bytes(2, _integer(1, -1 if n is None else n)) for n in shape or ())
        found += _bytes(7, sizes if shape is not None else _integer(3, 1))
    attributes = _bytes(1, "_output_shapes") + _bytes(2, _bytes(1, found))
    sources = b"".join(_bytes(3, source) for source in inputs)
    return _bytes(1, name) + _bytes(2, op) + sources + _bytes(5, attributes)


def graph(nodes: Iterable[bytes]) -> bytes:
    """A `GraphDef` of nodes."""
    return b"".join(_bytes(1, each) for each in nodes) + _bytes(4, _integer(1, 27))


# ------------------------------------------------------------------------------------------------- file

_numbers = itertools.count()


class EventWriter:
    """Writes an event file of its own into a folder, which is made if it is missing.

    Args:
        log_dir: the folder.

    Raises:
        OSError: it cannot be written to.
    """

    def __init__(self, log_dir: str) -> None:
        os.makedirs(log_dir, exist_ok=True)
        host = socket.gethostname()
        name = f"events.out.tfevents.{int(time.time()):010d}.{host}.{os.getpid()}.{next(_numbers)}"
        self.path = os.path.join(log_dir, name)
        self._file = open(self.path, "xb")
        self._event(_bytes(3, "brain.Event:2"))
        self.flush()

    def add_summary(self, values: Iterable[bytes], step: int) -> None:
        """Writes `Summary.Value`s of one step."""
        packed = b"".join(_bytes(1, value) for value in values)
        if packed:
            self._event(_integer(2, step) + _bytes(5, packed))

    def add_graph(self, content: bytes) -> None:
        """Writes a `GraphDef`."""
        self._event(_bytes(4, content))

    def flush(self) -> None:
        """Brings everything to the disk's side, where a running TensorBoard sees it."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

    def _event(self, rest: bytes) -> None:
        data = _double(1, time.time()) + rest
        length = struct.pack("<Q", len(data))
        self._file.write(length + struct.pack("<I", masked_crc32c(length)))
        self._file.write(data + struct.pack("<I", masked_crc32c(data)))
