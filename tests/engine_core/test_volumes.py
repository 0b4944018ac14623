"""3D convolutions and poolings of the CPU device against NumPy, on every instruction set of the machine.

The same bits for any number of threads and any batch a volume comes in, and as the 2D ops give for one plane.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from engine_core.kernel_tools import ISAS, restore_defaults, run

TOLERANCE = {"float32": 2e-6, "float64": 1e-14}


@pytest.fixture(autouse=True)
def restore():
    yield
    restore_defaults()


def rand(shape, dtype, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def close(got, want, depth):
    """Rounding errors grow like the root of the number of terms."""
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[str(got.dtype)] * (np.sqrt(depth) + 1))


def attrs_of(strides=(1, 1, 1), padding="valid", dilation=(1, 1, 1), pads=(0,) * 6):
    return {"strides": list(strides), "padding": padding, "dilation": list(dilation), "pads": list(pads)}


def axis(n, kernel, stride, dilation, padding, before, after):
    """Number of windows and zeros in front, along one axis."""
    span = (kernel - 1) * dilation + 1
    if padding == "same":
        out = -(-n // stride)
        return out, max((out - 1) * stride + span - n, 0) // 2
    return (n + before + after - span) // stride + 1, before


def taps(x_shape, kernel, attrs):
    """The output's size, and for every tap of the kernel the slices of y and of x in which they meet."""
    pads = attrs["pads"]
    geometry = [
        axis(*four, attrs["padding"], pads[2 * a], pads[2 * a + 1])
        for a, four in enumerate(zip(x_shape[1:4], kernel, attrs["strides"], attrs["dilation"]))
    ]
    found = []
    for tap in itertools.product(*map(range, kernel)):
        to, cells = [slice(None)], [slice(None)]
        for a, t in enumerate(tap):
            (out, before), stride, n = geometry[a], attrs["strides"][a], x_shape[1 + a]
            offset = t * attrs["dilation"][a] - before
            inside = [o for o in range(out) if 0 <= o * stride + offset < n]
            if not inside:
                break
            to.append(slice(inside[0], inside[-1] + 1))
            cells.append(slice(inside[0] * stride + offset, inside[-1] * stride + offset + 1, stride))
        else:
            found.append((tap, tuple(to), tuple(cells)))
    return [out for out, _ in geometry], found


def np_conv(x, k, g, attrs):
    """Forward, input gradient and kernel gradient in float64."""
    size, meetings = taps(x.shape, k.shape[:3], attrs)
    y, dx, dk = np.zeros((len(x), *size, k.shape[4])), np.zeros(x.shape), np.zeros(k.shape)
    for tap, to, cells in meetings:
        part, grad, kernel = x[cells].astype("float64"), g[to].astype("float64"), k[tap].astype("float64")
        y[to] += part @ kernel
        dx[cells] += grad @ kernel.T
        dk[tap] += np.tensordot(part, grad, ([0, 1, 2, 3], [0, 1, 2, 3]))
    return y, dx, dk


# volume (n, d, h, w, c), kernel (d, h, w), output channels, attributes
CONVS = [
    ((2, 5, 9, 11, 1), (3, 3, 3), 32, attrs_of()),
    ((2, 6, 10, 21, 1), (3, 3, 3), 20, attrs_of(padding="same")),
    ((2, 7, 12, 17, 3), (5, 5, 5), 33, attrs_of((2, 2, 2), "same")),
    ((2, 6, 9, 14, 4), (3, 5, 3), 7, attrs_of((2, 1, 2), "same")),
    ((2, 4, 12, 13, 17), (3, 3, 3), 33, attrs_of(padding="same")),
    ((2, 6, 9, 13, 17), (3, 3, 2), 33, attrs_of(padding="same", dilation=(2, 2, 3))),
    ((2, 5, 9, 8, 20), (2, 3, 2), 5, attrs_of((2, 2, 2), "valid")),
    ((2, 8, 9, 8, 6), (2, 2, 3), 24, attrs_of((3, 2, 2), "valid", (2, 3, 2))),
    ((2, 3, 5, 9, 9), (3, 3, 3), 16, attrs_of((2, 1, 1), "explicit", (1, 1, 1), (2, 1, 0, 1, 1, 2))),
    ((2, 1, 5, 6, 5), (1, 2, 2), 6, attrs_of((2, 1, 1), "explicit", (1, 1, 1), (1, 2, 0, 0, 0, 0))),
    ((1, 1, 5, 6, 5), (1, 3, 3), 6, attrs_of((2, 2, 2), "explicit", (1, 1, 1), (1, 0, 3, 3, 3, 3))),
    ((2, 5, 4, 7, 40), (1, 1, 1), 50, attrs_of()),
    ((2, 5, 6, 7, 40), (1, 1, 1), 20, attrs_of((2, 2, 2))),
    ((2, 4, 4, 4, 32), (3, 3, 3), 48, attrs_of(padding="same")),
    ((2, 2, 2, 2, 64), (3, 3, 3), 24, attrs_of(padding="same")),
    ((1, 3, 4, 5, 16), (3, 4, 5), 70, attrs_of()),
    ((2, 12, 3, 4, 8), (5, 1, 1), 17, attrs_of(padding="same")),
    ((1, 4, 8, 16, 70), (3, 3, 3), 65, attrs_of(padding="same")),
    ((1, 6, 3, 8, 9), (3, 3, 3), 40, attrs_of((1, 1, 1), "same", (3, 1, 1))),
    ((2, 4, 6, 7, 37), (3, 3, 3), 1, attrs_of(padding="same")),
    ((2, 4, 6, 7, 50), (2, 3, 2), 1, attrs_of((2, 1, 2))),
    ((2, 5, 6, 7, 50), (2, 2, 3), 1, attrs_of(padding="same", dilation=(1, 2, 2))),
    ((2, 4, 6, 7, 1), (3, 2, 3), 49, attrs_of((2, 3, 2), "same")),
    ((2, 4, 5, 7, 1), (3, 3, 3), 33, attrs_of(padding="same")),
]


