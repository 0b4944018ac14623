"""Training gives the numbers that tf_keras gives."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from engine import fit_record

from pykeras import optimizers
from pykeras.layers import Concatenate, Dense, Flatten, Input
from pykeras.models import Model

KERAS = SimpleNamespace(
    Model=Model, Concatenate=Concatenate, Dense=Dense, Flatten=Flatten, Input=Input, optimizers=optimizers
)


@pytest.mark.parametrize("optimizer", sorted(fit_record.OPTIMIZERS))
def test_history_and_evaluation(optimizer):
    """7.3, 9.3, 9.6, 9.7, 9.12 in one run."""
    recorded = json.loads(fit_record.GOLDEN.read_text())[optimizer]
    found = fit_record.train(KERAS, optimizer)
    assert set(found) == set(recorded)
    for key, values in recorded.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-5, err_msg=key)
