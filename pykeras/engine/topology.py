"""The old import path of layers, nodes and networks."""

from __future__ import annotations

from ..utils.namespaces import held_by, public_names
from .base_layer import InputSpec, Layer, Node, _to_snake_case
from .graph import get_source_inputs
from .input_layer import Input, InputLayer
from .network import Container, Network

# Attributes of HDF5 objects are limited to this many bytes by the format.
HDF5_OBJECT_HEADER_LIMIT = 64512

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


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
