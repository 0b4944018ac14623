"""Layers that join several tensors, and the functions of the same names in lower case.

Source: the public behaviour of keras/layers/merge.py (2.1.6).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .. import backend as K
from ..engine.base_layer import Layer
from ..utils.namespaces import held_by


class _CallableModule(ModuleType):
    """Who looks `keras.layers.merge` up as a module gets something to call all the same.

    The attribute of that name in the package is the function of Keras 1; `importlib` finds this module.
    """

    def __call__(
        self,
        inputs: Any,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: Any = None,
        name: str | None = None,
    ) -> Any:
        from ..legacy.layers import merge  # the legacy layers stand above

        return merge(inputs, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name)


sys.modules[__name__].__class__ = _CallableModule


def _is_list_of_shapes(input_shape: Any) -> bool:
    return isinstance(input_shape, (list, tuple)) and all(isinstance(s, (list, tuple)) for s in input_shape)


class _Merge(Layer):
    """Base of the elementwise merges: broadcasts sizes of 1, inserts axes after the batch axis.

    Input: a list of at least 2 tensors.
    """

    _exactly: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge_function(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def _check_count(self, count: int) -> None:
        name = type(self).__name__
        if self._exactly is not None and count != self._exactly:
            raise ValueError(
                f"A `{name}` layer should be called on exactly {self._exactly} inputs. Got {count}."
            )
        if count < 2:
            raise ValueError(
                f"A merge layer should be called on a list of at least 2 inputs. Got {count} inputs."
            )

    def _compute_elemwise_op_output_shape(self, shape1: Any, shape2: Any) -> Any:
        """Shape of an elementwise operation on two shapes without the batch; the shorter gets axes in front.

        Raises:
            ValueError: two sizes differ and neither is 1.
        """
        if None in (shape1, shape2):
            return None
        if len(shape1) < len(shape2):
            shape1, shape2 = shape2, shape1
        lead = len(shape1) - len(shape2)
        output = list(shape1[:lead])
        for a, b in zip(shape1[lead:], shape2):
            if a == 1:
                output.append(b)
            elif b == 1 or a == b:
                output.append(a)
            elif a is None or b is None:
                output.append(None)
            else:
                raise ValueError(
                    f"Operands could not be broadcast together with shapes {tuple(shape1)} {tuple(shape2)} "
                    f"(layer {self.name}, sizes without the batch)"
                )
        return tuple(output)

    def build(self, input_shape: Any) -> None:
        if not _is_list_of_shapes(input_shape):
            raise ValueError(f"A merge layer should be called on a list of inputs (layer {self.name}).")
        self._check_count(len(input_shape))
        batches = {shape[0] for shape in input_shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                "Can not merge tensors with different batch sizes. Got tensors with shapes: "
                f"{list(input_shape)}"
            )
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"A merge layer should be called on a list of inputs (layer {self.name}).")
        rank = max(K.ndim(x) for x in inputs)
        aligned = []
        for x in inputs:
            for _ in range(rank - K.ndim(x)):
                x = K.expand_dims(x, 1)
            aligned.append(x)
        return self._merge_function(aligned)

    def compute_output_shape(self, input_shape: Any) -> Any:
        output = tuple(input_shape[0][1:])
        for shape in input_shape[1:]:
            output = self._compute_elemwise_op_output_shape(output, tuple(shape[1:]))
        batches = {shape[0] for shape in input_shape} - {None}
        return (batches.pop() if len(batches) == 1 else None, *output)

    def _check_masks(self, inputs: Any, mask: Any) -> None:
        if not isinstance(mask, list):
            raise ValueError("`mask` should be a list.")
        if not isinstance(inputs, list):
            raise ValueError("`inputs` should be a list.")
        if len(mask) != len(inputs):
            raise ValueError("The lists `inputs` and `mask` should have the same length.")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return None
        self._check_masks(inputs, mask)
        given = [m for m in mask if m is not None]
        if not given:
            return None
        return given[0] if len(given) == 1 else K.all(K.stack(given, axis=0), axis=0)


class Add(_Merge):
    """Sum of the inputs."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        output = inputs[0]
        for x in inputs[1:]:
            output = output + x
        return output


class Subtract(_Merge):
    """First input minus second."""

    _exactly = 2

    def _merge_function(self, inputs: list[Any]) -> Any:
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """Product of the inputs, element by element."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        output = inputs[0]
        for x in inputs[1:]:
            output = output * x
        return output


class Average(_Merge):
    """Mean of the inputs."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        output = inputs[0]
        for x in inputs[1:]:
            output = output + x
        return output / len(inputs)


class Maximum(_Merge):
    """Largest of the inputs, element by element."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        output = inputs[0]
        for x in inputs[1:]:
            output = K.maximum(output, x)
        return output


class Minimum(_Merge):
    """Smallest of the inputs, element by element."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        output = inputs[0]
        for x in inputs[1:]:
            output = K.minimum(output, x)
        return output


