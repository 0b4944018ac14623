from collections.abc import Callable, Iterable
from typing import Any

def random_pairs(
    getrandbits: Callable[[int], int], words: list[Any], size: int, count: int
) -> list[list[Any]]: ...
def shuffle_together(
    getrandbits: Callable[[int], int], first: list[Any], second: list[Any] | None = None
) -> None: ...
def pairs_in_windows(words: list[Any], centres: Iterable[int], window: int) -> list[list[Any]]: ...
