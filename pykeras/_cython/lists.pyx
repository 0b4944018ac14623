# cython: language_level=3, boundscheck=False, wraparound=False
"""Many lists of whole numbers, laid one behind the other: out of a pickle, reordered, and as Python lists."""

from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

import numpy as np

cdef enum:
    SHARED = 1 << 20  # numbers below exist once only, however often they occur in lists


cdef inline Py_ssize_t put(const unsigned char* data, Py_ssize_t at, Py_ssize_t end) noexcept:
    """Where the next opcode stands, after the ones that number an object of the pickle."""
    while at < end:
        if data[at] == b"q":  # BINPUT
            at += 2
        elif data[at] == b"r":  # LONG_BINPUT
            at += 5
        elif data[at] == 0x94:  # MEMOIZE
            at += 1
        else:
            break
    return min(at, end)


cdef inline Py_ssize_t number(const unsigned char* data, Py_ssize_t at, Py_ssize_t end, int64_t* value) noexcept:
    """Reads a number, and returns where the next opcode stands; −1 if there is another opcode, or the end."""
    if at + 2 <= end and data[at] == b"K":  # BININT1
        value[0] = data[at + 1]
        return at + 2
    if at + 3 <= end and data[at] == b"M":  # BININT2
        value[0] = data[at + 1] | <int64_t>data[at + 2] << 8
        return at + 3
    if at + 5 <= end and data[at] == b"J":  # BININT
        value[0] = <int32_t>(
            <unsigned int>data[at + 1]
            | <unsigned int>data[at + 2] << 8
            | <unsigned int>data[at + 3] << 16
            | <unsigned int>data[at + 4] << 24
        )
        return at + 5
    return -1


def split_pickle(const unsigned char[::1] pickle, Py_ssize_t start):
    """Takes the numbers out of a pickle of a NumPy array of lists of whole numbers.

    Args:
        pickle: its bytes.
        start: place of the opcode that begins the list of these lists.

    Returns:
        The pickle with all inner lists empty (it is still to be read, with all care), the numbers (int64) and
        the lengths of the lists (int64). None if it holds anything else, or is cut off.
    """
    cdef Py_ssize_t end = pickle.shape[0], at = start, kept = 0, begin = 0, after, count = 0, used = 0, before
    cdef const unsigned char* data
    cdef unsigned char* rest
    cdef int64_t value = 0
    cdef bint many
    if start < 0 or start >= end or pickle[start] != b"]":
        return None
    words = np.empty((end - start) // 2 + 1, dtype=np.int64)
    lengths = np.empty(end - start, dtype=np.int64)
    skeleton = np.empty(end, dtype=np.uint8)
    cdef int64_t[::1] to = words, sizes = lengths
    cdef unsigned char[::1] out = skeleton
    data, rest = &pickle[0], &out[0]
    at = put(data, at + 1, end)
    while at < end:
        if data[at] == b"(" or data[at] == b"e" or data[at] == b"a":  # MARK, APPENDS, APPEND of the outer list
            at += 1
        elif data[at] == b"]":  # EMPTY_LIST: an inner one
            at = put(data, at + 1, end)
            before = used
            memcpy(rest + kept, data + begin, at - begin)
            kept += at - begin
            while at < end:
                many = data[at] == b"("  # MARK, numbers and APPENDS; otherwise one number and APPEND
                after = number(data, at + many, end, &value)
                if after < 0:
                    break  # back in the outer list
                while after >= 0:
                    at = after
                    to[used] = value
                    used += 1
                    after = number(data, at, end, &value) if many else -1
                if at >= end or not (data[at] == b"e" if many else data[at] == b"a"):
                    return None
                at += 1
            begin = at
            sizes[count] = used - before
            count += 1
        else:
            break
    # Nothing else may follow but the end of an array's state: TUPLE, BUILD, STOP.
    if at >= end or data[at] != b"t":
        return None
    at = put(data, at + 1, end)
    if at + 2 != end or data[at] != b"b" or data[at + 1] != b".":
        return None
    memcpy(rest + kept, data + begin, end - begin)
    kept += end - begin
    return skeleton[:kept].tobytes(), words[:used].copy(), lengths[:count].copy()


def take_lists(const int64_t[::1] words, const int64_t[::1] lengths, const int64_t[::1] order):
    """Puts lists into another order.

    Args:
        words: the numbers of all lists, one list behind the other.
        lengths: how many each has.
        order: which list comes first, second …; not all of them need be there.

    Returns:
        Numbers and lengths, two arrays.

    Raises:
        IndexError: there is no such list.
    """
    cdef Py_ssize_t count = lengths.shape[0], taken = order.shape[0], i, at = 0
    ends = np.cumsum(lengths)
    cdef const int64_t[::1] end = ends
    if count and (end[count - 1] > words.shape[0] or np.min(lengths) < 0):
        raise ValueError("the lists are longer than there are numbers")
    for i in range(taken):
        if not 0 <= order[i] < count:
            raise IndexError(f"There is no list {order[i]} among {count}")
    new_lengths = np.asarray(lengths)[np.asarray(order)]
    new_words = np.empty(int(new_lengths.sum()), dtype=np.int64)
    cdef int64_t[::1] to = new_words
    cdef int64_t size
    for i in range(taken):
        size = lengths[order[i]]
        if size:
            memcpy(&to[at], &words[end[order[i]] - size], size * sizeof(int64_t))
        at += size
    return new_words, new_lengths


def make_lists(const int64_t[::1] words, const int64_t[::1] lengths):
    """Makes Python lists of numbers that are laid one behind the other.

    Equal numbers are one object, which saves most of the memory and time of making them.

    Args:
        words: the numbers of all lists, one list behind the other; none is negative.
        lengths: how many each has.

    Returns:
        An array of objects, one list for each length.
    """
    cdef Py_ssize_t count = lengths.shape[0], total = words.shape[0], i, k, at = 0
    cdef int64_t size
    cdef list shared, made
    if np.sum(lengths) != total or np.min(lengths, initial=0) < 0:
        raise ValueError("the lengths of the lists do not add up to the numbers there are")
    cdef int64_t most = np.max(words, initial=-1), least = np.min(words, initial=0)
    shared = list(range(min(most + 1, <int64_t>SHARED)))
    result = np.empty(count, dtype=object)
    for i in range(count):
        size = lengths[i]
        made = PyList_New(size)
        for k in range(size):
            if 0 <= words[at] < SHARED:
                item = shared[words[at]]
            else:
                item = <object>words[at]
            Py_INCREF(item)
            PyList_SET_ITEM(made, k, item)
            at += 1
        result[i] = made
    return result
