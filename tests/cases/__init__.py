"""Cases of the ops: for each op a NumPy oracle, inputs with their domains, attributes and tolerances.

One test body (tests/engine_core/test_ops.py) runs them all. A new op needs a record here and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Domain = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

FLOATS = ("float32", "float64")
INTS = ("int32", "int64", "uint8")
NUMBERS = FLOATS + INTS


def uniform(low: float, high: float) -> Domain:
    """Numbers spread evenly over [low, high)."""
    return lambda rng, shape: rng.uniform(low, high, shape)


def integers(low: int, high: int) -> Domain:
    """Whole numbers from `low` up to but without `high`."""
    return lambda rng, shape: rng.integers(low, high, shape)


def values(*data: float) -> Domain:
    """The given numbers, repeated to fill the shape."""
    return lambda rng, shape: np.resize(np.asarray(data), shape)


ORDINARY = uniform(-2.0, 2.0)


@dataclass(frozen=True)
class In:
    """One input: its shape (None = the batch), dtype ('T' = each of the case's) and domain.

    `derive` computes it from the inputs in front of it instead.
    """

    shape: tuple[int | None, ...]
    dtype: str = "T"
    domain: Domain = ORDINARY
    derive: Callable[[list[np.ndarray]], np.ndarray] | None = None


@dataclass(frozen=True)
class OpCase:
    """One op on one set of inputs.

    Args:
        op: Name of the op.
        ref: Oracle: takes the inputs as arrays (floats as float64) and the attributes by keyword;
            returns an array or a tuple of arrays.
        inputs: The inputs.
        attrs: The attributes.
        label: Tells cases of one op apart.
        dtypes: What 'T' stands for, one after the other.
        tol: Relative (to the largest element) error allowed in float32.
        tol64: The same in float64; None: 1e-8 of `tol`.
        grad: Are first derivatives to be compared with finite differences?
        second: And the derivatives of the derivatives?
        wrt: The inputs to differentiate by; None: all floats.
        of: The outputs to differentiate; None: all floats. (Some ops emit what only their gradient reads.)
    """

    op: str
    ref: Callable[..., Any]
    inputs: Sequence[In]
    attrs: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    dtypes: Sequence[str] = FLOATS
    tol: float = 2e-6
    tol64: float | None = None
    grad: bool = True
    second: bool = True
    wrt: Sequence[int] | None = None
    of: Sequence[int] | None = None

    @property
    def id(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op


def all_cases() -> list[OpCase]:
    """The cases of every module of this package."""
    cases: list[OpCase] = []
    for module in pkgutil.iter_modules(__path__):
        cases += importlib.import_module(f"{__name__}.{module.name}").CASES
    return cases
