"""The picture of the main job: learning curves on the left, predictions on the right."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from . import chart
from .canvas import Canvas

COLUMNS, ROWS = 7, 5


def draw(
    path: str | os.PathLike,
    history: Mapping[str, Sequence[float]],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> None:
    """Draw one training run and what came of it.

    Args:
        path: the PNG file to write.
        history: `History.history` with loss, val_loss, acc and val_acc, one value per epoch.
        images: test pictures (n, 8, 8), 0 paper to 1 ink.
        labels: their classes (n,).
        probabilities: the model's answer (n, classes).

    Raises:
        OSError: the file cannot be written.
    """
    canvas = Canvas(1280, 760)
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    right = np.flatnonzero(predicted == labels)
    share = len(right) / len(labels)
    canvas.text(36, 50, "Handwritten digits, a small convolutional network", chart.INK, 21, bold=True)
    summary = f"{len(labels)} test pictures, {share:.1%} right, {len(wrong)} wrong"
    canvas.text(36, 78, summary, chart.FAINT, 13)

    for key, title, top in (("loss", "Loss", 116), ("acc", "Accuracy", 436)):
        curves = [
            ("training", history[key], chart.BLUE),
            ("validation", history["val_" + key], chart.ORANGE),
        ]
        box = (20, top, 560, 310)
        chart.line_chart(canvas, box, title, curves, "epoch", key == "loss", 1.0 if key == "acc" else None)

    canvas.text(628, 130, "Predictions, mistakes first", chart.INK, 14, bold=True)
    shown = np.concatenate([wrong, right])[: COLUMNS * ROWS]
    chart.prediction_wall(
        canvas,
        (628, 156),
        images[shown],
        predicted[shown],
        labels[shown],
        probabilities[shown, predicted[shown]],
        COLUMNS,
    )
    canvas.save(path)
