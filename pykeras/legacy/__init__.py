"""What Keras 1 knew and Keras 2 keeps: old keywords, old layers."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("interfaces", "layers", "models"):  # attributes once the package is there, as in Keras
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
