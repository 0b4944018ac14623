"""Helpers that scripts import from `pykeras.utils`; heavy ones are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

from . import conv_utils, generic_utils, io_utils, np_utils
from .generic_utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    serialize_keras_object,
)
from .io_utils import H5Dict, h5dict
from .np_utils import normalize, to_categorical

_LAZY = {
    "GeneratorEnqueuer": "data_utils",
    "HDF5Matrix": "io_utils",
    "OrderedEnqueuer": "data_utils",
    "Sequence": "data_utils",
    "convert_all_kernels_in_model": "layer_utils",
    "get_file": "data_utils",
    "get_source_inputs": "layer_utils",
    "model_to_dot": "vis_utils",
    "multi_gpu_model": "multi_gpu_utils",
    "plot_model": "vis_utils",
    "print_summary": "layer_utils",
}

_SUBMODULES = ("data_utils", "layer_utils", "multi_gpu_utils", "test_utils", "training_utils", "vis_utils")

__all__ = [
    "CustomObjectScope",
    "H5Dict",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "conv_utils",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "deserialize_keras_object",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "get_source_inputs",
    "h5dict",
    "io_utils",
    "model_to_dot",
    "multi_gpu_model",
    "normalize",
    "np_utils",
    "plot_model",
    "print_summary",
    "serialize_keras_object",
    "to_categorical",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module("." + _LAZY[name], __name__), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_LAZY) | set(_SUBMODULES))
