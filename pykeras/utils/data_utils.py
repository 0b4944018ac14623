"""Feeding models with data: `Sequence` and the enqueuers that read it ahead.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from ._sequence import Sequence

__all__ = ["Sequence"]
