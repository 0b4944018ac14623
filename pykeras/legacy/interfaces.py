"""Which keywords of Keras 1 each layer understands, and how they are turned.

Source: the public behaviour of keras/legacy/interfaces.py (2.1.6).
"""

from __future__ import annotations

import warnings
from typing import Any

from ..utils.keras1_calls import (
    add_weight_args_preprocessing,
    generate_legacy_interface,
    generate_legacy_method_interface,
    generator_methods_args_preprocessor,
    get_updates_arg_preprocessing,
    legacy_generator_methods_support,
    legacy_get_updates_support,
    looks_at,
    raise_duplicate_arg_error,
)
from ..utils.keras1_words import (
    EFFORT,
    EFFORTS,
    ORDERING,
    ORDERINGS,
    STRIDE,
    UNITS,
    is_one,
    kernel_words,
    pairs,
)

__all__ = [
    "add_weight_args_preprocessing",
    "generate_legacy_interface",
    "generate_legacy_method_interface",
    "generator_methods_args_preprocessor",
    "get_updates_arg_preprocessing",
    "legacy_generator_methods_support",
    "legacy_get_updates_support",
    "raise_duplicate_arg_error",
]

_LAYOUT = {"dim_ordering": ORDERINGS}
_KERNEL = ("W_regularizer", "b_regularizer", "W_constraint", "b_constraint", "bias")


# ------------------------------------------------------------------------- what takes more than a new name


def _sequence_shape(kwargs: dict[str, Any]) -> list[tuple[str, str]]:
    """input_dim and input_length become input_shape."""
    if kwargs.get("input_dim") is None:
        return []
    shape = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
    kwargs.setdefault("input_shape", shape)
    return [("input_shape", "input_dim")]


def _kernel_size(args: Any, kwargs: dict[str, Any], rank: int) -> Any:
    """Sizes that were given one by one, by place or by name, become `kernel_size`."""
    words = kernel_words(rank)
    given = args[2:]  # self and filters come before
    if len(given) > rank:
        raise TypeError(f"Layer can receive at most {rank + 1} positional arguments.")
    rest = words[len(given) :]
    one_by_one = all(isinstance(n, int) for n in given) and all(word in kwargs for word in rest)
    if not one_by_one:
        return args, kwargs, []
    if "kernel_size" in kwargs:
        raise_duplicate_arg_error("/".join(words), "kernel_size")
    size = (*given, *(kwargs.pop(word) for word in rest))
    kwargs["kernel_size"] = size
    return args[:2], kwargs, [("kernel_size", "/".join(words))]


def _forget_bias(kwargs: dict[str, Any]) -> list[tuple[str, str]]:
    if "forget_bias_init" not in kwargs:
        return []
    if "unit_forget_bias" in kwargs:
        raise_duplicate_arg_error("forget_bias_init", "unit_forget_bias")
    value = kwargs.pop("forget_bias_init")
    kwargs["unit_forget_bias"] = is_one(value)
    if not kwargs["unit_forget_bias"]:
        warnings.warn(
            f"The `forget_bias_init` argument has been ignored: the forget gate starts at 1 "
            f"(`unit_forget_bias=True`) or like the other biases, not with {value!r}.",
            stacklevel=5,
        )
    return [("unit_forget_bias", "forget_bias_init")]


@looks_at("input_dim", "input_length")
def conv1d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """1D convolutions: input_dim and input_length become input_shape."""
    return args, kwargs, _sequence_shape(kwargs)


@looks_at(*kernel_words(2))
def conv2d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """2D convolutions: rows and columns of the kernel become a pair."""
    return _kernel_size(args, kwargs, 2)


@looks_at(*kernel_words(3))
def conv3d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """3D convolutions: the kernel's three sizes become a triple."""
    return _kernel_size(args, kwargs, 3)


@looks_at("output_shape", *kernel_words(2))
def deconv2d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """Transposed convolutions: as `conv2d_args_preprocessor`; the output's shape is found by the layer."""
    turned = []
    if len(args) == 5:  # self, filters, rows, columns, output shape
        args = args[:-1]
        turned.append(("", "output_shape"))
    if "output_shape" in kwargs:
        del kwargs["output_shape"]
        turned.append(("", "output_shape"))
    args, kwargs, more = _kernel_size(args, kwargs, 2)
    return args, kwargs, turned + more


