"""Initializers, regularizers, constraints, losses and optimizers on their own (BEHAVIOURS 10 to 12)."""

import numpy as np
import pytest

from pykeras import activations, constraints, initializers, losses, metrics, optimizers, regularizers
from pykeras import backend as K

# ---------------------------------------------------------------------------------------------- initializers


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((5, 7), (5, 7)),
        ((3, 4, 5), (12, 15)),
        ((3, 3, 4, 5), (36, 45)),
        ((2, 2, 2, 3, 4), (24, 32)),
        ((9,), (3, 3)),
    ],
)
def test_fans(shape, fans):
    """12.1."""
    assert initializers._compute_fans(shape) == pytest.approx(fans)


@pytest.mark.parametrize(
    ("name", "variance", "uniform"),
    [
        ("glorot_uniform", 2 / 500, True),
        ("glorot_normal", 2 / 500, False),
        ("he_uniform", 2 / 300, True),
        ("he_normal", 2 / 300, False),
        ("lecun_uniform", 1 / 300, True),
        ("lecun_normal", 1 / 300, False),
        ("uniform", 0.05**2 / 3, True),
        ("normal", 0.05**2, False),
    ],
)
def test_random_initializers(name, variance, uniform):
    """12.2, 12.3, DECISIONS: truncated normals have the variance asked for."""
    values = K.get_value(K.variable(initializers.get(name)((300, 200))))
    assert abs(values.mean()) < 0.02 * variance**0.5
    assert values.var() == pytest.approx(variance, rel=0.02)
    limit = (3 * variance) ** 0.5 if uniform else 6 * variance**0.5
    assert np.abs(values).max() <= limit * 1.0001
    if not uniform and name != "normal":
        assert np.abs(values).max() <= 2 * variance**0.5 / 0.8796 * 1.001


def test_truncated_normal_is_not_corrected():
    """12.2: the class of that name takes the deviation before the truncation."""
    values = K.get_value(K.variable(initializers.TruncatedNormal(stddev=1.0)((300, 200))))
    assert values.std() == pytest.approx(0.8796, rel=0.01) and np.abs(values).max() <= 2.0


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (3, 3, 4, 5)])
def test_orthogonal(shape):
    """12.3."""
    values = K.get_value(K.variable(initializers.Orthogonal(gain=2.0)(shape))).reshape(-1, shape[-1])
    product = values @ values.T if values.shape[0] < values.shape[1] else values.T @ values
    np.testing.assert_allclose(product, 4 * np.eye(min(values.shape)), atol=1e-5)


def test_orthogonal_seed_leaves_numpy_alone():
    np.random.seed(5)
    wanted = np.random.uniform()
    np.random.seed(5)
    first = K.eval(initializers.Orthogonal(seed=3)((4, 4)))
    assert np.random.uniform() == wanted
    assert first.tolist() == K.eval(initializers.Orthogonal(seed=3)((4, 4))).tolist()


def test_seeds():
    """12.4, 1.10: a seed gives the same values at every call; without, NumPy's global seed decides."""
    initializer = initializers.RandomNormal(seed=3)
    first = K.get_value(K.variable(initializer((3, 4))))
    assert first.tolist() == K.get_value(K.variable(initializer((3, 4)))).tolist()
    np.random.seed(11)
    free = [K.get_value(K.variable(initializers.get("glorot_uniform")((3, 4)))) for _ in range(2)]
    assert free[0].tolist() != free[1].tolist()
    np.random.seed(11)
    again = K.get_value(K.variable(initializers.get("glorot_uniform")((3, 4))))
    assert free[0].tolist() == again.tolist()


