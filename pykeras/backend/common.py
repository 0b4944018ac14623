"""Configuration of the backend: float type, fuzz factor, image layout, and `keras.json`.

The file `~/.keras/keras.json` is read if it is there. Nothing is ever written and nothing is printed.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

__all__ = [
    "backend",
    "cast_to_floatx",
    "epsilon",
    "floatx",
    "image_data_format",
    "image_dim_ordering",
    "normalize_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
]

_FLOATS = ("float16", "float32", "float64")
_BACKENDS = ("tensorflow", "theano", "cntk", "pykeras")
_FORMATS = ("channels_last", "channels_first")

_FLOATX = "float32"
_EPSILON = 1e-7
_IMAGE_DATA_FORMAT = "channels_last"
_BACKEND = "tensorflow"


def backend() -> str:
    """Returns the configured backend's name in lower case.

    The name tells which conventions hold (weight layout, correlating kernels), not which engine computes:
    that is always this package's own.
    """
    return _BACKEND


def floatx() -> str:
    """Returns the default float type, 'float32' unless configured otherwise."""
    return _FLOATX


def set_floatx(floatx: str) -> None:
    """Sets the default float type ('float16', 'float32' or 'float64') for what is built from now on.

    Raises: ValueError for any other name.
    """
    global _FLOATX
    if floatx not in _FLOATS:
        raise ValueError(f"Unknown floatx type: {floatx!r}. Expected one of {', '.join(_FLOATS)}.")
    _FLOATX = str(floatx)


def epsilon() -> float:
    """Returns the fuzz factor which keeps divisions and logarithms finite, 1e-7 by default."""
    return _EPSILON


def set_epsilon(e: float) -> None:
    """Sets the fuzz factor.

    Raises: ValueError if `e` is not a number.
    """
    global _EPSILON
    try:
        _EPSILON = float(e)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The fuzz factor must be a number, not {e!r}.") from error


def image_data_format() -> str:
    """Returns the default image layout, 'channels_last' or 'channels_first'."""
    return _IMAGE_DATA_FORMAT


def set_image_data_format(data_format: str) -> None:
    """Sets the default image layout for layers built from now on.

    Raises: ValueError unless it is 'channels_last' or 'channels_first'.
    """
    global _IMAGE_DATA_FORMAT
    if data_format not in _FORMATS:
        raise ValueError(f"Unknown data_format: {data_format!r}. Expected one of {', '.join(_FORMATS)}.")
    _IMAGE_DATA_FORMAT = str(data_format)


def image_dim_ordering() -> str:
    """Returns Keras 1's name of the image layout: 'th' for channels_first, 'tf' for channels_last."""
    return "th" if _IMAGE_DATA_FORMAT == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the image layout by Keras 1's names.

    Raises: ValueError unless it is 'tf' or 'th'.
    """
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"Unknown dim_ordering: {dim_ordering!r}. Expected 'tf' or 'th'.")
    set_image_data_format("channels_first" if dim_ordering == "th" else "channels_last")


def normalize_data_format(value: str | None) -> str:
    """Returns `value` in lower case, or the configured layout for None.

    Raises: ValueError for an unknown layout.
    """
    if value is None:
        return _IMAGE_DATA_FORMAT
    name = value.lower() if isinstance(value, str) else value
    if name not in _FORMATS:
        raise ValueError(
            "Unknown data_format: the argument `data_format` must be one of 'channels_first', "
            f"'channels_last'. Received: {value!r}"
        )
    return name


def cast_to_floatx(x: Any) -> np.ndarray:
    """Returns the NumPy array `x` (any shape) as an array of the default float type."""
    return np.asarray(x, dtype=_FLOATX)


def keras_dir() -> str:
    """Returns Keras's folder for configuration and data sets, `~/.keras`.

    Below /tmp where the home folder cannot be written. The folder is not created.
    """
    base = os.environ.get("KERAS_HOME")
    if base:
        return base
    home = os.path.expanduser("~")
    return os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")


def read_config(path: str) -> dict[str, Any]:
    """Returns the settings in the JSON file `path`; an absent or unreadable file counts as empty."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        return {}
    import json  # rarely needed, and not free

    try:
        config = json.loads(text)
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


def configure(config: dict[str, Any], environment_backend: str | None) -> None:
    """Applies the settings of `keras.json` and the value of KERAS_BACKEND, which wins.

    Raises: ValueError for a value outside the allowed ones, naming the setting.
    """
    global _BACKEND
    set_floatx(config.get("floatx", _FLOATX))
    fuzz = config.get("epsilon", _EPSILON)
    if not isinstance(fuzz, float):
        raise ValueError(f"`epsilon` in keras.json must be a float, not {fuzz!r}.")
    set_epsilon(fuzz)
    set_image_data_format(config.get("image_data_format", _IMAGE_DATA_FORMAT))
    name = environment_backend or config.get("backend", _BACKEND)
    if not isinstance(name, str) or name.lower() not in _BACKENDS:
        raise ValueError(f"Unknown backend: {name!r}. Expected one of {', '.join(_BACKENDS)}.")
    _BACKEND = name.lower()


configure(read_config(os.path.join(keras_dir(), "keras.json")), os.environ.get("KERAS_BACKEND"))
