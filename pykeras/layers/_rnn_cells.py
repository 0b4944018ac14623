"""One step of the recurrent layers: what is learned, and how a state follows from the one before.

Source: the public behaviour of keras/layers/recurrent.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from ..backend.recurrent import per_sample
from ..engine.base_layer import Layer
from ..initializers import initial_value
from ..utils.conv_utils import normalize_count
from ._support import add_part, adopt, describe, require_known, shape_of

Masks = list[Any]


def share(rate: Any) -> float:
    """Returns a dropout rate, clipped to [0, 1]."""
    return min(1.0, max(0.0, rate))


def drops(rate: float) -> bool:
    """Whether a rate means anything: 0 and 1 switch dropout off."""
    return 0.0 < rate < 1.0


def pick(scope: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the named arguments out of a constructor's `locals()`."""
    return {name: scope[name] for name in names}


def checked_implementation(implementation: int) -> int:
    """Warns of 0, which older versions knew."""
    if implementation == 0:
        warnings.warn(
            "`implementation=0` has been deprecated, and now defaults to `implementation=1`. Please update "
            "your layer call.",
            stacklevel=4,
        )
    return implementation


def _generate_dropout_mask(ones: Any, rate: float, training: Any = None, count: int = 1) -> Any:
    """Returns what to multiply with: dropout of `ones` in the training phase, `ones` otherwise.

    Args:
        ones: tensor of ones.
        rate: share to drop.
        training: the phase; None means `K.learning_phase()`.
        count: number of masks; more than one come as a list.
    """

    def mask() -> Any:
        return K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training)

    return [mask() for _ in range(count)] if count > 1 else mask()


