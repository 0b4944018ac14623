"""Pointwise ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import FLOATS, INTS, NUMBERS, In, OpCase, integers, uniform, values

_erf = np.vectorize(math.erf, otypes=[float])
X = In((None, 7))
WIDE = In((None, 7), domain=uniform(-30.0, 30.0))
POSITIVE = In((None, 7), domain=uniform(0.1, 4.0))
FEW = In((None, 7), domain=integers(0, 3))
BOOL = In((None, 7), "bool", integers(0, 2))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, np.exp(np.minimum(x, 0)), 1) / (1 + np.exp(-np.abs(x)))


def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(0.2 * x + 0.5, 0, 1)


def elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x < 0, alpha * np.expm1(x), x)


def unary(name: str, ref: Any, *inputs: In, **options: Any) -> list[OpCase]:
    return [OpCase(name, ref, [x], label=str(i) if i else "", **options) for i, x in enumerate(inputs)]


def binary(name: str, ref: Any, a: In = X, b: In = X, **options: Any) -> list[OpCase]:
    """Equal shapes, a row, a column, a scalar, and two that both grow."""
    shapes: list[tuple[str, Any, Any]] = [
        ("", (None, 7), (None, 7)),
        ("row", (None, 3, 7), (7,)),
        ("column", (None, 7), (None, 1)),
        ("scalar", (), (None, 7)),
        ("both", (None, 1, 3), (4, 1)),
        ("middle", (None, 3, 5), (3, 1)),
    ]
    return [
        OpCase(name, ref, [In(s, a.dtype, a.domain), In(t, b.dtype, b.domain)], label=label, **options)
        for label, s, t in shapes
    ]


def _int_cases() -> list[OpCase]:
    small = In((None, 7), domain=integers(0, 12))
    signed = In((None, 7), domain=integers(-9, 10))
    cases = []
    name: str
    ref: Any
    for name, ref in [
        ("add", np.add),
        ("mul", np.multiply),
        ("maximum", np.maximum),
        ("minimum", np.minimum),
    ]:
        cases.append(OpCase(name, ref, [small, small], label="int", dtypes=INTS))
    cases.append(OpCase("sub", np.subtract, [signed, signed], label="int", dtypes=("int32", "int64")))
    divisor = In((None, 7), domain=values(1, 3, 5, 2, 7))
    cases.append(OpCase("floor_mod", np.mod, [small, divisor], label="int", dtypes=INTS))
    cases.append(
        OpCase(
            "floor_mod",
            np.mod,
            [signed, In((7,), domain=values(3, -3, 5, -1, 2))],
            label="signed",
            dtypes=INTS[:2],
        )
    )
    for name, ref in [("neg", np.negative), ("abs", np.abs), ("sign", np.sign), ("square", np.square)]:
        cases.append(OpCase(name, ref, [signed], label="int", dtypes=INTS[:2]))
    cases.append(OpCase("relu", lambda x: np.maximum(x, 0), [signed], label="int", dtypes=INTS[:2]))
    cases.append(OpCase("clip", _clip, [small], {"min": 2, "max": 9}, label="int", dtypes=INTS))
    return cases


def _clip(x: np.ndarray, min: float, max: float) -> np.ndarray:
    return np.clip(x, min, max)


def _softplus_grad(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    return g * sigmoid(x)


UNIT = In((None, 7), domain=uniform(-0.95, 0.95))
PROBABILITY = In((None, 7), domain=uniform(0.02, 0.98))
SPECIAL = In((None, 7), domain=values(0.5, np.nan, np.inf, -np.inf, 0.0, -2.5, 1e30))

CASES = [
    *unary("neg", np.negative, X),
    *unary("abs", np.abs, X),
    *unary("sign", np.sign, X),
    *unary("exp", np.exp, X, WIDE, tol=3e-6),
    *unary("log", np.log, POSITIVE),
    *unary("log1p", np.log1p, POSITIVE),
    *unary("expm1", np.expm1, X),
    *unary("sqrt", np.sqrt, POSITIVE),
    *unary("rsqrt", lambda x: 1 / np.sqrt(x), POSITIVE),
    *unary("square", np.square, X),
    *unary("reciprocal", lambda x: 1 / x, POSITIVE),
    *unary("sin", np.sin, X, WIDE, tol=3e-6),
    *unary("cos", np.cos, X, WIDE, tol=3e-6),
    *unary("tanh", np.tanh, X, WIDE),
    *unary("sigmoid", sigmoid, X, WIDE),
    *unary("softplus", lambda x: np.logaddexp(x, 0), X, WIDE),
    *unary("softsign", lambda x: x / (1 + np.abs(x)), X),
    *unary("erf", _erf, X),
    *unary("round", np.round, X, In((6,), domain=values(-1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997))),
    *unary("floor", np.floor, X),
    *unary("ceil", np.ceil, X),
    *unary("relu", lambda x: np.maximum(x, 0), X),
    *unary("hard_sigmoid", hard_sigmoid, X, WIDE),
    OpCase("leaky_relu", lambda x, alpha: np.where(x < 0, alpha * x, x), [X], {"alpha": 0.3}),
    OpCase("elu", elu, [X], {"alpha": 1.3}),
    OpCase("elu", elu, [X], {"alpha": 0.0}, label="0"),
    OpCase("elu", elu, [X], {"alpha": -0.5}, label="negative"),
    OpCase("clip", _clip, [X], {"min": -0.7, "max": 1.1}),
    OpCase("logical_not", np.logical_not, [BOOL]),
    OpCase("is_finite", np.isfinite, [SPECIAL], label="special"),
    OpCase("relu", lambda x: np.maximum(x, 0), [SPECIAL], label="special", grad=False),
    OpCase("sigmoid", lambda x: sigmoid(x), [SPECIAL], label="special", grad=False),
    OpCase("identity", lambda x: x, [X]),
    OpCase("identity", lambda x: x, [BOOL], label="bool"),
    OpCase("stop_gradient", lambda x: x, [X], grad=False),
    *binary("add", np.add),
    *binary("sub", np.subtract),
    *binary("mul", np.multiply),
    *binary("div", np.divide, X, POSITIVE),
    *binary("pow", np.power, POSITIVE, X, tol=1e-5),
    *binary("maximum", np.maximum),
    *binary("minimum", np.minimum),
    *binary("floor_mod", np.mod, X, In((None, 7), domain=uniform(0.6, 1.4))),
    *binary("equal", np.equal, FEW, FEW, dtypes=NUMBERS),
    *binary("not_equal", np.not_equal, FEW, FEW, dtypes=NUMBERS),
    *binary("less", np.less, FEW, FEW, dtypes=NUMBERS),
    *binary("less_equal", np.less_equal, FEW, FEW, dtypes=NUMBERS),
    *binary("greater", np.greater, FEW, FEW, dtypes=NUMBERS),
    *binary("greater_equal", np.greater_equal, FEW, FEW, dtypes=NUMBERS),
    OpCase("equal", np.equal, [BOOL, BOOL], label="bool"),
    OpCase("not_equal", np.not_equal, [SPECIAL, SPECIAL], label="nan"),
    *binary("logical_and", np.logical_and, BOOL, BOOL),
    *binary("logical_or", np.logical_or, BOOL, BOOL),
    OpCase("maximum", np.maximum, [SPECIAL, In((7,))], label="nan", grad=False),
    OpCase("minimum", np.minimum, [In((7,)), SPECIAL], label="nan", grad=False),
    OpCase("select", np.where, [BOOL, X, X]),
    OpCase("select", np.where, [In((None, 1), "bool", integers(0, 2)), X, In(())], label="broadcast"),
    OpCase("select", np.where, [In((), "bool", values(1)), X, X], label="scalar"),
    OpCase(
        "select",
        np.where,
        [BOOL, In((7,), domain=integers(0, 9)), In((None, 7), domain=integers(0, 9))],
        label="int",
        dtypes=INTS,
    ),
    *_int_cases(),
    # Gradient helpers: (gradient of the output, output y or input x).
    OpCase("relu_grad", lambda g, y: g * (y > 0), [X, X]),
    OpCase("leaky_relu_grad", lambda g, x, alpha: np.where(x < 0, alpha * g, g), [X, X], {"alpha": 0.3}),
    OpCase("elu_grad", lambda g, y, alpha: np.where(y < 0, g * (y + alpha), g), [X, X], {"alpha": 1.3}),
    OpCase("tanh_grad", lambda g, y: g * (1 - y * y), [X, UNIT]),
    OpCase("sigmoid_grad", lambda g, y: g * y * (1 - y), [X, PROBABILITY]),
    OpCase(
        "hard_sigmoid_grad",
        lambda g, y: g * 0.2 * ((y > 0) & (y < 1)),
        [X, In((None, 7), domain=values(0, 0.3, 1, 0.8))],
        grad=False,
    ),
    OpCase("hard_sigmoid_grad", lambda g, y: g * 0.2 * ((y > 0) & (y < 1)), [X, X], label="smooth"),
    OpCase("softplus_grad", _softplus_grad, [X, X]),
    OpCase("softsign_grad", lambda g, x: g / (1 + np.abs(x)) ** 2, [X, X]),
    OpCase(
        "clip_grad", lambda g, x, min, max: g * ((x >= min) & (x <= max)), [X, X], {"min": -0.7, "max": 1.1}
    ),
]


def _cast_cases() -> list[OpCase]:
    cases = []
    for source in (*NUMBERS, "bool"):
        for target in (*NUMBERS, "bool"):
            low = 0 if "u" in (source[0], target[0]) else -20
            domain = (
                integers(0, 2)
                if source == "bool"
                else uniform(low, 20.0)
                if source in FLOATS
                else integers(low, 20)
            )
            cases.append(
                OpCase(
                    "cast",
                    lambda x, dtype: x.astype(dtype),
                    [In((None, 5), source, domain)],
                    {"dtype": target},
                    label=f"{source}-{target}",
                    grad=source == target == "float64",
                )
            )
    return cases


CASES += _cast_cases()
