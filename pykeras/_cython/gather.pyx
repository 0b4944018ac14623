# cython: language_level=3, boundscheck=False, wraparound=False
"""Row gather for shuffled batches: what ``x[indices]`` does, without its per-element overhead."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

import numpy as np


def take_rows(x, indices):
    """Copies rows of an array, in the order of ``indices``.

    Args:
        x: array of shape (n, ...), any dtype.
        indices: integers, 0 <= i < n, of shape (k,).

    Returns:
        A new C-contiguous array of shape (k, ...) and x's dtype.

    Raises:
        IndexError: an index is out of range.
    """
    indices = np.ascontiguousarray(indices, dtype=np.int64)
    # Python objects need their reference counts, strided rows NumPy's own iterator.
    if x.dtype.hasobject or not x.flags.c_contiguous or x.ndim == 0 or indices.ndim != 1:
        return x[indices]
    out = np.empty((indices.shape[0],) + x.shape[1:], dtype=x.dtype)
    cdef size_t row = x.nbytes // x.shape[0] if x.shape[0] else 0
    cdef int64_t n = x.shape[0]
    cdef int64_t count = indices.shape[0]
    cdef const char* source = <const char*><size_t>x.__array_interface__["data"][0]
    cdef char* target = <char*><size_t>out.__array_interface__["data"][0]
    cdef const int64_t* at = <const int64_t*><size_t>indices.__array_interface__["data"][0]
    cdef int64_t i, k
    cdef int64_t bad = -1
    with nogil:
        for k in range(count):
            i = at[k]
            if i < 0 or i >= n:
                bad = k
                break
            memcpy(target + k * row, source + i * row, row)
    if bad >= 0:
        raise IndexError(f"index {indices[bad]} is out of range for {n} rows")
    return out
