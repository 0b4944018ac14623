"""Warnings point to the user's line, not into the package."""

import warnings

import numpy as np
import pytest

from pykeras.layers import Dense
from pykeras.models import Sequential, load_model


def line_of(call) -> tuple[str, str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught[0].filename, str(caught[0].message)


@pytest.mark.parametrize("depth", [0, 3])
def test_place_of_a_warning(tmp_path, depth):
    Sequential([Dense(1, input_dim=2)]).save(tmp_path / "model.h5")

    def load(n):
        return load(n - 1) if n else load_model(tmp_path / "model.h5")

    filename, message = line_of(lambda: load(depth))
    assert filename == __file__
    assert message.startswith("No training configuration found in save file")


def test_place_of_a_warning_from_within_a_with_statement():
    model = Sequential([Dense(1, input_dim=2)])
    batches = (np.ones((1, 2)) for _ in range(2))
    filename, message = line_of(lambda: model.predict_generator(batches, 2, use_multiprocessing=True))
    assert filename == __file__
    assert message.startswith("Batches are made in threads")
