"""Transformations of one image against SciPy and Pillow (BEHAVIOURS 14.2, 14.4, 14.9)."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import ndimage

from pykeras.preprocessing.image import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    apply_transform,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)


def scipy_move(x, matrix, channel_axis, mode, cval):
    """What Keras does: SciPy, channel by channel."""
    planes = [
        ndimage.affine_transform(plane, matrix[:2, :2], matrix[:2, 2], order=1, mode=mode, cval=cval)
        for plane in np.moveaxis(x, channel_axis, 0)
    ]
    return np.moveaxis(np.stack(planes), 0, channel_axis)


ROUNDING = 2.0**-53  # of one operation in double precision, relative to its result


def scipy_places(x, matrix, channel_axis, mode, cval):
    """SciPy's values at places worked out here: its versions sum up coordinates in various orders."""
    planes = np.moveaxis(x, channel_axis, 0)
    r, c = np.mgrid[: planes.shape[1], : planes.shape[2]]
    places = [(offset + r * down) + c * right for down, right, offset in matrix[:2]]
    moved = [ndimage.map_coordinates(plane, places, order=1, mode=mode, cval=cval) for plane in planes]
    return np.moveaxis(np.stack(moved), 0, channel_axis)


def rounding_of_places(x, matrix, channel_axis):
    """How far values may lie apart whose coordinates differ by rounding: that, times the steepest slope."""
    planes = np.moveaxis(x, channel_axis, -1)
    r, c = np.mgrid[: planes.shape[0], : planes.shape[1]]
    bound = 0
    for axis, (down, right, offset) in enumerate(matrix[:2]):
        size = abs(offset) + r * abs(down) + c * abs(right) + planes.shape[axis]
        # two products and two sums on either side, and folding back from beyond the border
        bound = bound + 2 * 5 * ROUNDING * size * np.abs(np.diff(planes, axis=axis)).max(initial=0)
    return np.moveaxis(np.broadcast_to(bound[..., None], planes.shape), -1, channel_axis)


@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap", "mirror"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int16"])
def test_14_2_moves_as_scipy_does(mode, dtype):
    rng = np.random.RandomState(0)
    for number in range(120):
        x = (rng.normal(size=rng.randint(1, 12, 3)) * 40 + (100 if dtype == "uint8" else 0)).astype(dtype)
        matrix = np.eye(3)
        if number % 3:
            matrix[:2] = rng.normal(size=(2, 3)) * [1, 1, 6]
        else:  # whole and half pixels, where a border is hit exactly
            matrix[:2, 2] = rng.randint(-30, 30, 2) / 2
        axis = number % 4 - 1
        got = apply_transform(x, matrix, axis, mode, 7.0)
        want = scipy_move(x, matrix, axis % 3, mode, 7.0)
        same_places = scipy_places(x, matrix, axis % 3, mode, 7.0)
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        if dtype == "float64":
            # four values times two weights, and their sum
            of_values = 8 * ROUNDING * max(np.abs(x).max(), 7)
            np.testing.assert_allclose(got, same_places, rtol=0, atol=of_values)
            assert (np.abs(got - want) <= of_values + rounding_of_places(x, matrix, axis % 3)).all()
        else:
            np.testing.assert_array_equal(got, same_places)
            np.testing.assert_array_equal(got, want)


def test_14_2_half_precision_and_views():
    x = np.random.RandomState(1).normal(size=(8, 6, 3)).astype("float32")
    matrix = np.array([[0.9, 0.2, -1], [-0.1, 1.2, 0.5], [0, 0, 1]])
    half = apply_transform(x.astype("float16"), matrix, 2)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, scipy_move(x, matrix, 2, "nearest", 0), atol=0.02)
    view = np.asfortranarray(x)[::-1, ::2]
    np.testing.assert_array_equal(apply_transform(view, matrix, 2), scipy_move(view, matrix, 2, "nearest", 0))
    read_only = x.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(
        apply_transform(read_only, matrix, 2), scipy_move(x, matrix, 2, "nearest", 0)
    )
    assert apply_transform(np.zeros((0, 4, 3)), matrix, 2).shape == (0, 4, 3)


