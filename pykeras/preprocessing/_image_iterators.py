"""Batches of images, read one after the other or by number.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6; `sample_weight` and several inputs as in
2.2.4).

All random numbers of a batch are drawn from numpy's global generator under a lock, in Keras's order; the work
on files and pixels comes after that and runs in as many threads as there are.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from collections.abc import Iterator as Iterates
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..backend.common import floatx, normalize_data_format
from ..utils.data_utils import Sequence
from ._image_files import CHANNELS, check_color_mode, check_target_size, pillow, save_img

# Held while a batch draws its numbers: iterators that are read by different threads share numpy's generator,
# and with a seed each of them sets it.
_DRAWING = threading.RLock()


class Iterator(Sequence):
    """Base of what gives batches for ever: numbers of samples, shuffled anew in each epoch.

    A subclass has `_get_batches_of_transformed_samples`, which turns numbers of samples into a batch.

    Args:
        n: number of samples.
        batch_size: samples per batch; the last batch of an epoch may have fewer.
        shuffle: shuffle the samples in every epoch.
        seed: numpy's global generator is seeded with seed + batches seen so far, before each batch; None
            leaves it.

    Raises:
        ValueError: the batch size is below 1.

    Example:
        >>> class Numbers(Iterator):
        ...     def _get_batches_of_transformed_samples(self, index_array):
        ...         return index_array
        >>> numbers = Numbers(5, batch_size=2, shuffle=False, seed=None)
        >>> [next(numbers).tolist() for _ in range(4)]
        [[0, 1], [2, 3], [4], [0, 1]]
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: {batch_size}")
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self._epoch_start = 0
        self._sent = self._in_worker = False
        self.lock = threading.RLock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def common_init(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str | None,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
    ) -> None:
        """Keeps the settings that the iterators over files share; `split` becomes the wanted part of them."""
        self.image_data_generator = image_data_generator
        self.target_size = check_target_size(target_size)
        self.color_mode = check_color_mode(color_mode)
        self.data_format = normalize_data_format(data_format)
        channels = (CHANNELS[self.color_mode],)
        self.image_shape = (
            self.target_size + channels
            if self.data_format == "channels_last"
            else channels + self.target_size
        )
        self.save_to_dir = check_save_to_dir(save_to_dir)
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.interpolation = interpolation
        self.split = subset_bounds(subset, image_data_generator)
        self.subset = subset

    def _seed(self) -> None:
        """Seeds numpy's global generator for the next batch, if there is a seed."""
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def __len__(self) -> int:
        return (self.n + self.batch_size - 1) // self.batch_size

    def __getitem__(self, idx: int) -> Any:
        return self._draw_item(idx)()

    def _prepare_item(self, idx: int) -> Callable[[], Any]:
        """Draws the numbers of batch `idx` and returns what makes it, which any thread may call.

        An enqueuer calls this in the order of the batches, so that a seed gives the same pictures for any
        number of threads.
        """
        if type(self).__getitem__ is not Iterator.__getitem__:
            return partial(self.__getitem__, idx)
        return self._draw_item(idx)

    def _draw_item(self, idx: int) -> Callable[[], Any]:
        if not 0 <= idx < len(self):
            raise ValueError(
                f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}"
                + ("" if self.n else ": there are no images")
            )
        with self.lock, _DRAWING:
            if self._in_worker:
                # A process cannot know how many batches the others have made: it goes by the place.
                self.total_batches_seen = self._epoch_start + idx
            self._seed()
            self.total_batches_seen += 1
            if self.index_array is None:
                self._set_index_array()
            return self._plan(self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)])

    def on_epoch_end(self) -> None:
        """Shuffles the samples anew."""
        with self.lock, _DRAWING:
            if self._sent and self.total_batches_seen == self._epoch_start:
                self.total_batches_seen += len(self)  # made by worker processes
                self._seed()
            self._epoch_start = self.total_batches_seen
            self._set_index_array()

    def reset(self) -> None:
        """Goes back to the first batch: `next` then begins an epoch."""
        self.batch_index = 0

    def _flow_index(self) -> Iterates[np.ndarray]:
        """Yields the numbers of samples of one batch after the other, for ever."""
        self.reset()
        while True:
            if not self.n:
                raise ValueError("There are no images to make a batch of")
            self._seed()
            if self.batch_index == 0:
                self._set_index_array()
            first = (self.batch_index * self.batch_size) % self.n
            self.batch_index = 0 if first + self.batch_size >= self.n else self.batch_index + 1
            self.total_batches_seen += 1
            yield self.index_array[first : first + self.batch_size]

    def __iter__(self) -> Iterator:
        return self

    def __next__(self, *args: Any, **kwargs: Any) -> Any:
        return self.next(*args, **kwargs)

    def next(self) -> Any:
        """Returns the next batch."""
        with self.lock, _DRAWING:
            if not self.n:
                raise ValueError("There are no images to make a batch of")
            make = self._plan(next(self.index_generator))
        return make()

    def _plan(self, index_array: np.ndarray) -> Callable[[], Any]:
        """Draws what the batch needs, and returns what makes it; called under the locks."""
        return partial(self._get_batches_of_transformed_samples, index_array)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        """Returns the batch of these samples."""
        raise NotImplementedError(f"{type(self).__name__} needs _get_batches_of_transformed_samples")

    def __getstate__(self) -> dict[str, Any]:
        # For workers that are processes: all of them must have the same order of samples.
        with self.lock, _DRAWING:
            if self.index_array is None:
                self._seed()
                self._set_index_array()
            self._sent = True
            state = {k: v for k, v in self.__dict__.items() if k not in ("lock", "index_generator")}
            return {**state, "_in_worker": True}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.RLock()
        self.index_generator = self._flow_index()


