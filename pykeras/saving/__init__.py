"""Reading and writing models: HDF5 files, JSON and YAML, of this package and of every Keras before it."""

from .config_io import (
    model_from_config,
    model_from_json,
    model_from_yaml,
    model_to_dict,
    model_to_json,
    model_to_yaml,
)
from .convert import preprocess_weights_for_loading
from .hdf5 import (
    load_weights,
    load_weights_from_hdf5_group,
    load_weights_from_hdf5_group_by_name,
    save_weights,
    save_weights_to_hdf5_group,
)
from .model_io import load_model, save_model

__all__ = [
    "load_model",
    "load_weights",
    "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "model_to_dict",
    "model_to_json",
    "model_to_yaml",
    "preprocess_weights_for_loading",
    "save_model",
    "save_weights",
    "save_weights_to_hdf5_group",
]
