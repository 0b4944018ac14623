# cython: language_level=3, boundscheck=False, wraparound=False
"""Pairs of words within windows, and draws of whole numbers in the order of Python's `random`."""

from cpython.list cimport PyList_Append


cdef Py_ssize_t below(object getrandbits, Py_ssize_t n) except -1:
    """A whole number from 0 to n − 1, by the draws that `random.randrange(n)` makes."""
    cdef Py_ssize_t bits = 0, rest = n, drawn
    while rest:
        bits += 1
        rest >>= 1
    drawn = getrandbits(bits)
    while drawn >= n:
        drawn = getrandbits(bits)
    return drawn


def random_pairs(getrandbits, list words, Py_ssize_t size, Py_ssize_t count):
    """Returns `count` pairs: the words in turn, each with a number that `random.randint(1, size - 1)` gives."""
    cdef Py_ssize_t i, length = len(words)
    return [[words[i % length], 1 + below(getrandbits, size - 1)] for i in range(count)]


def shuffle_together(getrandbits, list first, list second=None):
    """Shuffles a list in place as `random.shuffle` does, and a second one of the same length alike."""
    cdef Py_ssize_t at, other
    for at in range(len(first) - 1, 0, -1):
        other = below(getrandbits, at + 1)
        first[at], first[other] = first[other], first[at]
        if second is not None:
            second[at], second[other] = second[other], second[at]


def pairs_in_windows(list words, centres, Py_ssize_t window):
    """Pairs each of the words at `centres` with its neighbours.

    Args:
        words: the words of a text; false ones (0) are no neighbours.
        centres: places of words.
        window: how far away a neighbour may be.

    Returns:
        A list of pairs [word, neighbour], from left to right.
    """
    cdef Py_ssize_t centre, at, length = len(words)
    cdef list pairs = []
    for centre in centres:
        word = words[centre]
        for at in range(max(0, centre - window), min(length, centre + window + 1)):
            if at != centre:
                neighbour = words[at]
                if neighbour:
                    PyList_Append(pairs, [word, neighbour])
    return pairs
