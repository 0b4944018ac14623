"""Every rule of the optimizers, written out in NumPy; clipping, decay, state, sharing (BEHAVIOURS 11)."""

import inspect

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import constraints, optimizers
from pykeras.layers import Dense
from pykeras.models import Sequential

STEPS = 6
START = np.random.RandomState(0).normal(size=(3, 4))
GRADIENTS = np.random.RandomState(1).normal(size=(STEPS, 3, 4))
ALL = ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"]


def run(optimizer, constraint=None):
    """The weight after each step, when the gradients are GRADIENTS; computed in double precision."""
    K.set_floatx("float64")
    g = K.placeholder((3, 4))
    w = K.variable(START, constraint=constraint)
    step = K.function([g], [], updates=optimizer.get_updates(K.sum(w * g), [w]))
    values = []
    for gradient in GRADIENTS:
        step([gradient])
        values.append(K.get_value(w))
    return np.array(values)


@pytest.fixture
def double():
    """Optimizers made after this are in double precision too, so the formulas can be compared closely."""
    K.set_floatx("float64")


def check(optimizer, rule):
    """`rule(w, g, t)` gives the next weight; t counts from 1."""
    w, wanted = START, []
    for t, g in enumerate(GRADIENTS, 1):
        w = rule(w, g, t)
        wanted.append(w)
    np.testing.assert_allclose(run(optimizer), wanted, rtol=1e-10)


# ---- the rules


@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("nesterov", [False, True])
def test_11_3_sgd(double, momentum, nesterov):
    v = np.zeros_like(START)

    def rule(w, g, t):
        nonlocal v
        v = momentum * v - 0.1 * g
        return w + momentum * v - 0.1 * g if nesterov else w + v

    check(optimizers.SGD(lr=0.1, momentum=momentum, nesterov=nesterov), rule)


def test_11_4_rmsprop(double):
    a = np.zeros_like(START)

    def rule(w, g, t):
        nonlocal a
        a = 0.9 * a + 0.1 * g**2
        return w - 0.001 * g / (np.sqrt(a) + 1e-7)  # epsilon stands outside of the root

    check(optimizers.RMSprop(), rule)


def test_11_4_adagrad(double):
    a = np.zeros_like(START)

    def rule(w, g, t):
        nonlocal a
        a = a + g**2
        return w - 0.01 * g / (np.sqrt(a) + 1e-7)

    check(optimizers.Adagrad(), rule)


def test_11_4_adadelta(double):
    a, d = np.zeros_like(START), np.zeros_like(START)

    def rule(w, g, t):
        nonlocal a, d
        a = 0.95 * a + 0.05 * g**2
        u = g * np.sqrt(d + 1e-7) / np.sqrt(a + 1e-7)
        d = 0.95 * d + 0.05 * u**2
        return w - 1.0 * u

    check(optimizers.Adadelta(), rule)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_11_5_adam(double, amsgrad):
    """The epsilon is outside of the bias correction; amsgrad divides by the largest mean so far."""
    m, v, most = (np.zeros_like(START) for _ in range(3))

    def rule(w, g, t):
        nonlocal m, v, most
        m = 0.9 * m + 0.1 * g
        v = 0.5 * v + 0.5 * g**2
        most = np.maximum(most, v)
        rate = 0.001 * np.sqrt(1 - 0.5**t) / (1 - 0.9**t)
        return w - rate * m / (np.sqrt(most if amsgrad else v) + 1e-7)

    check(optimizers.Adam(beta_2=0.5, amsgrad=amsgrad), rule)


def test_11_5_adamax(double):
    m, u = np.zeros_like(START), np.zeros_like(START)

    def rule(w, g, t):
        nonlocal m, u
        m = 0.9 * m + 0.1 * g
        u = np.maximum(0.999 * u, np.abs(g))
        return w - 0.002 / (1 - 0.9**t) * m / (u + 1e-7)

    check(optimizers.Adamax(), rule)


def test_11_6_nadam(double):
    """The product of the momentum schedule moves once per step, however many weights there are."""
    optimizer = optimizers.Nadam()
    m, v, product = np.zeros_like(START), np.zeros_like(START), 1.0

    def momentum(t):
        return 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))

    def rule(w, g, t):
        nonlocal m, v, product
        product *= momentum(t)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        gradient = g / (1 - product)
        mean = m / (1 - product * momentum(t + 1))
        mixed = (1 - momentum(t)) * gradient + momentum(t + 1) * mean
        return w - 0.002 * mixed / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)

    check(optimizer, rule)
    assert K.get_value(optimizer.m_schedule) == pytest.approx(product, rel=1e-12)
    several = optimizers.Nadam()
    weights = [K.variable(1.0) for _ in range(3)]
    step = K.function([], [], updates=several.get_updates(sum(K.square(w) for w in weights), weights))
    step([])
    assert K.get_value(several.m_schedule) == pytest.approx(momentum(1), rel=1e-12)
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: decay"):
        optimizers.Nadam(decay=0.1)


