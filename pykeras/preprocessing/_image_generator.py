"""`ImageDataGenerator`: pictures that are never twice the same.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6; `get_random_transform`,
`apply_transform`, `flow_from_dataframe` and `dtype` as in 2.2.4).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._cython import images
from ..backend.common import epsilon, floatx, normalize_data_format
from . import _image_transforms as transforms
from ._image_folders import DirectoryIterator
from ._image_iterators import NumpyArrayIterator, warn_of_channels
from ._image_statistics import channel_moments, whitening_matrix
from ._image_tables import DataFrameIterator

_FLOATS = (np.float32, np.float64)
_MOVES = ("theta", "tx", "ty", "shear", "zx", "zy")


class ImageDataGenerator:
    """Makes batches of images, transformed at random and standardised.

    Each image is moved (rotation, shift, shear and zoom about its centre, in one step with linear
    interpolation), its channels are shifted, it is mirrored and made darker or brighter. Then it is
    standardised: the user's function, rescaling, its own mean and deviation, those of the data set,
    whitening. All numbers come from numpy's global generator.

    Args:
        featurewise_center: subtract the mean of each channel over the data set; needs `fit`.
        samplewise_center: subtract each image's mean.
        featurewise_std_normalization: divide by the deviation of each channel over the data set; needs `fit`.
        samplewise_std_normalization: divide by each image's deviation.
        zca_whitening: make pixels uncorrelated; needs `fit`.
        zca_epsilon: added to the variances that whitening divides by.
        rotation_range: degrees, either way.
        width_shift_range, height_shift_range: a float below 1 is a fraction of the size, either way, one from
            1 on pixels; an int k means 0 … k − 1 pixels, either way; a list means one of its values, either
            way (fractions if all are below 1).
        brightness_range: two factors to draw one between; the image becomes one of 8 bits.
        shear_range: degrees, either way.
        zoom_range: (least, greatest) factor for rows and for columns; a number z means (1 − z, 1 + z).
        channel_shift_range: added to each channel, either way.
        fill_mode: what stands beyond the border: 'nearest', 'constant', 'reflect' or 'wrap'.
        cval: the value for 'constant'.
        horizontal_flip, vertical_flip: mirror half of the images.
        rescale: multiply by this; None or 0 does not.
        preprocessing_function: gets each image after it has been transformed, of rank 3, and returns it.
        data_format: where the channels are; None for the configured layout.
        validation_split: share of the images kept for `subset='validation'`.
        dtype: dtype of the images; None for the configured float type.

    Raises:
        ValueError: one of the settings is impossible.

    Example:
        >>> generator = ImageDataGenerator(rotation_range=20, horizontal_flip=True, rescale=1 / 255)
        >>> model.fit_generator(generator.flow(x, y, batch_size=32), epochs=5)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0.0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        if brightness_range is not None:
            transforms.check_pair("brightness_range", brightness_range)
        self.shear_range = shear_range
        if isinstance(zoom_range, int | float | np.number):
            zoom_range = 1 - zoom_range, 1 + zoom_range
        self.zoom_range = list(transforms.check_pair("zoom_range", zoom_range))
        self.channel_shift_range = channel_shift_range
        self.fill_mode = transforms.check_fill_mode(fill_mode)
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dtype = np.dtype(dtype or floatx()).name
        self.data_format = normalize_data_format(data_format)
        if self.data_format == "channels_first":
            self.channel_axis, self.row_axis, self.col_axis = 1, 2, 3
        else:
            self.channel_axis, self.row_axis, self.col_axis = 3, 1, 2
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"`validation_split` must be strictly between 0 and 1.  Received arg: {validation_split}"
            )
        self._validation_split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.principal_components: Any = None
        if zca_whitening:
            self._override("zca_whitening", "featurewise_center", True)
            self._override("zca_whitening", "featurewise_std_normalization", False)
        if self.featurewise_std_normalization:
            self._override("featurewise_std_normalization", "featurewise_center", True)
        if samplewise_std_normalization:
            self._override("samplewise_std_normalization", "samplewise_center", True)

    def _override(self, setting: str, other: str, value: bool) -> None:
        if bool(getattr(self, other)) != value:
            setattr(self, other, value)
            warnings.warn(
                f"This ImageDataGenerator specifies `{setting}`, which overrides setting of `{other}`.",
                stacklevel=4,
            )

    # ------------------------------------------------------------------------------------------ flows

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        sample_weight: Any = None,
    ) -> NumpyArrayIterator:
        """Makes batches of the images of an array, for ever.

        Args:
            x, y, sample_weight, batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: see
                `NumpyArrayIterator`.

        Returns:
            An iterator, which is a `Sequence` as well: batches are x, (x, y) or (x, y, sample_weight).
        """
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            sample_weight=sample_weight,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: str,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Makes batches of the image files of a folder with one sub-folder per class, for ever.

        Args:
            directory, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, save_to_dir,
                save_prefix, save_format, follow_links, subset, interpolation: see `DirectoryIterator`.

        Returns:
            An iterator, which is a `Sequence` as well.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | None = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: Any = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        has_ext: bool = True,
        drop_duplicates: bool = False,
    ) -> DataFrameIterator:
        """Makes batches of the image files that a pandas table names, for ever.

        Args:
            dataframe, directory, x_col, y_col, weight_col, target_size, color_mode, classes, class_mode,
                batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset, interpolation,
                validate_filenames, has_ext: see `DataFrameIterator`. The fifth positional argument may be
                `has_ext`, as in Keras 2.2.4.
            drop_duplicates: leave out rows whose file an earlier row names.

        Returns:
            An iterator, which is a `Sequence` as well.
        """
        if isinstance(weight_col, bool):
            weight_col, has_ext = None, weight_col
        return DataFrameIterator(
            dataframe.drop_duplicates(x_col) if drop_duplicates else dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
            validate_filenames=validate_filenames,
            has_ext=has_ext,
        )

    # ------------------------------------------------------------------------------- random transformations

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Draws a transformation.

        Args:
            img_shape: the shape of one image.
            seed: seeds numpy's global generator first.

        Returns:
            What `apply_transform` takes: 'theta', 'shear' (degrees), 'tx', 'ty' (pixels along rows and
            columns), 'zx', 'zy' (factors), 'channel_shift_intensity' (a list with a number for each channel,
            or None), 'flip_horizontal', 'flip_vertical', 'brightness' (a factor, or None).
        """
        if seed is not None:
            np.random.seed(seed)
        uniform = transforms.uniform
        rotation, shear = self.rotation_range, self.shear_range
        theta = uniform(-rotation, rotation) if rotation else 0
        tx = transforms.draw_shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = transforms.draw_shift(self.width_shift_range, img_shape[self.col_axis - 1])
        angle = uniform(-shear, shear) if shear else 0
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == high == 1 else (uniform(low, high), uniform(low, high))
        shifts = None
        if self.channel_shift_range != 0:
            most = self.channel_shift_range
            shifts = [uniform(-most, most) for _ in range(img_shape[self.channel_axis - 1])]
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": angle,
            "zx": zx,
            "zy": zy,
            "channel_shift_intensity": shifts,
            "flip_horizontal": bool(self.horizontal_flip and np.random.random_sample() < 0.5),
            "flip_vertical": bool(self.vertical_flip and np.random.random_sample() < 0.5),
            "brightness": None if self.brightness_range is None else uniform(*self.brightness_range),
        }

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> np.ndarray:
        """Applies a transformation to one image.

        Args:
            x: one image of rank 3.
            transform_parameters: what `get_random_transform` returns; what is missing changes nothing.

        Returns:
            The transformed image; `x` itself where nothing changes. Whole numbers are rounded to such when
            the image is moved, and become floats when its colours change.

        Raises:
            ValueError: the rank is not 3.
        """
        x = np.asarray(x)
        if x.ndim != 3:
            raise ValueError(f"An image must have rank 3. Got an array with shape {x.shape}")
        if not _changes(transform_parameters):
            return x
        if x.dtype.kind != "f":
            return self._transform_whole_numbers(x, transform_parameters)
        if x.dtype not in _FLOATS:  # half precision
            return self.apply_transform(x.astype("float32"), transform_parameters).astype(x.dtype)
        out = np.empty(x.shape, x.dtype)
        self._transform(out, x, transform_parameters)
        return out

    def _transform_whole_numbers(self, x: np.ndarray, parameters: dict[str, Any]) -> np.ndarray:
        """What `_transform` does, step by step."""
        get = parameters.get
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        move = {name: parameters[name] for name in _MOVES if name in parameters}
        x = transforms.apply_affine_transform(
            x,
            **move,
            row_axis=row,
            col_axis=col,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
        )
        if (shifts := get("channel_shift_intensity")) is not None:
            x = transforms.apply_channel_shift(x, shifts, channel)
        if get("flip_horizontal"):
            x = np.flip(x, col)
        if get("flip_vertical"):
            x = np.flip(x, row)
        if (brightness := get("brightness")) is not None:
            x = transforms.apply_brightness_shift(x, brightness, self.data_format)
        return x

    def _transform(self, out: np.ndarray, x: np.ndarray, parameters: dict[str, Any]) -> None:
        """Writes the transformed image `x` to `out`, C-contiguous; both float32 or both float64."""
        if not _changes(parameters):
            out[...] = x
            return
        axes = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        view = out.transpose(axes)
        # What is added to pixels does not depend on their places: so the image is mirrored as it is moved.
        mirrored = view[
            :: -1 if parameters.get("flip_vertical") else 1, :: -1 if parameters.get("flip_horizontal") else 1
        ]
        get = parameters.get
        matrix = transforms.affine_matrix(
            view.shape[:2],
            get("theta", 0),
            get("tx", 0),
            get("ty", 0),
            get("shear", 0),
            get("zx", 1),
            get("zy", 1),
        )
        source = x.transpose(axes)
        if matrix is None:
            mirrored[...] = source
        else:
            images.affine(source, mirrored, matrix, images.MODES[self.fill_mode], self.cval)
        if get("channel_shift_intensity") is not None:
            transforms.shift_in_place(out, get("channel_shift_intensity"), axes[2])
        if (brightness := get("brightness")) is not None:
            transforms.brighten(out, out, brightness, axes[2])

    def random_transform(self, x: Any, seed: int | None = None) -> np.ndarray:
        """Transforms one image at random.

        Args:
            x: one image of rank 3.
            seed: seeds numpy's global generator first.

        Returns:
            The transformed image.
        """
        x = np.asarray(x)
        if x.ndim != 3:
            raise ValueError(f"An image must have rank 3. Got an array with shape {x.shape}")
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def draws(self) -> bool:
        """Whether transformations are drawn at all."""
        settings = (
            self.rotation_range,
            self.shear_range,
            self.channel_shift_range,
            self.horizontal_flip,
            self.vertical_flip,
            self.brightness_range is not None,
            self.zoom_range != [1, 1],
            np.any(self.height_shift_range),
            np.any(self.width_shift_range),
        )
        return any(bool(setting) for setting in settings)

    def draws_ahead(self) -> bool:
        """Whether a batch's numbers may be drawn before its images are read; a subclass may prevent it."""
        ours = ImageDataGenerator
        return all(
            getattr(type(self), name) is getattr(ours, name)
            for name in ("get_random_transform", "apply_transform", "random_transform", "standardize")
        )

    def transform_into(self, row: np.ndarray, x: np.ndarray, parameters: dict[str, Any]) -> None:
        """Writes the transformed and standardised, not yet whitened, image `x` to `row` of a batch."""
        if row.dtype in _FLOATS:
            self._transform(row, x if x.dtype == row.dtype else x.astype(row.dtype), parameters)
            y = self._standardize(row)
        else:
            y = self._standardize(self.apply_transform(x, parameters).astype(floatx()))
        if y is not row:
            row[...] = y

    # ------------------------------------------------------------------------------------ standardising

    def standardize(self, x: Any) -> np.ndarray:
        """Standardises one image or a batch of images: the function, rescaling, means, deviations, whitening.

        Args:
            x: an image of rank 3, or images of rank 4; arrays of floats are changed in place.

        Returns:
            The standardised images. Statistics of samples are those of the whole of `x`.
        """
        x = np.asarray(x)
        return self.whiten(self._standardize(x if x.dtype.kind == "f" else x.astype(self.dtype)))

    def _standardize(self, x: np.ndarray) -> np.ndarray:
        """All of `standardize` but whitening."""
        if self.preprocessing_function:
            x = np.asarray(self.preprocessing_function(x))
            if x.dtype.kind != "f":
                x = x.astype(self.dtype)
        if not x.flags.writeable:
            x = x.copy()
        if self.rescale:
            x *= x.dtype.type(self.rescale)
        fast = x.dtype in _FLOATS and x.flags.c_contiguous and x.size > 0
        if self.samplewise_center or self.samplewise_std_normalization:
            row = x.reshape(-1)
            (mean,), (std,) = images.moments(row, 1) if fast else ([np.mean(x)], [np.std(x)])
            mean = mean if self.samplewise_center else 0
            std = std + epsilon() if self.samplewise_std_normalization else 1
            if fast:
                images.scale_channels(row, np.array([mean], x.dtype), np.array([std], x.dtype))
            else:
                x -= mean
                x /= std
        mean = self._fitted("featurewise_center", self.mean)
        std = self._fitted("featurewise_std_normalization", self.std)
        if fast and x.ndim == 3 and mean is not None:
            means = np.asarray(mean, x.dtype).ravel()
            divisors = np.ones_like(means) if std is None else np.asarray(std + epsilon(), x.dtype).ravel()
            if len(means) != x.shape[self.channel_axis - 1]:
                raise ValueError(
                    f"The statistics of {len(means)} channels do not fit an image with shape {x.shape}"
                )
            for row, part in transforms.rows_of_pixels(x, self.channel_axis - 1):
                images.scale_channels(row, means[part], divisors[part])
        else:
            if mean is not None:
                x -= mean
            if std is not None:
                x /= std + epsilon()
        return x

    def whiten(self, x: np.ndarray) -> np.ndarray:
        """The last step of `standardize`, for one image or a batch."""
        components = self._fitted("zca_whitening", self.principal_components)
        if components is None:
            return x
        flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
        return (flat @ components).reshape(x.shape).astype(x.dtype, copy=False)

    def _fitted(self, setting: str, statistics: Any) -> Any:
        """The statistics that a setting needs: None without it, or with a warning before `fit`."""
        if not getattr(self, setting):
            return None
        if statistics is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{setting}`, but it hasn't been fit on any training "
                "data. Fit it first by calling `.fit(numpy_data)`.",
                stacklevel=4,
            )
        return statistics

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Computes the statistics of a data set that featurewise settings and whitening need.

        Args:
            x: images of rank 4.
            augment: take transformed images.
            rounds: with `augment`, how often each image is transformed.
            seed: seeds numpy's global generator first.

        Raises:
            ValueError: the rank is not 4, or there are no images.
        """
        dtype = self.dtype if self.dtype in ("float32", "float64") else "float32"
        x = np.array(x, dtype=dtype, order="C")
        if x.ndim != 4:
            raise ValueError(f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}")
        if not x.size:
            raise ValueError(f"Input to `.fit()` has no images. Got array with shape: {x.shape}")
        warn_of_channels("Expected input to be images (as Numpy array) following", x.shape, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if augment:
            pool = np.empty((rounds * len(x), *x.shape[1:]), dtype)
            for number, row in enumerate(pool):
                row[...] = self.random_transform(x[number % len(x)])
            x = pool
        if self.featurewise_center or self.featurewise_std_normalization:
            mean, std = channel_moments(x, self.channel_axis)
            shape = [1, 1, 1]
            shape[self.channel_axis - 1] = len(mean)
            if self.featurewise_center:
                self.mean = mean.reshape(shape).astype(dtype)
                x -= self.mean
            if self.featurewise_std_normalization:
                self.std = std.reshape(shape).astype(dtype)
                x /= self.std + epsilon()
        if self.zca_whitening:
            self.principal_components = whitening_matrix(x.reshape(len(x), -1), self.zca_epsilon).astype(
                dtype
            )


def _changes(parameters: dict[str, Any]) -> bool:
    """Whether a transformation does anything."""
    get = parameters.get
    moved = any(get(name, 0) != 0 for name in ("theta", "tx", "ty", "shear"))
    zoomed = get("zx", 1) != 1 or get("zy", 1) != 1
    mirrored = get("flip_horizontal") or get("flip_vertical")
    coloured = get("channel_shift_intensity") is not None or get("brightness") is not None
    return bool(moved or zoomed or mirrored or coloured)
