"""`Sequence`, the base class of data that is read by number (15.3)."""

import numpy as np
import pytest

from pykeras.layers import Dense
from pykeras.models import Sequential
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


def test_what_has_all_of_a_sequence_counts_as_one():
    """The iterators of `keras_preprocessing` know nothing of our class."""

    class Foreign:
        passes = 0

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.full((2, 1), index), np.zeros((2, 1))

        def on_epoch_end(self):
            self.passes += 1

    model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="ones")])
    model.compile("sgd", "mse")
    data = Foreign()
    assert model.predict_generator(data, workers=2).ravel().tolist() == [0, 0, 1, 1, 2, 2]
    before = data.passes
    model.fit_generator(data, epochs=2, verbose=0, validation_data=Foreign(), shuffle=False)
    assert data.passes >= before + 2
    with pytest.raises(TypeError, match="Foreign makes batches"):
        model.fit(data)
