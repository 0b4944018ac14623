"""Weights of other times and backends, brought into the shapes that our layers have.

Source: the conversions of keras/engine/topology.py `preprocess_weights_for_loading` (2.1.6), item 3.2.10
of the format's description: Keras 1 layouts, Theano's turned kernels, CuDNN's recurrent layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..utils.conv_utils import convert_kernel

Weights = list[np.ndarray]

_CONV_LAYERS = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "ConvLSTM2D"})

# Whether a backend correlates (as we do) or convolves, that is, correlates with the kernel turned by 180°.
_CORRELATES = {"tensorflow": True, "theano": False, "cntk": True, "pykeras": True, "jax": True, "torch": True}


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence[np.ndarray],
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> Weights:
    """Converts a layer's weights as they stand in a file into what `layer.set_weights` takes.

    Args:
        layer: the built layer or nested model.
        weights: arrays in the order of the file.
        original_keras_version: version that wrote them; None or '1…' means Keras 1.
        original_backend: backend that wrote them.
        reshape: reshape arrays that have the right number of elements in another shape.

    Returns:
        list of arrays; weights that need no conversion are passed through, whatever their shape.

    Raises:
        ValueError: no conversion exists between the two kinds of recurrent layers, or the backend is unknown.
    """
    if original_backend is not None and original_backend not in _CORRELATES:
        raise ValueError(f"Unknown backend {original_backend!r} in the file; known are {sorted(_CORRELATES)}")
    version = original_keras_version or "1"
    flip = original_backend is not None and not _CORRELATES[original_backend]
    return _convert(layer, list(weights), version.startswith(("0", "1")), flip, reshape)


def _convert(layer: Any, weights: Weights, keras1: bool, flip: bool, reshape: bool) -> Weights:
    kind = layer.__class__.__name__
    if not weights:
        return weights
    if hasattr(layer, "layers"):
        return _nested(layer, weights, keras1, flip, reshape)
    if kind == "Bidirectional":
        half = len(weights) // 2
        return _convert(layer.forward_layer, weights[:half], keras1, flip, reshape) + _convert(
            layer.backward_layer, weights[half:], keras1, flip, reshape
        )
    if kind == "TimeDistributed":
        return _convert(layer.layer, weights, keras1, flip, reshape)
    if keras1:
        weights = _from_keras1(kind, layer, weights)
    if kind in _CONV_LAYERS:
        weights = _conv_kernels(kind, layer, weights, flip, reshape)
    elif kind in ("LSTM", "CuDNNLSTM", "GRU", "CuDNNGRU") and len(weights) == 3:
        weights = convert_rnn_weights(layer, weights)
    if reshape:
        weights = _reshape_all(layer, weights)
    return weights


def _nested(model: Any, weights: Weights, keras1: bool, flip: bool, reshape: bool) -> Weights:
    """Converts leaf by leaf; a leaf's weights lie apart in a model's, where trainable ones come first."""
    own = list(model.weights)
    if len(own) != len(weights) and not keras1:
        return weights
    if keras1:
        return _nested_keras1(model, weights, flip, reshape)
    place = {id(variable): i for i, variable in enumerate(own)}
    result = list(weights)
    for leaf in model.layers:
        places = [place[id(variable)] for variable in leaf.weights if id(variable) in place]
        converted = _convert(leaf, [weights[i] for i in places], keras1, flip, reshape)
        if len(converted) == len(places):
            for i, array in zip(places, converted):
                result[i] = array
    return result


def _nested_keras1(model: Any, weights: Weights, flip: bool, reshape: bool) -> Weights:
    """Keras 1 stored 12 arrays where we have 3, so positions count in its numbers, trainable ones first."""
    counts = [(leaf, *_keras1_counts(leaf)) for leaf in model.layers]
    trainable_total = sum(trainable for _, trainable, _ in counts)
    heads, tails = weights[:trainable_total], weights[trainable_total:]
    new_heads: Weights = []
    new_tails: Weights = []
    for leaf, trainable, rest in counts:
        both = _convert(leaf, heads[:trainable] + tails[:rest], True, flip, reshape)
        heads, tails = heads[trainable:], tails[rest:]
        split = len(leaf.trainable_weights)
        new_heads += both[:split]
        new_tails += both[split:]
    return new_heads + new_tails


def _keras1_counts(layer: Any) -> tuple[int, int]:
    """How many trainable and other arrays Keras 1 stored for a layer."""
    factor = {"LSTM": 4, "ConvLSTM2D": 4, "GRU": 3}.get(layer.__class__.__name__, 1)
    return len(layer.trainable_weights) * factor, len(layer.non_trainable_weights) * factor


def _from_keras1(kind: str, layer: Any, weights: Weights) -> Weights:
    first = getattr(layer, "data_format", None) == "channels_first"
    kernel = weights[0]
    if kind == "Conv1D" and kernel.ndim == 4:
        length, filters = layer.kernel_size[0], layer.filters
        if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
            kernel = np.transpose(kernel, (2, 3, 1, 0))  # Theano order: (filters, in, length, 1)
        weights = [kernel[:, 0, :, :], *weights[1:]]
    elif kind in ("Conv2D", "DepthwiseConv2D") and kernel.ndim == 4 and first:
        weights = [np.transpose(kernel, (2, 3, 1, 0)), *weights[1:]]
    elif kind == "SeparableConv2D" and kernel.ndim == 4 and first:
        weights = [np.transpose(w, (2, 3, 1, 0)) for w in weights[:2]] + weights[2:]
    elif kind == "Conv2DTranspose" and kernel.ndim == 4:
        weights = [np.transpose(kernel, (2, 3, 0, 1) if first else (0, 1, 3, 2)), *weights[1:]]
    elif kind == "Conv3D" and kernel.ndim == 5 and first:
        weights = [np.transpose(kernel, (2, 3, 4, 1, 0)), *weights[1:]]
    elif kind in ("LSTM", "ConvLSTM2D") and len(weights) == 12:
        # (kernel, recurrent kernel, bias) per gate in the order i, c, f, o; ours is i, f, c, o side by side
        weights = [
            np.concatenate([weights[3 * gate + part] for gate in (0, 2, 1, 3)], -1) for part in range(3)
        ]
        if kind == "ConvLSTM2D" and first:
            weights = [np.transpose(w, (2, 3, 1, 0)) for w in weights[:2]] + weights[2:]
    elif kind == "GRU" and len(weights) == 9:
        weights = [np.concatenate([weights[3 * gate + part] for gate in range(3)], -1) for part in range(3)]
    return weights


def _conv_kernels(kind: str, layer: Any, weights: Weights, flip: bool, reshape: bool) -> Weights:
    kernels = 2 if kind == "ConvLSTM2D" else 1
    result = list(weights)
    for i, variable in enumerate(layer.weights[:kernels]):
        wanted = _shape(variable)
        kernel = weights[i]
        if not 3 <= kernel.ndim <= 5:
            continue
        if reshape and kernel.shape != wanted and kernel.size == int(np.prod(wanted)):
            kernel = kernel.reshape(wanted)
        if flip:
            kernel = convert_kernel(kernel)
        if kernel.shape != wanted and kernel.ndim == 4:
            turned = np.transpose(kernel, (3, 2, 0, 1))
            # a kernel of another architecture keeps its own shape, so that the error shows it
            kernel = turned if turned.shape == wanted else kernel
        result[i] = kernel
    return result


def _shape(variable: Any) -> tuple[int, ...]:
    from .. import backend as K

    shape: Any = K.int_shape(variable)
    return tuple(shape)


def _reshape_all(layer: Any, weights: Weights) -> Weights:
    wanted = [_shape(variable) for variable in layer.weights]
    if len(wanted) != len(weights):
        return weights
    return [
        w.reshape(s) if w.shape != s and w.size == int(np.prod(s)) else w for w, s in zip(weights, wanted)
    ]


# ---- recurrent layers


def _per_gate(kernel: np.ndarray, change: Callable[[np.ndarray], np.ndarray], gates: int) -> np.ndarray:
    return np.hstack([change(part) for part in np.hsplit(kernel, gates)])


def _input_kernel(from_cudnn: bool) -> Callable[[np.ndarray], np.ndarray]:
    order: Any = "F" if from_cudnn else "C"
    return lambda kernel: kernel.T.reshape(kernel.shape, order=order)


def convert_rnn_weights(layer: Any, weights: Weights) -> Weights:
    """Converts between LSTM and CuDNNLSTM, and between GRU (with `reset_after`) and CuDNNGRU.

    Args:
        layer: the layer that will get the weights.
        weights: kernel (in, gates·units), recurrent kernel (units, gates·units), bias. The bias tells the
        source:
            8·units CuDNNLSTM, 4·units LSTM; 6·units CuDNNGRU, (2, 3·units) GRU with reset_after, 3·units
            without.

    Returns:
        list of three arrays.

    Raises:
        ValueError: between a GRU without `reset_after` and the other two there is no conversion.
    """
    target = layer.__class__.__name__
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    if target in ("LSTM", "CuDNNLSTM"):
        sources = {(8 * units,): "CuDNNLSTM", (4 * units,): "LSTM"}
        source = sources.get(bias.shape)
        if source is None or source == target:
            return weights
        from_cudnn = source == "CuDNNLSTM"
        # cuDNN adds two biases; half of ours goes into each
        new_bias = bias.reshape(2, -1).sum(0) if from_cudnn else np.tile(0.5 * bias, 2)
        gates = 4
    elif target in ("GRU", "CuDNNGRU"):
        kinds = {(6 * units,): "CuDNNGRU", (2, 3 * units): "GRU(reset_after)", (3 * units,): "GRU"}
        source = kinds.get(bias.shape)
        if target == "GRU":
            target = "GRU(reset_after)" if getattr(layer, "reset_after", False) else "GRU"
        if source is None or source == target:
            return weights
        if "GRU" in (source, target):
            raise ValueError(
                f"{source} weights cannot be loaded into {target} layer {layer.name!r}: the two compute "
                f"different things. Build the layer with reset_after={'True' if source != 'GRU' else 'False'}"
            )
        from_cudnn = source == "CuDNNGRU"
        new_bias = bias.reshape((2, -1) if from_cudnn else (-1,))
        gates = 3
    else:
        return weights
    return [
        _per_gate(kernel, _input_kernel(from_cudnn), gates),
        _per_gate(recurrent, np.transpose, gates),
        new_bias,
    ]
