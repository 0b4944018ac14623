"""Files fetched once, and feeding models with data: `Sequence` and the enqueuers that read it ahead.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from ._archives import _extract_archive
from ._download import _hash_file, get_file, validate_file
from ._enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer, get_index, init_pool
from ._sequence import Sequence
from .namespaces import held_by, public_names

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Sequence",
    "SequenceEnqueuer",
    "_extract_archive",
    "_hash_file",
    "get_file",
    "get_index",
    "init_pool",
    "validate_file",
]


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
