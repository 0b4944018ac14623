# cython: language_level=3, boundscheck=False, wraparound=False
"""Writing ragged lists of numbers into a matrix: the loop of pad_sequences."""

from libc.stdint cimport int32_t, int64_t

import numpy as np

ctypedef fused number:
    int32_t
    int64_t
    float
    double


cdef int write_row(number* row, object values, Py_ssize_t first, Py_ssize_t count) except -1:
    cdef Py_ssize_t k
    cdef list items
    cdef tuple fixed
    if type(values) is list:
        items = <list>values
        for k in range(count):
            row[k] = <number>items[first + k]
    else:
        fixed = <tuple>values
        for k in range(count):
            row[k] = <number>fixed[first + k]
    return 0


def write_rows(out, sequences, bint pad_front, bint cut_front):
    """Copies each sequence into its row of ``out``, cut to the row's length.

    Args:
        out: C-contiguous matrix (n, maxlen) of int32, int64, float32 or float64, already filled
            with the padding value.
        sequences: n lists or tuples of numbers; whole numbers must fit the dtype.
        pad_front: keep the padding in front of the values rather than behind them.
        cut_front: drop the first values of a sequence that is too long rather than the last.

    Raises:
        TypeError: an element is no number, or no whole number where ``out`` holds those.
        OverflowError: an element does not fit the dtype.
    """
    cdef Py_ssize_t n = out.shape[0], width = out.shape[1], i, length, count, first, at
    cdef size_t base = <size_t>out.__array_interface__["data"][0]
    cdef size_t stride = out.strides[0]
    cdef str kind = out.dtype.name
    for i in range(n):
        values = sequences[i]
        length = len(values)
        count = length if length < width else width
        first = length - count if cut_front else 0
        at = width - count if pad_front else 0
        row = base + i * stride
        if kind == "int32":
            write_row[int32_t](<int32_t*><size_t>row + at, values, first, count)
        elif kind == "int64":
            write_row[int64_t](<int64_t*><size_t>row + at, values, first, count)
        elif kind == "float32":
            write_row[float](<float*><size_t>row + at, values, first, count)
        else:
            write_row[double](<double*><size_t>row + at, values, first, count)
