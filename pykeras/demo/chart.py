"""Line charts and a wall of predictions, drawn on a `Canvas`."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from .canvas import WHITE, Canvas, Color, mix, rgb, text_width

INK = rgb("#1f2430")
FAINT = rgb("#8a91a0")
GRID = rgb("#e4e7ec")
BLUE = rgb("#1f6fb4")
ORANGE = rgb("#e07b1a")
GREEN = rgb("#2e8b57")
RED = rgb("#d0302f")


def nice_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers that cover a range: steps of 1, 2 or 5 times a power of ten.

    Args:
        low, high: the range, low < high.
        wanted: about how many steps.

    Returns:
        rising numbers, the first ≤ low, the last ≥ high.
    """
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * i for i in range(first, last + 1)]


def line_chart(
    canvas: Canvas,
    box: tuple[int, int, int, int],
    title: str,
    series: Sequence[tuple[str, Sequence[float], Color]],
    x_label: str,
    legend_at_top: bool = True,
    ceiling: float | None = None,
) -> None:
    """Draw curves over the epochs 1, 2, …

    Args:
        canvas: to draw on.
        box: x, y, width, height in pixels of the whole chart, title and labels included.
        title: above the chart.
        series: (name, values, colour) per curve; values that are not finite leave a gap.
        x_label: below the axis.
        legend_at_top: in the upper or the lower right corner, wherever the curves are not.
        ceiling: the axis ends here even if the steps would lead beyond (1 for a share).
    """
    x, y, width, height = box
    left, top, right, bottom = x + 62, y + 36, x + width - 8, y + height - 52
    canvas.text(left, y + 14, title, INK, 14, bold=True)

    finite = [v for _, values, _ in series for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    ticks = nice_ticks(low, high)
    floor_, top_value = ticks[0], ticks[-1] if ceiling is None else min(ticks[-1], ceiling)
    epochs = max([len(values) for _, values, _ in series] + [2])

    def px(epoch: float) -> float:
        return left + 10 + (right - left - 20) * (epoch - 1) / (epochs - 1)

    def py(value: float) -> float:
        return bottom - (bottom - top) * (value - floor_) / (top_value - floor_)

    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    for tick in ticks:
        if tick <= top_value + 1e-9:
            canvas.box(left, py(tick), right - left, 1, GRID)
            canvas.text(left - 9, py(tick) + 5, f"{tick:.{decimals}f}", FAINT, 10, "right")
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, epochs) if epochs / step <= 8)
    for epoch in range(1, epochs + 1):
        if epoch == 1 or epoch % step == 0:
            canvas.box(px(epoch), bottom, 1, 5, FAINT)
            canvas.text(px(epoch), bottom + 20, str(epoch), FAINT, 10, "center")
    canvas.box(left, bottom, right - left, 1, FAINT)
    canvas.text((left + right) / 2, bottom + 42, x_label, FAINT, 10, "center")

    for _, values, color in series:
        segments = [
            (px(i + 1), py(a), px(i + 2), py(b))
            for i, (a, b) in enumerate(itertools.pairwise(values))
            if math.isfinite(a) and math.isfinite(b)
        ]
        canvas.strokes(segments, color, 2.4)
        for i, value in enumerate(values):
            if math.isfinite(value):
                canvas.line([(px(i + 1), py(value))], color, 6)

    widest = max(text_width(name, 11) for name, _, _ in series)
    legend_x = right - widest - 14
    legend_y = top + 20 if legend_at_top else bottom - 14 - 20 * (len(series) - 1)
    for i, (name, _, color) in enumerate(series):
        base = legend_y + 20 * i
        canvas.box(legend_x - 40, base - 13, widest + 48, 18, WHITE)
        canvas.line([(legend_x - 32, base - 5), (legend_x - 10, base - 5)], color, 2.4)
        canvas.line([(legend_x - 21, base - 5)], color, 6)
        canvas.text(legend_x, base, name, INK, 11)


def prediction_wall(
    canvas: Canvas,
    corner: tuple[int, int],
    images: np.ndarray,
    predicted: np.ndarray,
    truth: np.ndarray,
    confidence: np.ndarray,
    columns: int = 6,
    scale: int = 8,
) -> None:
    """Draw pictures with the predicted class below each; a wrong one gets a red frame and the true class.

    Args:
        canvas: to draw on.
        corner: x, y of the upper left corner in pixels.
        images: (n, rows, columns), 0 paper to 1 ink.
        predicted, truth: (n,) class numbers.
        confidence: (n,) the predicted probability, 0 to 1.
        columns: pictures per row.
        scale: pixels per value.
    """
    rows, cols = images.shape[1] * scale, images.shape[2] * scale
    for i, image in enumerate(images):
        x = corner[0] + (i % columns) * (cols + 30)
        y = corner[1] + (i // columns) * (rows + 50)
        right = predicted[i] == truth[i]
        canvas.picture(x, y, image, scale, rgb("#f4f6f9") if right else mix(WHITE, RED, 0.10), INK)
        if right:
            canvas.frame(x - 2, y - 2, cols + 4, rows + 4, GRID, 2)
        else:
            canvas.frame(x - 4, y - 4, cols + 8, rows + 8, RED, 4)
        label_y = y + rows + 24
        width = canvas.text(x, label_y, str(predicted[i]), GREEN if right else RED, 14, bold=True)
        note = f"{confidence[i]:.0%}" if right else f"is {truth[i]}"
        canvas.text(x + width + 10, label_y, note, FAINT if right else RED, 10)
