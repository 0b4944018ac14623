"""ImageDataGenerator without its flows (BEHAVIOURS 14.2 to 14.5)."""

import warnings

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.preprocessing.image import ImageDataGenerator, apply_affine_transform, apply_brightness_shift


def pictures(n=6, height=8, width=6, channels=3):
    return np.random.RandomState(0).uniform(0, 255, (n, height, width, channels)).astype("float32")


def test_14_3_draws_in_order():
    generator = ImageDataGenerator(
        rotation_range=30,
        height_shift_range=0.2,
        width_shift_range=2.5,
        shear_range=10,
        zoom_range=0.25,
        channel_shift_range=4,
        horizontal_flip=True,
        vertical_flip=True,
        brightness_range=(0.5, 2),
    )
    got = generator.get_random_transform((8, 6, 3), seed=5)
    np.random.seed(5)
    assert got["theta"] == np.random.uniform(-30, 30)  # degrees
    assert got["tx"] == np.random.uniform(-0.2, 0.2) * 8  # a fraction of the height
    assert got["ty"] == np.random.uniform(-2.5, 2.5)  # pixels
    assert got["shear"] == np.random.uniform(-10, 10)
    assert [got["zx"], got["zy"]] == np.random.uniform(0.75, 1.25, 2).tolist()
    assert got["channel_shift_intensity"] == [np.random.uniform(-4, 4) for _ in range(3)]
    assert got["flip_horizontal"] == (np.random.random() < 0.5)
    assert got["flip_vertical"] == (np.random.random() < 0.5)
    assert got["brightness"] == np.random.uniform(0.5, 2)


def test_14_3_whole_pixels_and_lists():
    def shifts(**ranges):
        generator = ImageDataGenerator(**ranges)
        np.random.seed(9)
        drawn = [generator.get_random_transform((10, 20, 1)) for _ in range(40)]
        return [d["tx"] for d in drawn], [d["ty"] for d in drawn]

    def chosen(values, scale):
        np.random.seed(9)
        return [np.random.choice(values) * np.random.choice([-1, 1]) * scale for _ in range(40)]

    assert shifts(height_shift_range=4)[0] == chosen(4, 1)  # 0 … 3, either way
    assert shifts(width_shift_range=[1, 5])[1] == chosen([1, 5], 1)
    assert shifts(width_shift_range=[0.1, 0.25])[1] == chosen([0.1, 0.25], 20)
    assert shifts(width_shift_range=np.array([2, 3]))[1] == chosen([2, 3], 1)
    assert set(shifts(height_shift_range=[-1, 0])[0]) <= {-1, 0, 1}  # pixels
    assert shifts(height_shift_range=[])[0] == [0] * 40


def test_14_3_nothing_enabled_draws_nothing():
    generator, x = ImageDataGenerator(), pictures()[0]
    before = np.random.get_state()
    assert generator.random_transform(x) is x
    after = np.random.get_state()
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8"])
def test_14_2_order_of_application(data_format, dtype):
    generator = ImageDataGenerator(data_format=data_format, fill_mode="constant", cval=3.0)
    x = pictures()[0].astype(dtype)
    parameters = {
        "theta": 20,
        "zx": 0.8,
        "channel_shift_intensity": [5, -7, 9],
        "flip_horizontal": True,
        "flip_vertical": True,
        "brightness": 0.7,
    }
    work = x.astype("float32") if dtype == "float16" else x
    want = apply_affine_transform(work, theta=20, zx=0.8, fill_mode="constant", cval=3.0)
    shifts = np.array([5, -7, 9], float if dtype == "uint8" else want.dtype)
    want = np.clip(want + shifts, want.min(), want.max())
    want = apply_brightness_shift(want[::-1, ::-1], 0.7, "channels_last")
    if data_format == "channels_first":
        got = generator.apply_transform(x.transpose(2, 0, 1), parameters).transpose(1, 2, 0)
    else:
        got = generator.apply_transform(x, parameters)
    if dtype == "float64":  # brightness works in the configured type; a value may fall on the other side
        np.testing.assert_allclose(got, want, atol=1)
    else:
        np.testing.assert_array_equal(got, want)
    untouched = x.copy()
    generator.apply_transform(x if data_format == "channels_last" else x.transpose(2, 0, 1), parameters)
    np.testing.assert_array_equal(x, untouched)


