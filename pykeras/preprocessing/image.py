"""Preparing images: files, transformations at random, batches.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6, with the additions of 2.2.4).
"""

from __future__ import annotations

from ..utils.namespaces import held_by, public_names
from ._image_files import array_to_img, img_to_array, list_pictures, load_img, save_img
from ._image_folders import DirectoryIterator
from ._image_generator import ImageDataGenerator
from ._image_iterators import Iterator, NumpyArrayIterator
from ._image_tables import DataFrameIterator
from ._image_transforms import (
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

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "transform_matrix_offset_center",
]


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