def conv_case(case, dtype):
    shape, kernel, co, attrs = case
    x, k = rand(shape, dtype, 10), rand((*kernel, shape[4], co), dtype, 11)
    return x, k, rand((shape[0], *taps(shape, kernel, attrs)[0], co), dtype, 12), attrs


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CONVS, ids=str)
def test_conv3d(isa, dtype, case):
    x, k, g, attrs = conv_case(case, dtype)
    y, dx, dk = np_conv(x, k, g, attrs)
    close(run("conv3d", [x, k], attrs, isa=isa), y, k[..., 0].size)
    close(run("conv3d_input_grad", [g, k, x], attrs, isa=isa), dx, k[..., 0, :].size)
    close(run("conv3d_kernel_grad", [x, g, k], attrs, isa=isa), dk, g[..., 0].size)


@pytest.mark.parametrize("isa", ISAS)
def test_conv3d_fused(isa):
    for case in (CONVS[0], CONVS[2], CONVS[4], CONVS[11], CONVS[13], CONVS[-5]):
        x, k, g, attrs = conv_case(case, "float32")
        b = rand((k.shape[4],), "float32", 13)
        y, _, _ = np_conv(x, k, g, attrs)
        for act, f in (("none", lambda v: v), ("relu", lambda v: np.maximum(v, 0)), ("tanh", np.tanh)):
            got = run("conv3d_fused", [x, k, b], {**attrs, "act": act}, isa=isa)
            np.testing.assert_allclose(got, f(y + b), rtol=0, atol=2e-5)


def test_volumes_do_not_depend_on_their_batch():
    for case in CONVS:
        (_, *size, c), kernel, co, attrs = case
        x, k = rand((5, *size, c), "float32", 14), rand((*kernel, c, co), "float32", 15)
        whole = run("conv3d", [x, k], attrs)
        for begin, end in [(0, 1), (3, 4), (2, 5)]:
            assert run("conv3d", [x[begin:end], k], attrs).tobytes() == whole[begin:end].tobytes(), case


@pytest.mark.parametrize("isa", ISAS)
def test_one_plane_is_an_image(isa):
    x, k = rand((3, 12, 13, 17), "float32", 16), rand((3, 3, 17, 33), "float32", 17)
    g = rand((3, 12, 13, 33), "float32", 18)
    flat = {"strides": [1, 1], "padding": "same"}
    deep = {"strides": [1, 1, 1], "padding": "same"}
    for name, inputs in {"": [x, k], "_input_grad": [g, k, x], "_kernel_grad": [x, g, k]}.items():
        image = run(f"conv2d{name}", inputs, flat, isa=isa)
        volume = run(f"conv3d{name}", [np.expand_dims(v, 0 if v is k else 1) for v in inputs], deep, isa=isa)
        assert volume.tobytes() == image.tobytes(), name


# volume, pool, strides, padding
POOLS = [
    ((2, 4, 8, 6, 64), (2, 2, 2), (2, 2, 2), "valid"),
    ((2, 5, 7, 9, 5), (2, 2, 2), (2, 2, 2), "same"),
    ((2, 6, 9, 11, 20), (3, 3, 3), (2, 2, 2), "same"),
    ((1, 5, 6, 7, 33), (2, 3, 2), (1, 1, 1), "valid"),
    ((2, 7, 7, 7, 3), (2, 2, 2), (3, 3, 3), "valid"),
    ((2, 6, 6, 7, 8), (2, 3, 3), (2, 2, 1), "same"),
    ((2, 6, 7, 6, 8), (3, 2, 2), (1, 2, 3), "same"),
    ((3, 9, 2, 3, 17), (4, 1, 1), (5, 1, 1), "valid"),
]


