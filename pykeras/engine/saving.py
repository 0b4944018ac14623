"""The path of Keras 2.2 to what reads and writes files; `pykeras.saving` stands above the engine."""

from __future__ import annotations

from ..utils.namespaces import held_by, public_names

__all__ = public_names(__name__)
__getattr__ = held_by(__name__)