def test_whole_numbers_stay_such_where_images_are_only_moved():
    """So that a picture of 8 bits can be shown as one; a flow with such a dtype rounds as well."""
    x = np.full((9, 8, 3), 99, "uint8")
    x[2:5, 3:6] = 200, 10, 7
    generator = ImageDataGenerator(rotation_range=30, zoom_range=0.3, horizontal_flip=True, dtype="uint8")
    moved = generator.random_transform(x, seed=5)
    exact = generator.random_transform(x.astype(float), seed=5)
    assert moved.dtype == np.uint8
    np.testing.assert_array_equal(moved, np.floor(exact + 0.5))
    assert not np.array_equal(moved, x)
    batch = next(generator.flow(x[None], seed=5, shuffle=False))
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch[0], moved)
    shifted = ImageDataGenerator(channel_shift_range=20.0).random_transform(x, seed=5)
    assert shifted.dtype == np.float64


def test_14_2_standardize_in_order():
    x = pictures(40)
    generator = ImageDataGenerator(
        featurewise_center=True,
        featurewise_std_normalization=True,
        samplewise_center=True,
        samplewise_std_normalization=True,
        rescale=1 / 255,
        preprocessing_function=lambda image: image**2,
    )
    generator.fit(x)
    mean = x.astype(float).mean(axis=(0, 1, 2))
    std = (x.astype(float) - mean).std(axis=(0, 1, 2))
    np.testing.assert_allclose(generator.mean, mean[None, None], rtol=1e-6)
    np.testing.assert_allclose(generator.std, std[None, None], rtol=1e-6)
    assert generator.mean.shape == generator.std.shape == (1, 1, 3)  # per channel
    y = x[1].astype(float) ** 2 / 255
    y = (y - y.mean()) / (y.std() + K.epsilon())  # over the whole image
    y = (y - mean) / (std + K.epsilon())
    np.testing.assert_allclose(generator.standardize(x[1].copy()), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_14_4_featurewise_statistics_are_per_channel(data_format):
    x = pictures(30) + 1000  # far from zero: single precision alone would lose the deviation
    generator = ImageDataGenerator(True, False, True, data_format=data_format)
    generator.fit(x if data_format == "channels_last" else x.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(generator.mean.ravel(), x.astype(float).mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(generator.std.ravel(), x.astype(float).std(axis=(0, 1, 2)), rtol=1e-4)
    assert generator.mean.shape == ((1, 1, 3) if data_format == "channels_last" else (3, 1, 1))
    y = generator.standardize((x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)).copy())
    axis = (0, 1, 2) if data_format == "channels_last" else (0, 2, 3)
    np.testing.assert_allclose(y.mean(axis=axis), 0, atol=1e-3)
    np.testing.assert_allclose(y.std(axis=axis), 1, rtol=1e-3)


def test_14_4_whitening():
    x = pictures(300, 3, 2, 3) @ np.array([[1, 0.5, 0], [0, 1, 0.5], [0, 0, 1]], "float32")
    with pytest.warns(UserWarning, match="overrides setting of `featurewise_center`"):
        generator = ImageDataGenerator(zca_whitening=True)
    assert generator.zca_epsilon == 1e-6
    generator.fit(x)
    y = generator.standardize(x.copy()).reshape(300, -1)
    np.testing.assert_allclose(y.T @ y / 300, np.eye(18), atol=2e-3)
    np.testing.assert_allclose(generator.principal_components, generator.principal_components.T, atol=1e-6)
    centred = (x.astype(float) - x.astype(float).mean(axis=(0, 1, 2))).reshape(300, -1)
    u, s, _ = np.linalg.svd(centred.T @ centred / 300)
    want = (u / np.sqrt(s + 1e-6)) @ u.T
    np.testing.assert_allclose(generator.principal_components, want, rtol=1e-3, atol=1e-7)
    single = generator.standardize(x[7].copy())
    np.testing.assert_allclose(single.ravel(), y[7], rtol=1e-4, atol=1e-5)


def test_14_5_settings_that_need_others():
    with pytest.warns(UserWarning) as caught:
        generator = ImageDataGenerator(zca_whitening=True, featurewise_std_normalization=True)
    assert len(caught) == 2
    assert generator.featurewise_center
    assert not generator.featurewise_std_normalization
    with pytest.warns(UserWarning, match="`featurewise_std_normalization`, which overrides"):
        assert ImageDataGenerator(featurewise_std_normalization=True).featurewise_center
    with pytest.warns(UserWarning, match="`samplewise_std_normalization`, which overrides"):
        assert ImageDataGenerator(samplewise_std_normalization=True).samplewise_center


def test_14_5_before_fit_there_is_a_warning_only():
    generator, x = ImageDataGenerator(True, False, True), pictures()[0]
    with pytest.warns(UserWarning, match="but it hasn't been fit on any training data") as caught:
        np.testing.assert_array_equal(generator.standardize(x.copy()), x)
    assert [str(w.message).split("`")[1] for w in caught] == [
        "featurewise_center",
        "featurewise_std_normalization",
    ]


def test_14_5_fit():
    generator = ImageDataGenerator(True, rotation_range=50)
    x = pictures()
    kept = x.copy()
    generator.fit(x, augment=True, rounds=3, seed=8)
    np.testing.assert_array_equal(x, kept)
    np.random.seed(8)
    augmented = np.array([generator.random_transform(image) for _ in range(3) for image in x])
    np.testing.assert_allclose(generator.mean.ravel(), augmented.mean(axis=(0, 1, 2)), rtol=1e-5)
    with pytest.raises(ValueError, match=r"`.fit\(\)` should have rank 4. Got array with shape: \(8, 6, 3\)"):
        generator.fit(x[0])
    with pytest.raises(ValueError, match="has no images"):
        generator.fit(x[:0])
    with pytest.warns(UserWarning, match=r"expected either 1, 3 or 4 channels on axis 3.*\(2 channels\)"):
        generator.fit(x[..., :2])


def test_standardize_of_whole_numbers_and_in_place():
    generator = ImageDataGenerator(rescale=0.5)
    whole = np.full((2, 2, 3), 3, "uint8")
    y = generator.standardize(whole)
    assert (y.dtype, y[0, 0, 0]) == (np.float32, 1.5)
    assert whole[0, 0, 0] == 3
    x = np.ones((2, 2, 3), "float32")
    assert generator.standardize(x) is x  # as in Keras
    assert x[0, 0, 0] == 0.5
    x.flags.writeable = False
    assert generator.standardize(x)[0, 0, 0] == 0.25
    assert ImageDataGenerator(preprocessing_function=lambda x: x > 0).standardize(x).dtype == np.float32


@pytest.mark.parametrize("shape", [(5, 4, 3), (2, 5, 4, 3)])
@pytest.mark.parametrize("settings", [(True, False), (False, True), (True, True)])
def test_14_4_samplewise_statistics(shape, settings):
    x = np.random.RandomState(1).uniform(0, 9, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generator = ImageDataGenerator(
            samplewise_center=settings[0], samplewise_std_normalization=settings[1]
        )
    want = x - x.mean()
    if settings[1]:
        want = want / (x.std() + K.epsilon())
    np.testing.assert_allclose(generator.standardize(x.copy()), want, rtol=1e-9, atol=1e-12)


def test_bad_settings():
    for settings, words in [
        ({"data_format": "last"}, "data_format"),
        ({"zoom_range": (1, 2, 3)}, "`zoom_range` should be"),
        ({"zoom_range": "0.3"}, "`zoom_range` should be"),
        ({"brightness_range": 0.5}, "`brightness_range` should be a tuple or list of two floats"),
        ({"validation_split": 1.5}, "strictly between 0 and 1"),
        ({"fill_mode": "zero"}, "`fill_mode` must be"),
    ]:
        with pytest.raises(ValueError, match=words):
            ImageDataGenerator(**settings)
    with pytest.raises(ValueError, match=r"must have rank 3. Got an array with shape \(4, 4\)"):
        ImageDataGenerator().random_transform(np.zeros((4, 4)))
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(pictures())
    with pytest.raises(
        ValueError, match=r"The statistics of 3 channels do not fit an image with shape \(4, 4, 1\)"
    ):
        generator.standardize(np.zeros((4, 4, 1), "float32"))


def test_defaults_follow_the_configuration():
    assert ImageDataGenerator().data_format == K.image_data_format()
    assert ImageDataGenerator().dtype == K.floatx()
    assert ImageDataGenerator(zoom_range=0.2).zoom_range == [0.8, 1.2]
    assert ImageDataGenerator(zoom_range=[0.5, 1]).zoom_range == [0.5, 1]
    first = ImageDataGenerator(data_format="channels_first")
    assert (first.channel_axis, first.row_axis, first.col_axis) == (1, 2, 3)