def np_pool(x, g, gg, pool, strides, padding):
    """y, dx and pick of max pooling; y and dx of average pooling. Ties go to the first cell."""
    attrs = attrs_of(strides, padding)
    size, meetings = taps(x.shape, pool, attrs)
    shape = (len(x), *size, x.shape[4])
    top, total, count = np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape)
    for _, to, cells in meetings:
        top[to] = np.maximum(top[to], x[cells])
        total[to] += x[cells]
        count[to] += 1
    dmax, davg, pick, open_ = np.zeros(x.shape), np.zeros(x.shape), np.zeros(shape), np.ones(shape, bool)
    for _, to, cells in meetings:
        hit = open_[to] & (x[cells] == top[to])
        open_[to] &= ~hit
        dmax[cells] += hit * g[to]
        pick[to] += hit * gg[cells]
        davg[cells] += g[to] / count[to]
    return top, dmax, pick, total / count, davg


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pooling(isa, dtype, case):
    shape, pool, strides, padding = case
    # Few different values: many ties.
    x = np.random.default_rng(19).integers(-2, 3, shape).astype(dtype)
    attrs = {"pool": list(pool), "strides": list(strides), "padding": padding}
    size, _ = taps(shape, pool, attrs_of(strides, padding))
    g, gg = rand((shape[0], *size, shape[4]), dtype, 20), rand(shape, dtype, 21)
    y, dmax, pick, mean, davg = np_pool(x, g, gg, pool, strides, padding)
    top = run("max_pool3d", [x], attrs, isa=isa)
    np.testing.assert_array_equal(top, y)
    np.testing.assert_array_equal(run("max_pool3d_pick", [gg, x, top], attrs, isa=isa), pick.astype(dtype))
    close(run("max_pool3d_grad", [g, x, top], attrs, isa=isa), dmax, 27)
    close(run("avg_pool3d", [x], attrs, isa=isa), mean, 27)
    close(run("avg_pool3d_grad", [g, x], attrs, isa=isa), davg, 27)


def test_nan_wins():
    x = np.zeros((1, 2, 2, 2, 5), "float32")
    x[0, 1, 0, 1, 2] = np.nan
    got = run("max_pool3d", [x], {"pool": [2, 2, 2], "strides": [2, 2, 2]})
    assert np.isnan(got[0, 0, 0, 0]).tolist() == [False, False, True, False, False]


def big_steps():
    """(op, inputs, attrs) of steps large enough to be dealt out to several threads."""
    x, k = rand((2, 10, 20, 24, 16), "float32", 30), rand((3, 3, 3, 16, 40), "float32", 31)
    g = rand((2, 10, 20, 24, 40), "float32", 32)
    same = attrs_of(padding="same")
    yield "conv3d", [x, k], same
    yield "conv3d_input_grad", [g, k, x], same
    yield "conv3d_kernel_grad", [x, g, k], same
    few, k3 = rand((2, 9, 20, 21, 3), "float32", 33), rand((3, 3, 3, 3, 40), "float32", 34)
    g3 = rand((2, 9, 20, 21, 40), "float32", 35)
    yield "conv3d", [few, k3], same
    yield "conv3d_kernel_grad", [few, g3, k3], same
    small, ks = rand((6, 6, 6, 6, 32), "float32", 36), rand((3, 3, 3, 32, 48), "float32", 37)
    gs = rand((6, 6, 6, 6, 48), "float32", 38)
    yield "conv3d", [small, ks], same
    yield "conv3d_input_grad", [gs, ks, small], same
    yield "conv3d_kernel_grad", [small, gs, ks], same
    half = attrs_of((2, 2, 2), "same")
    yield "conv3d_input_grad", [rand((2, 5, 10, 12, 40), "float32", 39), k, x], half
    one, g1 = rand((3, 3, 3, 16, 1), "float32", 41), rand((2, 10, 20, 24, 1), "float32", 42)
    yield "conv3d", [x, one], same
    yield "conv3d_kernel_grad", [x, g1, one], same
    yield "conv3d_input_grad", [x, rand((3, 3, 3, 1, 16), "float32", 43), g1], same
    pools = {"pool": [3, 3, 3], "strides": [2, 2, 2], "padding": "same"}
    yield "max_pool3d", [x], pools
    yield "avg_pool3d", [x], pools
    top = rand((2, 5, 10, 12, 16), "float32", 40)
    yield "avg_pool3d_grad", [top, x], pools
    yield "max_pool3d_grad", [top, x, run("max_pool3d", [x], pools)], pools
    yield "avg_pool3d_grad", [top, x], {"pool": [2, 2, 2], "strides": [2, 2, 2], "padding": "valid"}


@pytest.mark.parametrize("isa", ISAS)
def test_any_number_of_threads_gives_the_same_bits(isa):
    for name, inputs, attrs in big_steps():
        alone = run(name, inputs, attrs, threads=1, isa=isa).tobytes()
        for threads in (2, 3, 7):
            assert run(name, inputs, attrs, threads=threads, isa=isa).tobytes() == alone, (name, threads)
