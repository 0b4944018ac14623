# cython: language_level=3, boundscheck=False, wraparound=False
"""Words of texts: splitting, counting, looking up, and the matrices made of them."""

from cpython.list cimport PyList_Append
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_Substring
from libc.stdlib cimport free, realloc

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void* data, Py_ssize_t at)
    PyObject* find "PyDict_GetItemWithError"(dict table, object key) except? NULL


def split_words(str text, const unsigned char[::1] ends, others):
    """Splits a text at single characters; empty words are left out.

    Args:
        text: what to split.
        ends: 128 flags: whether this ASCII character ends a word.
        others: characters beyond ASCII that end a word, a set; None or empty for none.

    Returns:
        The list of words.
    """
    cdef int kind = PyUnicode_KIND(text)
    cdef void* data = PyUnicode_DATA(text)
    cdef Py_ssize_t length = len(text), at, start = 0
    cdef Py_UCS4 c
    cdef bint more = bool(others), end
    cdef list words = []
    for at in range(length):
        c = PyUnicode_READ(kind, data, at)
        if c < 128:
            end = ends[c]
        else:
            end = more and chr(c) in others
        if end:
            if at > start:
                words.append(PyUnicode_Substring(text, start, at))
            start = at + 1
    if length > start:
        words.append(PyUnicode_Substring(text, start, length))
    return words


cdef struct Tally:
    Py_ssize_t count  # times seen
    Py_ssize_t documents  # documents it was seen in
    Py_ssize_t last  # the last of these


def count_tokens(documents, dict word_counts, dict word_docs):
    """Counts tokens over documents, one look-up per token.

    Args:
        documents: an iterable of documents, each an iterable of hashable tokens.
        word_counts: token → times seen; added to, new tokens in the order of their first appearance.
        word_docs: token → number of documents that hold it; added to.

    Returns:
        The number of documents. If one of them raises, nothing has been added.
    """
    cdef dict places = {}
    cdef Tally* tallies = NULL
    cdef Tally* grown
    cdef Py_ssize_t room = 0, used = 0, place, document = 0
    cdef PyObject* found
    try:
        for tokens in documents:
            document += 1
            for token in tokens:
                found = find(places, token)
                if found == NULL:
                    place = used
                    if used == room:
                        room = 2 * room + 1024
                        grown = <Tally*>realloc(tallies, room * sizeof(Tally))
                        if grown == NULL:
                            raise MemoryError()
                        tallies = grown
                    tallies[place].count = tallies[place].documents = tallies[place].last = 0
                    places[token] = place
                    used += 1
                else:
                    place = <object>found
                tallies[place].count += 1
                if tallies[place].last != document:
                    tallies[place].last = document
                    tallies[place].documents += 1
        for token, number in places.items():
            place = number
            word_counts[token] = word_counts.get(token, 0) + tallies[place].count
            word_docs[token] = word_docs.get(token, 0) + tallies[place].documents
    finally:
        free(tallies)
    return document


def look_up(tokens, dict index, Py_ssize_t limit, unknown):
    """Translates tokens into their numbers.

    Args:
        tokens: an iterable of tokens.
        index: token → number.
        limit: numbers from here on count as unknown; 0 for no limit.
        unknown: what stands for unknown tokens; None leaves them out.

    Returns:
        The list of numbers.
    """
    cdef list numbers = []
    cdef PyObject* found
    cdef bint keep = unknown is not None
    for token in tokens:
        found = find(index, token)
        if found != NULL and (limit == 0 or <Py_ssize_t>(<object>found) < limit):
            PyList_Append(numbers, <object>found)
        elif keep:
            PyList_Append(numbers, unknown)
    return numbers


def add_counts(double[::1] row, numbers):
    """Adds one to the row's element of each number; numbers beyond the row are left out.

    Returns:
        The distinct places that were counted, a list.

    Raises:
        ValueError: a number is negative.
        TypeError: a number is no whole number.
    """
    cdef Py_ssize_t width = row.shape[0], place
    cdef list places = []
    for number in numbers:
        place = number
        if place < 0:
            raise ValueError(f"{place} is negative: the numbers of words begin with 1 (0 is reserved)")
        if place < width:
            if row[place] == 0:
                places.append(place)
            row[place] += 1
    return places
