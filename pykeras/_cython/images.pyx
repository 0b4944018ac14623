# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Loops over the pixels of an image, float32 or float64; all of them run without the GIL."""

from libc.math cimport fabs, floor, sqrt

ctypedef fused pixel:
    float
    double

cdef enum:
    CONSTANT
    NEAREST
    REFLECT
    WRAP
    MIRROR

MODES = {"constant": CONSTANT, "nearest": NEAREST, "reflect": REFLECT, "wrap": WRAP, "mirror": MIRROR}


cdef double fold(double at, Py_ssize_t size, int mode) noexcept nogil:
    """Brings a coordinate outside of [0, size − 1] to where its value stands; −1: nowhere.

    'wrap' has period size − 1, and 'reflect' may give a place in (−1, 0) or (size − 1, size), between
    the border pixel and its own image: both as SciPy has it.
    """
    cdef double period
    if mode == CONSTANT:
        return -1.0
    if mode == NEAREST:
        return 0.0 if at < 0 else size - 1.0
    if size == 1:
        return 0.0
    if mode == WRAP:
        period = size - 1.0
        if at < 0:
            return at + period * (floor(-at / period) + 1)
        return at - period * floor(at / period)
    if mode == MIRROR:
        period = 2.0 * size - 2.0
        at = fabs(at)
        at -= period * floor(at / period)
        return period - at if at > size - 1 else at
    period = 2.0 * size
    if at < 0:
        if at < -period:
            at += period * floor(-at / period)
        if at < -size:
            return at + period
        return (1e-15 if at > -1e-15 else -at) - 1
    at -= period * floor(at / period)
    return period - at - 1 if at >= size else at


cdef void affine_loop(
    const char* source, Py_ssize_t rows, Py_ssize_t columns, const Py_ssize_t* steps,
    pixel[:, :, :] out, const double* m, int mode, pixel outside,
) noexcept nogil:
    """For each pixel of `out`: its place in the source, and the four pixels around it, weighted."""
    cdef Py_ssize_t r, c, k, top, left, channels = out.shape[2]
    cdef Py_ssize_t to_channel = steps[2], out_channel = out.strides[2]
    cdef Py_ssize_t down, right
    cdef double y, x, row_y, row_x, bottom_part, right_part, top_part, left_part, value
    cdef const char* at
    cdef char* to
    for r in range(out.shape[0]):
        row_y = m[2] + r * m[0]
        row_x = m[5] + r * m[3]
        for c in range(out.shape[1]):
            to = <char*>&out[r, c, 0]
            y = row_y + c * m[1]
            x = row_x + c * m[4]
            if not (0 <= y <= rows - 1):
                y = fold(y, rows, mode)
            if not (0 <= x <= columns - 1):
                x = fold(x, columns, mode)
            if y <= -1 or x <= -1:
                for k in range(channels):
                    (<pixel*>(to + k * out_channel))[0] = outside
                continue
            top = <Py_ssize_t>(y + 1.0) - 1
            left = <Py_ssize_t>(x + 1.0) - 1
            # y + 1 may round up to the next whole number
            if top > y:
                top -= 1
            if left > x:
                left -= 1
            top_part = 1.0 - (y - top)
            left_part = 1.0 - (x - left)
            bottom_part = 1.0 - top_part
            right_part = 1.0 - left_part
            down = steps[0] if 0 <= top < rows - 1 else 0
            right = steps[1] if 0 <= left < columns - 1 else 0
            top = 0 if top < 0 else top
            left = 0 if left < 0 else left
            at = source + top * steps[0] + left * steps[1]
            for k in range(channels):
                value = (<const pixel*>at)[0] * top_part * left_part
                value += (<const pixel*>(at + right))[0] * top_part * right_part
                value += (<const pixel*>(at + down))[0] * bottom_part * left_part
                value += (<const pixel*>(at + down + right))[0] * bottom_part * right_part
                (<pixel*>(to + k * out_channel))[0] = <pixel>value
                at += to_channel


def affine(const pixel[:, :, :] image, pixel[:, :, :] out, matrix, int mode, double cval):
    """Moves an image by an affine map, with linear interpolation.

    out[r, c] = image at (m0 r + m1 c + m2, m3 r + m4 c + m5): what SciPy's `affine_transform` with order 1
    gives for each channel, in the same order of operations.

    Args:
        image: rows × columns × channels.
        out: the same number of channels, any number of rows and columns; must not overlap the image.
        matrix: the six numbers m0 … m5.
        mode: what stands beyond the border: one of MODES.
        cval: the value there, for 'constant'.

    Raises:
        ValueError: a number of the matrix is not finite, or absurdly large.
    """
    cdef double m[6]
    cdef Py_ssize_t steps[3]
    cdef int i
    for i in range(6):
        m[i] = matrix[i]
        if not (fabs(m[i]) < 1e9):
            raise ValueError(f"No transformation of an image: its matrix has the element {m[i]}")
    for i in range(3):
        steps[i] = image.strides[i]
    if out.shape[2] != image.shape[2]:
        raise ValueError("the images have different numbers of channels")
    if image.shape[0] == 0 or image.shape[1] == 0 or image.shape[2] == 0:
        return
    with nogil:
        affine_loop[pixel](
            <const char*>&image[0, 0, 0], image.shape[0], image.shape[1], steps, out, m, mode, <pixel>cval
        )