BETAS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": None}
DEFAULTS = {
    "SGD": {"lr": 0.01, "momentum": 0.0, "decay": 0.0, "nesterov": False},  # 11.3
    "RMSprop": {"lr": 0.001, "rho": 0.9, "epsilon": None, "decay": 0.0},  # 11.4
    "Adagrad": {"lr": 0.01, "epsilon": None, "decay": 0.0},
    "Adadelta": {"lr": 1.0, "rho": 0.95, "epsilon": None, "decay": 0.0},
    "Adam": {"lr": 0.001, **BETAS, "decay": 0.0, "amsgrad": False},  # 11.5
    "Adamax": {"lr": 0.002, **BETAS, "decay": 0.0},
    "Nadam": {"lr": 0.002, **BETAS, "schedule_decay": 0.004},  # 11.6
}


@pytest.mark.parametrize("name", ALL)
def test_defaults(name):
    parameters = inspect.signature(getattr(optimizers, name)).parameters
    found = {n: p.default for n, p in parameters.items() if p.default is not inspect.Parameter.empty}
    assert found == DEFAULTS[name]


def test_11_7_epsilon_of_the_configuration_at_construction():
    K.set_epsilon(1e-3)
    made = [getattr(optimizers, name)() for name in ALL[1:]]
    K.set_epsilon(1e-7)
    assert {optimizer.epsilon for optimizer in made} == {1e-3}
    assert optimizers.Adam().epsilon == 1e-7 and optimizers.Adam(epsilon=0.5).epsilon == 0.5
    assert optimizers.Adam(epsilon=0.0).epsilon == 0.0


# ---- what all share


def clipped(values, **how):
    """The gradients of several weights after clipping."""
    weights = [K.variable(np.zeros_like(value)) for value in values]
    loss = sum(K.sum(w * K.constant(value)) for w, value in zip(weights, values))
    return [K.eval(g) for g in optimizers.SGD(**how).get_gradients(loss, weights)]


def test_11_1_one_norm_over_all_gradients():
    values = [np.array([3.0, -4.0]), np.array([[12.0]])]  # together 13 long
    for got, value in zip(clipped(values, clipnorm=6.5), values):
        np.testing.assert_allclose(got, value / 2, rtol=1e-6)
    for bound in (13.5, 0.0, -1.0):
        for got, value in zip(clipped(values, clipnorm=bound), values):
            np.testing.assert_array_equal(got, value)
    assert np.array_equal(clipped([np.zeros(2)], clipnorm=1.0)[0], [0, 0])  # a norm of zero divides nothing


def test_11_1_values_are_clipped_after_the_norm():
    values = [np.array([3.0, -4.0]), np.array([[12.0]])]
    got = clipped(values, clipnorm=6.5, clipvalue=1.75)
    np.testing.assert_allclose(got[0], [1.5, -1.75], rtol=1e-6)
    np.testing.assert_allclose(got[1], [[1.75]], rtol=1e-6)
    for bound in (0.0, -1.0):
        for a, b in zip(clipped(values, clipvalue=bound), values):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: clip"):
        optimizers.SGD(clip=1.0)


