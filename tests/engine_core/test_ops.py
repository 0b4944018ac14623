"""One test body for every op: oracle, inferred shapes, derivatives, on every device and instruction set."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import FLOATS, OpCase, all_cases
from cases.random import STEP

from pykeras import _core

CASES = all_cases()
BACKENDS = [("reference", ""), *(("cpu", isa) for isa in _core.isas())]

# Ops that no call by name can make, and where they are tested.
TESTED_ELSEWHERE = {
    "fused_pointwise": "holds a program that only a pass writes: test_op_rules.py",
    "phase_select": "has no kernel; which input it takes depends on the phase: test_op_rules.py",
}

# Gradients without a gradient of their own: asking for it is an error.
FIRST_ORDER_ONLY = {"ctc_loss_grad"}


@pytest.fixture(
    params=BACKENDS, ids=[f"{device}{isa and '-'}{isa}" for device, isa in BACKENDS], scope="module"
)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs what uses it on each device, the CPU with each instruction set that this machine has."""
    device, isa = _core.get_device(), _core.isa()
    _core.set_device(request.param[0])
    if request.param[1]:
        _core.set_isa(request.param[1])
    yield request.param[0]
    _core.set_device(device)
    _core.set_isa(isa)


def concrete(case: OpCase, dtype: str, batch: int) -> list[np.ndarray]:
    """Arrays for the inputs; the same at every call."""
    rng = np.random.default_rng(zlib.crc32(f"{case.id}{batch}".encode()))
    arrays: list[np.ndarray] = []
    for x in case.inputs:
        shape = tuple(batch if n is None else n for n in x.shape)
        data = x.derive(arrays) if x.derive else x.domain(rng, shape)
        arrays.append(np.asarray(data).astype(dtype if x.dtype == "T" else x.dtype))
    return arrays


def placeholders(case: OpCase, dtype: str, arrays: list[np.ndarray] | None = None) -> list[Any]:
    """Symbolic inputs, of unknown batch unless arrays give the sizes."""
    shapes = [a.shape for a in arrays] if arrays else [x.shape for x in case.inputs]
    dtypes = [dtype if x.dtype == "T" else x.dtype for x in case.inputs]
    return [_core.placeholder(s, d, f"x{i}") for i, (s, d) in enumerate(zip(shapes, dtypes, strict=True))]


def wide(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float64) if a.dtype.kind == "f" else a


