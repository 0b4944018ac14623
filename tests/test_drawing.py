"""The small drawing kit behind the picture of the main job."""

import numpy as np
import pytest
from png_reader import read_png

from pykeras.demo import chart, figure, font
from pykeras.demo.canvas import BLACK, WHITE, Canvas, mix, rgb, text_width


def ink(canvas: Canvas) -> np.ndarray:
    """How dark each pixel is, 0 to 1."""
    return 1 - canvas.pixels.mean(axis=2)


def test_colors():
    assert rgb("#ff8000") == pytest.approx((1, 128 / 255, 0))
    assert mix(WHITE, BLACK, 0.25) == (0.75, 0.75, 0.75)


def test_box_and_frame():
    canvas = Canvas(10, 8)
    canvas.box(2, 3, 4, 2, BLACK)
    assert ink(canvas).sum() == 8
    assert ink(canvas)[3:5, 2:6].all()
    canvas.frame(0, 0, 10, 8, BLACK)
    assert ink(canvas).sum() == 8 + 2 * 10 + 2 * 6


@pytest.mark.parametrize("corner", [(-5, -5), (8, 6), (-100, 3)])
def test_box_beyond_the_edge_is_cut_off(corner):
    canvas = Canvas(10, 8)
    canvas.box(*corner, 6, 6, BLACK)
    rows = max(min(corner[1] + 6, 8) - max(corner[1], 0), 0)
    columns = max(min(corner[0] + 6, 10) - max(corner[0], 0), 0)
    assert ink(canvas).sum() == rows * columns


def test_line_has_its_thickness():
    canvas = Canvas(60, 40)
    canvas.line([(10, 20), (50, 20)], BLACK, pen=4)
    assert ink(canvas)[:, 30].sum() == pytest.approx(4, abs=0.01)
    assert ink(canvas)[:, 5].sum() == 0
    np.testing.assert_allclose(ink(canvas), ink(canvas)[::-1])


def test_crossing_strokes_are_not_darker():
    canvas = Canvas(40, 40)
    canvas.strokes([(5, 20, 35, 20), (20, 5, 20, 35)], (0.5, 0.5, 0.5), 6)
    assert ink(canvas).max() == pytest.approx(0.5)


@pytest.mark.parametrize("points", [[(-50, -50), (-10, -20)], [(500, 3), (600, 3)], []])
def test_lines_outside_leave_no_ink(points):
    canvas = Canvas(20, 20)
    canvas.line(points, BLACK)
    assert ink(canvas).sum() == 0


def test_picture():
    canvas = Canvas(12, 12)
    canvas.picture(1, 2, np.array([[0.0, 1.0], [0.5, 7.0]]), 3, WHITE, BLACK)
    assert ink(canvas)[2:5, 4:7].min() == 1
    assert ink(canvas)[5:8, 1:4] == pytest.approx(0.5)
    assert ink(canvas)[5:8, 4:7].max() == 1
    assert ink(canvas).sum() == pytest.approx(9 * 2.5)


def test_every_glyph_has_ink():
    wanted = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;-+=/%()[]<>!?'\"#*&_")
    assert wanted == font.GLYPHS.keys()
    shapes = {character: tuple(dots) for character, (_, dots) in font.GLYPHS.items()}
    assert all(shapes.values())
    assert len(set(shapes.values())) == len(shapes) - 1  # O and 0 are alike
    for width, dots in font.GLYPHS.values():
        assert all(0 <= x < width and 0 <= y < 9 for x, y in dots)


def test_text_anchors():
    size, text = 14, "loss 0.5"
    width = text_width(text, size)
    for anchor, left in (("left", 100), ("center", 100 - width / 2), ("right", 100 - width)):
        canvas = Canvas(200, 40)
        assert canvas.text(100, 30, text, size=size, anchor=anchor) == width
        columns = np.flatnonzero(ink(canvas).sum(axis=0))
        assert columns[0] == pytest.approx(left, abs=2)
        assert columns[-1] == pytest.approx(left + width, abs=2)
        rows = np.flatnonzero(ink(canvas).sum(axis=1))
        assert rows[0] >= 30 - size - 1 and rows[-1] <= 31


def test_unknown_characters_become_question_marks():
    drawn = []
    for text in ("€", "?"):
        canvas = Canvas(30, 30)
        canvas.text(5, 20, text)
        drawn.append(canvas.pixels)
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.93, 0.99, [0.92, 0.94, 0.96, 0.98, 1.0]),
        (-3.0, 12.0, [-5.0, 0.0, 5.0, 10.0, 15.0]),
        (0.0, 2.3, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
    ],
)
def test_nice_ticks(low, high, ticks):
    assert chart.nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    "values", [[0.5], [0.5, 0.5, 0.5], [2.0, float("nan"), 1.0], [float("nan")], [1e-9, 1e9], []]
)
def test_charts_of_strange_runs(values):
    canvas = Canvas(600, 320)
    chart.line_chart(canvas, (0, 0, 600, 310), "Loss", [("training", values, chart.BLUE)], "epoch")
    assert np.isfinite(canvas.pixels).all()
    assert ink(canvas).sum() > 0


@pytest.mark.parametrize("wrong", [0, 3, 60])
def test_figure(wrong, tmp_path):
    images, labels = np.random.rand(60, 8, 8), np.arange(60) % 10
    predicted = (labels + (np.arange(60) < wrong)) % 10
    history = {key: [0.9, 0.5, 0.7] for key in ("loss", "val_loss", "acc", "val_acc")}
    figure.draw(tmp_path / "run.png", history, images, labels, np.eye(10)[predicted])
    picture = read_png(tmp_path / "run.png") / 255
    red = (np.abs(picture - chart.RED) < 0.01).all(axis=2).any()
    green = (np.abs(picture - chart.GREEN) < 0.01).all(axis=2).any()
    assert (red, green) == (wrong > 0, wrong < 60)