def test_masks_are_rounded():
    """SciPy cuts fractions off, and so punches holes into masks where weights sum up to a little below 1."""
    mask = np.zeros((40, 30, 1), dtype=bool)
    mask[10:30, 8:22] = True
    turned = apply_affine_transform(mask, 33, 0.3, 0.6, 4, 0.9, 1.1)
    assert turned.dtype == bool
    fractions = apply_affine_transform(mask.astype(float), 33, 0.3, 0.6, 4, 0.9, 1.1)
    np.testing.assert_array_equal(turned, fractions >= 0.5)


def test_14_9_centre():
    matrix = transform_matrix_offset_center(np.array([[0.0, -1, 3], [1, 0, 4], [0, 0, 1]]), 10, 6)
    there = np.array([[1, 0, 5.5], [0, 1, 3.5], [0, 0, 1]])
    want = there @ [[0, -1, 3], [1, 0, 4], [0, 0, 1]] @ np.linalg.inv(there)
    np.testing.assert_allclose(matrix, want, atol=1e-12)


def test_14_2_order_of_composition():
    x = np.random.RandomState(2).normal(size=(9, 7, 2))
    radians = np.deg2rad([25, 12])
    (cos, shear_cos), (sin, shear_sin) = np.cos(radians), np.sin(radians)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    matrix = matrix @ [[1, 0, 1.5], [0, 1, -2], [0, 0, 1]]
    matrix = matrix @ [[1, -shear_sin, 0], [0, shear_cos, 0], [0, 0, 1]]
    matrix = matrix @ np.diag([0.7, 1.3, 1])
    want = scipy_move(x, transform_matrix_offset_center(matrix, 9, 7), 2, "reflect", 0)
    got = apply_affine_transform(x, 25, 1.5, -2, 12, 0.7, 1.3, fill_mode="reflect")
    np.testing.assert_allclose(got, want, atol=1e-12)
    swapped = apply_affine_transform(x.transpose(2, 0, 1), 25, 1.5, -2, 12, 0.7, 1.3, 1, 2, 0, "reflect")
    np.testing.assert_array_equal(swapped, got.transpose(2, 0, 1))
    assert apply_affine_transform(x) is x


def test_14_9_default_axes():
    x = np.random.RandomState(3).normal(size=(3, 8, 6))

    def moved(matrix):
        return scipy_move(x, transform_matrix_offset_center(matrix, 8, 6), 0, "nearest", 0)

    np.random.seed(1)
    got = [random_rotation(x, 30), random_shear(x, 20), random_zoom(x, (0.5, 2)), random_shift(x, 0.2, 0.4)]
    np.random.seed(1)
    angle = np.deg2rad(np.random.uniform(-30, 30))
    shear = np.deg2rad(np.random.uniform(-20, 20))
    zoom = np.random.uniform(0.5, 2, 2)
    down, right = np.random.uniform(-0.4, 0.4) * 8, np.random.uniform(-0.2, 0.2) * 6
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    want = [
        moved(rotation),
        moved(np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])),
        moved(np.diag([*zoom, 1])),
        scipy_move(x, np.array([[1, 0, down], [0, 1, right], [0, 0, 1]]), 0, "nearest", 0),
    ]
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, atol=1e-12)
    state = np.random.get_state()[2]
    np.testing.assert_array_equal(random_zoom(x, (1, 1)), x)  # nothing is drawn
    assert np.random.get_state()[2] == state


def test_channel_shift():
    x = np.random.RandomState(4).uniform(0, 9, (3, 5, 4)).astype("float32")
    np.testing.assert_array_equal(apply_channel_shift(x, 2.5), np.clip(x + np.float32(2.5), x.min(), x.max()))
    shifts = np.array([1, -2, 0.5], "float32")
    want = np.clip(x.transpose(1, 2, 0) + shifts, x.min(), x.max())
    np.testing.assert_array_equal(apply_channel_shift(x.transpose(1, 2, 0), shifts, 2), want)
    np.random.seed(0)
    got = random_channel_shift(x, 3)
    np.random.seed(0)
    want = [np.clip(plane + np.float32(np.random.uniform(-3, 3)), x.min(), x.max()) for plane in x]
    np.testing.assert_array_equal(got, want)  # each channel has its own number
    assert apply_channel_shift(np.array([[[1, 9]]]), 2).dtype == np.float64
    half = apply_channel_shift(x.astype("float16"), 2.5)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, apply_channel_shift(x, 2.5), atol=0.01)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.7, 30.0, -0.5])