def compatible(static: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    return len(static) == len(shape) and all(s in (None, n) for s, n in zip(static, shape, strict=True))


def run(function: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    function.step = STEP
    return list(function(arrays))


def assert_close(got: np.ndarray, want: np.ndarray, case: OpCase) -> None:
    """Equal where the result is not a float; else within tolerance of the largest finite element."""
    want = np.asarray(want)
    assert got.shape == want.shape
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want.astype(got.dtype))
        return
    tol = case.tol
    if got.dtype == np.float64:
        tol = tol * 1e-8 if case.tol64 is None else case.tol64
    finite = want[np.isfinite(want)]
    scale = float(np.abs(finite).max(initial=0.0))
    np.testing.assert_allclose(got, want.astype(np.float64), rtol=tol, atol=tol * scale)


def check_values(case: OpCase, dtype: str) -> None:
    inputs = placeholders(case, dtype)
    outputs = _core.op(case.op, inputs, case.attrs, "layer")
    function = _core.Function(inputs, outputs, [], case.id)
    for batch in (2, 5, 0):
        arrays = concrete(case, dtype, batch)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wanted = case.ref(*map(wide, arrays), **case.attrs)
        except (ValueError, IndexError):
            assert batch == 0, "the oracle failed"  # it may have no answer for nothing
            continue
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        results = run(function, arrays)
        exact = _core.op(case.op, placeholders(case, dtype, arrays), case.attrs, "layer")
        assert len(results) == len(wanted)
        for output, known, got, want in zip(outputs, exact, results, wanted, strict=True):
            assert output.dtype == str(got.dtype)
            assert compatible(output.shape, got.shape), f"inferred {output.shape}, got {got.shape}"
            if "int32" not in [x.dtype for x in case.inputs]:  # else the shape may come from data
                assert known.shape == got.shape, f"inferred {known.shape}, got {got.shape}"
            assert_close(got, want, case)


class Derivatives:
    """Compares gradients with finite differences along random directions."""

    def __init__(self, case: OpCase) -> None:
        self.rng = np.random.default_rng(zlib.crc32(case.id.encode()))
        self.arrays = concrete(case, "float64", 2)
        self.inputs = placeholders(case, "float64")
        floats = [i for i, x in enumerate(self.inputs) if x.dtype == "float64"]
        wrt = [i for i in floats if case.wrt is None or i in case.wrt]
        outputs = [
            y
            for k, y in enumerate(_core.op(case.op, self.inputs, case.attrs, "layer"))
            if y.dtype == "float64" and (case.of is None or k in case.of)
        ]
        if outputs and wrt:
            self.check(outputs, wrt, 2 if case.second else 1)

    def evaluate(self, values: list[Any], arrays: list[np.ndarray]) -> list[np.ndarray]:
        return run(_core.Function(self.inputs, values, [], "derivatives"), arrays)

    def check(self, outputs: list[Any], wrt: list[int], order: int) -> None:
        """Checks d(Σ weight · output)/d(inputs `wrt`); then, in turn, that gradient as a function."""
        results = self.evaluate(outputs, self.arrays)
        weights = [self.rng.uniform(0.5, 1.5, r.shape) * self.rng.choice([-1, 1], r.shape) for r in results]
        first_weight = len(self.inputs)
        for y, w in zip(outputs, weights, strict=True):
            self.inputs.append(_core.placeholder(y.shape, "float64", "w"))
            self.arrays.append(w)
        gradients = _core.gradients(outputs, [self.inputs[i] for i in wrt], self.inputs[first_weight:])
        flowing = [g for g in gradients if g is not None]
        found = iter(self.evaluate(flowing, self.arrays) if flowing else [])
        weighted = _core.Function(self.inputs, outputs, [], "value")
        for i, gradient in zip(wrt, gradients, strict=True):
            analytic = np.zeros(self.arrays[i].shape) if gradient is None else next(found)
            assert gradient is None or compatible(gradient.shape, analytic.shape)
            assert analytic.shape == self.arrays[i].shape
            for _ in range(3):
                direction = self.rng.uniform(-1, 1, analytic.shape)
                sides = []
                for sign in (1, -1):
                    moved = list(self.arrays)
                    moved[i] = moved[i] + sign * 1e-5 * direction
                    sides.append(
                        sum(float((r * w).sum()) for r, w in zip(run(weighted, moved), weights, strict=True))
                    )
                numeric = (sides[0] - sides[1]) / 2e-5
                size = 1 + abs(sides[0]) + float(np.abs(analytic * direction).sum())
                message = f"order {order}, input {i}: gradient {analytic}"
                assert abs(numeric - float((analytic * direction).sum())) < 2e-7 * size, message
        if order > 1 and flowing:
            self.check(flowing, [*wrt, *range(first_weight, len(self.inputs))], order - 1)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_op(case: OpCase, backend: str) -> None:
    for dtype in case.dtypes:
        check_values(case, dtype)
    info = _core.op_info(case.op)
    if case.grad and info["differentiable"] and "float64" in case.dtypes:
        Derivatives(case)


def test_case_names_are_unique() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", _core.op_names())
def test_op_is_complete(name: str) -> None:
    """A case, a gradient and a kernel, or a stated reason why there is none."""
    info = _core.op_info(name)
    assert info["differentiable"] or info["no_grad"], "neither a gradient nor a reason why there is none"
    if info["no_kernel"]:
        return
    kernels = set(info["kernels"]["reference"])
    assert kernels, "no reference kernel and no reason why there is none"
    assert kernels.isdisjoint(FLOATS) or kernels.issuperset(FLOATS), "a kernel for one float type only"
    if name in TESTED_ELSEWHERE:
        return
    cases = [case for case in CASES if case.op == name]
    assert cases, "no case in tests/cases"
    covered = {
        d for case in cases for x in case.inputs for d in (case.dtypes if x.dtype == "T" else [x.dtype])
    }
    covered |= {str(case.attrs.get("dtype")) for case in cases}
    assert covered.issuperset(kernels.intersection(FLOATS)), "no case for one of the float types"
    if info["differentiable"] and name not in FIRST_ORDER_ONLY:
        assert any(case.grad and "float64" in case.dtypes for case in cases), "no case checks the gradient"
