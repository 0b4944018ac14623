"""Reducing, normalising, drawing and moving kernels of the CPU device: against NumPy and the reference
device, on every instruction set of the machine, with the same bits for any number of threads.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from engine_core.kernel_tools import INF, ISAS, NAN, restore_defaults, rng, run, run_all


@pytest.fixture(autouse=True)
def restore():
    yield
    restore_defaults()


# ---- reductions

REDUCTIONS = [
    ((50,), [0]),
    ((3, 7), [1]),
    ((3, 7), [0]),
    ((200, 10), [1]),
    ((70, 3), [0]),
    ((1000, 5), [0]),
    ((999, 40), [0]),
    ((5, 6, 7), [1]),
    ((5, 6, 70), [1]),
    ((5, 6, 7), [0, 2]),
    ((4, 5, 6, 7), [0, 2, 3]),
    ((4, 5, 6, 7), [0, 1, 2]),
    ((4, 5, 6, 7), [1, 3]),
    ((3, 1, 4), [1]),
    ((2, 3), []),
    ((2, 3, 2, 3, 2), [0, 2, 4]),
    ((300000,), [0]),
    ((2, 150001), [1]),
    ((3, 40000), [0]),
    ((20000, 33), [0]),
    ((0, 4), [0]),
    ((4, 0), [0]),
]


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
        for name, attrs in [
            ("sum", {"axes": [1], "keepdims": False}),
            ("mean", {"axes": [1], "keepdims": True}),
            ("softmax", {"axis": 1}),
            ("log_softmax", {"axis": 1}),
        ]:
            whole = run(name, [x], attrs)
            for row in (0, 4, 8):
                np.testing.assert_array_equal(run(name, [x[row : row + 1]], attrs)[0], whole[row])


def test_sum_to_like():
    for g, x in [
        ((40, 30), (30,)),
        ((40, 30), (40, 1)),
        ((4, 5, 6), (5, 1)),
        ((4, 5, 6), ()),
        ((4, 5, 6), (1, 5, 1)),
        ((4, 5), (4, 5)),
        ((3000, 40), (40,)),
    ]:
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


NORMS = [
    ((6, 5, 4, 3), 3),
    ((6, 5, 4, 3), 1),
    ((1000, 40), 1),
    ((300, 77), 1),
    ((40, 6, 900), 1),
    ((1, 8), 1),
    ((70, 9, 9, 100), 3),
]


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
        for got, want in zip(
            run_all("batch_norm_train", [x, gamma, beta], attrs, isa=isa),
            run_all("batch_norm_train", [x, gamma, beta], attrs, device="reference"),
        ):
            np.testing.assert_allclose(got, want, tol, tol)
        _, mean, var = run_all("batch_norm_train", [x, gamma, beta], attrs, device="reference")
        for got, want in zip(
            run_all("batch_norm_train_grad", [g, x, gamma, mean, var], attrs, isa=isa),
            run_all("batch_norm_train_grad", [g, x, gamma, mean, var], attrs, device="reference"),
        ):
            np.testing.assert_allclose(got, want, tol * 5, tol * 5 * max(1, np.abs(want).max()))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_equal_the_reference(isa, dtype):
    for n in (1, 3, 64, 1000, 100003):
        for name, attrs in [
            ("random_uniform", {"min": -1.5, "max": 2.0}),
            ("random_binomial", {"p": 0.3}),
            ("random_normal", {"mean": 1.0, "stddev": 2.0}),
            ("truncated_normal", {"mean": 1.0, "stddev": 2.0}),
        ]:
            attrs = {**attrs, "shape": [n], "seed": 2**40 + 7, "dtype": dtype}
            got = run(name, [], attrs, isa=isa, step=5)
            want = run(name, [], attrs, device="reference", step=5)
            if "normal" in name:
                tol = 3e-6 if dtype == "float32" else 1e-13
                np.testing.assert_allclose(got, want, rtol=tol, atol=tol)
            else:
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["random_uniform", "random_normal", "truncated_normal", "random_binomial"])
def test_draws_are_the_same_for_any_number_of_threads(name):
    attrs = {"shape": [300_007], "seed": 11, "dtype": "float32"}
    attrs |= {"random_uniform": {"min": -1.5, "max": 2.0}, "random_binomial": {"p": 0.3}}.get(
        name, {"mean": 1.0, "stddev": 2.0}
    )
    one = run(name, [], attrs, threads=1, step=5)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(run(name, [], attrs, threads=threads, step=5), one)


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
        np.testing.assert_array_equal(
            run("reverse", [x], {"axes": sorted({axis, 3})}), np.flip(x, tuple({axis, 3}))
        )
        np.testing.assert_array_equal(run("repeat", [x], {"axis": axis, "n": 3}), x.repeat(3, axis))
    np.testing.assert_array_equal(run("tile", [x], {"reps": [2, 1, 3, 2]}), np.tile(x, (2, 1, 3, 2)))
    attrs = {
        "begin": [0, 15, -2, 0],
        "end": [3, 2, 0, 0],
        "strides": [2, -3, -1, 1],
        "begin_mask": [0, 0, 0, 1],
        "end_mask": [0, 0, 1, 1],
    }
    np.testing.assert_array_equal(run("slice", [x], attrs), x[0:3:2, 15:2:-3, -2::-1])
    padding = {"before": [0, 1, 2, 0], "after": [1, 0, 3, 0], "value": 1}
    pairs = tuple(zip(padding["before"], padding["after"]))
    padded = np.pad(x, pairs, constant_values=1)
    np.testing.assert_array_equal(run("pad", [x], padding), padded)
    np.testing.assert_array_equal(run("crop", [padded], padding), x)
    np.testing.assert_array_equal(
        run("resize_nearest", [x], {"factors": [2, 3]}), x.repeat(2, 1).repeat(3, 2)
    )
    np.testing.assert_array_equal(
        run("broadcast_to", [x[:, :1]], {"shape": [2, 3, 5, 33, 4]}),
        np.broadcast_to(x[:, :1], (2, 3, 5, 33, 4)),
    )


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
    (
        "batch_norm_train_grad",
        [big(9000, 33), big(9000, 33, seed=1), big(33), big(33), np.abs(big(33))],
        {"axis": 1, "epsilon": 1e-3},
    ),
    ("dropout", [big(200001)], {"rate": 0.4, "seed": 3}),
    ("random_normal", [], {"shape": [150000], "mean": 0.0, "stddev": 1.0, "seed": 3, "dtype": "float32"}),
    ("transpose", [big(300, 500)], {"perm": [1, 0]}),
    ("gather_grad", [big(5000, 64), rng().integers(0, 99, 5000), big(99, 64)], {}),
    ("tile_grad", [big(300, 600), big(100, 200)], {"reps": [3, 3]}),
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("name", "inputs", "attrs"), THREADED, ids=[f"{i}-{t[0]}" for i, t in enumerate(THREADED)]
)
def test_same_bits_for_any_threads(isa, name, inputs, attrs):
    one = run_all(name, inputs, attrs, threads=1, isa=isa)
    for threads in (2, 7):
        for a, b in zip(one, run_all(name, inputs, attrs, threads=threads, isa=isa)):
            np.testing.assert_array_equal(a, b)
