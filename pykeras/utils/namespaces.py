"""Names that a module of Keras holds only because it imports them, and that scripts take from there.

No module of Keras says which of its names are meant for others, so scripts import `MaxPooling2D` from
`keras.layers.convolutional`, `Layer` from `keras.layers.core` or `Model` from `keras.applications.vgg16`.
Here such names are found when they are asked for; nothing is loaded before.

Source: the import statements in Keras 2.1.6 and 2.2.4; where Keras 1 had `Merge` and its kin.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_MODULES = {
    "K": "backend",
    "activations": "activations",
    "cbks": "callbacks",
    "constraints": "constraints",
    "conv_utils": "utils.conv_utils",
    "initializers": "initializers",
    "interfaces": "legacy.interfaces",
    "layer_module": "layers",
    "layer_utils": "utils.layer_utils",
    "layers": "layers",
    "legacy_layers": "legacy.layers",
    "legacy_models": "legacy.models",
    "losses": "losses",
    "metrics_module": "metrics",
    "optimizers": "optimizers",
    "recurrent": "layers.recurrent",
    "regularizers": "regularizers",
    "topology": "engine.topology",
}

# Not ours, but taken all the same: a well-known network begins with `from keras.layers import …, warnings`.
_FOREIGN = {
    "copy": "copy",
    "json": "json",
    "np": "numpy",
    "os": "os",
    "re": "re",
    "warnings": "warnings",
}

# Where a name is defined; `there as here` where Keras has another name for it.
_HOMES = {
    "engine.base_layer": "InputSpec Layer",
    "engine.compile_utils": "weighted_masked_objective",
    "engine.graph": "get_source_inputs",
    "engine.input_layer": "Input InputLayer",
    "engine.network": "Container Network",
    "engine.sequential": "Sequential",
    "engine.training": "Model",
    "engine.training_utils": "slice_arrays standardize_input_data standardize_weights"
    " batch_shuffle:_batch_shuffle check_array_lengths:_check_array_lengths"
    " check_array_lengths:check_array_length_consistency"
    " check_loss_and_target_compatibility:_check_loss_and_target_compatibility"
    " standardize_weights:_standardize_weights",
    "applications.imagenet_utils": "_obtain_input_shape",
    "datasets.cifar": "load_batch",
    "layers": "AveragePooling1D AveragePooling2D AveragePooling3D Conv2D Dense Flatten GlobalAveragePooling2D"
    " GlobalMaxPooling2D Lambda MaxPooling1D MaxPooling2D MaxPooling3D concatenate",
    "layers._conv": "_Conv",
    "layers._conv_depthwise": "_SeparableConv",
    "layers._rnn_cells": "_generate_dropout_mask",
    "layers._rnn_base": "_standardize_args",
    "layers.pooling": "_GlobalPooling:_GlobalPooling1D _GlobalPooling:_GlobalPooling2D"
    " _GlobalPooling:_GlobalPooling3D",
    "legacy.layers": "ConvRecurrent2D Highway MaxoutDense Merge Recurrent merge",
    "models": "clone_model model_from_json _clone_functional:_clone_functional_model"
    " _clone_sequential:_clone_sequential_model",
    "preprocessing._image_folders": "_count_valid_files_in_directory _iter_valid_files"
    " _list_valid_filenames_in_directory",
    "preprocessing.sequence": "_remove_long_seq",
    "saving.convert": "convert_rnn_weights:_convert_rnn_weights preprocess_weights_for_loading",
    "saving.hdf5": "load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name"
    " save_weights_to_hdf5_group",
    "saving": "load_model model_from_config model_from_yaml save_model",
    "utils.data_utils": "GeneratorEnqueuer OrderedEnqueuer Sequence get_file",
    "utils.generic_utils": "Progbar deserialize_keras_object func_dump func_load has_arg object_list_uid"
    " to_list transpose_shape to_list:_to_list"
    " object_list_uid:_object_list_uid is_all_none:_is_all_none",
    "utils.io_utils": "ask_to_proceed_with_overwrite",
    "utils.layer_utils": "count_params",
}

_PARTS = "K Layer InputSpec activations constraints initializers interfaces np regularizers warnings"
_APPLICATION = (
    "GlobalMaxPooling2D Input K Model _obtain_input_shape get_file get_source_inputs layer_utils layers np os"
    " warnings"
)
_VGG = _APPLICATION + " Conv2D Dense Flatten GlobalAveragePooling2D MaxPooling2D"

# Module -> what else it holds.
HELD = {
    "activations": "K Layer",
    "applications.densenet": _APPLICATION,
    "applications.inception_resnet_v2": _APPLICATION + " Lambda",
    "applications.inception_v3": _APPLICATION,
    "applications.mobilenet": _APPLICATION + " InputSpec constraints conv_utils initializers regularizers",
    "applications.nasnet": _APPLICATION,
    "applications.resnet50": _APPLICATION,
    "applications.vgg16": _VGG,
    "applications.vgg19": _VGG,
    "applications.xception": _APPLICATION,
    "callbacks": "K Layer Progbar json np os warnings",
    "datasets.boston_housing": "get_file",
    "datasets.cifar10": "K get_file load_batch",
    "datasets.cifar100": "K get_file load_batch",
    "datasets.imdb": "_remove_long_seq get_file",
    "datasets.mnist": "get_file",
    "datasets.reuters": "_remove_long_seq get_file",
    "engine.base_layer": "K conv_utils count_params has_arg initializers interfaces object_list_uid to_list",
    "engine.saving": "K conv_utils load_model load_weights_from_hdf5_group optimizers save_model"
    " load_weights_from_hdf5_group_by_name model_from_config model_from_json model_from_yaml"
    " preprocess_weights_for_loading save_weights_to_hdf5_group",
    "engine.topology": "K Model _convert_rnn_weights _is_all_none _object_list_uid _to_list conv_utils"
    " ask_to_proceed_with_overwrite count_params has_arg initializers interfaces load_weights_from_hdf5_group"
    " Merge load_weights_from_hdf5_group_by_name merge preprocess_weights_for_loading"
    " save_weights_to_hdf5_group",
    "engine.training": "Container GeneratorEnqueuer K Layer Network OrderedEnqueuer Progbar Sequence"
    " _batch_shuffle _check_array_lengths _check_loss_and_target_compatibility _standardize_weights cbks"
    " interfaces losses metrics_module optimizers slice_arrays standardize_input_data standardize_weights"
    " weighted_masked_objective",
    "engine.training_utils": "check_array_length_consistency to_list weighted_masked_objective",
    "layers": _PARTS + " copy conv_utils func_dump func_load has_arg object_list_uid to_list transpose_shape",
    "layers.advanced_activations": _PARTS + " to_list",
    "layers.convolutional": _PARTS + " AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D"
    " MaxPooling2D MaxPooling3D _Conv _SeparableConv conv_utils transpose_shape",
    "layers.convolutional_recurrent": _PARTS + " ConvRecurrent2D Recurrent _generate_dropout_mask"
    " _standardize_args conv_utils has_arg to_list transpose_shape",
    "layers.core": _PARTS + " Highway MaxoutDense Merge copy deserialize_keras_object func_dump func_load"
    " has_arg merge",
    "layers.cudnn_recurrent": _PARTS,
    "layers.embeddings": _PARTS + " to_list",
    "layers.local": _PARTS + " conv_utils",
    "layers.merge": "K Layer",
    "layers.noise": "K Layer interfaces",
    "layers.normalization": _PARTS,
    "layers.pooling": "InputSpec K Layer _GlobalPooling1D _GlobalPooling2D _GlobalPooling3D conv_utils"
    " interfaces",
    "layers.recurrent": _PARTS + " Recurrent has_arg to_list",
    "layers.wrappers": "InputSpec K Layer _object_list_uid has_arg object_list_uid recurrent",
    "legacy.layers": "InputSpec K Layer conv_utils func_dump func_load has_arg to_list",
    "models": "InputLayer K Layer _clone_functional_model _clone_sequential_model copy has_arg interfaces"
    " ask_to_proceed_with_overwrite json layer_module legacy_layers legacy_models np optimizers os topology"
    " warnings",
    "optimizers": "K interfaces",
    "preprocessing.image": "K Sequence _count_valid_files_in_directory _iter_valid_files"
    " _list_valid_filenames_in_directory np os re warnings",
    "preprocessing.sequence": "Sequence np",
    "preprocessing.text": "np",
    "utils.conv_utils": "K",
    "utils.data_utils": "Progbar",
    "utils.layer_utils": "K conv_utils",
    "utils.multi_gpu_utils": "K Lambda Model clone_model concatenate to_list",
    "utils.test_utils": "Input K Model Sequential model_from_json",
}


def _addresses() -> dict[str, tuple[str, str]]:
    """Name -> (module, name there)."""
    found = {}
    for module, names in _HOMES.items():
        for entry in names.split():
            there, _, here = entry.partition(":")
            found[here or there] = (module, there)
    return found


_ADDRESSES = _addresses()


def held_by(full_name: str) -> Callable[[str], Any]:
    """Makes the `__getattr__` of a module.

    Args:
        full_name: the module's `__name__`.

    Returns:
        function that finds the names which Keras's module of that name holds as well, and raises
        AttributeError for others.
    """
    package, _, module = full_name.partition(".")
    names = frozenset(HELD[module].split())

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {full_name!r} has no attribute {name!r}")
        if name in _FOREIGN:
            return importlib.import_module(_FOREIGN[name])
        if name in _MODULES:
            return importlib.import_module(f"{package}.{_MODULES[name]}")
        home, there = _ADDRESSES[name]
        return getattr(importlib.import_module(f"{package}.{home}"), there)

    return __getattr__


def public_names(full_name: str) -> list[str]:
    """Returns what `from MODULE import *` takes along beside the module's own names."""
    names = HELD[full_name.partition(".")[2]].split()
    return sorted(name for name in names if not name.startswith("_"))
