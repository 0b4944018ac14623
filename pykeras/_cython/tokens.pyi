from collections.abc import Collection, Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

def split_words(text: str, ends: bytes, others: Collection[str] | None) -> list[str]: ...
def count_tokens(
    documents: Iterable[Iterable[Hashable]], word_counts: dict[Any, int], word_docs: dict[Any, int]
) -> int: ...
def look_up(
    tokens: Iterable[Hashable], index: dict[Any, int], limit: int, unknown: int | None
) -> list[int]: ...
def add_counts(row: npt.NDArray[np.float64], numbers: Iterable[int]) -> list[int]: ...