# The loops below go over the pixels of contiguous arrays as one row of values, in which those of channel k come
# in turn: `values` has one number per channel. Numbers are looked up in a table that repeats them, so that the
# compiler can take several pixels at once. Planes (channels_first) are rows with one channel each.

cdef enum:
    TABLE = 96  # a multiple of 1, 2, 3, 4, 6 and 8

cdef Py_ssize_t fill_table(pixel* table, const pixel[::1] values) except -1:
    """Repeats the values in the table; returns how many of its places are used."""
    cdef Py_ssize_t i, channels = values.shape[0], used
    if channels < 1 or channels > TABLE:
        raise ValueError(f"Images must have 1 to {TABLE} channels. There are values for {channels}")
    used = TABLE // channels * channels
    for i in range(used):
        table[i] = values[i % channels]
    return used


def shift_channels(pixel[::1] row, const pixel[::1] values, double low, double high):
    """Adds values[k] to channel k, in place, and cuts off what leaves [low, high]."""
    cdef pixel table[TABLE]
    cdef Py_ssize_t used = fill_table[pixel](table, values), length = row.shape[0], first = 0, i, count
    cdef pixel value, least = <pixel>low, most = <pixel>high
    with nogil:
        while first < length:
            count = min(used, length - first)
            for i in range(count):
                value = row[first + i] + table[i]
                value = least if value < least else value
                row[first + i] = most if value > most else value
            first += used


def brighten(const pixel[::1] row, pixel[::1] out, double low, double high, const pixel[::1] values):
    """Brings pixels to whole numbers from 0 to 255, and multiplies channel k by values[k], as Pillow does.

    Args:
        row: the pixels; may be `out`.
        out: takes whole numbers from 0 to 255.
        low, high: the least and the greatest value of the image.
        values: a factor for each channel: 0 makes it black, 1 leaves it.
    """
    cdef pixel table[TABLE]
    cdef Py_ssize_t used = fill_table[pixel](table, values), length = row.shape[0], first = 0, i, count
    cdef pixel raise_by = <pixel>(-low) if low < 0 else 0
    cdef pixel most = <pixel>high + raise_by
    cdef float factors[TABLE]
    cdef float shade
    cdef int whole
    cdef int chunk[TABLE]
    for i in range(used):  # beyond a million, all is as black or white as can be
        factors[i] = <float>max(-1e6, min(1e6, <double>table[i]))
    most = 1 if most == 0 else most
    with nogil:
        while first < length:
            count = min(used, length - first)
            for i in range(count):
                # Not to `out` at once: it may be `row`, and then nothing could be done several at a time.
                shade = <float><int>((row[first + i] + raise_by) / most * 255)
                whole = <int>(factors[i] * shade)
                whole = 0 if whole < 0 else whole
                chunk[i] = 255 if whole > 255 else whole
            for i in range(count):
                out[first + i] = <pixel>chunk[i]
            first += used


def scale_channels(pixel[::1] row, const pixel[::1] means, const pixel[::1] divisors):
    """Subtracts means[k] from channel k and divides it by divisors[k], in place."""
    cdef pixel less[TABLE]
    cdef pixel by[TABLE]
    cdef Py_ssize_t used = fill_table[pixel](less, means), length = row.shape[0], first = 0, i, count
    if fill_table[pixel](by, divisors) != used:
        raise ValueError(f"{means.shape[0]} means were given, but {divisors.shape[0]} divisors")
    with nogil:
        while first < length:
            count = min(used, length - first)
            for i in range(count):
                row[first + i] = (row[first + i] - less[i]) / by[i]
            first += used


def moments(const pixel[::1] row, Py_ssize_t channels):
    """Returns the means and the standard deviations of the channels, two lists.

    Blocks of a few values are summed in their own precision, about the first pixel, and blocks in double.
    """
    cdef pixel pivots[TABLE]
    cdef pixel sums[TABLE]
    cdef pixel squares[TABLE]
    cdef double totals[TABLE]
    cdef double square_totals[TABLE]
    cdef Py_ssize_t used, at = 0, block, i, k, count, length = row.shape[0]
    cdef pixel difference
    cdef double number, mean
    if channels < 1 or channels > TABLE or length < channels or length % channels:
        raise ValueError(f"{length} values are no pixels with {channels} channels")
    used = fill_table[pixel](pivots, row[:channels])
    for i in range(used):
        totals[i] = square_totals[i] = 0
    with nogil:
        while at < length:
            for i in range(used):
                sums[i] = squares[i] = 0
            for block in range(8):
                count = max(0, min(used, length - at))
                for i in range(count):
                    difference = row[at + i] - pivots[i]
                    sums[i] += difference
                    squares[i] += difference * difference
                at += used
            for i in range(used):
                totals[i] += sums[i]
                square_totals[i] += squares[i]
        for i in range(channels, used):
            k = i % channels
            totals[k] += totals[i]
            square_totals[k] += square_totals[i]
    means, deviations = [], []
    number = <double>(length // channels)
    for k in range(channels):
        mean = totals[k] / number
        means.append(pivots[k] + mean)
        deviations.append(sqrt(max(square_totals[k] / number - mean * mean, 0.0)))
    return means, deviations
