"""The progress bar, character by character (9.20 of the list of behaviours)."""

import io
import sys

import pytest

from pykeras.utils import Progbar
from pykeras.utils import progbar as module


class Clock:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(module.time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_file_output(clock, capsys):
    bar = Progbar(10)
    clock.now += 1
    bar.update(1, [("loss", 0.5)])
    clock.now += 1
    bar.update(2, [("loss", 1.5)])
    clock.now += 8
    bar.update(10, [("loss", 2.0)])
    assert capsys.readouterr().out == (
        "\n 1/10 [==>...........................] - ETA: 9s - loss: 0.5000"
        "\n 2/10 [=====>........................] - ETA: 8s - loss: 1.0000"
        "\n10/10 [==============================] - 10s 1s/step - loss: 1.8000\n"
    )


def test_terminal_goes_back_and_wipes(clock, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(2, width=2)
    clock.now += 1
    bar.update(1, [("loss", 1)])
    first = "1/2 [>.] - ETA: 1s - loss: 1.0000"
    assert stream.getvalue() == "\r" + first
    clock.now += 1
    bar.update(2)
    last = "2/2 [==] - 2s 1s/step - loss: 1.0000"
    assert stream.getvalue() == "\r" + first + "\b" * len(first) + "\r" + last + "\n"


def test_notebooks_count_as_terminals(clock, capsys, monkeypatch):
    """A cell's output is no terminal by name, but it understands the carriage return."""
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    bar = Progbar(2, width=2)
    clock.now += 1
    bar.update(1)
    clock.now += 1
    bar.update(2)
    first = "1/2 [>.] - ETA: 1s"
    out = capsys.readouterr().out
    assert out == "\r" + first + "\b" * len(first) + "\r2/2 [==] - 2s 1s/step" + "\n"


def test_interval_drops_all_but_the_last(clock, capsys):
    bar = Progbar(100)
    for i in range(1, 101):
        clock.now += 1 / 512
        bar.update(i)
    out = capsys.readouterr().out
    shown = [line.split("/")[0].strip() for line in out.split("\n") if line]
    assert shown == ["1", "27", "53", "79", "100"]
    assert out.endswith("100/100 [==============================] - 0s 2ms/step\n")


@pytest.mark.parametrize(
    ("per_step", "text"), [(0.5, "49s"), (0.6, "59s"), (0.7, "1:09"), (7, "11:33"), (364, "10:00:36")]
)
def test_eta_forms(clock, capsys, per_step, text):
    bar = Progbar(100)
    clock.now += per_step
    bar.update(1)
    assert f" - ETA: {text}" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "text"), [(4, "2s/step"), (0.5, "250ms/step"), (0.0004, "200us/step")])
def test_time_per_step(clock, capsys, seconds, text):
    bar = Progbar(2)
    clock.now += seconds
    bar.update(2)
    assert text in capsys.readouterr().out


def test_small_values_and_stateful_metrics(clock, capsys):
    bar = Progbar(2, stateful_metrics=["count"])
    clock.now += 1
    bar.update(1, [("loss", 0.0005), ("count", 3)])
    clock.now += 1
    bar.update(2, [("loss", 0.0005), ("count", 7)])
    assert capsys.readouterr().out.endswith(" - loss: 5.0000e-04 - count: 7\n")


def test_target_that_is_no_whole_number(clock, capsys):
    bar = Progbar(31.25, interval=0)
    bar.update(8)
    assert " 8/31 [======>......................." in capsys.readouterr().out
    bar.update(32)
    assert capsys.readouterr().out.endswith("/step\n")


def test_unknown_target(clock, capsys):
    bar = Progbar(None)
    clock.now += 1
    bar.update(3, [("loss", 1)])
    assert capsys.readouterr().out == "\n      3/Unknown - 1s 333ms/step - loss: 1.0000"


def test_verbose_2_writes_one_line(clock, capsys):
    bar = Progbar(4, verbose=2)
    for i in (1, 2):
        bar.add(2, [("loss", i), ("acc", 0.25)])
        clock.now += 2.6
    assert capsys.readouterr().out == " - 3s - loss: 1.5000 - acc: 0.2500\n"


def test_verbose_0_is_silent(clock, capsys):
    bar = Progbar(2, verbose=0)
    bar.update(2, [("loss", 1)])
    assert capsys.readouterr().out == ""


def test_a_program_without_a_console_has_no_output(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    for verbose in (1, 2):
        Progbar(2, verbose=verbose).update(2, [("loss", 1)])
