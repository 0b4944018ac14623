"""`Sequence`, the base class of data that is read by number (15.3)."""

import numpy as np
import pytest

from pykeras.utils import Sequence, data_utils


class Squares(Sequence):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        x = np.arange(4.0) + 4 * index
        return x, x**2


def test_iteration_ends_after_one_pass():
    """22.11: iterating a Sequence of 2.1.6 never ended."""
    assert [y[0] for _, y in Squares()] == [0.0, 16.0, 64.0]
    assert data_utils.Sequence is Sequence


def test_what_a_subclass_must_have():
    with pytest.raises(NotImplementedError, match="Sequence needs a method __getitem__"):
        Sequence()[0]
    with pytest.raises(NotImplementedError, match="Sequence needs a method __len__"):
        len(Sequence())
    assert Sequence().on_epoch_end() is None