class Concatenate(_Merge):
    """Joins the inputs along one axis; all other sizes must agree.

    Args:
        axis: the axis (counted with the batch).
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        if not _is_list_of_shapes(input_shape) or len(input_shape) < 2:
            raise ValueError("A `Concatenate` layer should be called on a list of at least 2 inputs")
        axis = self.axis % len(input_shape[0])
        problem = (
            "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. "
            f"Got inputs shapes: {[tuple(s) for s in input_shape]} (layer {self.name}, axis {self.axis})"
        )
        if len({len(shape) for shape in input_shape}) > 1:
            raise ValueError(problem)
        for i in range(len(input_shape[0])):
            if i != axis and len({shape[i] for shape in input_shape} - {None}) > 1:
                raise ValueError(problem)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError("A `Concatenate` layer should be called on a list of inputs.")
        return K.concatenate(list(inputs), axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not _is_list_of_shapes(input_shape):
            raise ValueError("A `Concatenate` layer should be called on a list of inputs.")
        axis = self.axis % len(input_shape[0])
        output = []
        for i in range(len(input_shape[0])):
            sizes = [shape[i] for shape in input_shape]
            if i == axis:
                output.append(None if None in sizes else sum(sizes))
            else:
                output.append(next((size for size in sizes if size is not None), None))
        return tuple(output)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return None
        self._check_masks(inputs, mask)
        if all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask):
            if m is None:
                masks.append(K.cast(K.ones_like(x), "bool"))
            elif K.ndim(m) < K.ndim(x):
                # One flag per step stands for all of the step's features.
                spread = K.expand_dims(m, -1)
                masks.append(K.cast(K.cast(spread, K.floatx()) * K.cast(K.ones_like(x), K.floatx()), "bool"))
            else:
                masks.append(m)
        return K.all(K.concatenate(masks, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """Products of the samples of two tensors, summed over one axis of each.

    Args:
        axes: the axis of both, or (axis of the first, axis of the second), counted with the batch.
        normalize: scale the vectors along these axes to length 1 first (the result is their cosine).

    The result has the remaining axes of the first input, then those of the second; two 2D inputs give
    (batch, 1).
    """

    _exactly = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Invalid type for `axes` - should be a list or an int. Received: {axes}")
            if len(axes) != 2:
                raise ValueError(f"Invalid format for `axes` - should contain two elements. Received: {axes}")
            if not all(isinstance(axis, int) for axis in axes):
                raise ValueError(
                    f"Invalid format for `axes` - list elements should be 'int'. Received: {axes}"
                )
        self.axes = axes
        self.normalize = normalize

    def _axis_pair(self, rank1: int, rank2: int) -> tuple[int, int]:
        first, second = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return first % rank1, second % rank2

    def build(self, input_shape: Any) -> None:
        if not _is_list_of_shapes(input_shape) or len(input_shape) != 2:
            raise ValueError("A `Dot` layer should be called on a list of 2 inputs.")
        shape1, shape2 = input_shape
        first, second = self._axis_pair(len(shape1), len(shape2))
        if None not in (shape1[first], shape2[second]) and shape1[first] != shape2[second]:
            raise ValueError(
                f"Dimension incompatibility {shape1[first]} != {shape2[second]}. Layer shapes: "
                f"{tuple(shape1)}, "
                f"{tuple(shape2)} (layer {self.name}, axes {self.axes})"
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        x1, x2 = inputs
        axes = self._axis_pair(K.ndim(x1), K.ndim(x2))
        if self.normalize:
            x1 = K.l2_normalize(x1, axis=axes[0])
            x2 = K.l2_normalize(x2, axis=axes[1])
        return K.batch_dot(x1, x2, list(axes))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not _is_list_of_shapes(input_shape) or len(input_shape) != 2:
            raise ValueError("A `Dot` layer should be called on a list of 2 inputs.")
        shape1, shape2 = list(input_shape[0]), list(input_shape[1])
        first, second = self._axis_pair(len(shape1), len(shape2))
        del shape1[first]
        del shape2[second]
        output = shape1 + shape2[1:]
        return tuple(output) if len(output) > 1 else (output[0], 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs: list[Any], **kwargs: Any) -> Any:
    """`Add` on a list of tensors; keywords (name …) go to the layer. Returns the sum."""
    return Add(**kwargs)(inputs)


def subtract(inputs: list[Any], **kwargs: Any) -> Any:
    """`Subtract` on a list of two tensors. Returns the difference."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: list[Any], **kwargs: Any) -> Any:
    """`Multiply` on a list of tensors. Returns the product."""
    return Multiply(**kwargs)(inputs)


def average(inputs: list[Any], **kwargs: Any) -> Any:
    """`Average` on a list of tensors. Returns the mean."""
    return Average(**kwargs)(inputs)


def maximum(inputs: list[Any], **kwargs: Any) -> Any:
    """`Maximum` on a list of tensors. Returns the elementwise maximum."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: list[Any], **kwargs: Any) -> Any:
    """`Minimum` on a list of tensors. Returns the elementwise minimum."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: list[Any], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` on a list of tensors. Returns them joined along `axis`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: list[Any], axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """`Dot` on a list of two tensors. Returns the products summed over `axes`."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)


# What scripts also import from here.
__getattr__ = held_by(__name__)
