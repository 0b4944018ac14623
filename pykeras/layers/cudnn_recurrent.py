"""The layers that stand for cuDNN's recurrent kernels; here they run on every device.

Source: the public behaviour of keras/layers/cudnn_recurrent.py (2.1.6).
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from .. import backend as K
from .. import regularizers
from ..backend import recurrent as fused
from ..engine.base_layer import InputSpec, Layer
from ..utils.conv_utils import normalize_count
from ..utils.namespaces import held_by, public_names
from ._conv import sequence_shape
from ._rnn_base import RNN
from ._rnn_cells import add_lstm_bias
from ._support import add_part, adopt, describe, require_known

__all__ = ["CuDNNGRU", "CuDNNLSTM"]

_Cell = namedtuple("_Cell", "state_size")

_IDENTIFIERS = (
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
)


class _CuDNNRNN(RNN):
    """Base of both layers: no cell, no masks, weights laid out as cuDNN wants them."""

    _gates: int
    units: int

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        sequence_shape(kwargs)
        self._num_constants = None
        Layer.__init__(self, **kwargs)
        self._start(return_sequences, return_state, go_backwards, stateful, unroll=False)
        self.supports_masking = False

    def _adopt(self, scope: dict[str, Any]) -> None:
        self.units = normalize_count(scope["units"], "units")
        adopt(self, **{name: scope[name] for name in _IDENTIFIERS})
        self.activity_regularizer = regularizers.get(scope["activity_regularizer"])

    def _cell_layers(self) -> list[Layer]:
        return []

    def build(self, input_shape: Any) -> None:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        features = require_known(input_shape[-1], self, "last dimension", input_shape)
        width = self._gates * self.units
        self.kernel = add_part(self, "kernel", (features, width))
        self.recurrent_kernel = add_part(self, "recurrent", (self.units, width), name="recurrent_kernel")
        self.bias = self._add_bias()
        batch = input_shape[0] if self.stateful else None
        self.input_spec[0] = InputSpec(shape=(batch, None, features))
        self._check_state_spec()
        if self.stateful:
            self.reset_states()
        self.built = True

    def _add_bias(self) -> Any:
        return add_part(self, "bias", (2 * self._gates * self.units,))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return [None] * (1 + len(self.states)) if self.return_state else None

    def call(  # type: ignore[override]
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        if any(m is not None for m in (mask if isinstance(mask, list) else [mask])):
            raise ValueError(f"Masking is not supported for CuDNN RNNs. (layer {self.name})")
        return super().call(inputs, training=training, initial_state=initial_state)

    def _plain_weights(self) -> tuple[Any, Any, Any, Any]:
        """Kernel, recurrent kernel, input bias and recurrent bias in the layout of LSTM and GRU.

        Each gate's block of the kernel holds a (units, features) matrix in an array of shape
        (features, units); recurrent blocks are transposed.
        """
        n, g = self.units, self._gates
        features = int(self.kernel.shape[0])
        kernel = K.reshape(self.kernel, (features, g, n))
        kernel = K.reshape(K.permute_dimensions(kernel, (1, 0, 2)), (g, n, features))
        kernel = K.reshape(K.permute_dimensions(kernel, (2, 0, 1)), (features, g * n))
        recurrent = K.reshape(self.recurrent_kernel, (n, g, n))
        recurrent = K.reshape(K.permute_dimensions(recurrent, (2, 1, 0)), (n, g * n))
        return kernel, recurrent, self.bias[: g * n], self.bias[g * n :]

    def _run(
        self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        outputs, states = self._process(inputs, states)
        outputs = fused.swap_time(outputs)
        if self.go_backwards and self.return_sequences:
            outputs = K.reverse(outputs, 1)
        return states[0], outputs, states

    def _process(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "units")
        config = {name: getattr(self, name) for name in names}
        return {**Layer.get_config(self), **config, **describe(self, *_IDENTIFIERS, "activity_regularizer")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        return cls(**config)


class CuDNNGRU(_CuDNNRNN):
    """`GRU` as cuDNN computes it: tanh, sigmoid, the reset gate after the product, two biases.

    Args: as in `GRU`.

    Weights: kernel (features, 3·units), recurrent_kernel (units, 3·units), bias (6·units,).
    """

    _gates = 3

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        scope = locals()
        super().__init__(
            return_sequences=return_sequences, return_state=return_state, stateful=stateful, **kwargs
        )
        self._adopt(scope)

    @property
    def cell(self) -> Any:  # type: ignore[override]
        """A stand-in that knows the sizes of the states."""
        return _Cell(state_size=self.units)

    def _process(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        kernel, recurrent, bias, recurrent_bias = self._plain_weights()
        product = fused.project(inputs, kernel, bias)
        return fused.gru(
            product,
            recurrent,
            states,
            "tanh",
            "sigmoid",
            recurrent_bias,
            reset_after=True,
            go_backwards=self.go_backwards,
        )


class CuDNNLSTM(_CuDNNRNN):
    """`LSTM` as cuDNN computes it: tanh, sigmoid, two biases.

    Args: as in `LSTM`.

    Weights: kernel (features, 4·units), recurrent_kernel (units, 4·units), bias (8·units,).
    """

    _gates = 4
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        scope = locals()
        super().__init__(
            return_sequences=return_sequences, return_state=return_state, stateful=stateful, **kwargs
        )
        self._adopt(scope)
        self.unit_forget_bias = unit_forget_bias

    @property
    def cell(self) -> Any:  # type: ignore[override]
        """A stand-in that knows the sizes of the states."""
        return _Cell(state_size=(self.units, self.units))

    def _add_bias(self) -> Any:
        return add_lstm_bias(self, self.units, before=5, after=2)

    def _process(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        kernel, recurrent, bias, recurrent_bias = self._plain_weights()
        product = fused.project(inputs, kernel, bias + recurrent_bias)
        return fused.lstm(product, recurrent, states, "tanh", "sigmoid", go_backwards=self.go_backwards)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