def test_fixed_values():
    """12.3."""
    assert K.eval(initializers.Zeros()((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert K.eval(initializers.Constant(3.5)((2,))).tolist() == [3.5, 3.5]
    assert K.eval(initializers.Identity(gain=2)((2, 2))).tolist() == [[2, 0], [0, 2]]
    assert K.eval(initializers.Ones()((1,), dtype="float64")).dtype == np.float64
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)


# ------------------------------------------------------------------------------- regularizers and constraints


def test_regularizers():
    """12.6."""
    w = np.array([[1, -2], [3, -4]], "float32")
    value = K.eval(regularizers.l1_l2(0.1, 0.01)(K.variable(w)))
    assert float(value) == pytest.approx(0.1 * 10 + 0.01 * 30, rel=1e-6)
    assert regularizers.get(None) is None and regularizers.L1L2()(K.variable(w)) == 0.0


def test_constraints():
    """12.7."""
    w = np.random.RandomState(0).normal(size=(5, 4)).astype("float32")
    norms = np.sqrt((w**2).sum(axis=0, keepdims=True))

    def apply(constraint):
        return K.eval(constraint(K.variable(w)))

    np.testing.assert_allclose(apply(constraints.MaxNorm(1.5)), w * np.minimum(1, 1.5 / norms), rtol=1e-5)
    np.testing.assert_allclose(apply(constraints.UnitNorm()), w / norms, rtol=1e-5)
    assert apply(constraints.NonNeg()).tolist() == np.where(w >= 0, w, 0).tolist()
    wanted = 0.3 * np.clip(norms, 1.9, 2.0) + 0.7 * norms
    np.testing.assert_allclose(
        apply(constraints.MinMaxNorm(1.9, 2.0, rate=0.3)), w * wanted / norms, rtol=1e-5
    )
    kernel = np.random.RandomState(0).normal(size=(3, 3, 2, 4)).astype("float32")
    unit = K.eval(constraints.UnitNorm(axis=[0, 1, 2])(K.variable(kernel)))
    np.testing.assert_allclose((unit**2).sum(axis=(0, 1, 2)), np.ones(4), rtol=1e-5)


# ------------------------------------------------------------------------------------ losses and activations


def test_round_half_to_even():
    """10.5: a prediction of 0.5 counts as 0."""
    value = K.eval(metrics.binary_accuracy(K.constant([[0.0, 1.0]]), K.constant([[0.5, 0.5]])))
    assert value.tolist() == [0.5]


def test_losses_keep_time_steps():
    """10.1: one value per sample and step."""
    a, b = K.constant(np.zeros((2, 5, 3))), K.constant(np.ones((2, 5, 3)))
    for name in ("mse", "mae", "hinge", "binary_crossentropy", "categorical_crossentropy", "kld"):
        assert K.eval(losses.get(name)(a, b)).shape == (2, 5)
    assert losses.get(None) is None


def test_crossentropies_do_not_overflow():
    """10.2: clipped to [ε, 1 − ε]."""
    for name in ("binary_crossentropy", "categorical_crossentropy"):
        value = K.eval(losses.get(name)(K.constant([[1.0, 0.0]]), K.constant([[0.0, 1.0]])))
        assert np.isfinite(value).all() and 10 < value[0] < 40


def test_logcosh_far_away():
    """10.3."""
    value = K.eval(losses.logcosh(K.constant([[0.0]]), K.constant([[500.0]])))
    assert value[0] == pytest.approx(500 - np.log(2), rel=1e-5)


def test_softmax_needs_two_axes():
    with pytest.raises(ValueError, match="1D"):
        activations.softmax(K.placeholder((3,)))


# ------------------------------------------------------------------------------------------------- optimizers


def problem(optimizer, constraint=None):
    """Returns (step function, variable): minimise the squared distance of a variable from ones."""
    w = K.variable(np.zeros((3, 2)), name="w", constraint=constraint)
    loss = K.sum(K.square(w - 1.0))
    updates = optimizer.get_updates(loss, [w])
    return K.function([], [loss], updates=updates), w


@pytest.mark.parametrize(
    ("name", "count"),
    [("SGD", 2), ("RMSprop", 1), ("Adagrad", 1), ("Adadelta", 2), ("Adam", 4), ("Adamax", 3), ("Nadam", 3)],
)
def test_state(name, count):
    """3.2.6, 11.9: order and number of the state arrays; a copy goes on as the original."""
    first = getattr(optimizers, name)(lr=0.1)
    step, w = problem(first)
    for _ in range(3):
        step([])
    state = first.get_weights()
    assert len(state) == count == len(first.weights)
    if name not in ("RMSprop", "Adagrad", "Adadelta"):
        assert state[0] == 3
    if name == "Adam":
        assert state[3].shape == (1,)  # no amsgrad
    second = type(first).from_config(first.get_config())
    step2, w2 = problem(second)
    second.set_weights(state)
    K.set_value(w2, K.get_value(w))
    for _ in range(2):
        step([])
        step2([])
    assert K.get_value(w).tolist() == K.get_value(w2).tolist()


def test_set_weights_of_other_dialects():
    """3.2.6: iterations first (2.3, tf.keras), Adam without vhat (≤ 2.1.2, tf.keras)."""
    optimizer = optimizers.RMSprop(decay=0.1)
    problem(optimizer)
    optimizer.set_weights([np.int64(7), np.ones((3, 2))])
    assert K.get_value(optimizer.iterations) == 7
    assert K.get_value(optimizer.weights[0]).tolist() == np.ones((3, 2)).tolist()
    optimizer = optimizers.Adam()
    problem(optimizer)
    optimizer.set_weights([np.int64(7), np.ones((3, 2)), np.full((3, 2), 2.0)])
    assert K.get_value(optimizer.weights[2]).tolist() == np.full((3, 2), 2.0).tolist()
    with pytest.raises(ValueError, match="state arrays"):
        optimizer.set_weights([np.int64(7)])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        optimizer.set_weights([np.int64(7), np.ones((2, 2)), np.ones((3, 2)), np.zeros(1)])


def test_rates_are_variables():
    """11.2, 11.11: lr changes with K.set_value while training, and configs hold the current value."""
    optimizer = optimizers.SGD(lr=0.0)
    step, w = problem(optimizer)
    step([])
    assert not K.get_value(w).any()
    K.set_value(optimizer.lr, 0.25)
    step([])
    assert K.get_value(w).tolist() == np.full((3, 2), 0.5).tolist()
    assert optimizer.get_config()["lr"] == 0.25
    optimizer.learning_rate = 0.125
    assert K.get_value(optimizer.lr) == 0.125
    assert K.get_value(optimizers.SGD(learning_rate=0.5).lr) == 0.5


def test_an_optimizer_may_keep_its_rate_under_the_newer_name():
    """Classes of Keras 2.3's time hold `learning_rate` and answer to `lr`, or know no `lr` at all."""

    class Newer(optimizers.Optimizer):
        def __init__(self, learning_rate=0.5):
            super().__init__()
            self.learning_rate = K.variable(learning_rate)

        def get_updates(self, loss, params):
            grads = self.get_gradients(loss, params)
            self.updates = [K.update(p, p - self.learning_rate * g) for p, g in zip(params, grads)]
            return self.updates

    class Both(Newer):
        @property
        def lr(self):
            return self.learning_rate

        @lr.setter
        def lr(self, value):
            K.set_value(self.learning_rate, value)

    for kind in (Newer, Both):
        optimizer = kind()
        assert optimizer.lr is optimizer.learning_rate
        K.set_value(optimizer.lr, 0.25)
        assert K.get_value(optimizer.learning_rate) == 0.25
        step, w = problem(optimizer)
        step([])
        assert K.get_value(w).tolist() == np.full((3, 2), 0.5).tolist()
    optimizer.lr = 0.125
    assert K.get_value(optimizer.learning_rate) == 0.125


def test_optimizers_are_made_again_with_the_name_of_the_rate_they_know():
    class Strict(optimizers.Optimizer):
        def __init__(self, *, learning_rate=0.5):
            super().__init__()
            self.learning_rate = K.variable(learning_rate)

        def get_config(self):
            return {"learning_rate": float(K.get_value(self.learning_rate))}

    class Loose(optimizers.SGD):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

    again = Strict.from_config(Strict(learning_rate=0.25).get_config())
    assert K.get_value(again.lr) == K.get_value(again.learning_rate) == 0.25
    assert K.get_value(Loose.from_config({"learning_rate": 0.25}).lr) == 0.25
    assert K.get_value(Loose.from_config(Loose(lr=0.25).get_config()).lr) == 0.25


def test_decay():
    """11.2: the first step is undecayed; a decay of 0 at construction stays without effect."""
    optimizer = optimizers.SGD(lr=0.1, decay=1.0)
    step, w = problem(optimizer)
    step([])
    np.testing.assert_allclose(K.get_value(w), np.full((3, 2), 0.2), rtol=1e-6)
    step([])  # the rate is now 0.1 / 2
    np.testing.assert_allclose(K.get_value(w), np.full((3, 2), 0.28), rtol=1e-6)
    plain = optimizers.SGD(lr=0.1)
    step, w = problem(plain)
    K.set_value(plain.decay, 1.0)
    step([])
    step([])
    np.testing.assert_allclose(K.get_value(w), np.full((3, 2), 0.36), rtol=1e-6)


def test_constants_of_a_plan_follow_the_variables():
    """11.2: betas and the like may change between two steps of one compiled function."""
    optimizer = optimizers.RMSprop(lr=0.1, rho=0.5)
    step, _ = problem(optimizer)
    step([])
    before = optimizer.get_weights()[0]
    assert before.any()
    K.set_value(optimizer.rho, 1.0)
    step([])
    assert optimizer.get_weights()[0].tolist() == before.tolist()


def test_constraints_follow_each_step():
    """11.8."""
    step, w = problem(optimizers.SGD(lr=0.5), constraints.MaxNorm(0.1, axis=0))
    step([])
    np.testing.assert_allclose(np.sqrt((K.get_value(w) ** 2).sum(axis=0)), [0.1, 0.1], rtol=1e-5)


def test_lost_gradient():
    """11.11: a gradient of None names the weight and the usual culprits."""
    used, unused = K.variable(1.0), K.variable(2.0, name="lonely")
    with pytest.raises(ValueError, match=r"`None`.*lonely"):
        optimizers.SGD().get_updates(K.square(used), [used, unused])


def test_get():
    """11.10."""
    instance = optimizers.Adam()
    assert optimizers.get(instance) is instance
    assert optimizers.adam is optimizers.Adam
    assert isinstance(optimizers.get({"class_name": "AdaDelta", "config": {}}), optimizers.Adadelta)
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer"):
        optimizers.Nadam(decay=0.1)  # 11.6
    with pytest.raises(NotImplementedError, match="Adam"):
        optimizers.TFOptimizer(None)


def test_custom_optimizer():
    """11.10: get_updates is overridden, self.get_gradients, self.updates and self.weights are used."""

    class Signs(optimizers.Optimizer):
        def __init__(self, lr=0.1, **kwargs):
            super().__init__(**kwargs)
            self.lr = K.variable(lr, name="lr")

        def get_updates(self, loss, params):
            grads = self.get_gradients(loss, params)
            self.updates = [K.update_sub(p, self.lr * K.sign(g)) for p, g in zip(params, grads)]
            return self.updates

        def get_config(self):
            return {"lr": float(K.get_value(self.lr)), **super().get_config()}

    step, w = problem(Signs(lr=0.25, clipnorm=1.0))
    step([])
    assert K.get_value(w).tolist() == np.full((3, 2), 0.25).tolist()