@pytest.mark.parametrize("name", [name for name in ALL if name != "Nadam"])
def test_11_2_decay(double, name):
    """lr / (1 + decay · steps so far): the first step is that of the undecayed rate."""
    kind = getattr(optimizers, name)
    steady, decaying = run(kind(lr=0.1)), run(kind(lr=0.1, decay=0.5))
    moved = [np.diff(values, axis=0, prepend=START[None]) for values in (steady, decaying)]
    rates = 1 / (1 + 0.5 * np.arange(STEPS))
    np.testing.assert_allclose(moved[1], moved[0] * rates[:, None, None], rtol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_11_2_counter_and_rate_are_variables(name):
    optimizer = getattr(optimizers, name)(lr=0.1)
    w = K.variable([1.0, 2.0])
    step = K.function([], [], updates=optimizer.get_updates(K.sum(K.square(w)), [w]))
    step([])
    assert K.get_value(optimizer.iterations) == 1
    before = K.get_value(w)
    K.set_value(optimizer.lr, 0.0)
    step([])
    np.testing.assert_array_equal(K.get_value(w), before)
    assert K.get_value(optimizer.iterations) == 2


@pytest.mark.parametrize("name", ALL)
def test_11_9_order_of_updates(name):
    """The counter first, then weight by weight its state and itself (Adadelta's mean of steps comes last)."""
    optimizer = getattr(optimizers, name)()
    a, b = K.variable(1.0, name="a"), K.variable(2.0, name="b")
    updates = optimizer.get_updates(K.square(a) + K.square(b), [a, b])
    variables = [update.variable for update in updates]
    assert variables[0] is optimizer.iterations
    names = [variable.name for variable in variables]
    first, second = names.index(a.name), names.index(b.name)
    assert second == len(names) - (2 if name == "Adadelta" else 1)
    state = [id(weight) for weight in optimizer.weights]
    assert first < second - 1 and all(id(v) in state for v in variables[first + 1 : second])


def test_11_9_roots_of_negative_numbers_are_zero():
    """A mean of squares that is below zero, from a file for example, does not make the weights NaN."""
    for name in ("RMSprop", "Adam"):
        optimizer = getattr(optimizers, name)()
        w = K.variable([1.0])
        step = K.function([], [], updates=optimizer.get_updates(K.sum(w * 1e-9), [w]))
        state = [np.full_like(s, -1.0) if s.shape == (1,) else s for s in optimizer.get_weights()]
        optimizer.set_weights(state)
        step([])
        assert np.isfinite(K.get_value(w)).all()


def test_11_8_constraints_see_the_new_value(double):
    limit = constraints.MaxNorm(0.5, axis=0)
    w, wanted = START, []
    for g in GRADIENTS:
        w = w - 0.3 * g
        norms = np.sqrt((w**2).sum(axis=0, keepdims=True))
        w = w * np.clip(norms, 0, 0.5) / (1e-7 + norms)
        wanted.append(w)
    np.testing.assert_allclose(run(optimizers.SGD(lr=0.3), limit), wanted, rtol=1e-6)


def test_11_10_names_of_any_case():
    for name in ALL:
        kind = getattr(optimizers, name)
        assert getattr(optimizers, name.lower()) is kind
        for spelling in (name, name.lower(), name.upper(), name.capitalize()):
            assert type(optimizers.get(spelling)) is kind


@pytest.mark.parametrize("name", ALL)
def test_11_10_the_order_of_keras_1(name):
    """get_updates(params, constraints, loss), by place."""

    def steps(old):
        optimizer = getattr(optimizers, name)(lr=0.1)
        w = K.variable([1.0, -2.0])
        loss = K.sum(K.square(w))
        if old:
            with pytest.warns(UserWarning, match="Update your `get_updates` call"):
                updates = optimizer.get_updates([w], {}, loss)
        else:
            updates = optimizer.get_updates(loss=loss, params=[w])
        step = K.function([], [], updates=updates)
        step([])
        step([])
        return K.get_value(w).tolist()

    assert steps(True) == steps(False) != [1.0, -2.0]


def test_11_11_the_saved_rate_is_the_current_one():
    optimizer = optimizers.Adam(lr=0.5, decay=0.25, clipnorm=1.0)
    for variable, value in ((optimizer.lr, 0.125), (optimizer.beta_1, 0.75), (optimizer.decay, 0.5)):
        K.set_value(variable, value)
    config = optimizer.get_config()
    assert (config["lr"], config["beta_1"], config["decay"], config["clipnorm"]) == (0.125, 0.75, 0.5, 1.0)


def test_11_12_one_instance_in_two_models():
    """It has one rate and one step counter; each model has a state of its own."""
    optimizer = optimizers.Adam(lr=0.1, decay=0.5)
    models = []
    for _ in range(2):
        model = Sequential([Dense(1, input_shape=(2,), kernel_initializer="ones")])
        model.compile(optimizer, "mse")
        models.append(model)
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    models[0].train_on_batch(x, y)
    models[1].train_on_batch(x, y)
    models[0].train_on_batch(x, y)
    assert K.get_value(optimizer.iterations) == 3
    assert models[0].optimizer is models[1].optimizer is optimizer
    before = [model.get_weights() for model in models]
    K.set_value(optimizer.lr, 0.0)
    for model, weights in zip(models, before):
        model.train_on_batch(x, y)
        for a, b in zip(model.get_weights(), weights):
            np.testing.assert_array_equal(a, b)
    assert K.get_value(optimizer.iterations) == 5
