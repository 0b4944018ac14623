"""Layers, the graphs they form, and the training of models."""

from . import saving as saving
from . import topology as topology
from .base_layer import InputSpec, Layer, Node
from .graph import get_source_inputs
from .input_layer import Input, InputLayer
from .network import Container, Network
from .training import Model

__all__ = [
    "Container",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Model",
    "Network",
    "Node",
    "get_source_inputs",
]
