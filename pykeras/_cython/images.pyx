# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Loops over the pixels of one image: (rows, columns, channels) in any strides, float32 or float64.

All of them run without the GIL.
"""

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


def shift_channels(pixel[:, :, :] image, const double[::1] shifts, double low, double high):
    """Adds shifts[k] to channel k, in place, and cuts off what leaves [low, high]."""
    cdef Py_ssize_t r, c, k
    cdef pixel value, least = <pixel>low, most = <pixel>high
    if shifts.shape[0] != image.shape[2]:
        raise ValueError(f"{shifts.shape[0]} channel shifts were given for {image.shape[2]} channels")
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    value = image[r, c, k] + <pixel>shifts[k]
                    value = least if value < least else value
                    image[r, c, k] = most if value > most else value


def brighten(
    const pixel[:, :, :] image, pixel[:, :, :] out, double low, double high, double factor, Py_ssize_t colours
):
    """Brings an image to whole numbers from 0 to 255 and multiplies them by a factor, as Pillow does.

    Args:
        image: rows × columns × channels; may be `out`.
        out: takes whole numbers from 0 to 255.
        low, high: the least and the greatest value of the image.
        factor: 0 makes it black, 1 leaves it.
        colours: how many channels are brightened; those behind (opacity) are not.
    """
    cdef Py_ssize_t r, c, k
    cdef pixel raise_by = <pixel>(-low) if low < 0 else 0
    cdef pixel most = <pixel>high + raise_by
    cdef pixel value
    cdef float shade, scale = <float>factor
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    value = image[r, c, k] + raise_by
                    if most != 0:
                        value = value / most
                    shade = <float><unsigned char>(value * 255)
                    if k < colours:
                        shade = scale * shade
                        shade = 0 if shade < 0 else (255 if shade > 255 else floor(shade))
                    out[r, c, k] = shade


def moments(const pixel[:, :, :] image):
    """Returns the mean and the standard deviation of all values, summed in double precision."""
    cdef Py_ssize_t r, c, k
    cdef double total = 0, squares = 0, mean, difference
    cdef double count = <double>image.shape[0] * image.shape[1] * image.shape[2]
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    total += image[r, c, k]
        mean = total / count
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    difference = image[r, c, k] - mean
                    squares += difference * difference
    return mean, sqrt(squares / count)


def scale_image(pixel[:, :, :] image, double mean, double divisor):
    """Subtracts a number from all values and divides them by another, in place."""
    cdef Py_ssize_t r, c, k
    cdef pixel less = <pixel>mean, by = <pixel>divisor
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    image[r, c, k] = (image[r, c, k] - less) / by


def scale_channels(pixel[:, :, :] image, const pixel[::1] means, const pixel[::1] divisors):
    """Subtracts means[k] from channel k and divides it by divisors[k], in place."""
    cdef Py_ssize_t r, c, k
    if means.shape[0] != image.shape[2] or divisors.shape[0] != image.shape[2]:
        raise ValueError(
            f"The statistics of {means.shape[0]} channels do not fit images with {image.shape[2]}"
        )
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    image[r, c, k] = (image[r, c, k] - means[k]) / divisors[k]


def add_moments(const pixel[:, :, :] image, double[::1] totals, double[::1] squares, const double[::1] centres):
    """Adds up, for each channel k, image − centres[k] and its square."""
    cdef Py_ssize_t r, c, k
    cdef double difference
    with nogil:
        for r in range(image.shape[0]):
            for c in range(image.shape[1]):
                for k in range(image.shape[2]):
                    difference = image[r, c, k] - centres[k]
                    totals[k] += difference
                    squares[k] += difference * difference
