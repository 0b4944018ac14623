"""Pointwise kernels of the CPU device and fused programs of them: against NumPy, on every instruction set
of the machine.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from engine_core.kernel_tools import INF, ISAS, NAN, restore_defaults, rng, run

from pykeras import _core


@pytest.fixture(autouse=True)
def restore():
    yield
    restore_defaults()


def ulps(got, want):
    """Distance from the exact result in units of its last place; 0 where both are NaN or the same."""
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
        unit = np.spacing(np.abs(rounded)).astype("float64")
        distance = np.abs(got.astype("float64") - want.astype("float64")) / np.where(unit > 0, unit, 1)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    return np.where(same, 0, np.where(np.isnan(distance), INF, distance))


def erf(x):
    return np.array([math.erf(v) for v in x.ravel()]).reshape(x.shape)


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


# name, oracle in double, units in the last place allowed in float32
UNARY = [
    ("neg", np.negative, 0),
    ("abs", np.abs, 0),
    ("sign", np.sign, 0),
    ("exp", np.exp, 2),
    ("log", np.log, 2),
    ("log1p", np.log1p, 2),
    ("expm1", np.expm1, 3),
    ("sqrt", np.sqrt, 0.5),
    ("rsqrt", lambda x: 1 / np.sqrt(x), 2),
    ("square", np.square, 0.5),
    ("reciprocal", lambda x: 1 / x, 0.5),
    ("sin", np.sin, 3),
    ("cos", np.cos, 3),
    ("tanh", np.tanh, 4),
    ("sigmoid", sigmoid, 4),
    ("softplus", lambda x: np.logaddexp(0, x), 4),
    ("softsign", lambda x: x / (1 + np.abs(x)), 2),
    ("erf", erf, 4),
    ("round", np.rint, 0),
    ("floor", np.floor, 0),
    ("ceil", np.ceil, 0),
    ("relu", lambda x: np.where(x < 0, 0, x), 0),
]
SPECIAL = np.array(
    [
        0,
        -0.0,
        INF,
        -INF,
        NAN,
        1,
        -1,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        1e-45,
        -1e-45,
        1e-38,
        3.4e38,
        -3.4e38,
        88.7,
        88.73,
        -87.4,
        -103.9,
        -104.5,
        12801,
        -12801,
        1e30,
        8388607.5,
        -8388607.5,
        16777216,
    ],
    "float32",
)


def samples():
    r = rng()
    bits = r.integers(0, 2**32, 20000, dtype=np.uint32).view("float32")
    parts = [r.standard_normal(5000) * scale for scale in (1e-4, 1, 8, 60)]
    parts.append(1 + r.standard_normal(5000) * 1e-2)
    return np.concatenate([SPECIAL, bits, *(part.astype("float32") for part in parts)])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("name", "oracle", "allowed"), UNARY, ids=[u[0] for u in UNARY])
def test_unary(isa, name, oracle, allowed):
    x = samples()
    with np.errstate(all="ignore"):
        want = oracle(x.astype("float64"))
    error = ulps(run(name, [x], isa=isa), want)
    worst = error.argmax()
    assert error[worst] <= allowed, (x[worst], want[worst])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("name", "oracle", "allowed"), UNARY, ids=[u[0] for u in UNARY])
def test_unary_double(isa, name, oracle, allowed):
    x = np.concatenate([rng().standard_normal(3000) * scale for scale in (1e-8, 1e-3, 1, 30)])
    with np.errstate(all="ignore"):
        want = oracle(x)
    np.testing.assert_allclose(run(name, [x], isa=isa), want, rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize("isa", ISAS)
def test_pow(isa):
    base, exponent = (g.ravel() for g in np.meshgrid(SPECIAL, SPECIAL))
    r = rng()
    base = np.concatenate([base, np.abs(r.standard_normal(20000)) * 10, r.integers(-9, 9, 2000)]).astype(
        "float32"
    )
    more = np.concatenate([r.standard_normal(20000) * 6, r.integers(-9, 9, 2000)])
    exponent = np.concatenate([exponent, more]).astype("float32")
    with np.errstate(all="ignore"):
        want = np.power(base.astype("float64"), exponent.astype("float64"))
    assert ulps(run("pow", [base, exponent], isa=isa), want).max() <= 1


@pytest.mark.parametrize("isa", ISAS)
def test_parameters(isa):
    x = samples()
    for name, attrs, oracle in [
        ("leaky_relu", {"alpha": 0.3}, lambda v: np.where(v < 0, np.float32(0.3) * v, v)),
        ("elu", {"alpha": 0.7}, lambda v: np.where(v < 0, np.float32(0.7) * np.expm1(v), v)),
        ("clip", {"min": -1, "max": 2}, lambda v: np.clip(v, -1, 2)),
        ("hard_sigmoid", {}, lambda v: np.clip(np.float32(0.2) * v + 0.5, 0, 1)),
        ("is_finite", {}, np.isfinite),
    ]:
        with np.errstate(all="ignore"):
            want = oracle(x.astype("float64"))
        got = run(name, [x], attrs, isa=isa)
        np.testing.assert_allclose(got, want.astype(got.dtype), rtol=5e-7, atol=1e-7)


@pytest.mark.parametrize("isa", ISAS)
def test_position_does_not_matter(isa):
    """An element's result has the same bits wherever it stands: in a full vector or in the rest."""
    x = (rng().standard_normal(700) * 3).astype("float32")
    for name, *_ in UNARY:
        whole = run(name, [x], isa=isa)
        for start, n in [(0, 1), (1, 3), (2, 15), (5, 16), (3, 17), (7, 31), (9, 65), (150, 513)]:
            np.testing.assert_array_equal(
                run(name, [x[start : start + n]], isa=isa), whole[start : start + n], name
            )


