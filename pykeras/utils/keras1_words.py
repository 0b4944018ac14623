"""The words of Keras 1 and what they are called in Keras 2: one table for calls and for files.

Source: item 19.1 of the behaviours' list.
"""

from __future__ import annotations

# class of Keras 1 → class of Keras 2
CLASSES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "SeparableConvolution1D": "SeparableConv1D",
    "TimeDistributedDense": "Dense",
}

# keyword of Keras 1 → keyword of Keras 2, for every layer …
COMMON = {
    "U_regularizer": "recurrent_regularizer",
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "input_dtype": "dtype",
    "nb_filter": "filters",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "subsample": "strides",
    "subsample_length": "strides",
}

# … and where one class differs from that rule.
SPECIAL: dict[str, dict[str, str]] = {
    "Embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer",
    },
    "PReLU": {"init": "alpha_initializer"},
    "SeparableConv2D": {"init": "depthwise_initializer"},
    "UpSampling1D": {"length": "size"},
}

# Words whose meaning depends on the layer: these are translated only where the layer is known to use them.
UNITS = ("output_dim", "units")
STRIDE = ("stride", "strides")
ORDERING = ("dim_ordering", "data_format")
EFFORT = ("consume_less", "implementation")

ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}
EFFORTS = {"cpu": 1, "mem": 1, "gpu": 2}

# mode of Merge → layer
MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "cos": "Dot",
    "dot": "Dot",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}


def pairs(*words: str, special: str = "") -> list[tuple[str, str]]:
    """Returns (old, new) of some keywords of Keras 1.

    Args:
        *words: keys of `COMMON`.
        special: class whose own meanings come first.
    """
    own = SPECIAL.get(special, {})
    return [(word, own.get(word) or COMMON[word]) for word in words]


def kernel_words(rank: int) -> tuple[str, ...]:
    """Returns the keywords that made up the kernel's size."""
    return ("nb_row", "nb_col") if rank == 2 else ("kernel_dim1", "kernel_dim2", "kernel_dim3")


def is_one(initializer: object) -> bool:
    """Whether `forget_bias_init` asked for what is called `unit_forget_bias` now."""
    if isinstance(initializer, dict):
        initializer = initializer.get("class_name", initializer.get("name"))
    return initializer in ("one", "ones", "Ones")
