"""The path of `multi_gpu_model` up to Keras 2.1.2."""

from __future__ import annotations

from .multi_gpu_utils import multi_gpu_model

__all__ = ["multi_gpu_model"]