class ImageIterator(Iterator):
    """What the iterators over arrays, folders and tables share: batches of transformed images."""

    image_data_generator: Any
    dtype: Any
    data_format: str
    save_to_dir: str | None
    save_prefix: str
    save_format: str
    # Whether images must be transformed one by one under the lock, because a function of the user's draws
    # numbers as well; None until the first batch has shown it.
    _in_order: bool | None = None
    _name_range = 10_000_000

    def _image_shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        raise NotImplementedError

    def _read(self, number: int) -> np.ndarray:
        """The image of one sample, not yet transformed."""
        raise NotImplementedError

    def _complete(self, batch_x: np.ndarray, index_array: np.ndarray) -> Any:
        """The batch: images with their targets."""
        raise NotImplementedError

    def _plan(self, index_array: np.ndarray) -> Callable[[], Any]:
        method = ImageIterator._get_batches_of_transformed_samples
        if type(self)._get_batches_of_transformed_samples is not method:
            return super()._plan(index_array)
        generator = self.image_data_generator
        if generator is None:
            self._in_order = False
        elif not getattr(generator, "draws_ahead", lambda: False)():
            batch = self._get_batches_of_transformed_samples(index_array)
            return lambda: batch
        elif self._in_order is None and generator.preprocessing_function is None:
            self._in_order = False
        if self._in_order is not False:
            batch = self._make(index_array, None, [])
            return lambda: batch
        shape = self._image_shape()
        transforms: list[dict[str, Any]] = [{}] * len(index_array)
        if generator is not None and generator.draws():
            transforms = [generator.get_random_transform(shape) for _ in index_array]
        return partial(self._make, index_array, transforms, self._draw_names(index_array))

    def _draw_names(self, index_array: np.ndarray) -> list[int]:
        """Draws numbers for the names of saved pictures."""
        return [np.random.randint(self._name_range) for _ in index_array] if self.save_to_dir else []

    def _make(self, index_array: np.ndarray, transforms: list[Any] | None, names: list[int]) -> Any:
        """Makes a batch from what was drawn for it; None draws for one image after the other.

        Then it also looks whether the user's function draws numbers: if not, later batches are drawn ahead.
        """
        shape = self._image_shape()
        batch_x = np.empty((len(index_array), *shape), dtype=self.dtype)
        generator = self.image_data_generator
        moved = False
        for i, number in enumerate(index_array):
            row, x = batch_x[i], self._read(number)
            if generator is None:
                row[...] = x
            elif transforms is not None:
                generator.transform_into(row, x, transforms[i])
            else:
                transform = generator.get_random_transform(shape)
                place = _generator_place()
                generator.transform_into(row, x, transform)
                moved = moved or place != _generator_place()
        if transforms is None:
            self._in_order = bool(self._in_order) or moved
            names = self._draw_names(index_array)
        if generator is not None:
            batch_x = generator.whiten(batch_x)
        self._save(batch_x, index_array, names)
        return self._complete(batch_x, index_array)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        # By the generator's public methods, which a subclass may have changed.
        generator = self.image_data_generator
        batch_x = np.empty((len(index_array), *self._image_shape()), dtype=self.dtype)
        for row, number in zip(batch_x, index_array):
            x = self._read(number).astype(self.dtype)
            row[...] = x if generator is None else generator.standardize(generator.random_transform(x))
        self._save(batch_x, index_array, self._draw_names(index_array))
        return self._complete(batch_x, index_array)

    def _save(self, batch_x: np.ndarray, index_array: np.ndarray, names: list[int]) -> None:
        """Writes the pictures of a batch where `save_to_dir` says."""
        for x, number, name in zip(batch_x, index_array, names):
            file = f"{self.save_prefix}_{number}_{name}.{self.save_format}"
            save_img(os.path.join(str(self.save_to_dir), file), x, self.data_format)


