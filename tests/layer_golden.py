"""What tf_keras computed (golden/*.npz), and the rules by which both sides draw their numbers."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "golden"


@functools.cache
def records(file: str = "layers") -> dict[str, list[dict[str, Any]]]:
    """The cases of one golden file by group."""
    return json.loads((FOLDER / f"{file}.json").read_text())


@functools.cache
def arrays(file: str = "layers") -> dict[str, np.ndarray]:
    """The arrays of one golden file by name."""
    with np.load(FOLDER / f"{file}.npz") as archive:
        return {name: archive[name] for name in archive.files}


def expected(group: str, index: int, file: str = "layers") -> dict[str, np.ndarray]:
    """Returns {suffix: array} of one case."""
    return {name: arrays(file)[f"{group}/{index}/{name}"] for name in records(file)[group][index]["arrays"]}


def cases(group: str, file: str = "layers") -> list[Any]:
    """Returns pytest parameters (index, case), named after the class and the BEHAVIOURS item."""
    import pytest

    parameters = []
    for index, case in enumerate(records(file)[group]):
        name = case.get("class") or case["name"]
        parameters.append(pytest.param(index, case, id=f"{index}-{name}-item{case['item']}"))
    return parameters


def draw(seed: int, shape: Any) -> np.ndarray:
    """Uniform in (−1, 1), float32."""
    return np.random.RandomState(seed).uniform(-1, 1, tuple(shape)).astype("float32")


def targets(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (y_true, y_pred) of shape (6, 4), or (6, 1) for classes."""
    raw, pred = draw(seed, (6, 4)), draw(seed + 1, (6, 4))
    share = np.abs(pred) / np.abs(pred).sum(axis=-1, keepdims=True)
    if kind == "real":
        return raw, pred
    if kind == "share":
        return np.abs(raw), np.abs(pred)
    if kind == "sign":
        return np.sign(raw), pred
    if kind == "bits":
        return (raw > 0).astype("float32"), np.abs(pred)
    classes = raw.argmax(axis=-1)
    if kind == "class":
        return classes[:, None].astype("float32"), share
    return np.eye(4, dtype="float32")[classes], share


def assert_close(actual: Any, wanted: np.ndarray, what: str, tolerance: float = 1e-5) -> None:
    """Compares within `tolerance` of the largest wanted value."""
    actual = np.asarray(actual)
    assert actual.shape == wanted.shape, f"{what}: shape {actual.shape}, wanted {wanted.shape}"
    scale = max(1e-3, float(np.abs(wanted).max()))
    error = float(np.abs(actual - wanted).max()) / scale if wanted.size else 0.0
    assert error <= tolerance, f"{what}: off by {error:.2e} of the largest value"