class _Cell(Layer):
    """Base of the three cells: weights with their gates side by side, and dropout.

    The masks of dropout hold for a whole sequence: a recurrent layer calls `draw_masks` before its loop and
    `forget_masks` after it. A cell that is called without that draws masks for the one call.
    """

    _gates = 1
    ARGUMENTS: tuple[str, ...]  # of the constructor

    units: int
    use_bias: bool
    bias: Any
    dropout: float
    recurrent_dropout: float
    implementation = 2
    _masks: tuple[Masks, Masks] | None = None

    def _adopt(self, arguments: dict[str, Any]) -> None:
        for name, value in arguments.items():
            if name.endswith(("activation", "_initializer", "_regularizer", "_constraint")):
                adopt(self, **{name: value})
            elif name.endswith("dropout"):
                setattr(self, name, share(value))
            else:
                setattr(self, name, value)
        self.units = normalize_count(self.units, "units")
        self.state_size: Any = self.units

    def build(self, input_shape: Any) -> None:
        features = require_known(input_shape[-1], self, "last dimension", input_shape)
        width = self._gates * self.units
        self.kernel = add_part(self, "kernel", (features, width))
        self.recurrent_kernel = add_part(self, "recurrent", (self.units, width), name="recurrent_kernel")
        self.bias = self._add_bias(width) if self.use_bias else None
        self.built = True

    def _add_bias(self, width: int) -> Any:
        return add_part(self, "bias", (width,))

    # ---- dropout

    def draw_masks(self, inputs: Any, training: Any = None) -> None:
        """Draws the masks of one sequence.

        Args:
            inputs: any tensor whose first axis is that of the samples.
            training: the phase; False draws nothing.
        """
        off = training is not None and not K.is_tensor(training) and not training
        count = self._gates if self.implementation == 1 else 1

        def drawn(rate: float, size: int) -> Masks:
            if off or not drops(rate):
                return []
            return [K.dropout(per_sample(inputs, (size,), 1.0), rate) for _ in range(count)]

        features = shape_of(self.kernel)[0]
        self._masks = (drawn(self.dropout, features), drawn(self.recurrent_dropout, self.units))

    def forget_masks(self) -> None:
        """Ends the life of what `draw_masks` drew."""
        self._masks = None

    def _masks_for(self, inputs: Any, training: Any) -> tuple[Masks, Masks]:
        if self._masks is not None:
            return self._masks
        self.draw_masks(inputs, training)
        masks, self._masks = self._masks, None
        return masks or ([], [])

    # ---- products

    def _by_gate(self, weights: Any, first: int, count: int = 1) -> Any:
        """Columns of some gates."""
        return weights[..., first * self.units : (first + count) * self.units]

    def _product(
        self, x: Any, kernel: Any, masks: Masks, training: Any, multiply: Callable[[Any, Any], Any]
    ) -> Any:
        """x·kernel; in training with x dropped out, by each gate's own mask if there are several."""
        if not masks:
            return multiply(x, kernel)
        width = int(shape_of(kernel)[1]) // len(masks)

        def dropped() -> Any:
            parts = [
                multiply(x * mask, kernel[:, i * width : (i + 1) * width] if len(masks) > 1 else kernel)
                for i, mask in enumerate(masks)
            ]
            return K.concatenate(parts) if len(parts) > 1 else parts[0]

        return K.in_train_phase(dropped, lambda: multiply(x, kernel), training=training)

    def input_product(self, inputs: Any, training: Any = None) -> Any:
        """Returns what one step's inputs (samples, features) contribute: inputs·kernel + bias."""
        masks = self._masks_for(inputs, training)[0]
        result = self._product(inputs, self.kernel, masks, training, K.dot)
        bias = self.input_bias()
        return result if bias is None else K.bias_add(result, bias, data_format="channels_last")

    def sequence_product(self, inputs: Any, training: Any, multiply: Callable[[Any, Any, Any], Any]) -> Any:
        """The same for a whole sequence (samples, time, features).

        Args: multiply: function of (sequence, kernel, bias or None).
        """
        bias = self.input_bias()
        masks = [K.expand_dims(mask, 1) for mask in self._masks_for(inputs, training)[0]]
        if len(masks) < 2:
            return self._product(inputs, self.kernel, masks, training, lambda x, w: multiply(x, w, bias))
        product = self._product(inputs, self.kernel, masks, training, lambda x, w: multiply(x, w, None))
        return product if bias is None else product + bias

    def input_bias(self) -> Any:
        """Returns the bias that goes with the input product, (gates·units,) or None."""
        return self.bias

    def step(self, product: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        """Returns the output and the new states.

        Args:
            product: what `input_product` returned.
            states: list of states, (samples, units) each.
        """
        raise NotImplementedError

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        lonely = self._masks is None
        if lonely:
            self.draw_masks(inputs, training)
        try:
            return self.step(self.input_product(inputs, training), states, training)
        finally:
            if lonely:
                self.forget_masks()

    def _recurrent_masks(self, state: Any, training: Any) -> Masks:
        return self._masks_for(state, training)[1]

    def get_config(self) -> dict[str, Any]:
        identifiers = [n for n in self.ARGUMENTS if n.endswith(("ion", "izer", "aint")) and n != _PLAIN]
        config = {name: getattr(self, name) for name in self.ARGUMENTS if name not in identifiers}
        return {**super().get_config(), **config, **describe(self, *identifiers)}


_PLAIN = "implementation"

_WEIGHT_ARGUMENTS = (
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
)


class SimpleRNNCell(_Cell):
    """Step of `SimpleRNN`: h = activation(x·W + b + h·U).

    Args: as in `SimpleRNN`.
    """

    ARGUMENTS = ("units", "activation", "use_bias", *_WEIGHT_ARGUMENTS)
    activation: Any

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        arguments = pick(locals(), self.ARGUMENTS)
        super().__init__(**kwargs)
        self._adopt(arguments)

    def step(self, product: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        h = states[0]
        masks = self._recurrent_masks(h, training)
        output = self.activation(product + self._product(h, self.recurrent_kernel, masks, training, K.dot))
        return output, [output]


class GRUCell(_Cell):
    """Step of `GRU`.

    Args: as in `GRU`.
    """

    _gates = 3
    ARGUMENTS = (
        "units",
        "activation",
        "recurrent_activation",
        "use_bias",
        *_WEIGHT_ARGUMENTS,
        "implementation",
        "reset_after",
    )
    activation: Any
    recurrent_activation: Any
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        arguments = pick(locals(), self.ARGUMENTS)
        super().__init__(**kwargs)
        self._adopt(arguments)

    def _add_bias(self, width: int) -> Any:
        return add_part(self, "bias", (2, width) if self.reset_after else (width,))

    def input_bias(self) -> Any:
        return self.bias[0] if self.use_bias and self.reset_after else self.bias

    def recurrent_bias(self) -> Any:
        """Returns the bias that goes with the recurrent product: (3·units,), or None."""
        return self.bias[1] if self.use_bias and self.reset_after else None

    def step(self, product: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        h = states[0]
        masks = self._recurrent_masks(h, training)
        gate = self._by_gate
        if self.reset_after:
            inner = self._product(h, self.recurrent_kernel, masks, training, K.dot)
            if self.use_bias:
                inner = K.bias_add(inner, self.recurrent_bias(), data_format="channels_last")
            z = self.recurrent_activation(gate(product, 0) + gate(inner, 0))
            r = self.recurrent_activation(gate(product, 1) + gate(inner, 1))
            candidate = self.activation(gate(product, 2) + r * gate(inner, 2))
        else:
            first = masks[:2] if len(masks) > 1 else masks
            inner = self._product(h, gate(self.recurrent_kernel, 0, 2), first, training, K.dot)
            z = self.recurrent_activation(gate(product, 0) + gate(inner, 0))
            r = self.recurrent_activation(gate(product, 1) + gate(inner, 1))
            inner = self._product(r * h, gate(self.recurrent_kernel, 2), masks[-1:], training, K.dot)
            candidate = self.activation(gate(product, 2) + inner)
        output = z * h + (1 - z) * candidate
        return output, [output]


class LSTMCell(_Cell):
    """Step of `LSTM`.

    Args: as in `LSTM`.
    """

    _gates = 4
    ARGUMENTS = (
        "units",
        "activation",
        "recurrent_activation",
        "use_bias",
        *_WEIGHT_ARGUMENTS,
        "unit_forget_bias",
        "implementation",
    )
    activation: Any
    recurrent_activation: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any
    unit_forget_bias: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        arguments = pick(locals(), self.ARGUMENTS)
        super().__init__(**kwargs)
        self._adopt(arguments)
        self.state_size = (self.units, self.units)

    def _add_bias(self, width: int) -> Any:
        return add_lstm_bias(self, self.units, before=1, after=2)

    def step(self, product: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        h, c = states[0], states[1]
        masks = self._recurrent_masks(h, training)
        sums = product + self._product(h, self.recurrent_kernel, masks, training, K.dot)
        i = self.recurrent_activation(self._by_gate(sums, 0))
        f = self.recurrent_activation(self._by_gate(sums, 1))
        c = f * c + i * self.activation(self._by_gate(sums, 2))
        o = self.recurrent_activation(self._by_gate(sums, 3))
        h = o * self.activation(c)
        return h, [h, c]


def add_lstm_bias(layer: Any, units: int, before: int, after: int) -> Any:
    """Adds the bias of an LSTM, whose forget gate begins with ones if `unit_forget_bias` says so.

    Args:
        layer: layer with `bias_initializer`, `bias_regularizer`, `bias_constraint` and `unit_forget_bias`.
        units: size of one block.
        before, after: numbers of blocks before and after the forget gate's.
    """
    initializer = layer.bias_initializer
    if layer.unit_forget_bias:
        plain = layer.bias_initializer

        def initializer(shape: Any, dtype: Any = None) -> Any:
            dtype = dtype or K.floatx()
            ends = [initial_value(plain, (n * units,), dtype) for n in (before, after)]
            front, back = (K.cast(K.constant(x) if isinstance(x, np.ndarray) else x, dtype) for x in ends)
            return K.concatenate([front, K.constant(1.0, dtype, (units,)), back])

    return layer.add_weight(
        name="bias",
        shape=((before + 1 + after) * units,),
        initializer=initializer,
        regularizer=layer.bias_regularizer,
        constraint=layer.bias_constraint,
    )