class NumpyArrayIterator(ImageIterator):
    """Batches of the images of an array.

    Args:
        x: images of rank 4, or a pair of images and further inputs (an array or a list of them), which pass
            through.
        y: targets, one per image, or None.
        image_data_generator: the `ImageDataGenerator` that transforms the images.
        batch_size, shuffle, seed: see `Iterator`.
        data_format: where the channels are; None for the configured layout.
        save_to_dir, save_prefix, save_format: where pictures are saved, if anywhere, and their names' form.
        subset: 'training' or 'validation', where the generator has a `validation_split`.
        sample_weight: weights, one per image, or None.
        dtype: dtype of the images; None for the configured float type.

    Raises:
        ValueError: the arrays differ in length, the rank is not 4, or there is no such subset.

    Example:
        >>> iterator = NumpyArrayIterator(x, y, ImageDataGenerator(), batch_size=8)
        >>> batch_x, batch_y = next(iterator)
    """

    _name_range = 10_000

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        sample_weight: Any = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        x_misc: list[Any] = []
        if isinstance(x, list | tuple) and len(x) == 2 and np.ndim(x[0]) == 4:
            x, others = x
            x_misc = [np.asarray(other) for other in (others if isinstance(others, list) else [others])]
        for name, other in [("y", y), ("sample_weight", sample_weight), *(("x[1]", o) for o in x_misc)]:
            if other is not None and len(other) != len(x):
                raise ValueError(
                    f"`x` (images tensor) and `{name}` should have the same length. "
                    f"Found: x.shape = {getattr(x, 'shape', (len(x),))}, "
                    f"{name}.shape = {getattr(other, 'shape', (len(other),))}"
                )
        bounds = subset_bounds(subset, image_data_generator)
        if bounds is not None:
            part = slice(*(int(len(x) * bound) for bound in bounds))
            x, x_misc = x[part], [other[part] for other in x_misc]
            y = None if y is None else y[part]
            sample_weight = None if sample_weight is None else sample_weight[part]
        self.dtype = np.dtype(dtype or floatx())
        try:
            self.x = np.asarray(x, dtype=self.dtype)
        except ValueError as error:
            shapes = ", ".join(str(np.shape(part)) for part in list(x)[:5])
            raise ValueError(
                "`x` must be images of one size, or a pair of images and further inputs. Received a "
                f"{type(x).__name__} of {len(x)} with shapes {shapes}"
            ) from error
        self.x_misc = x_misc
        if self.x.ndim != 4:
            raise ValueError(
                "Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape "
                f"{self.x.shape}"
            )
        self.data_format = normalize_data_format(data_format)
        warn_of_channels("NumpyArrayIterator is set to use", self.x.shape, self.data_format)
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self.image_data_generator = image_data_generator
        self.save_to_dir = check_save_to_dir(save_to_dir)
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.subset = subset
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _image_shape(self) -> tuple[int, ...]:
        return self.x.shape[1:]

    def _read(self, number: int) -> np.ndarray:
        return self.x[number]

    def _complete(self, batch_x: np.ndarray, index_array: np.ndarray) -> Any:
        inputs = [batch_x, *(other[index_array] for other in self.x_misc)] if self.x_misc else batch_x
        if self.y is None:
            return inputs
        if self.sample_weight is None:
            return inputs, self.y[index_array]
        return inputs, self.y[index_array], self.sample_weight[index_array]


def check_save_to_dir(folder: str | None) -> str | None:
    """Returns the folder for saved pictures.

    Raises:
        ImportError: there is one, but not Pillow.
        FileNotFoundError: it does not exist.
    """
    if folder:
        pillow()
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"`save_to_dir` must be an existing folder. Received: {folder!s}")
    return folder


def subset_bounds(subset: str | None, generator: Any) -> tuple[float, float] | None:
    """Returns which part of the samples a subset is: validation the first ones, training the rest.

    Raises:
        ValueError: there is no such subset, or the generator keeps nothing for validation.
    """
    if subset is None:
        return None
    if subset not in ("training", "validation"):
        raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
    split = getattr(generator, "_validation_split", None) or 0.0
    if subset == "training":
        return split, 1.0
    if not split:
        raise ValueError(
            "`subset='validation'` needs a generator with a share for it: "
            "ImageDataGenerator(validation_split=0.2)"
        )
    return 0.0, split


def warn_of_channels(who: str, shape: tuple[int, ...], data_format: str) -> None:
    """Warns where the channel axis does not look like one."""
    axis = 3 if data_format == "channels_last" else 1
    if shape[axis] not in (1, 3, 4):
        warnings.warn(
            f'{who} the data format convention "{data_format}" (channels on axis {axis}), i.e. expected '
            f"either 1, 3 or 4 channels on axis {axis}. However, it was passed an array with shape {shape} "
            f"({shape[axis]} channels).",
            stacklevel=4,
        )


def _generator_place() -> Any:
    """Where numpy's global generator stands: it changes with every number drawn."""
    state: Any = np.random.get_state(legacy=False)
    key = state["state"]
    return key["pos"], key["key"][0], state["has_gauss"]
