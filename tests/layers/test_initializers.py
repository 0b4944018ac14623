"""Moments of the random initializers with all their arguments; penalties and projections (BEHAVIOURS 12)."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import constraints, initializers, layers, regularizers
from pykeras.models import Model

SHAPE = (400, 200)


def draw(initializer, shape=SHAPE):
    return np.asarray(K.get_value(K.variable(initializer(shape))), "float64")


@pytest.mark.parametrize(
    ("initializer", "mean", "stddev", "bounds"),
    [
        (initializers.RandomNormal(mean=1.0, stddev=0.3), 1.0, 0.3, (-2, 4)),
        (initializers.RandomUniform(minval=-1.0, maxval=3.0), 1.0, 4 / 12**0.5, (-1, 3)),
        (initializers.TruncatedNormal(mean=-1.0, stddev=0.5), -1.0, 0.5 * 0.87963, (-2, 0)),
        (initializers.RandomNormal(), 0.0, 0.05, (-0.5, 0.5)),
        (initializers.RandomUniform(), 0.0, 0.1 / 12**0.5, (-0.05, 0.05)),
        (initializers.TruncatedNormal(), 0.0, 0.05 * 0.87963, (-0.1, 0.1)),
        (initializers.Constant(2.5), 2.5, 0.0, (2.5, 2.5)),
    ],
)
def test_12_3_moments(initializer, mean, stddev, bounds):
    values = draw(initializer)
    assert values.mean() == pytest.approx(mean, abs=0.02 * stddev)
    assert values.std() == pytest.approx(stddev, rel=0.02)
    assert bounds[0] <= values.min() and values.max() <= bounds[1]


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 400), ("fan_out", 200), ("fan_avg", 300)])
def test_12_2_variance_scaling(mode, fan, distribution):
    values = draw(initializers.VarianceScaling(scale=3.0, mode=mode, distribution=distribution))
    assert values.var() == pytest.approx(3.0 / fan, rel=0.02)
    limit = (3 * 3.0 / fan) ** 0.5 if distribution == "uniform" else 2 * (3.0 / fan) ** 0.5 / 0.87963
    assert 0.95 * limit < np.abs(values).max() <= limit * 1.0001


@pytest.mark.parametrize(
    ("make", "shape", "fan_in", "fan_out"),
    [
        (lambda: layers.Conv2D(50, 3), (8, 8, 40), 9 * 40, 9 * 50),
        (lambda: layers.Conv2DTranspose(50, 3), (8, 8, 40), 9 * 50, 9 * 40),  # in and out are swapped
        (lambda: layers.DepthwiseConv2D(5, depth_multiplier=3), (8, 8, 70), 25 * 70, 25 * 3),
        (lambda: layers.LSTM(60), (4, 100), 100, 240),  # all gates
    ],
)
def test_12_1_fans_of_layers(make, shape, fan_in, fan_out):
    layer = make()
    Model(i := layers.Input(shape), layer(i))
    kernel = layer.get_weights()[0].astype("float64")
    assert kernel.var() == pytest.approx(2.0 / (fan_in + fan_out), rel=0.06)  # glorot


def test_4_19_embeddings_begin_small_and_even():
    layer = layers.Embedding(300, 50)
    Model(i := layers.Input((2,)), layer(i))
    values = layer.get_weights()[0]
    assert 0.0499 < np.abs(values).max() <= 0.05
    assert values.std() == pytest.approx(0.1 / 12**0.5, rel=0.02)


def test_12_6_shorthands():
    w = np.array([[1, -2], [3, -4]], "float32")
    for given, wanted in (
        ("l1", 0.01 * 10),
        ("l2", 0.01 * 30),
        ("l1_l2", 0.01 * 40),
        (regularizers.l1(0.5), 5.0),
        (regularizers.l2(0.5), 15.0),
        (regularizers.l1_l2(l1=1.0, l2=2.0), 70.0),
        (regularizers.l1_l2(), 0.01 * 40),
    ):
        assert float(K.eval(regularizers.get(given)(K.variable(w)))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", ["kernel", "activity"])
def test_12_6_what_is_penalised(kind):
    """A weight once; an output over the whole batch, not divided by its size."""
    layer = layers.Dense(2, kernel_initializer="ones", **{kind + "_regularizer": regularizers.l1(0.1)})
    model = Model(i := layers.Input((3,)), layer(i))
    model.compile("sgd", lambda t, p: 0.0 * p[:, 0])
    x = np.ones((5, 3))
    wanted = 0.1 * 6 if kind == "kernel" else 0.1 * 5 * 2 * 3
    assert model.test_on_batch(x, np.zeros((5, 2))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        (("max_norm", "maxnorm", "MaxNorm"), constraints.MaxNorm),
        (("non_neg", "nonneg", "NonNeg"), constraints.NonNeg),
        (("unit_norm", "unitnorm", "UnitNorm"), constraints.UnitNorm),
        (("min_max_norm", "MinMaxNorm"), constraints.MinMaxNorm),
    ],
)
def test_12_7_names(names, cls):
    for name in names:
        assert type(constraints.get(name)) is cls
    defaults = {
        constraints.MaxNorm: {"max_value": 2, "axis": 0},
        constraints.UnitNorm: {"axis": 0},
        constraints.MinMaxNorm: {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
        constraints.NonNeg: {},
    }
    assert constraints.get(names[0]).get_config() == defaults[cls]