BINARY = [
    ("add", np.add),
    ("sub", np.subtract),
    ("mul", np.multiply),
    ("div", np.divide),
    ("maximum", np.maximum),
    ("minimum", np.minimum),
    ("equal", np.equal),
    ("not_equal", np.not_equal),
    ("less", np.less),
    ("less_equal", np.less_equal),
    ("greater", np.greater),
    ("greater_equal", np.greater_equal),
]
FORMS = [
    ((3, 5), (3, 5)),
    ((100, 33), ()),
    ((), (700,)),
    ((100, 33), (33,)),
    ((5, 7, 3), (3,)),
    ((2000, 3), (3,)),
    ((3, 3000), (3000,)),
    ((40, 2500), (40, 1)),
    ((1, 50), (60, 1)),
    ((4, 1, 6), (4, 5, 6)),
    ((4, 5, 1), (5, 6)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((2, 3, 4, 5), (2, 1, 4, 1)),
    ((1,), (1, 1)),
    ((0, 3), (3,)),
    ((70000,), (70000,)),
    ((300, 257), (257,)),
    ((300, 257), (300, 1)),
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_broadcasting(isa, dtype):
    for shapes in FORMS:
        a, b = (rng(i).integers(-4, 5, s).astype(dtype) for i, s in enumerate(shapes))
        b[b == 0] = 2
        for name, oracle in BINARY if shapes[0] != (70000,) else BINARY[:4]:
            want = oracle(a, b)
            got = run(name, [a, b], isa=isa)
            assert got.dtype == want.dtype, name
            np.testing.assert_array_equal(got, want, f"{name} {shapes}")
            np.testing.assert_array_equal(
                run(name, [b, a], isa=isa), run(name, [b, a], device="reference"), name
            )


@pytest.mark.parametrize("isa", ISAS)
def test_select_and_logic(isa):
    for condition, choice in [
        ((6,), (6,)),
        ((6,), (1,)),
        ((5, 1), (5, 4)),
        ((700, 3), (700, 3)),
        ((3,), (700, 3)),
    ]:
        c, a = rng(1).integers(0, 2, condition).astype(bool), rng(2).standard_normal(choice).astype("float32")
        b = np.array(7, "float32")
        np.testing.assert_array_equal(run("select", [c, a, b], isa=isa), np.where(c, a, b))
    p, q = rng(3).integers(0, 2, (2, 999)).astype(bool)
    np.testing.assert_array_equal(run("logical_and", [p, q], isa=isa), p & q)
    np.testing.assert_array_equal(run("logical_or", [p, q[:1]], isa=isa), p | q[:1])
    np.testing.assert_array_equal(run("logical_not", [p], isa=isa), ~p)


@pytest.mark.parametrize("isa", ISAS)
def test_nan_goes_through(isa):
    x = np.array([NAN, 1, NAN, -2] * 5, "float32")
    one = np.ones_like(x)
    for name in ["maximum", "minimum", "add", "mul", "div", "sub"]:
        for operands in ([x, one], [one, x]):
            assert np.isnan(run(name, operands, isa=isa)[::2]).all(), name
    for name in [
        "tanh",
        "sigmoid",
        "exp",
        "relu",
        "softplus",
        "erf",
        "log",
        "log1p",
        "hard_sigmoid",
        "elu",
        "clip",
    ]:
        attrs = {"elu": {"alpha": 1.0}, "clip": {"min": -1, "max": 1}}.get(name, {})
        assert np.isnan(run(name, [x], attrs, isa=isa)[::2]).all(), name
    for name in ["sum", "mean", "max", "min", "prod"]:
        for shape, axis in [((20,), 0), ((4, 5), 0), ((4, 5), 1)]:
            got = run(name, [np.full(shape, NAN, "float32")], {"axes": [axis], "keepdims": False}, isa=isa)
            assert np.isnan(got).all(), name
    assert np.isnan(run("softmax", [np.array([[1, NAN, 2]], "float32")], {"axis": 1}, isa=isa)).all()


@pytest.mark.parametrize("isa", ISAS)
def test_cast(isa):
    x = rng().integers(0, 3, 100)
    for source in ["float32", "float64", "int32", "int64", "uint8", "bool"]:
        for target in ["float32", "float64", "int32", "int64", "uint8", "bool"]:
            given = x.astype(source)
            got = run("cast", [given], {"dtype": target}, isa=isa)
            np.testing.assert_array_equal(got, given.astype(target), f"{source} to {target}")


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("source", ["float32", "float64"])
def test_cast_of_fractions_to_bytes_wraps(isa, source):
    # In whole vectors and in what is left over alike; C itself leaves these open, and machines differ.
    x = np.linspace(-600.5, 900.25, 37).astype(source)
    expected = x.astype("int64").astype("uint8")
    np.testing.assert_array_equal(run("cast", [x], {"dtype": "uint8"}, isa=isa), expected)
    for one, byte in zip(x, expected, strict=True):
        np.testing.assert_array_equal(run("cast", [one.reshape(1)], {"dtype": "uint8"}, isa=isa), [byte])


# ---- fused programs


def call(name, *values, **attrs):
    return _core.op(name, list(values), attrs, "test")[0]


def number(x):
    return _core.constant(np.asarray(x, "float32"))


def fused(values, outputs, arrays, isa="auto", threads=2):
    """The outputs of a function that must have become loops of fused ops."""
    _core.set_isa(isa)
    _core.set_num_threads(threads)
    function = _core.Function(values, outputs, [], "test")
    assert "fused_pointwise" in function.describe(list(arrays))
    return function(list(arrays))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("shape", [(7,), (3, 5), (40, 50), (300, 333)])
def test_fused_chain(isa, shape):
    x = rng(1).standard_normal(shape).astype("float32")
    row = rng(2).standard_normal(shape[-1:]).astype("float32")
    column = rng(3).standard_normal((*shape[:-1], 1)).astype("float32")
    vx, vr, vc = (_core.placeholder(list(a.shape), "float32", "x") for a in (x, row, column))
    t = call("tanh", call("add", call("mul", vx, vr), vc))
    positive = call("cast", call("greater", t, number(0.25)), dtype="float32")
    y = call("add", call("mul", t, positive), number(2.0))
    got = fused([vx, vr, vc], [y, t], [x, row, column], isa)
    want = np.tanh(x * row + column)
    np.testing.assert_allclose(got[1], want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got[0], got[1] * (got[1] > 0.25) + 2, rtol=1e-6)


def test_fused_bool_output_and_condition():
    x, c = rng(1).standard_normal((60, 70)).astype("float32"), rng(2).integers(0, 2, (60, 70)).astype(bool)
    vx, vc = _core.placeholder([60, 70], "float32", "x"), _core.placeholder([60, 70], "bool", "c")
    s = call("select", call("logical_or", vc, call("less", vx, number(-1))), call("square", vx), vx)
    y, big = fused([vx, vc], [s, call("greater", call("add", s, number(1)), number(2))], [x, c])
    want = np.where(c | (x < -1), x * x, x)
    np.testing.assert_allclose(y, want, rtol=1e-6)
    np.testing.assert_array_equal(big, y + 1 > 2)


def adam(n):
    """Variables of one weight and a function that makes one step of Adam on it."""
    variables = [_core.Variable([n], "float32", name) for name in "wmv"]
    start = [rng(i).standard_normal(n).astype("float32") for i in range(3)]
    start[2] = np.abs(start[2])
    for variable, value in zip(variables, start):
        variable.set(value)
    w, m, v = (variable.value for variable in variables)
    g, rate = _core.placeholder([n], "float32", "g"), _core.placeholder([], "float32", "rate")
    new_m = call("add", call("mul", number(0.9), m), call("mul", number(0.1), g))
    new_v = call("add", call("mul", number(0.999), v), call("mul", number(0.001), call("square", g)))
    step = call("div", call("mul", rate, new_m), call("add", call("sqrt", new_v), number(1e-7)))
    updates = list(zip(variables, [call("sub", w, step), new_m, new_v]))
    return variables, start, _core.Function([g, rate], [], updates, "adam")


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("n", [1, 17, 5000, 200000])
def test_adam_in_place(isa, n):
    results = []
    for threads in (1, 2, 7):
        _core.set_isa(isa)
        _core.set_num_threads(threads)
        variables, (w, m, v), function = adam(n)
        g = rng(9).standard_normal(n).astype("float32")
        for _ in range(3):
            function([g, np.float32(0.01)])
            m = np.float32(0.9) * m + np.float32(0.1) * g
            v = np.float32(0.999) * v + np.float32(0.001) * g * g
            w = w - np.float32(0.01) * m / (np.sqrt(v) + np.float32(1e-7))
        results.append([variable.get() for variable in variables])
        for got, want in zip(results[-1], (w, m, v)):
            np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)
