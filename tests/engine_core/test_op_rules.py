"""What op cases cannot say: errors of shape rules, derivatives at ties and kinks, fused programs, draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pykeras import _core

F = "float32"


def op(name: str, *inputs: Any, **attrs: Any) -> Any:
    return _core.op(name, list(inputs), attrs, "layer_7")[0]


def placeholder(*shape: int | None, dtype: str = F) -> Any:
    return _core.placeholder(shape, dtype, "x")


def constant(*data: Any, dtype: str = "float64") -> Any:
    return _core.constant(np.asarray(data, dtype))


def gradients(*arguments: Any) -> list[Any]:
    return list(_core.gradients(*arguments))


def evaluate(*values: Any) -> list[np.ndarray]:
    return list(_core.Function([], list(values), [], "f")([]))


# ---- errors

CONV = {"strides": [1, 1], "padding": "valid", "pads": [0, 0, 0, 0], "dilation": [1, 1]}
SPARSE = [((9,), F), ((9,), "int32"), ((4,), "int64"), ((0, 5), F)]  # a matrix of shape (3, 5)
POOL = {"pool": [2, 2], "strides": [2, 2], "padding": "valid"}

# op, (shape, dtype) of each input, attributes, what the message must say
ERRORS: list[tuple[str, list[Any], dict[str, Any], list[str]]] = [
    ("add", [((3, 4), F), ((5,), F)], {}, ["could not be broadcast", "(3, 4)", "(5,)"]),
    ("add", [((3,), F), ((3,), "int32")], {}, ["one dtype", "float32", "int32", "K.cast"]),
    ("add", [((3,), "bool"), ((3,), "bool")], {}, ["needs numbers", "bool"]),
    ("exp", [((3,), "int32")], {}, ["float dtype", "int32"]),
    ("div", [((3,), "int32"), ((3,), "int32")], {}, ["float dtype"]),
    ("logical_and", [((3,), F), ((3,), F)], {}, ["bool"]),
    ("select", [((3,), F), ((3,), F), ((3,), F)], {}, ["condition must be bool"]),
    ("clip", [((3,), F)], {"min": 2.0, "max": 1.0}, ["min must not be above max"]),
    ("sum", [((3, 4), F)], {"axes": [2], "keepdims": False}, ["axis 2", "2 dimensions"]),
    ("sum", [((3, 4), F)], {"axes": [1, 0], "keepdims": False}, ["ascending"]),
    ("max", [((3, 0), F)], {"axes": [1], "keepdims": False}, ["empty"]),
    ("argmax", [((3, 4), F)], {"axis": 5}, ["axis 5"]),
    ("any", [((3,), F)], {"axes": [0], "keepdims": False}, ["bool"]),
    ("softmax", [((3, 4), F)], {"axis": 2}, ["axis 2"]),
    ("reshape", [((3, 4), F)], {"shape": [5, -1]}, ["12 elements", "(5, None)"]),
    ("reshape", [((3, 4), F)], {"shape": [-1, -1]}, ["at most one"]),
    ("reshape", [((3, 4), F)], {"shape": [13]}, ["12 elements", "(13,)"]),
    ("squeeze", [((3, 4), F)], {"axis": 1}, ["size 4"]),
    ("transpose", [((3, 4), F)], {"perm": [0]}, ["perm", "2"]),
    ("transpose", [((3, 4), F)], {"perm": [0, 0]}, ["perm", "once"]),
    ("broadcast_to", [((3, 4), F)], {"shape": [3, 5]}, ["does not broadcast", "(3, 5)"]),
    ("concat", [((None, 4), F), ((None, 4, 1), F)], {"axis": 1}, ["equal ranks"]),
    ("concat", [((3, 4), F), ((2, 4), F)], {"axis": 1}, ["axis 0", "3", "2"]),
    (
        "slice",
        [((3,), F)],
        {"begin": [0], "end": [1], "strides": [0], "begin_mask": [0], "end_mask": [0]},
        ["stride"],
    ),
    ("crop", [((3,), F)], {"before": [2], "after": [2], "value": 0.0}, ["cannot crop"]),
    (
        "matmul",
        [((None, 4), F), ((5, 3), F)],
        {"trans_a": False, "trans_b": False},
        ["inner sizes", "4", "5"],
    ),
    (
        "matmul",
        [((None, 4, 2), F), ((2, 3), F)],
        {"trans_a": False, "trans_b": False},
        ["2 dimensions", "(None, 4, 2)"],
    ),
    (
        "batch_matmul",
        [((2, 3, 4), F), ((3, 4, 5), F)],
        {"trans_a": False, "trans_b": False},
        ["leading sizes"],
    ),
    ("conv2d", [((None, 8, 8, 3), F), ((3, 3, 4, 8), F)], CONV, ["channels", "3", "4"]),
    ("conv2d", [((None, 8, 8), F), ((3, 3, 4, 8), F)], CONV, ["4 dimensions", "(None, 8, 8)"]),
    ("conv2d", [((None, 2, 8, 4), F), ((3, 3, 4, 8), F)], CONV, ["too small", "height 2"]),
    (
        "conv2d",
        [((None, 8, 8, 4), F), ((3, 3, 4, 8), F)],
        {**CONV, "strides": [0, 1]},
        ["strides", "at least 1"],
    ),
    ("max_pool2d", [((None, 1, 8, 4), F)], POOL, ["too small", "height 1"]),
    ("max_pool2d", [((None, 8, 4), F)], POOL, ["4 dimensions"]),
    (
        "batch_norm_train",
        [((None, 4), F), ((3,), F), ((4,), F)],
        {"axis": -1, "epsilon": 1e-3},
        ["input 1", "4", "3"],
    ),
    ("gather", [((5, 3), F), ((2,), F)], {}, ["int32 or int64", "float32"]),
    ("pick", [((None, 3), F), ((None, 3), "int32")], {}, ["indices of shape"]),
    ("in_top_k", [((4, 3), F), ((5,), "int32")], {"k": 1}, ["one target for each"]),
    ("dropout", [((3,), F)], {"rate": 1.0, "seed": 1}, ["rate", "[0, 1)"]),
    ("dropout", [((3, 4), F)], {"rate": 0.5, "seed": 1, "noise_shape": [3, 2]}, ["noise_shape", "axis 1"]),
    (
        "random_uniform",
        [],
        {"shape": [-1, 2], "min": 0, "max": 1, "seed": 1, "dtype": F},
        ["known", "(None, 2)"],
    ),
    (
        "random_uniform",
        [],
        {"shape": [2], "min": 0, "max": 1, "seed": 1, "dtype": "int32"},
        ["float", "int32"],
    ),
    ("range", [], {"start": 0, "stop": 5, "step": 0, "dtype": "int32"}, ["step"]),
    ("phase_select", [((3,), F), ((3, 1), F)], {}, ["training", "equal ranks"]),
    ("sparse_matmul", [*SPARSE, ((5, 2), "float64")], {}, ["one dtype", "float32", "float64"]),
    ("sparse_matmul_grad", [*SPARSE, ((3, 2), "float64")], {}, ["one dtype", "float32", "float64"]),
    (
        "sparse_concat",
        [*SPARSE, ((9,), "int32"), *SPARSE[1:]],
        {"axis": 0},
        ["one dtype", "float32", "int32"],
    ),
    (
        "ctc_loss_grad",
        [((4,), F), ((4, 6, 3), "float64"), ((4, 2), "int32"), ((4,), "int32"), ((4,), "int32")],
        {},
        ["one dtype", "float32", "float64"],
    ),
    ("relu", [((3,), F)], {"alpha": 0.1}, ["no attribute 'alpha'"]),
    ("add", [((3,), F)], {}, ["2 inputs", "got 1"]),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attrs", "words"), ERRORS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERRORS)]
)
def test_errors_name_op_layer_and_shapes(name: str, inputs: Any, attrs: Any, words: list[str]) -> None:
    values = [_core.placeholder(shape, dtype, "x") for shape, dtype in inputs]
    with pytest.raises(ValueError) as caught:
        _core.op(name, values, attrs, "layer_7")
    message = str(caught.value)
    expected = [f"'{name}'", *words] if "attribute" in words[0] else [f"'{name}'", "'layer_7'", *words]
    assert not [word for word in expected if word not in message], message


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_ctc_keeps_a_nan_that_only_a_skip_leads_to(device: str) -> None:
    """Labels a, b in two frames: the one path skips the blank, and its first frame is NaN."""
    before = _core.get_device()
    frames = np.log(np.full((1, 2, 3), 1 / 3, F))
    frames[0, 0] = np.nan
    x, two = placeholder(1, 2, 3), constant(2, dtype="int32")
    try:
        _core.set_device(device)
        loss = op("ctc_loss", x, constant([0, 1], dtype="int32"), two, two)
        for result in _core.Function([x], [loss, *gradients([loss], [x])], [], "f")([frames]):
            assert np.isnan(result).any()
    finally:
        _core.set_device(before)


def test_ctc_takes_room_for_each_thread_not_for_each_sample() -> None:
    x, labels, counts = (
        placeholder(64, 100, 30),
        placeholder(64, 20, dtype="int32"),
        placeholder(64, dtype="int32"),
    )
    loss = op("ctc_loss", x, labels, counts, counts)
    arrays = [np.zeros((64, 100, 30), F), np.zeros((64, 20), "int32"), np.full(64, 20, "int32")]
    room, results = [], []
    for threads in (1, 3):
        _core.set_num_threads(threads)
        f = _core.Function([x, labels, counts], gradients([loss], [x]), [], "f")
        room.append(int(f.describe(arrays).split("workspace ")[1].split(",")[0]))
        results.append(f(arrays)[0])
    _core.set_num_threads(0)
    assert room[1] == 3 * room[0]
    np.testing.assert_array_equal(*results)


def test_an_unknown_size_is_checked_when_it_is_known() -> None:
    a, b = placeholder(None, 3), placeholder(None, 3)
    f = _core.Function([a, b], [op("add", a, b)], [], "f")
    with pytest.raises(ValueError, match="layer_7"):
        f([np.zeros((2, 3), F), np.zeros((4, 3), F)])


def test_unknown_sizes_may_turn_out_to_broadcast() -> None:
    a, b = placeholder(None, 3, dtype="float64"), placeholder(None, 3, dtype="float64")
    y = op("mul", a, b)
    f = _core.Function([a, b], [y, *gradients([y], [a, b])], [], "f")
    left, right = np.array([[1.0, 2, 3]]), np.arange(6.0).reshape(2, 3)
    for swap in (False, True):
        value, d_left, d_right = f([right, left] if swap else [left, right])
        if swap:
            d_left, d_right = d_right, d_left
        np.testing.assert_array_equal(value, left * right)
        np.testing.assert_array_equal(d_left, right.sum(0, keepdims=True))
        np.testing.assert_array_equal(d_right, np.broadcast_to(left, (2, 3)))


@pytest.mark.parametrize("device", ["reference", "cpu"])
@pytest.mark.parametrize("bad", [-1, 5])
@pytest.mark.parametrize("name", ["gather", "pick"])
def test_an_index_out_of_range_names_layer_index_and_range(device: str, bad: int, name: str) -> None:
    before = _core.get_device()
    _core.set_device(device)
    try:
        x, i = placeholder(5, 5), placeholder(None, dtype="int32")
        f = _core.Function([x, i], [op(name, x, i)], [], "f")
        indices = np.array([0, 4, bad, 1, 2], "int32")
        with pytest.raises(ValueError, match=rf"layer_7.*{bad}.*\[0, 5\)"):
            f([np.zeros((5, 5), F), indices])
        indices[2] = 3
        f([np.zeros((5, 5), F), indices])  # and the function is usable afterwards
    finally:
        _core.set_device(before)


# ---- derivatives where finite differences have no say

ONE_AXIS = {"axes": [0], "keepdims": False}

# op, inputs, attributes, the gradient of the output's sum by each input
GRADIENTS: list[tuple[str, list[list[float]], dict[str, Any], list[list[float]]]] = [
    ("max", [[1, 3, 3]], ONE_AXIS, [[0, 0.5, 0.5]]),
    ("min", [[2, 2, 3, 2]], ONE_AXIS, [[1 / 3, 1 / 3, 0, 1 / 3]]),
    ("maximum", [[1, 2, 3], [1, 3, 2]], {}, [[1, 0, 1], [0, 1, 0]]),
    ("minimum", [[1, 2, 3], [1, 3, 2]], {}, [[1, 1, 0], [0, 0, 1]]),
    ("prod", [[2, 0, 3]], ONE_AXIS, [[0, 6, 0]]),
    ("prod", [[0, 0, 3]], ONE_AXIS, [[0, 0, 0]]),
    ("pow", [[0, 0, 0, 0, -2], [0, 1, 2, 0.5, 3]], {}, [[0, 1, 0, np.inf, 12], [0, 0, 0, 0, 0]]),
    ("relu", [[-1, 0, 1]], {}, [[0, 0, 1]]),
    ("leaky_relu", [[-1, 0, 1]], {"alpha": 0.1}, [[0.1, 0.1, 1]]),
    ("elu", [[0, 1]], {"alpha": 1.0}, [[1, 1]]),
    ("elu", [[-1, 0, 1]], {"alpha": 0.0}, [[0, 1, 1]]),
    ("abs", [[-2, 0, 2]], {}, [[-1, 0, 1]]),
    ("clip", [[-2, -1, 0, 1, 2]], {"min": -1.0, "max": 1.0}, [[0, 1, 1, 1, 0]]),
    ("hard_sigmoid", [[-3, 0, 3]], {}, [[0, 0.2, 0]]),
    ("sigmoid", [[-1000, 1000]], {}, [[0, 0]]),
    ("softplus", [[-1000, 1000]], {}, [[0, 1]]),
    ("cumprod", [[2, 0, 3]], {"axis": 0, "exclusive": False, "reverse": False}, [[1, 8, 0]]),
]


@pytest.mark.parametrize(
    ("name", "data", "attrs", "wanted"), GRADIENTS, ids=[f"{g[0]}-{i}" for i, g in enumerate(GRADIENTS)]
)
def test_gradient_at_ties_and_kinks(name: str, data: Any, attrs: Any, wanted: Any) -> None:
    xs = [_core.placeholder((len(d),), "float64", "x") for d in data]
    got = _core.Function(xs, gradients([op(name, *xs, **attrs)], xs), [], "f")(
        [np.asarray(d, "float64") for d in data]
    )
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-300)


def test_second_derivative_of_a_power_at_zero() -> None:
    for exponent, wanted in ((2.0, 2.0), (1.0, 0.0), (0.0, 0.0), (3.0, 0.0)):
        x = _core.placeholder((), "float64", "x")
        p = _core.placeholder((), "float64", "p")
        fixed = op("pow", x, _core.constant(np.float64(exponent)))
        (gg,) = gradients(gradients([fixed], [x]), [x])
        if gg is not None:  # nothing flows back through x ** 0
            assert _core.Function([x], [gg], [], "f")([np.float64(0)])[0] == wanted
        (gg,) = gradients(gradients([op("pow", x, p)], [x]), [x])
        assert _core.Function([x, p], [gg], [], "f")([np.float64(0), np.float64(exponent)])[0] == wanted


def test_nothing_flows_through_what_is_not_a_quantity() -> None:
    x = placeholder(3)
    assert gradients([op("stop_gradient", x)], [x]) == [None]
    assert gradients([op("round", x)], [x]) == [None]
    assert gradients([op("cast", op("cast", x, dtype="int32"), dtype=F)], [x]) == [None]
    with pytest.raises(ValueError, match="float"):
        gradients([op("argmax", x, axis=0)], [x])


# ---- ops that no case can make


def test_phase_select_takes_its_side_and_sends_the_gradient_there() -> None:
    x = placeholder(2, dtype="float64")
    y = op("phase_select", op("mul", x, constant(2, 2)), op("mul", x, constant(3, 3)))
    f = _core.Function([x], [y, *gradients([y], [x])], [], "f")
    data = np.array([1.0, -1.0])
    for phase, factor in ((0, 3), (1, 2)):
        value, gradient = f([data], phase)
        np.testing.assert_array_equal(value, factor * data)
        np.testing.assert_array_equal(gradient, [factor, factor])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fused_program_computes_what_its_parts_compute(dtype: str) -> None:
    x, row, column = (_core.placeholder(s, dtype, "x") for s in ((None, 37), (37,), (None, 1)))
    wide = op("add", op("mul", x, row), column)
    chosen = op("select", op("less", wide, x), op("leaky_relu", wide, alpha=0.2), op("tanh", x))
    outputs = [
        wide,
        op("clip", op("sub", chosen, op("sigmoid", wide)), min=-1.0, max=1.0),
        op("greater", wide, chosen),
    ]
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((5, 37), (37,), (5, 1))]
    results = {}
    before = _core.get_device()
    for device in ("reference", "cpu"):
        for fused in (False, True):
            _core.set_device(device)
            _core.set_pass("fuse_pointwise", fused)
            f = _core.Function([x, row, column], outputs, [], "f")
            assert ("fused_pointwise" in f.describe(arrays)) == fused
            results[device, fused] = f(arrays)
            _core.set_pass("fuse_pointwise", True)
    _core.set_device(before)
    for got in results.values():
        for a, b in zip(got, results["reference", False], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=3e-6, atol=1e-6)


# ---- draws


def test_draws_change_with_seed_and_run_and_repeat_with_them() -> None:
    attrs = {"shape": [100], "min": 0.0, "max": 1.0, "dtype": F}
    f = _core.Function(
        [], [op("random_uniform", **attrs, seed=1), op("random_uniform", **attrs, seed=2)], [], "f"
    )
    first, other = f([])
    assert not np.intersect1d(first, other).size
    second = f([])[0]
    assert not np.intersect1d(first, second).size
    f.step = 0
    np.testing.assert_array_equal(f([])[0], first)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_have_their_distributions(dtype: str) -> None:
    n = 200_000
    common = {"shape": [n], "seed": 5, "dtype": dtype}
    u, z, t, b = evaluate(
        op("random_uniform", **common, min=-2.0, max=3.0),
        op("random_normal", **common, mean=1.0, stddev=2.0),
        op("truncated_normal", **common, mean=1.0, stddev=2.0),
        op("random_binomial", **common, p=0.3),
    )
    assert u.min() >= -2 and u.max() < 3
    assert abs(u.mean() - 0.5) < 0.02 and abs(u.std() - 5 / np.sqrt(12)) < 0.02
    assert abs(z.mean() - 1) < 0.02 and abs(z.std() - 2) < 0.02
    assert abs((np.abs(z - 1) < 2).mean() - 0.6827) < 0.005
    assert abs(np.corrcoef(z[::2], z[1::2])[0, 1]) < 0.01
    assert t.min() > -3 and t.max() < 5
    assert abs(t.mean() - 1) < 0.02 and abs(t.std() - 2 * 0.87962566) < 0.02
    assert set(np.unique(b)) == {0.0, 1.0} and abs(b.mean() - 0.3) < 0.005


def test_dropout_keeps_the_mean_and_gives_its_gradient_the_same_mask() -> None:
    x = placeholder(100_000)
    y = op("dropout", x, rate=0.25, seed=9)
    f = _core.Function([x], [y, *gradients([y], [x])], [], "f")
    ones = np.ones(100_000, F)
    for _ in range(2):
        value, gradient = f([ones])
        np.testing.assert_array_equal(value, gradient)
        assert set(np.unique(value)) == {np.float32(0), np.float32(4 / 3)}
        assert abs(value.mean() - 1) < 0.01
    assert (f([ones])[0] != value).any()
