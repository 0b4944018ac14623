"""Matrix products, convolutions and poolings of the CPU device against NumPy, on every instruction set of the
machine; the same bits for any number of threads, and for any batch a row comes in."""

from __future__ import annotations

import numpy as np
import pytest

from pykeras import _core

ISAS = _core.isas()
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}


@pytest.fixture(autouse=True)
def restore():
    yield
    _core.set_isa("auto")
    _core.set_num_threads(0)


def run(name, inputs, attrs=None, threads=2, isa="auto"):
    """Result of one op on arrays, through a function with placeholders (constants would be folded)."""
    _core.set_isa(isa)
    _core.set_num_threads(threads)
    values = [_core.placeholder(list(x.shape), str(x.dtype), f"x{i}") for i, x in enumerate(inputs)]
    out = _core.op(name, values, attrs or {}, "test")
    return _core.Function(values, out, [], "test")(list(inputs))[0]


def rand(shape, dtype, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def close(got, want, depth):
    """Rounding errors grow like the root of the number of terms."""
    assert got.shape == want.shape
    scale = TOLERANCE[str(got.dtype)] * (np.sqrt(depth) + 1)
    np.testing.assert_allclose(got, want, rtol=0, atol=scale)


# ---- matrix products

SIZES = [
    *[(1, 1, 1), (1, 33, 10), (2, 7, 300), (3, 64, 17), (4, 130, 257), (5, 17, 300), (13, 1, 64)],
    *[(15, 33, 13), (29, 65, 513), (49, 600, 40), (100, 47, 256), (7, 40, 0)],
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matmul_sizes(isa, dtype):
    for m, n, k in SIZES:
        for trans_a in (False, True):
            for trans_b in (False, True):
                a, b = (
                    rand((k, m) if trans_a else (m, k), dtype, 1),
                    rand((n, k) if trans_b else (k, n), dtype, 2),
                )
                attrs = {"trans_a": trans_a, "trans_b": trans_b}
                got = run("matmul", [a, b], attrs, isa=isa)
                want = (a.T if trans_a else a).astype("float64") @ (b.T if trans_b else b).astype("float64")
                close(got, want, k)


@pytest.mark.parametrize("isa", ISAS)
def test_wide_product_over_nothing(isa):
    """Few rows and so many columns that threads would share them, and no element to sum."""
    got = run("matmul", [np.ones((4, 0), "float32"), np.ones((0, 1 << 18), "float32")], isa=isa)
    assert got.shape == (4, 1 << 18) and not got.any()


@pytest.mark.parametrize("isa", ISAS)
def test_batch_matmul(isa):
    for batch, m, n, k in [(3, 5, 7, 9), (40, 20, 30, 33), (2, 1, 1, 1)]:
        for trans_a in (False, True):
            for trans_b in (False, True):
                a = rand((batch, 2, *((k, m) if trans_a else (m, k))), "float32", 3)
                b = rand((batch, 2, *((n, k) if trans_b else (k, n))), "float32", 4)
                got = run("batch_matmul", [a, b], {"trans_a": trans_a, "trans_b": trans_b}, isa=isa)
                want = np.matmul(
                    np.swapaxes(a, 2, 3) if trans_a else a, np.swapaxes(b, 2, 3) if trans_b else b
                )
                close(got, want, k)


ACTS = {
    "none": (0, 0, lambda x: x),
    "relu": (0, 0, lambda x: np.maximum(x, 0)),
    "leaky_relu": (0.3, 0, lambda x: np.where(x < 0, 0.3 * x, x)),
    "elu": (0.7, 0, lambda x: np.where(x < 0, 0.7 * np.expm1(x), x)),
    "sigmoid": (0, 0, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (0, 0, np.tanh),
    "hard_sigmoid": (0, 0, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "softplus": (0, 0, lambda x: np.log1p(np.exp(x))),
    "softsign": (0, 0, lambda x: x / (1 + abs(x))),
    "exp": (0, 0, np.exp),
    "clip": (-0.5, 1.5, lambda x: np.clip(x, -0.5, 1.5)),
}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dense_epilogue(isa, act, dtype):
    alpha, beta, f = ACTS[act]
    for m, n, k in [(1, 32, 10), (3, 19, 40), (60, 41, 300)]:
        x, w, b = rand((m, k), dtype, 5), rand((k, n), dtype, 6), rand((n,), dtype, 7)
        got = run("dense", [x, w, b], {"act": act, "alpha": alpha, "beta": beta}, isa=isa)
        want = f(x.astype("float64") @ w + b)
        np.testing.assert_allclose(got, want, rtol=20 * TOLERANCE[dtype], atol=20 * TOLERANCE[dtype])


@pytest.mark.parametrize("isa", ISAS)
def test_dense_lets_nan_through(isa):
    for act in ACTS:
        if act == "none":
            continue
        x = np.array([[np.nan, 1], [1, 1]], "float32")
        got = run("dense", [x, np.ones((2, 20), "float32")], {"act": act, "alpha": 0.1, "beta": 1}, isa=isa)
        assert np.isnan(got[0]).all(), act
        assert np.isfinite(got[1]).all(), act


def test_rows_do_not_depend_on_their_batch():
    for trans_b in (False, True):
        for isa in ISAS:
            x, w = rand((131, 700), "float32", 8), rand((90, 700) if trans_b else (700, 90), "float32", 9)
            whole = run("matmul", [x, w], {"trans_b": trans_b}, isa=isa)
            for begin, end in [(0, 1), (5, 6), (5, 7), (5, 9), (130, 131), (40, 90), (14, 28), (3, 131)]:
                part = run("matmul", [x[begin:end], w], {"trans_b": trans_b}, isa=isa)
                assert part.tobytes() == whole[begin:end].tobytes(), (isa, trans_b, begin, end)


# ---- convolution


def out_size(n, kernel, stride, dilation, padding, before=0, after=0):
    span = (kernel - 1) * dilation + 1
    if padding == "same":
        out = -(-n // stride)
        total = max((out - 1) * stride + span - n, 0)
        return out, total // 2
    return (n + before + after - span) // stride + 1, before


def patches(x, kernel, attrs):
    """Which cells every output pixel sees: their numbers, and whether they exist; both (oh, ow, kh, kw)."""
    _, h, w, _ = x.shape
    kh, kw = kernel
    (sh, sw), (dh, dw), pads = attrs["strides"], attrs["dilation"], attrs.get("pads", [0, 0, 0, 0])
    oh, top = out_size(h, kh, sh, dh, attrs["padding"], pads[0], pads[1])
    ow, left = out_size(w, kw, sw, dw, attrs["padding"], pads[2], pads[3])
    rows = np.arange(oh)[:, None] * sh - top + np.arange(kh)[None] * dh
    cols = np.arange(ow)[:, None] * sw - left + np.arange(kw)[None] * dw
    inside = ((rows >= 0) & (rows < h))[:, None, :, None] & ((cols >= 0) & (cols < w))[None, :, None, :]
    flat = np.clip(rows, 0, h - 1)[:, None, :, None] * w + np.clip(cols, 0, w - 1)[None, :, None, :]
    return flat, inside


def np_conv(x, k, g, attrs, depthwise=False):
    """Forward, input gradient and kernel gradient in float64."""
    n, h, w, c = x.shape
    flat, inside = patches(x, k.shape[:2], attrs)
    cols = x.astype("float64").reshape(n, h * w, c)[:, flat] * inside[..., None]
    if depthwise:
        y = np.einsum("nyxijc,ijcm->nyxcm", cols, k)
        g = g.reshape(y.shape)
        dcols, dk = np.einsum("nyxcm,ijcm->nyxijc", g, k), np.einsum("nyxijc,nyxcm->ijcm", cols, g)
        y = y.reshape(*y.shape[:3], -1)
    else:
        y = np.einsum("nyxijc,ijco->nyxo", cols, k)
        dcols, dk = np.einsum("nyxo,ijco->nyxijc", g, k), np.einsum("nyxijc,nyxo->ijco", cols, g)
    dx = np.zeros((n, h * w, c))
    for i in range(n):
        np.add.at(dx[i], flat.reshape(-1), (dcols[i] * inside[..., None]).reshape(-1, c))
    return y, dx.reshape(x.shape), dk


def attrs_of(strides=(1, 1), padding="valid", dilation=(1, 1), pads=(0, 0, 0, 0)):
    return {"strides": list(strides), "padding": padding, "dilation": list(dilation), "pads": list(pads)}


# image (n, h, w, c), kernel (h, w), output channels, attributes
CONVS = [
    ((2, 9, 11, 1), (3, 3), 32, attrs_of()),
    ((3, 30, 41, 1), (3, 3), 20, attrs_of(padding="same")),
    ((2, 20, 33, 3), (7, 7), 40, attrs_of((2, 2), "same")),
    ((2, 21, 30, 4), (5, 3), 7, attrs_of((2, 1), "same")),
    ((2, 17, 16, 8), (3, 3), 17, attrs_of((1, 2))),
    ((2, 12, 13, 17), (3, 3), 33, attrs_of(padding="same")),
    ((2, 12, 13, 17), (3, 3), 33, attrs_of(padding="same", dilation=(2, 3))),
    ((2, 15, 14, 6), (2, 4), 40, attrs_of((3, 2), "same")),
    ((2, 15, 14, 20), (3, 2), 5, attrs_of((2, 2), "valid", (2, 2))),
    ((2, 15, 14, 20), (3, 3), 5, attrs_of((3, 2), "valid", (2, 3))),
    ((2, 8, 9, 5), (3, 4), 6, attrs_of((1, 1), "explicit", (1, 1), (2, 1, 0, 3))),
    ((2, 8, 9, 5), (3, 4), 6, attrs_of((2, 3), "explicit", (1, 1), (4, 5, 6, 4))),
    ((2, 10, 10, 40), (1, 1), 50, attrs_of()),
    ((2, 10, 11, 40), (1, 1), 20, attrs_of((2, 2))),
    ((2, 4, 4, 9), (7, 7), 16, attrs_of(padding="same")),
    ((1, 5, 6, 64), (5, 6), 600, attrs_of()),
    ((1, 1, 50, 12), (1, 5), 24, attrs_of(padding="same")),
    ((3, 14, 14, 70), (3, 3), 65, attrs_of(padding="same")),
    ((1, 30, 30, 32), (3, 3), 64, attrs_of(padding="same")),
    ((3, 12, 13, 37), (3, 3), 1, attrs_of(padding="same")),
    ((2, 12, 13, 50), (3, 2), 1, attrs_of((2, 1), "valid", (1, 2))),
    ((2, 12, 13, 1), (3, 3), 33, attrs_of((2, 3), "same")),
    ((2, 6, 7, 70), (1, 1), 1, attrs_of()),
]
# Those that go by Winograd's products, and some beside its borders that do not.
CONVS += [
    ((2, 15, 13, 40), (3, 3), 35, attrs_of()),
    ((2, 9, 20, 33), (3, 3), 600, attrs_of(padding="same")),
    ((1, 8, 8, 300), (3, 3), 40, attrs_of(padding="same")),
    ((5, 8, 9, 36), (3, 3), 34, attrs_of((1, 1), "explicit", (1, 1), (2, 1, 0, 2))),
    ((2, 6, 6, 32), (3, 3), 32, attrs_of((1, 1), "explicit", (1, 1), (4, 3, 3, 5))),
    ((40, 4, 4, 32), (3, 3), 48, attrs_of(padding="same")),
    ((2, 5, 5, 32), (3, 3), 32, attrs_of(padding="same")),
    ((2, 3, 9, 64), (3, 3), 64, attrs_of()),
    ((2, 7, 8, 260), (3, 3), 130, attrs_of(padding="same")),  # a large kernel, piece by piece
    ((9, 9, 8, 70), (3, 3), 90, attrs_of((2, 2), "same")),
    ((2, 3, 800, 20), (2, 3), 70, attrs_of((1, 2))),
]
# Few channels, in the gradient of the input or in the result.
CONVS += [
    ((2, 21, 17, 3), (3, 3), 24, attrs_of(padding="same", dilation=(2, 3))),
    ((2, 23, 19, 2), (5, 4), 40, attrs_of((3, 2), "same")),
    ((2, 14, 15, 1), (4, 4), 300, attrs_of((2, 2), "explicit", (1, 1), (1, 2, 0, 3))),
    ((2, 9, 10, 1), (2, 2), 16, attrs_of((3, 3))),
    ((2, 3, 12, 3), (5, 3), 32, attrs_of((2, 1), "same")),
    ((2, 20, 21, 40), (3, 3), 2, attrs_of(padding="same")),
    ((2, 13, 14, 300), (4, 3), 3, attrs_of((1, 1), "valid", (2, 2))),
    ((2, 12, 9, 24), (3, 3), 1, attrs_of((1, 1), "explicit", (1, 1), (4, 5, 3, 6))),
    ((2, 14, 13, 20), (3, 3), 3, attrs_of(padding="same", dilation=(2, 1))),
    ((1, 3, 2000, 2), (3, 3), 24, attrs_of(padding="same")),
    ((1, 1, 3000, 9), (1, 5), 2, attrs_of()),
]


def conv_case(case, dtype):
    shape, kernel, co, attrs = case
    x, k = rand(shape, dtype, 10), rand((*kernel, shape[3], co), dtype, 11)
    flat, _ = patches(x, kernel, attrs)
    return x, k, rand((shape[0], *flat.shape[:2], co), dtype, 12), attrs


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CONVS, ids=str)
def test_conv2d(isa, dtype, case):
    x, k, g, attrs = conv_case(case, dtype)
    y, dx, dk = np_conv(x, k, g, attrs)
    close(run("conv2d", [x, k], attrs, isa=isa), y, k[..., 0].size)
    close(run("conv2d_input_grad", [g, k, x], attrs, isa=isa), dx, k[..., 0, :].size)
    close(run("conv2d_kernel_grad", [x, g, k], attrs, isa=isa), dk, g[..., 0].size)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("act", ["none", "relu", "tanh"])
def test_conv2d_fused(isa, act):
    for case in (CONVS[0], CONVS[2], CONVS[5], CONVS[12], CONVS[19], CONVS[20], CONVS[-6]):
        x, k, g, attrs = conv_case(case, "float32")
        b = rand((k.shape[3],), "float32", 13)
        y, _, _ = np_conv(x, k, g, attrs)
        got = run("conv2d_fused", [x, k, b], {**attrs, "act": act}, isa=isa)
        np.testing.assert_allclose(got, ACTS[act][2](y + b), rtol=0, atol=1e-5)


def test_images_do_not_depend_on_their_batch():
    for case in CONVS:
        (_, h, w, c), kernel, co, attrs = case
        x, k = rand((6, h, w, c), "float32", 14), rand((*kernel, c, co), "float32", 15)
        whole = run("conv2d", [x, k], attrs)
        for begin, end in [(0, 1), (3, 4), (2, 6)]:
            assert run("conv2d", [x[begin:end], k], attrs).tobytes() == whole[begin:end].tobytes(), case
        g = whole
        whole = run("conv2d_input_grad", [g, k, x], attrs)
        for begin, end in [(0, 1), (3, 4), (2, 6)]:
            part = run("conv2d_input_grad", [g[begin:end], k, x[begin:end]], attrs)
            assert part.tobytes() == whole[begin:end].tobytes(), case


DEPTHWISE = [
    ((2, 9, 11, 3), (3, 3), 1, attrs_of(padding="same")),
    ((2, 19, 21, 32), (3, 3), 1, attrs_of((2, 2), "same")),
    ((2, 12, 30, 40), (5, 3), 1, attrs_of()),
    ((2, 12, 13, 17), (3, 4), 2, attrs_of(padding="same", dilation=(2, 3))),
    ((2, 12, 13, 5), (2, 2), 3, attrs_of((2, 3), "explicit", (1, 1), (1, 2, 0, 1))),
    ((1, 3, 3, 16), (7, 7), 1, attrs_of(padding="same")),
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", DEPTHWISE, ids=str)
def test_depthwise_conv2d(isa, dtype, case):
    shape, kernel, mult, attrs = case
    x, k = rand(shape, dtype, 16), rand((*kernel, shape[3], mult), dtype, 17)
    flat, _ = patches(x, kernel, attrs)
    g = rand((shape[0], *flat.shape[:2], shape[3] * mult), dtype, 18)
    y, dx, dk = np_conv(x, k, g, attrs, depthwise=True)
    close(run("depthwise_conv2d", [x, k], attrs, isa=isa), y, k[..., 0, 0].size)
    close(run("depthwise_conv2d_input_grad", [g, k, x], attrs, isa=isa), dx, k[..., 0, :].size)
    close(run("depthwise_conv2d_kernel_grad", [x, g, k], attrs, isa=isa), dk, g[..., 0].size)


# ---- pooling

POOLS = [
    ((2, 8, 8, 64), (2, 2), (2, 2), "valid"),
    ((2, 9, 7, 5), (2, 2), (2, 2), "same"),
    ((2, 9, 11, 20), (3, 3), (2, 2), "same"),
    ((1, 9, 11, 33), (3, 2), (1, 1), "valid"),
    ((2, 7, 7, 3), (2, 2), (3, 3), "valid"),
    ((40, 1, 30, 8), (1, 3), (1, 3), "same"),
]


def np_pool(x, g, gg, pool, strides, padding):
    """y, dx and pick of max pooling; y and dx of average pooling. Ties go to the first cell."""
    n, h, w, c = x.shape
    flat, inside = patches(x, pool, attrs_of(strides, padding))
    oh, ow = flat.shape[:2]
    flat, inside = flat.reshape(oh, ow, -1), inside.reshape(oh, ow, -1, 1)
    cells = x.reshape(n, h * w, c)[:, flat]  # n oh ow cells c
    first = np.where(inside, cells, -np.inf).argmax(3)
    y = np.take_along_axis(cells, first[:, :, :, None], 3)[:, :, :, 0]
    pick = np.take_along_axis(gg.reshape(n, h * w, c)[:, flat], first[:, :, :, None], 3)[:, :, :, 0]
    count = inside.sum(2)
    mean = (cells * inside).sum(3) / count
    dmax, davg = np.zeros((n, h * w, c)), np.zeros((n, h * w, c))
    hit = np.arange(cells.shape[3])[:, None] == first[:, :, :, None]
    for i in range(n):
        np.add.at(dmax[i], flat.reshape(-1), (g[i][:, :, None] * hit[i]).reshape(-1, c))
        np.add.at(davg[i], flat.reshape(-1), ((g[i] / count)[:, :, None] * inside).reshape(-1, c))
    return y, dmax.reshape(x.shape), pick, mean, davg.reshape(x.shape)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pooling(isa, dtype, case):
    shape, pool, strides, padding = case
    # Few different values: many ties.
    x = np.random.default_rng(19).integers(-2, 3, shape).astype(dtype)
    attrs = {"pool": list(pool), "strides": list(strides), "padding": padding}
    flat, _ = patches(x, pool, attrs_of(strides, padding))
    g, gg = rand((shape[0], *flat.shape[:2], shape[3]), dtype, 20), rand(shape, dtype, 21)
    y, dmax, pick, mean, davg = np_pool(x, g, gg, pool, strides, padding)
    top = run("max_pool2d", [x], attrs, isa=isa)
    np.testing.assert_array_equal(top, y)
    np.testing.assert_array_equal(run("max_pool2d_pick", [gg, x, top], attrs, isa=isa), pick)
    close(run("max_pool2d_grad", [g, x, top], attrs, isa=isa), dmax, 9)
    close(run("avg_pool2d", [x], attrs, isa=isa), mean, 9)
    close(run("avg_pool2d_grad", [g, x], attrs, isa=isa), davg, 9)


# ---- threads


def big_steps():
    """(op, inputs, attrs) of steps large enough to be dealt out to several threads."""
    x, k, g = (
        rand((4, 40, 40, 24), "float32", 30),
        rand((3, 3, 24, 40), "float32", 31),
        rand((4, 40, 40, 40), "float32", 32),
    )
    same = attrs_of(padding="same")
    yield "conv2d", [x, k], same
    yield "conv2d_input_grad", [g, k, x], same
    yield "conv2d_kernel_grad", [x, g, k], same
    wide, kw, gw = (
        rand((3, 20, 20, 40), "float32", 43),
        rand((3, 3, 40, 72), "float32", 44),
        rand((3, 20, 20, 72), "float32", 45),
    )
    yield "conv2d", [wide, kw], same  # by Winograd's products, as the next two
    yield "conv2d_input_grad", [gw, kw, wide], same
    yield "conv2d_kernel_grad", [wide, gw, kw], same
    half = rand((3, 10, 10, 72), "float32", 64)
    yield "conv2d_kernel_grad", [wide, half, kw], attrs_of((2, 2), "same")
    yield "conv2d_kernel_grad", [wide, gw, rand((1, 1, 40, 72), "float32", 65)], same
    large, kl = rand((2, 12, 12, 260), "float32", 60), rand((3, 3, 260, 130), "float32", 61)
    yield "conv2d", [large, kl], same
    yield "conv2d_input_grad", [rand((2, 12, 12, 130), "float32", 62), kl, large], same
    few, k3 = rand((8, 50, 50, 3), "float32", 33), rand((5, 5, 3, 40), "float32", 34)
    g3 = rand((8, 50, 50, 40), "float32", 35)
    yield "conv2d", [few, k3], same
    yield "conv2d_input_grad", [g3, k3, few], same
    yield "conv2d_kernel_grad", [few, g3, k3], same
    tall, kt = rand((1, 90, 50, 32), "float32", 46), rand((3, 3, 32, 2), "float32", 47)
    yield "conv2d", [tall, kt], same  # to few channels, one image's rows shared out
    yield "conv2d_kernel_grad", [tall, rand((1, 90, 50, 2), "float32", 57), kt], same
    g4, k4 = rand((1, 60, 50, 48), "float32", 48), rand((5, 5, 3, 48), "float32", 49)
    yield "conv2d_input_grad", [g4, k4, rand((1, 120, 100, 3), "float32", 54)], attrs_of((2, 2), "same")
    strided = attrs_of((2, 2), "same")
    yield "conv2d_input_grad", [rand((4, 20, 20, 40), "float32", 36), k, x], strided
    kd, gd = rand((3, 3, 24, 1), "float32", 37), rand((4, 40, 40, 24), "float32", 38)
    yield "depthwise_conv2d", [x, kd], same
    yield "depthwise_conv2d_input_grad", [gd, kd, x], same
    yield "depthwise_conv2d_kernel_grad", [x, gd, kd], same
    a, b = rand((300, 500), "float32", 39), rand((500, 700), "float32", 40)
    yield "matmul", [a, b], {}
    yield "matmul", [np.ascontiguousarray(a.T), b], {"trans_a": True}
    yield "matmul", [a, np.ascontiguousarray(b.T)], {"trans_b": True}
    yield "matmul", [rand((1, 2000), "float32", 41), rand((2000, 1500), "float32", 42)], {}
    pool = {"pool": [3, 3], "strides": [2, 2], "padding": "same"}
    y = run("max_pool2d", [x], pool)
    yield "max_pool2d", [x], pool
    yield "max_pool2d_grad", [y, x, y], pool
    yield "avg_pool2d_grad", [y, x], pool


@pytest.mark.parametrize("isa", ISAS)
def test_any_number_of_threads_gives_the_same_bits(isa):
    for name, inputs, attrs in big_steps():
        one = run(name, inputs, attrs, threads=1, isa=isa).tobytes()
        for threads in (2, 7):
            assert run(name, inputs, attrs, threads=threads, isa=isa).tobytes() == one, (name, threads)


def test_constant_weights_are_packed_once_and_repacked_after_a_switch():
    """Weights in a variable take the prepared path; after a change of the weights or of the instruction set
    what was packed before must not be used."""
    x, w = rand((60, 300), "float32", 50), rand((700, 300), "float32", 51)
    v = _core.Variable([700, 300], "float32", "w")
    v.set(w)
    p = _core.placeholder([None, 300], "float32", "x")
    f = _core.Function([p], _core.op("matmul", [p, v.value], {"trans_b": True}, "t"), [], "t")
    close(f([x])[0], x.astype("float64") @ w.T, 300)
    for isa in ISAS:
        _core.set_isa(isa)
        close(f([x])[0], x.astype("float64") @ w.T, 300)
    v.set(2 * w)
    close(f([x])[0], 2 * x.astype("float64") @ w.T, 300)


def same_conv(k):
    """A 'same' convolution with a variable for kernel, for images of any size; and its attributes."""
    v = _core.Variable(k.shape, "float32", "k")
    v.set(k)
    p = _core.placeholder([None, None, None, k.shape[2]], "float32", "x")
    attrs = attrs_of(padding="same")
    return _core.Function([p], _core.op("conv2d", [p, v.value], attrs, "layer"), [], "f"), attrs


def test_packed_kernels_of_one_layer_for_images_of_several_sizes():
    """The size of an image decides how its convolution is done, and so in which form the kernel is kept."""
    k = rand((3, 3, 40, 600), "float32", 52)
    f, attrs = same_conv(k)
    for size in (12, 5, 1, 12, 8, 5):
        x = rand((2, size, size, 40), "float32", 53)
        close(f([x])[0], np_conv(x, k, np.zeros((2, size, size, 600)), attrs)[0], 360)


def test_kept_kernel_of_a_layer_with_few_channels_and_another_instruction_set():
    """The instruction set decides too how such a layer is done."""
    k = rand((3, 3, 40, 3), "float32", 55)
    f, attrs = same_conv(k)
    for isa in (*ISAS, *ISAS[::-1]):
        _core.set_isa(isa)
        for size in (12, 3, 7):
            x = rand((2, size, size, 40), "float32", 56)
            close(f([x])[0], np_conv(x, k, np.zeros((2, size, size, 3)), attrs)[0], 360)


@pytest.mark.parametrize("isa", ISAS)
def test_large_kernels_give_the_same_bits_in_every_way(isa):
    """Kept or not, few patches or many in several passes: how Winograd's products are made cannot be seen."""
    attrs = attrs_of(padding="same")
    for c, co in ((260, 130), (260, 520)):
        x, k = rand((20, 8, 8, c), "float32", 58), rand((3, 3, c, co), "float32", 59)
        whole = run("conv2d", [x, k], attrs, isa=isa)
        close(whole[7:8], np_conv(x[7:8], k, np.zeros((1, 8, 8, co)), attrs)[0], 9 * c)
        v = _core.Variable(k.shape, "float32", "k")
        v.set(k)
        p = _core.placeholder([None, 8, 8, c], "float32", "x")
        kept = _core.Function([p], _core.op("conv2d", [p, v.value], attrs, "layer"), [], "f")
        assert kept([x])[0].tobytes() == whole.tobytes()
        for begin, end in [(7, 8), (2, 9)]:
            assert run("conv2d", [x[begin:end], k], attrs, isa=isa).tobytes() == whole[begin:end].tobytes()
            assert kept([x[begin:end]])[0].tobytes() == whole[begin:end].tobytes()


@pytest.mark.parametrize("isa", ISAS)
def test_nothing_to_convolve(isa):
    """No images, or images of no rows: the results are empty, the kernel's gradient is zero."""
    attrs = attrs_of(padding="same")
    for c, co in ((3, 24), (24, 3), (40, 40), (260, 520)):
        k = rand((3, 3, c, co), "float32", 63)
        for size in ((0, 9, 8), (2, 0, 8)):
            x, g = np.zeros((*size, c), "float32"), np.zeros((*size, co), "float32")
            assert run("conv2d", [x, k], attrs, isa=isa).shape == g.shape
            assert run("conv2d_input_grad", [g, k, x], attrs, isa=isa).shape == x.shape
            assert not run("conv2d_kernel_grad", [x, g, k], attrs, isa=isa).any()
