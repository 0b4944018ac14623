"""Pointwise, reducing, normalising, drawing and moving kernels of the CPU device: against NumPy and the reference
device, on every instruction set of the machine, with the same bits for any number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pykeras import _core

ISAS = _core.isas()
INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def restore():
    yield
    _core.set_isa("auto")
    _core.set_num_threads(0)
    _core.set_device("cpu")


def run_all(name, inputs, attrs=None, threads=2, isa="auto", device="cpu", step=0):
    """Results of one op on arrays, through a function with placeholders (constants would be folded)."""
    _core.set_isa(isa)
    _core.set_num_threads(threads)
    _core.set_device(device)
    values = [_core.placeholder(list(x.shape), str(x.dtype), f"x{i}") for i, x in enumerate(inputs)]
    function = _core.Function(values, _core.op(name, values, attrs or {}, "test"), [], "test")
    function.step = step
    return function(list(inputs))


def run(name, inputs, attrs=None, **where):
    return run_all(name, inputs, attrs, **where)[0]


def rng(seed=0):
    return np.random.default_rng(seed)


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
    ("neg", np.negative, 0), ("abs", np.abs, 0), ("sign", np.sign, 0), ("exp", np.exp, 2), ("log", np.log, 2),
    ("log1p", np.log1p, 2), ("expm1", np.expm1, 3), ("sqrt", np.sqrt, 0.5), ("rsqrt", lambda x: 1 / np.sqrt(x), 2),
    ("square", np.square, 0.5), ("reciprocal", lambda x: 1 / x, 0.5), ("sin", np.sin, 3), ("cos", np.cos, 3),
    ("tanh", np.tanh, 4), ("sigmoid", sigmoid, 4), ("softplus", lambda x: np.logaddexp(0, x), 4),
    ("softsign", lambda x: x / (1 + np.abs(x)), 2), ("erf", erf, 4), ("round", np.rint, 0), ("floor", np.floor, 0),
    ("ceil", np.ceil, 0), ("relu", lambda x: np.where(x < 0, 0, x), 0),
]  # fmt: skip
SPECIAL = np.array(
    [0, -0.0, INF, -INF, NAN, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-45, -1e-45, 1e-38, 3.4e38, -3.4e38, 88.7, 88.73,
     -87.4, -103.9, -104.5, 12801, -12801, 1e30, 8388607.5, -8388607.5, 16777216], "float32")  # fmt: skip


def samples():
    r = rng()
    bits = r.integers(0, 2**32, 20000, dtype=np.uint32).view("float32")
    parts = [r.standard_normal(5000) * scale for scale in (1e-4, 1, 8, 60)]
    return np.concatenate([SPECIAL, bits, 1 + r.standard_normal(5000) * 1e-2, *parts]).astype("float32")


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
    ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide), ("maximum", np.maximum),
    ("minimum", np.minimum), ("equal", np.equal), ("not_equal", np.not_equal), ("less", np.less),
    ("less_equal", np.less_equal), ("greater", np.greater), ("greater_equal", np.greater_equal),
]  # fmt: skip
FORMS = [
    ((3, 5), (3, 5)), ((100, 33), ()), ((), (700,)), ((100, 33), (33,)), ((5, 7, 3), (3,)), ((2000, 3), (3,)),
    ((3, 3000), (3000,)), ((40, 2500), (40, 1)), ((1, 50), (60, 1)), ((4, 1, 6), (4, 5, 6)), ((4, 5, 1), (5, 6)),
    ((2, 3, 4, 5), (3, 1, 5)), ((2, 3, 4, 5), (2, 1, 4, 1)), ((1,), (1, 1)), ((0, 3), (3,)), ((70000,), (70000,)),
    ((300, 257), (257,)), ((300, 257), (300, 1)),
]  # fmt: skip


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


# ---- reductions

REDUCTIONS = [
    ((50,), [0]), ((3, 7), [1]), ((3, 7), [0]), ((200, 10), [1]), ((70, 3), [0]), ((1000, 5), [0]), ((999, 40), [0]),
    ((5, 6, 7), [1]), ((5, 6, 70), [1]), ((5, 6, 7), [0, 2]), ((4, 5, 6, 7), [0, 2, 3]), ((4, 5, 6, 7), [0, 1, 2]),
    ((4, 5, 6, 7), [1, 3]), ((3, 1, 4), [1]), ((2, 3), []), ((2, 3, 2, 3, 2), [0, 2, 4]), ((300000,), [0]),
    ((2, 150001), [1]), ((3, 40000), [0]), ((20000, 33), [0]), ((0, 4), [0]), ((4, 0), [0]),
]  # fmt: skip


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reductions(isa, dtype):
    for shape, axes in REDUCTIONS:
        x = rng().uniform(-1, 1, shape).astype(dtype)
        n = max(1, math.prod(shape[a] for a in axes))
        for name, oracle in [("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min)]:
            if x.size == 0 and name != "sum":
                continue
            for keepdims in (False, True):
                attrs = {"axes": axes, "keepdims": keepdims}
                want = oracle(x.astype("float64"), axis=tuple(axes), keepdims=keepdims)
                got = run(name, [x], attrs, isa=isa)
                assert got.shape == want.shape
                if name in ("max", "min"):
                    np.testing.assert_array_equal(got, want.astype(dtype))
                else:
                    unit = np.finfo(dtype).eps * (n**0.5 if name == "sum" else 1)
                    np.testing.assert_allclose(
                        got, want, rtol=2 * unit, atol=2 * unit, err_msg=f"{name} {shape} {axes}"
                    )
    x = rng().uniform(0.9, 1.1, (40, 21)).astype(dtype)
    for axis in (0, 1):
        got = run("prod", [x], {"axes": [axis], "keepdims": False}, isa=isa)
        np.testing.assert_allclose(got, x.prod(axis), rtol=1e-5)


@pytest.mark.parametrize("axes", [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]])
def test_any_all(axes):
    for p in (0.01, 0.5, 0.99):
        x = rng().random((6, 50, 5)) < p
        for name, oracle in [("any", np.any), ("all", np.all)]:
            got = run(name, [x], {"axes": axes, "keepdims": False})
            np.testing.assert_array_equal(got, oracle(x, axis=tuple(axes)))


@pytest.mark.parametrize("isa", ISAS)
def test_arg_extrema(isa):
    for shape, axis in [
        ((7,), 0),
        ((50, 10), 1),
        ((50, 10), 0),
        ((4, 5, 70), 1),
        ((3, 5000), 1),
        ((2, 9, 3), 1),
    ]:
        x = rng().integers(-5, 5, shape).astype("float32")
        x.ravel()[rng(1).integers(0, x.size, x.size // 40)] = NAN
        for name, oracle in [("argmax", np.argmax), ("argmin", np.argmin)]:
            np.testing.assert_array_equal(run(name, [x], {"axis": axis}, isa=isa), oracle(x, axis=axis))


@pytest.mark.parametrize("isa", ISAS)
def test_running(isa):
    for shape, axis in [((9,), 0), ((5, 70), 0), ((5, 70), 1), ((3, 4, 5), 1)]:
        x = rng().uniform(0.5, 1.5, shape)
        for name in ("cumsum", "cumprod"):
            for exclusive in (False, True):
                for reverse in (False, True):
                    attrs = {"axis": axis, "exclusive": exclusive, "reverse": reverse}
                    got = run(name, [x], attrs, isa=isa)
                    np.testing.assert_allclose(got, run(name, [x], attrs, device="reference"), rtol=1e-14)


def test_row_is_independent_of_batch():
    for n in (3, 10, 100, 5000, 140000):
        x = rng().standard_normal((9, n)).astype("float32")
        for name, attrs in [("sum", {"axes": [1], "keepdims": False}), ("mean", {"axes": [1], "keepdims": True}),
                            ("softmax", {"axis": 1}), ("log_softmax", {"axis": 1})]:  # fmt: skip
            whole = run(name, [x], attrs)
            for row in (0, 4, 8):
                np.testing.assert_array_equal(run(name, [x[row : row + 1]], attrs)[0], whole[row])


def test_sum_to_like():
    for g, x in [((40, 30), (30,)), ((40, 30), (40, 1)), ((4, 5, 6), (5, 1)), ((4, 5, 6), ()), ((4, 5, 6), (1, 5, 1)),
                 ((4, 5), (4, 5)), ((3000, 40), (40,))]:  # fmt: skip
        data = [rng().standard_normal(g).astype("float32"), np.zeros(x, "float32")]
        np.testing.assert_allclose(
            run("sum_to_like", data), run("sum_to_like", data, device="reference"), rtol=2e-4, atol=2e-5
        )


# ---- softmax, batch normalisation, draws


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(isa, dtype):
    for shape, axis in [
        ((5, 10), 1),
        ((300, 1000), 1),
        ((3, 5000), 1),
        ((6, 9, 70), 1),
        ((7, 1), 1),
        ((33,), 0),
    ]:
        x = (rng().standard_normal(shape) * 30).astype(dtype)
        e = np.exp(x.astype("float64") - x.max(axis, keepdims=True))
        tol = 4e-6 if dtype == "float32" else 1e-14
        np.testing.assert_allclose(
            run("softmax", [x], {"axis": axis}, isa=isa), e / e.sum(axis, keepdims=True), tol, tol
        )
        want = x - x.max(axis, keepdims=True) - np.log(e.sum(axis, keepdims=True))
        np.testing.assert_allclose(run("log_softmax", [x], {"axis": axis}, isa=isa), want, tol, tol)
    huge = np.array([[1e30, 1e30, -1e30], [3e38, -INF, 3e38]], dtype)
    np.testing.assert_allclose(
        run("softmax", [huge], {"axis": 1}, isa=isa), [[0.5, 0.5, 0], [0.5, 0, 0.5]], 1e-6
    )


NORMS = [((6, 5, 4, 3), 3), ((6, 5, 4, 3), 1), ((1000, 40), 1), ((300, 77), 1), ((40, 6, 900), 1), ((1, 8), 1),
         ((70, 9, 9, 100), 3)]  # fmt: skip


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm(isa, dtype):
    for shape, axis in NORMS:
        n = shape[axis]
        # Far from zero: the variance must not suffer from the mean's size.
        x = (rng(1).standard_normal(shape) * 0.5 + 100).astype(dtype)
        g, gamma, beta = (rng(i).standard_normal(s).astype(dtype) for i, s in ((2, shape), (3, n), (4, n)))
        attrs = {"axis": axis, "epsilon": 1e-3}
        tol = 2e-4 if dtype == "float32" else 1e-9
        for got, want in zip(run_all("batch_norm_train", [x, gamma, beta], attrs, isa=isa),
                             run_all("batch_norm_train", [x, gamma, beta], attrs, device="reference")):  # fmt: skip
            np.testing.assert_allclose(got, want, tol, tol)
        _, mean, var = run_all("batch_norm_train", [x, gamma, beta], attrs, device="reference")
        for got, want in zip(run_all("batch_norm_train_grad", [g, x, gamma, mean, var], attrs, isa=isa),
                             run_all("batch_norm_train_grad", [g, x, gamma, mean, var], attrs, device="reference")):  # fmt: skip
            np.testing.assert_allclose(got, want, tol * 5, tol * 5 * max(1, np.abs(want).max()))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_equal_the_reference(isa, dtype):
    for n in (1, 3, 64, 1000, 100003):
        for name, attrs in [("random_uniform", {"min": -1.5, "max": 2.0}), ("random_binomial", {"p": 0.3}),
                            ("random_normal", {"mean": 1.0, "stddev": 2.0}),
                            ("truncated_normal", {"mean": 1.0, "stddev": 2.0})]:  # fmt: skip
            attrs = {**attrs, "shape": [n], "seed": 2**40 + 7, "dtype": dtype}
            got = run(name, [], attrs, isa=isa, step=5)
            want = run(name, [], attrs, device="reference", step=5)
            if "normal" in name:
                tol = 3e-6 if dtype == "float32" else 1e-13
                np.testing.assert_allclose(got, want, rtol=tol, atol=tol)
            else:
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_masks_equal_the_reference(isa, dtype):
    for shape, noise in [
        ((100003,), []),
        ((5, 7), []),
        ((30, 40, 6), [-1, 1, -1]),
        ((9, 8), [1, 8]),
        ((2,), [1]),
    ]:
        x = rng().standard_normal(shape).astype(dtype)
        for rate in (0.0, 0.25, 0.5, 0.9):
            attrs = {"rate": rate, "seed": 123, "noise_shape": noise}
            got = run("dropout", [x], attrs, isa=isa, step=2**33)
            np.testing.assert_array_equal(got, run("dropout", [x], attrs, device="reference", step=2**33))


# ---- movement


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "bool"])
def test_movement(dtype):
    x = rng().integers(0, 2, (3, 20, 33, 4)).astype(dtype)
    for perm in [
        (0, 3, 1, 2),
        (0, 2, 1, 3),
        (3, 2, 1, 0),
        (1, 0, 3, 2),
        (0, 1, 2, 3),
        (2, 3, 0, 1),
        (0, 1, 3, 2),
    ]:
        np.testing.assert_array_equal(run("transpose", [x], {"perm": list(perm)}), x.transpose(perm))
    for axis in range(4):
        parts = [x, x[::-1], x]
        np.testing.assert_array_equal(run("concat", parts, {"axis": axis}), np.concatenate(parts, axis))
        np.testing.assert_array_equal(run("reverse", [x], {"axes": sorted({axis, 3})}),
                                      np.flip(x, tuple({axis, 3})))  # fmt: skip
        np.testing.assert_array_equal(run("repeat", [x], {"axis": axis, "n": 3}), x.repeat(3, axis))
    np.testing.assert_array_equal(run("tile", [x], {"reps": [2, 1, 3, 2]}), np.tile(x, (2, 1, 3, 2)))
    attrs = {"begin": [0, 15, -2, 0], "end": [3, 2, 0, 0], "strides": [2, -3, -1, 1], "begin_mask": [0, 0, 0, 1],
             "end_mask": [0, 0, 1, 1]}  # fmt: skip
    np.testing.assert_array_equal(run("slice", [x], attrs), x[0:3:2, 15:2:-3, -2::-1])
    padding = {"before": [0, 1, 2, 0], "after": [1, 0, 3, 0], "value": 1}
    pairs = tuple(zip(padding["before"], padding["after"]))
    padded = np.pad(x, pairs, constant_values=1)
    np.testing.assert_array_equal(run("pad", [x], padding), padded)
    np.testing.assert_array_equal(run("crop", [padded], padding), x)
    np.testing.assert_array_equal(
        run("resize_nearest", [x], {"factors": [2, 3]}), x.repeat(2, 1).repeat(3, 2)
    )
    np.testing.assert_array_equal(run("broadcast_to", [x[:, :1]], {"shape": [2, 3, 5, 33, 4]}),
                                  np.broadcast_to(x[:, :1], (2, 3, 5, 33, 4)))  # fmt: skip


def test_gather():
    table, index = (
        rng().standard_normal((50, 7)).astype("float32"),
        rng(1).integers(0, 50, (30, 40)).astype("int32"),
    )
    np.testing.assert_array_equal(run("gather", [table, index]), table[index])
    g = rng(2).standard_normal((30, 40, 7)).astype("float32")
    want = np.zeros_like(table)
    np.add.at(want, index, g)
    np.testing.assert_allclose(run("gather_grad", [g, index, table]), want, rtol=1e-4, atol=1e-4)
    for bad in (50, -1):
        index[3, 3] = bad
        with pytest.raises(ValueError, match=rf"test.*index {bad} is out of range"):
            run("gather", [table, index])


# ---- the same bits for any number of threads


def big(*shape, seed=0):
    return rng(seed).standard_normal(shape).astype("float32")


THREADED = [
    ("tanh", [big(300, 700)], {}),
    ("add", [big(300, 700), big(700)], {}),
    ("sum", [big(700, 300)], {"axes": [0], "keepdims": False}),
    ("sum", [big(300, 700)], {"axes": [1], "keepdims": False}),
    ("sum", [big(400001)], {"axes": [0], "keepdims": False}),
    ("mean", [big(64, 30, 30, 8)], {"axes": [0, 1, 2], "keepdims": False}),
    ("sum", [big(64, 30, 30, 8)], {"axes": [0, 2, 3], "keepdims": False}),
    ("softmax", [big(3000, 50)], {"axis": 1}),
    ("batch_norm_train", [big(64, 30, 30, 8), big(8), big(8)], {"axis": 3, "epsilon": 1e-3}),
    ("batch_norm_train", [big(64, 8, 30, 30), big(8), big(8)], {"axis": 1, "epsilon": 1e-3}),
    ("batch_norm_train_grad", [big(9000, 33), big(9000, 33, seed=1), big(33), big(33), np.abs(big(33))],
     {"axis": 1, "epsilon": 1e-3}),
    ("dropout", [big(200001)], {"rate": 0.4, "seed": 3}),
    ("random_normal", [], {"shape": [150000], "mean": 0.0, "stddev": 1.0, "seed": 3, "dtype": "float32"}),
    ("transpose", [big(300, 500)], {"perm": [1, 0]}),
    ("gather_grad", [big(5000, 64), rng().integers(0, 99, 5000), big(99, 64)], {}),
    ("tile_grad", [big(300, 600), big(100, 200)], {"reps": [3, 3]}),
]  # fmt: skip


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("name", "inputs", "attrs"), THREADED, ids=[f"{i}-{t[0]}" for i, t in enumerate(THREADED)]
)
def test_same_bits_for_any_threads(isa, name, inputs, attrs):
    one = run_all(name, inputs, attrs, threads=1, isa=isa)
    for threads in (2, 7):
        for a, b in zip(one, run_all(name, inputs, attrs, threads=threads, isa=isa)):
            np.testing.assert_array_equal(a, b)