@looks_at("init", *kernel_words(2))
def separable_conv2d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """Separable convolutions: `init` means both kernels."""
    turned = []
    if "init" in kwargs:
        init = kwargs.pop("init")
        for new in ("depthwise_initializer", "pointwise_initializer"):
            if new in kwargs:
                raise_duplicate_arg_error("init", new)
            kwargs[new] = init
            turned.append((new, "init"))
    args, kwargs, more = _kernel_size(args, kwargs, 2)
    return args, kwargs, turned + more


@looks_at("forget_bias_init", *kernel_words(2))
def convlstm2d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """ConvLSTM2D: the forget gate's bias, and the kernel's sizes."""
    turned = _forget_bias(kwargs)
    args, kwargs, more = _kernel_size(args, kwargs, 2)
    return args, kwargs, turned + more


@looks_at("forget_bias_init", "input_dim", "input_length")
def recurrent_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """Recurrent layers: the forget gate's bias; input_dim and input_length become input_shape."""
    turned = _forget_bias(kwargs)
    return args, kwargs, turned + _sequence_shape(kwargs)


@looks_at("dropout")
def embedding_kwargs_preprocessor(args: Any, kwargs: Any) -> Any:
    """Embedding: `dropout` is gone."""
    if "dropout" in kwargs:
        del kwargs["dropout"]
        warnings.warn(
            "The `dropout` argument is no longer supported in `Embedding`. Put a `SpatialDropout1D` layer "
            "right after it: that does the same.",
            stacklevel=4,
        )
    return args, kwargs, []


@looks_at("mode")
def batchnorm_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """BatchNormalization: mode 0 is what is left.

    Raises:
        TypeError: another mode.
    """
    if "mode" not in kwargs:
        return args, kwargs, []
    if len(args) > 1:
        raise TypeError("The `mode` argument of `BatchNormalization` no longer exists.")
    mode = kwargs.pop("mode")
    if mode != 0:
        raise TypeError(
            f"The `mode` argument of `BatchNormalization` no longer exists; what mode={mode} did cannot be "
            f"had any more. `mode=0` is the default."
        )
    return args, kwargs, [("", "mode")]


def zeropadding2d_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """ZeroPadding2D: four sizes in one tuple, or in a dict, become two pairs.

    Raises:
        ValueError: unknown keys in the dict.
    """
    by_place = len(args) > 1
    padding = args[1] if by_place else kwargs.get("padding")
    if isinstance(padding, dict):
        keys = ("top_pad", "bottom_pad", "left_pad", "right_pad")
        if set(padding) - set(keys):
            raise ValueError(f"Unexpected key found in `padding` dictionary. Keys have to be among {keys}.")
        sizes = [padding.get(key, 0) for key in keys]
    elif isinstance(padding, (list, tuple)) and len(padding) == 4:
        sizes = list(padding)
    else:
        return args, kwargs, []
    new = ((sizes[0], sizes[1]), (sizes[2], sizes[3]))
    if by_place:
        args = (args[0], new, *args[2:])
    else:
        kwargs["padding"] = new
    return args, kwargs, [("padding", "padding")]


# ------------------------------------------------------------------------------------ one per kind of layer

legacy_dense_support = generate_legacy_interface(["units"], [UNITS, *pairs("init", *_KERNEL)])

legacy_dropout_support = generate_legacy_interface(["rate", "noise_shape", "seed"], pairs("p"))

legacy_gaussiandropout_support = generate_legacy_interface(["rate"], pairs("p"))

legacy_spatialdropout1d_support = generate_legacy_interface(["rate"], pairs("p"))

legacy_spatialdropoutNd_support = generate_legacy_interface(
    ["rate"], [*pairs("p"), ORDERING], value_conversions=_LAYOUT
)

legacy_gaussiannoise_support = generate_legacy_interface(["stddev"], pairs("sigma"))