def test_14_4_brightness_is_that_of_pillow(channels, factor):
    values = np.random.RandomState(5).randint(0, 256, (16, 16, channels)).astype("float32")
    values[0, 0, 0], values[0, 1, 0] = 0, 255
    image = Image.fromarray(values.astype("uint8").squeeze())
    want = np.asarray(ImageEnhance.Brightness(image).enhance(factor), "float32").reshape(values.shape)
    np.testing.assert_array_equal(apply_brightness_shift(values, factor), want)
    # the range of values changes: 0…1 and −10…10 become 0…255 as well
    np.testing.assert_allclose(apply_brightness_shift(values / 255, 1.0), values, atol=1)
    first = apply_brightness_shift(values.transpose(2, 0, 1), factor, data_format="channels_first")
    np.testing.assert_array_equal(first, want.transpose(2, 0, 1))


def test_14_4_random_brightness():
    x = np.random.RandomState(6).uniform(-4, 4, (4, 4, 3))
    np.random.seed(3)
    got = random_brightness(x, (0.5, 1.5))
    np.random.seed(3)
    np.testing.assert_array_equal(got, apply_brightness_shift(x, np.random.uniform(0.5, 1.5)))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(apply_brightness_shift(np.zeros((2, 2, 3)), 2), 0)


def test_flip_axis():
    x = np.arange(24).reshape(2, 3, 4)
    for axis in (0, 1, 2, -1):
        np.testing.assert_array_equal(flip_axis(x, axis), np.flip(x, axis))


def test_errors():
    x = np.zeros((4, 4, 3))
    for call in (
        lambda: apply_transform(x[0], np.eye(3)),
        lambda: apply_affine_transform(x[0], 5),
        lambda: apply_channel_shift(x[0], 5),
        lambda: apply_brightness_shift(x[0], 5),
        lambda: random_rotation(x[0], 5),
    ):
        with pytest.raises(ValueError, match=r"must have rank 3. Got an array with shape \(4, 3\)"):
            call()
    with pytest.raises(ValueError, match="`fill_mode` must be 'constant', 'nearest', 'reflect' or 'wrap'"):
        apply_affine_transform(x, 5, fill_mode="border")
    with pytest.raises(ValueError, match="`zoom_range` should be a tuple or list of two floats"):
        random_zoom(x, (1, 2, 3))
    with pytest.raises(ValueError, match="`brightness_range` should be a tuple or list of two floats"):
        random_brightness(x, 0.5)
    with pytest.raises(ValueError, match="must be different axes"):
        random_rotation(x, 5, 0, 0, 2)
    with pytest.raises(ValueError, match="its matrix has the element nan"):
        apply_affine_transform(x, zx=float("nan"))
    with pytest.raises(ValueError, match="Unsupported channel number: 2"):
        apply_brightness_shift(np.zeros((4, 4, 2)), 1)
    with pytest.raises(ValueError):
        apply_channel_shift(x, [1, 2], 2)


@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap", "mirror"])
def test_wild_matrices_stay_within_the_image(mode):
    rng = np.random.RandomState(7)
    for _ in range(400):
        x = rng.uniform(1, 2, rng.randint(1, 9, 3))
        matrix = np.eye(3)
        matrix[:2] = rng.normal(size=(2, 3)) * 10.0 ** rng.randint(-3, 8, (2, 3))
        moved = apply_transform(x, matrix, 2, mode, 1.5)
        assert x.min(initial=1.5) - 1e-9 <= moved.min() <= moved.max() <= x.max(initial=1.5) + 1e-9
    with pytest.raises(ValueError, match="its matrix has the element"):
        apply_transform(x, np.full((3, 3), 1e10), 2, mode)
