"""`Sequence`: data that is read batch by batch, by number.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6; iteration as in 2.2.4).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any


class Sequence:
    """Base class of data sets that give batch number `index` on request.

    A subclass has `__getitem__` and `__len__`, and `on_epoch_end` if the data changes between epochs. Unlike
    a generator it can be read by several workers at once: each batch is still used exactly once per epoch.

    Example:
        >>> class Squares(Sequence):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0) + 4 * index
        ...         return x, x ** 2
        >>> [y[0] for x, y in Squares()]
        [0.0, 16.0, 64.0]
    """

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Returns batch `index`: (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of batches."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__(self)")

    def on_epoch_end(self) -> None:
        """Called after every pass over the batches."""

    def __iter__(self) -> Iterator[Any]:
        """Yields every batch once, in order."""
        for index in range(len(self)):
            yield self[index]


def is_sequence(x: Any) -> bool:
    """Tells whether `x` is a Sequence, or has all that makes one (the iterators of `keras_preprocessing`)."""
    return isinstance(x, Sequence) or all(
        hasattr(x, name) for name in ("__len__", "__getitem__", "on_epoch_end")
    )
