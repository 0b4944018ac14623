"""Ops that rewrite passes make; `fused_pointwise` holds a program and has tests of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import In, OpCase
from .conv import attributes, volumes
from .conv import conv as plain_conv
from .pointwise import elu, hard_sigmoid, sigmoid

ACTIVATIONS: dict[str, Any] = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x < 0, 0.3 * x, x),
    "elu": lambda x: elu(x, 0.3),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "hard_sigmoid": hard_sigmoid,
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exp": np.exp,
    "clip": lambda x: np.clip(x, 0.3, 0.9),
}


def dense(x: Any, w: Any, b: Any = 0.0, *, trans_b: bool, act: str, alpha: float, beta: float) -> np.ndarray:
    return ACTIVATIONS[act](x @ (w.T if trans_b else w) + b)


def conv(x: Any, k: Any, b: Any = 0.0, *, act: str, alpha: float, beta: float, **attrs: Any) -> np.ndarray:
    return ACTIVATIONS[act](plain_conv(x, k, **attrs) + b)


def _cases() -> list[OpCase]:
    cases = []
    for act in ACTIVATIONS:
        epilogue = {"act": act, "alpha": 0.3, "beta": 0.9}
        dense_attrs = {"trans_b": False, **epilogue}
        cases += [
            OpCase("dense", dense, [In((None, 7)), In((7, 19)), In((19,))], dense_attrs, label=act, tol=5e-6),
            OpCase(
                "conv2d_fused",
                conv,
                [In((None, 5, 6, 3)), In((3, 3, 3, 5)), In((5,))],
                {**attributes(padding="same"), **epilogue},
                label=act,
                tol=5e-6,
            ),
            OpCase(
                "conv2d_fused",
                conv,
                [In((None, 4, 3, 4)), In((1, 1, 4, 5)), In((5,))],
                {**attributes(), **epilogue},
                label=f"{act} 1x1",
                tol=5e-6,
            ),
            OpCase(
                "conv3d_fused",
                conv,
                [In((None, 3, 4, 3, 2)), In((2, 3, 3, 2, 5)), In((5,))],
                {**volumes(padding="same"), **epilogue},
                label=act,
                tol=5e-6,
            ),
        ]
    plain = {"act": "relu", "alpha": 0.0, "beta": 0.0}
    return [
        *cases,
        OpCase(
            "dense", dense, [In((None, 7)), In((9, 7))], {"trans_b": True, **plain}, label="no bias", tol=5e-6
        ),
        OpCase(
            "dense",
            dense,
            [In((1, 40)), In((40, 33)), In((33,))],
            {"trans_b": False, **plain},
            label="row",
            tol=5e-6,
        ),
        OpCase(
            "conv2d_fused",
            conv,
            [In((None, 5, 6, 3)), In((3, 3, 3, 5))],
            {**attributes((2, 2)), **plain},
            label="no bias",
            tol=5e-6,
        ),
        OpCase(
            "conv3d_fused",
            conv,
            [In((None, 2, 3, 2, 3)), In((1, 1, 1, 3, 5))],
            {**volumes(), **plain},
            label="no bias",
            tol=5e-6,
        ),
    ]


CASES = _cases()
