"""Batches of the image files of a folder with one sub-folder per class.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..backend.common import floatx
from ._image_files import img_to_array, load_img
from ._image_iterators import ImageIterator

ENDINGS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")


class FileIterator(ImageIterator):
    """What the iterators over image files share: reading them, and targets by class.

    Attributes:
        filenames: the files, relative to `directory`.
        filepaths: where they are.
        classes: the class of each.
        class_indices: name of a class → its number.
    """

    directory: str
    filenames: list[str]
    class_mode: str | None
    class_indices: dict[Any, int]
    classes: Any

    @property
    def filepaths(self) -> list[str]:
        """The path of each image."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self) -> Any:
        """The class of each image."""
        return self.classes

    @property
    def sample_weight(self) -> Any:
        """The weight of each image, or None."""
        return None

    def _image_shape(self) -> tuple[int, ...]:
        return self.image_shape

    def _read(self, number: int) -> np.ndarray:
        image = load_img(
            os.path.join(self.directory, self.filenames[number]),
            target_size=self.target_size,
            interpolation=self.interpolation,
            color_mode=self.color_mode,
        )
        return img_to_array(image, self.data_format, self.dtype)

    def _complete(self, batch_x: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode is None:
            return batch_x
        batch_y = self._targets(batch_x, index_array)
        if self.sample_weight is None:
            return batch_x, batch_y
        return batch_x, batch_y, self.sample_weight[index_array]

    def _targets(self, batch_x: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode == "input":
            return batch_x.copy()
        if self.class_mode == "sparse":
            return self.classes[index_array]
        if self.class_mode == "binary":
            return self.classes[index_array].astype(self.dtype)
        batch_y = np.zeros((len(batch_x), len(self.class_indices)), dtype=self.dtype)
        for row, number in zip(batch_y, index_array):
            row[self.classes[number]] = 1  # one class, or a list of them
        return batch_y


def check_class_mode(class_mode: Any, allowed: tuple[str | None, ...]) -> Any:
    """Returns the class mode.

    Raises:
        ValueError: there is no such mode.
    """
    if class_mode not in allowed:
        names = ", ".join(repr(name) for name in allowed)
        raise ValueError(f"Invalid class_mode: {class_mode!r}; expected one of {names}.")
    return class_mode


def files_of(folder: str, follow_links: bool) -> list[str]:
    """The image files in a folder and below it, relative to it: folder by folder, sorted."""
    found = [
        os.path.relpath(os.path.join(root, name), folder)
        for root, name in _iter_valid_files(folder, ENDINGS, follow_links)
    ]
    if any(name.lower().endswith(".tiff") for name in found):
        warnings.warn(
            "Using '.tiff' files with multiple bands will cause distortion. Please verify your output.",
            stacklevel=4,
        )
    return found


# Three helpers of 2.1.6 under their names there: scripts take them from keras.preprocessing.image.


def _iter_valid_files(
    directory: str, white_list_formats: Iterable[str], follow_links: bool
) -> Iterator[tuple[str, str]]:
    """Yields (folder, name) of each file in a folder and below it that has one of the endings."""
    endings = tuple("." + ending for ending in white_list_formats)
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links), key=lambda entry: entry[0]):
        for name in sorted(names):
            if name.lower().endswith(endings):
                yield root, name


def part_of(files: list[Any], split: tuple[float, float] | None) -> list[Any]:
    """The files between two fractions of their number; all of them for None."""
    if split is None:
        return files
    first, last = (int(bound * len(files)) for bound in split)
    return files[first:last]


def _count_valid_files_in_directory(
    directory: str, white_list_formats: Iterable[str], split: tuple[float, float] | None, follow_links: bool
) -> int:
    """Returns how many files with one of the endings are in a folder and below it, or in a part of them."""
    return len(part_of(list(_iter_valid_files(directory, white_list_formats, follow_links)), split))


def _list_valid_filenames_in_directory(
    directory: str,
    white_list_formats: Iterable[str],
    split: tuple[float, float] | None,
    class_indices: dict[str, int],
    follow_links: bool,
) -> tuple[list[int], list[str]]:
    """Returns the class of each file in the folder of a class, and the files relative to the folder above."""
    directory = os.path.normpath(directory)
    files = part_of(list(_iter_valid_files(directory, white_list_formats, follow_links)), split)
    above, name = os.path.split(directory)
    names = [os.path.relpath(os.path.join(root, file), above or ".") for root, file in files]
    return [class_indices[name]] * len(files), names


class DirectoryIterator(FileIterator):
    """Batches of the image files of a folder with one sub-folder per class.

    Prints how many images it found.

    Args:
        directory: the folder. Files count if they end in png, jpg, jpeg, bmp, ppm, tif or tiff; also those in
            folders within the classes' folders.
        image_data_generator: the `ImageDataGenerator` that transforms the images.
        target_size: (height, width) in pixels to which all images are brought.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        classes: the sub-folders in the order of the classes; None for all of them, sorted.
        class_mode: the targets: 'categorical' (one-hot), 'binary' (0.0 or 1.0), 'sparse' (int32), 'input'
            (the images) or None.
        batch_size, shuffle, seed: see `Iterator`.
        data_format: where the channels go; None for the configured layout.
        save_to_dir, save_prefix, save_format: where pictures are saved, if anywhere, and their names' form.
        follow_links: also look into folders that are links.
        subset: 'training' or 'validation': of each class, the files after the generator's `validation_split`,
            or up to it.
        interpolation: how images are brought to their size, see `load_img`.
        dtype: dtype of the images; None for the configured float type.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a setting is unknown, or a class has no folder or is named twice.

    Example:
        >>> iterator = DirectoryIterator("pets", ImageDataGenerator(), target_size=(64, 64))
        Found 200 images belonging to 2 classes.
        >>> iterator.class_indices
        {'cats': 0, 'dogs': 1}
    """

    def __init__(
        self,
        directory: str,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        self.common_init(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
        )
        self.class_mode = check_class_mode(class_mode, ("categorical", "binary", "sparse", "input", None))
        self.dtype = np.dtype(dtype or floatx())
        self.directory = os.fspath(directory)
        folders = sorted(entry.name for entry in os.scandir(self.directory) if entry.is_dir())
        names = list(classes) if classes else folders
        if missing := [name for name in names if not os.path.isdir(os.path.join(self.directory, name))]:
            raise ValueError(
                f"There is no folder for class {missing[0]!r} in {self.directory}. Its folders: "
                f"{', '.join(folders) or 'none'}"
            )
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"Class {twice[0]!r} is named twice in `classes`: {names}")
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            files = part_of(files_of(os.path.join(self.directory, name), follow_links), self.split)
            self.filenames += [os.path.join(name, file) for file in files]
            numbers += [number] * len(files)
        self.samples = len(self.filenames)
        self.classes = np.array(numbers, dtype="int32")
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)
