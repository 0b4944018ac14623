"""Dilated convolutions under their Keras 1 names."""

from __future__ import annotations

import warnings
from typing import Any

from ..layers._conv import Conv1D, Conv2D


def AtrousConvolution1D(*args: Any, **kwargs: Any) -> Any:
    """`Conv1D` with `atrous_rate` for `dilation_rate`. Returns the layer."""
    return _atrous(Conv1D, args, kwargs)


def AtrousConvolution2D(*args: Any, **kwargs: Any) -> Any:
    """`Conv2D` with `atrous_rate` for `dilation_rate`. Returns the layer."""
    return _atrous(Conv2D, args, kwargs)


def _atrous(cls: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if "atrous_rate" in kwargs:
        kwargs["dilation_rate"] = kwargs.pop("atrous_rate")
    old = cls.__name__.replace("Conv", "AtrousConvolution")
    warnings.warn(
        f"The `{old}` layer has been deprecated. Use the `{cls.__name__}` layer with the `dilation_rate` "
        f"argument instead.",
        stacklevel=3,
    )
    return cls(*args, **kwargs)
