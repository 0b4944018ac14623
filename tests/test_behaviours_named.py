"""Every behaviour of every chapter is named by a test (untested_behaviours.py)."""

import re
from pathlib import Path

import pytest
import untested_behaviours as listed


@pytest.fixture
def behaviours(shared_folder: Path) -> str:
    return (shared_folder / "keras" / "BEHAVIOURS.md").read_text()


def test_no_number_is_missing(behaviours):
    items = listed.numbered_items(behaviours)
    chapters = {int(number.split(".")[0]) for number in items}
    assert chapters == set(range(1, 23)) - {21} and len(items) > 250
    named = listed.named_numbers()
    assert [number for number in items if number not in named] == []


def test_no_private_name_is_missing(behaviours):
    """Chapter 21 is one list of names: test_private_names.py holds each of them."""
    chapter = re.search(r"^## 21\..*?\n(.*?)^\(", behaviours, re.MULTILINE | re.DOTALL).group(1)
    chapter = re.sub(r"(\w+)\((\w+)\)", r"\1/\1\2", chapter)  # name(_more) stands for two names
    quoted = " ".join(re.findall(r"`([^`]+)`", chapter))
    names = {found.split(".")[-1] for found in re.findall(r"[\w.]+", quoted)}
    text = (Path(__file__).parent / "test_private_names.py").read_text()
    assert len(names) >= 59
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


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