legacy_prelu_support = generate_legacy_interface(["alpha_initializer"], pairs("init", special="PReLU"))

legacy_lambda_support = generate_legacy_interface(["function", "output_shape"])

legacy_embedding_support = generate_legacy_interface(
    ["input_dim", "output_dim"],
    pairs("init", "W_regularizer", "W_constraint", special="Embedding"),
    embedding_kwargs_preprocessor,
)

legacy_batchnorm_support = generate_legacy_interface(
    [], pairs("beta_init", "gamma_init"), batchnorm_args_preprocessor
)

legacy_recurrent_support = generate_legacy_interface(
    ["units"],
    [
        UNITS,
        *pairs("init", "inner_init", "inner_activation", "W_regularizer", "b_regularizer", "U_regularizer"),
        *pairs("dropout_W", "dropout_U"),
        EFFORT,
    ],
    recurrent_args_preprocessor,
    {"consume_less": EFFORTS},
)

legacy_conv1d_support = generate_legacy_interface(
    ["filters", "kernel_size"],
    pairs("nb_filter", "filter_length", "subsample_length", "border_mode", "init", *_KERNEL),
    conv1d_args_preprocessor,
)

_CONV = [*pairs("nb_filter", "subsample", "border_mode"), ORDERING, *pairs("init", *_KERNEL)]

legacy_conv2d_support = generate_legacy_interface(
    ["filters", "kernel_size"], _CONV, conv2d_args_preprocessor, _LAYOUT
)

legacy_deconv2d_support = generate_legacy_interface(
    ["filters", "kernel_size"], _CONV, deconv2d_args_preprocessor, _LAYOUT
)

legacy_conv3d_support = generate_legacy_interface(
    ["filters", "kernel_size"], _CONV, conv3d_args_preprocessor, _LAYOUT
)

legacy_separable_conv2d_support = generate_legacy_interface(
    ["filters", "kernel_size"],
    [*pairs("nb_filter", "subsample", "border_mode", "b_regularizer", "b_constraint", "bias"), ORDERING],
    separable_conv2d_args_preprocessor,
    _LAYOUT,
)

legacy_convlstm2d_support = generate_legacy_interface(
    ["filters", "kernel_size"],
    [
        *pairs("nb_filter", "subsample", "border_mode"),
        ORDERING,
        *pairs("init", "inner_init", "inner_activation", "W_regularizer", "U_regularizer", "b_regularizer"),
        *pairs("dropout_W", "dropout_U"),
    ],
    convlstm2d_args_preprocessor,
    _LAYOUT,
)

_POOL = ["pool_size", "strides", "padding"]

legacy_pooling1d_support = generate_legacy_interface(_POOL, [*pairs("pool_length", "border_mode"), STRIDE])

legacy_pooling2d_support = legacy_pooling3d_support = generate_legacy_interface(
    _POOL, [*pairs("border_mode"), ORDERING], value_conversions=_LAYOUT
)

legacy_global_pooling_support = generate_legacy_interface(conversions=[ORDERING], value_conversions=_LAYOUT)

legacy_upsampling1d_support = generate_legacy_interface(["size"], [("length", "size")])

legacy_upsampling2d_support = legacy_upsampling3d_support = generate_legacy_interface(
    ["size"], [ORDERING], value_conversions=_LAYOUT
)

legacy_zeropadding2d_support = generate_legacy_interface(
    ["padding"], [ORDERING], zeropadding2d_args_preprocessor, _LAYOUT
)

legacy_zeropadding3d_support = generate_legacy_interface(["padding"], [ORDERING], value_conversions=_LAYOUT)

legacy_cropping2d_support = legacy_cropping3d_support = generate_legacy_interface(
    ["cropping"], [ORDERING], value_conversions=_LAYOUT
)

# ------------------------------------------------------------------------------------- and for other things

legacy_input_support = generate_legacy_interface(conversions=pairs("input_dtype"))

legacy_model_constructor_support = generate_legacy_interface(
    conversions=[("input", "inputs"), ("output", "outputs")]
)

legacy_add_weight_support = generate_legacy_interface(
    ["name", "shape"], preprocessor=add_weight_args_preprocessing
)
