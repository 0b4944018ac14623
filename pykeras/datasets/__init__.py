"""Data sets, each a module with `load_data`. Nothing touches the network before a set is asked for.

`digits` ships inside the package. The others are fetched once into Keras's folder (`KERAS_HOME`, else
`~/.keras`), below `datasets`; without a network put the published file there, or pass the path of your own.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = [
    "boston_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
