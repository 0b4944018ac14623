# cython: language_level=3, boundscheck=False, wraparound=False
"""Gathering the rows of a shuffled batch."""

from cpython.buffer cimport (
    PyBUF_CONTIG,
    PyBUF_CONTIG_RO,
    Py_buffer,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport int64_t
from libc.string cimport memcpy

import numpy as np

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define PYKERAS_PREFETCH(p) __builtin_prefetch(p)
    #else
    #define PYKERAS_PREFETCH(p) ((void)(p))
    #endif
    """
    void PYKERAS_PREFETCH(const void* p) nogil

cdef enum:
    LINE = 64
    # how much of a row is asked for in advance, and how many rows before its turn
    AHEAD_BYTES = 4096
    AHEAD_ROWS = 2


def gather_rows(x, rows):
    """Copies some rows of an array, without the interpreter's lock.

    Rows in a random order lie on other pages each, where the processor foresees nothing: so the beginning of
    a row is asked for while an earlier one is copied.

    Args:
        x: C-contiguous array (n, ...) of numbers.
        rows: array of row numbers.

    Returns:
        array (len(rows), ...) of the same type.

    Raises:
        IndexError: a row beyond the end, or below 0.
        TypeError: the array holds Python objects.
        ValueError: it is not C-contiguous.
    """
    if x.dtype.hasobject:
        raise TypeError("only arrays of numbers can be gathered")
    rows = np.ascontiguousarray(rows, np.int64)
    cdef tuple shape = x.shape
    cdef Py_ssize_t n = shape[0], count = len(rows), i
    out = np.empty((count,) + shape[1:], x.dtype)
    cdef Py_buffer source, target, order
    PyObject_GetBuffer(x, &source, PyBUF_CONTIG_RO)
    PyObject_GetBuffer(out, &target, PyBUF_CONTIG)
    PyObject_GetBuffer(rows, &order, PyBUF_CONTIG_RO)
    cdef const int64_t* numbers = <const int64_t*>order.buf
    cdef const char* first = <const char*>source.buf
    cdef size_t row_bytes = source.len // max(1, n), at
    cdef size_t ahead = min(row_bytes, AHEAD_BYTES)
    cdef int64_t bad = 0
    with nogil:
        for i in range(count):
            if numbers[i] < 0 or numbers[i] >= n:
                bad = 1
        if not bad:
            for i in range(count):
                if i + AHEAD_ROWS < count:
                    at = 0
                    while at < ahead:
                        PYKERAS_PREFETCH(first + numbers[i + AHEAD_ROWS] * row_bytes + at)
                        at += LINE
                memcpy(<char*>target.buf + i * row_bytes, first + numbers[i] * row_bytes, row_bytes)
    PyBuffer_Release(&order)
    PyBuffer_Release(&target)
    PyBuffer_Release(&source)
    if bad:
        raise IndexError(f"a row outside 0 to {n - 1}")
    return out
