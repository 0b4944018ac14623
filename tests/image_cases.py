"""Seeded cases that run on Keras's own module and on ours (see tests/golden/make_preprocessing.py)."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

data_format = "channels_last"

# name: (kind, settings of the generator, arguments of the flow)
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "everything": (
        "flow",
        {
            "rotation_range": 30,
            "width_shift_range": 0.2,
            "height_shift_range": 0.1,
            "shear_range": 15,
            "zoom_range": 0.3,
            "channel_shift_range": 20.0,
            "horizontal_flip": True,
            "vertical_flip": True,
            "rescale": 1 / 255,
        },
        {"batch_size": 3, "seed": 5},
    ),
    "bright": (
        "flow",
        {"brightness_range": (0.3, 1.8), "horizontal_flip": True, "channel_shift_range": 9.0},
        {"batch_size": 4, "seed": 1},
    ),
    "constant": ("flow", {"rotation_range": 90, "fill_mode": "constant", "cval": -3.0}, {"seed": 2}),
    "reflect": ("flow", {"zoom_range": (1.5, 3), "fill_mode": "reflect"}, {"seed": 3}),
    "wrap": ("flow", {"width_shift_range": 0.9, "shear_range": 40, "fill_mode": "wrap"}, {"seed": 4}),
    "whole_pixels": ("flow", {"width_shift_range": 3, "height_shift_range": 4}, {"seed": 6}),
    "many_pixels": ("flow", {"width_shift_range": 2.5, "height_shift_range": 1.0}, {"seed": 7}),
    "listed": (
        "flow",
        {"width_shift_range": [0.1, 0.3], "height_shift_range": [1, 4]},
        {"seed": 8, "shuffle": False},
    ),
    "samplewise": (
        "flow",
        {"samplewise_center": True, "samplewise_std_normalization": True, "rotation_range": 10},
        {"seed": 9},
    ),
    "featurewise": (
        "flow",
        {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.5},
        {"seed": 10},
    ),
    "whitened": (
        "flow",
        {"zca_whitening": True, "zca_epsilon": 1000.0, "horizontal_flip": True},
        {"seed": 11},
    ),
    "no_seed": ("flow", {"rotation_range": 20, "zoom_range": 0.2}, {"batch_size": 2}),
    "by_number": ("items", {"rotation_range": 20, "vertical_flip": True}, {"batch_size": 3, "seed": 12}),
    "saved": ("saved", {"rotation_range": 20, "horizontal_flip": True}, {"batch_size": 3, "seed": 13}),
    "drawing_function": (
        "drawing",
        {"rotation_range": 20, "horizontal_flip": True},
        {"batch_size": 3, "seed": 14},
    ),
    "augmented_fit": (
        "fit",
        {"featurewise_center": True, "featurewise_std_normalization": True, "rotation_range": 40},
        {},
    ),
    "functions": ("functions", {}, {}),
    "grey": ("grey", {"rotation_range": 20, "brightness_range": (0.5, 1.5), "zoom_range": 0.4}, {"seed": 15}),
}


def pictures(channels: int = 3) -> np.ndarray:
    """Seven pictures of 9 × 7 pixels, smooth and with noise."""
    rng = np.random.RandomState(42)
    waves = np.sin(np.arange(9)[:, None, None] / 2) + np.cos(np.arange(7)[None, :, None] / 3)
    return (127 + 50 * waves + rng.uniform(-20, 20, (7, 9, 7, channels))).astype("float32")


def noisy(x: np.ndarray) -> np.ndarray:
    """A user's function that draws numbers of its own."""
    return x + np.random.uniform(-1, 1)


def run(module: Any, case: tuple[str, dict[str, Any], dict[str, Any]]) -> list[np.ndarray]:
    """Runs a case on a module `keras.preprocessing.image`; returns arrays of pictures."""
    kind, settings, arguments = case
    x = pictures(1 if kind == "grey" else 3)
    np.random.seed(77)
    if kind == "functions":
        first = np.ascontiguousarray(x[0].transpose(2, 0, 1))
        matrix = module.transform_matrix_offset_center(
            np.array([[0.8, 0.1, 1], [-0.2, 1.1, 0], [0, 0, 1]]), 9, 7
        )
        return [
            module.random_rotation(first, 40),
            module.random_shift(first, 0.2, 0.3, fill_mode="constant", cval=5),
            module.random_shear(first, 30, fill_mode="reflect"),
            module.random_zoom(first, (0.5, 1.5), fill_mode="wrap"),
            module.random_channel_shift(first, 30),
            module.random_brightness(x[0], (0.5, 2)),
            module.random_rotation(x[0], 40, 0, 1, 2),
            module.apply_transform(first, matrix),
            module.apply_transform(x[0].astype("int32"), matrix, 2, "constant", 9),
            module.flip_axis(x[0], 1),
            np.asarray(module.array_to_img(x[0] - 130)),
            np.asarray(module.array_to_img(x[0], scale=False)),
        ]
    generator = module.ImageDataGenerator(
        preprocessing_function=noisy if kind == "drawing" else None, data_format="channels_last", **settings
    )
    if kind == "fit":
        generator.fit(x, augment=True, rounds=2, seed=3)
        return [generator.mean, generator.std]
    if settings.keys() & {"featurewise_center", "zca_whitening"}:
        generator.fit(x)
    with tempfile.TemporaryDirectory() as folder:
        saving = {"save_to_dir": folder, "save_prefix": "p"} if kind == "saved" else {}
        iterator = generator.flow(x, np.arange(7), **saving, **arguments)
        if kind == "items":
            batches = [iterator[i] for i in (0, 1, 2)]
            iterator.on_epoch_end()
            batches += [iterator[i] for i in (1, 0)]
        else:
            batches = [next(iterator) for _ in range(4 if "batch_size" in arguments else 1)]
        names = sorted(path.name for path in Path(folder).iterdir())
        return [array for batch in batches for array in batch] + [np.array(names)] * (kind == "saved")
