"""The old import path of layers, nodes and networks."""

from __future__ import annotations

from typing import Any

from .base_layer import InputSpec, Layer, Node, _to_snake_case
from .graph import get_source_inputs
from .input_layer import Input, InputLayer
from .network import Container, Network

# Attributes of HDF5 objects are limited to this many bytes by the format.
HDF5_OBJECT_HEADER_LIMIT = 64512

_FROM_SAVING = (
    "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name",
    "preprocess_weights_for_loading",
    "save_weights_to_hdf5_group",
)

__all__ = [
    "HDF5_OBJECT_HEADER_LIMIT",
    "Container",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Network",
    "Node",
    "_to_snake_case",
    "get_source_inputs",
]


def __getattr__(name: str) -> Any:
    if name in _FROM_SAVING:  # saving stands above the engine
        from .. import saving

        return getattr(saving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
