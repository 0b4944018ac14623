"""Every numbered behaviour of the chapters that are done is named by a test (untested_behaviours.py)."""

from pathlib import Path

import pytest
import untested_behaviours as listed

CHAPTERS = {str(n) for n in (*range(1, 11), 18, 19)}


def test_no_number_is_missing(shared_folder: Path):
    items = listed.numbered_items((shared_folder / "keras" / "BEHAVIOURS.md").read_text())
    wanted = [number for number in items if number.split(".")[0] in CHAPTERS]
    named = listed.named_numbers()
    assert len(wanted) > 150
    assert [number for number in wanted if number not in named] == []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('def f():\n    """2.13: order."""', True),
        ("x = 1  # 2.13, 2.14", True),
        ("def test_2_13_order():\n    pass", True),
        ('x = (2.13, "2.13")', False),
        ("x = 1  # version 12.13.1", False),
    ],
)
def test_what_counts_as_naming(tmp_path, monkeypatch, source, named):
    (tmp_path / "test_x.py").write_text(source + "\n")
    monkeypatch.setattr(listed, "TESTS", tmp_path)
    assert ("2.13" in listed.named_numbers()) is named
