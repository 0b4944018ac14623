"""Prints the numbered behaviours of Keras that no test names.

Run as `python tests/untested_behaviours.py [BEHAVIOURS.md] [chapter …]`; without arguments it reads the
list beside the repository and looks at every chapter. A test names an item by its number, in its docstring,
its name (`test_2_13_…`) or a comment: "2.13", "(2.13)", "2.13, 2.14", "BEHAVIOURS 18.4". Numbers in the code
itself do not count. Chapters that are plain lists are counted through: 22.3 is the third point of chapter 22.
"""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ITEM = re.compile(r"^(?:###? )?(\d+(?:\.\d+){1,2})[ .]", re.MULTILINE)
MENTION = re.compile(r"(?<![\w.])(\d{1,2}(?:\.\d{1,2}){1,2})(?![\w.]*\d)")
NAME = re.compile(r"def test_(\d+_\d+(?:_\d+)?)(?=_|\()")


def counted_points(text: str) -> dict[str, str]:
    """Number -> the beginning of each point of the chapters whose points have no numbers."""
    found: dict[str, str] = {}
    for chapter, body in re.findall(r"^## (\d+)\..*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        if not ITEM.search(body):
            points = re.findall(r"^- (.*)", body, re.MULTILINE)
            found.update({f"{chapter}.{i}": point[:90] for i, point in enumerate(points, 1)})
    return found


def numbered_items(text: str) -> dict[str, str]:
    """Item number -> the beginning of its text. Numbers that only head a group of items are left out."""
    found = counted_points(text)
    for match in ITEM.finditer(text):
        line = text[match.end() : text.find("\n", match.end())]
        found.setdefault(match.group(1), line.strip()[:90])
    return {n: t for n, t in found.items() if not any(other.startswith(n + ".") for other in found)}


def prose(path: Path) -> list[str]:
    """The comments and docstrings of a Python file."""
    with tokenize.open(path) as file:
        found = [t.string for t in tokenize.generate_tokens(file.readline) if t.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, documented))
    return found + [ast.get_docstring(node) or "" for node in nodes]


def named_numbers() -> set[str]:
    """The numbers that tests name in prose or in their names."""
    named: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        named.update(number.replace("_", ".") for number in NAME.findall(path.read_text()))
        for text in prose(path):
            named.update(MENTION.findall(text))
    return named


def main(arguments: list[str]) -> int:
    """Prints one line per unnamed item and a count; returns the number of them, at most 255."""
    path = TESTS.parent.parent / "shared" / "keras" / "BEHAVIOURS.md"
    if arguments and not arguments[0].isdigit():
        path = Path(arguments.pop(0))
    items = numbered_items(path.read_text())
    named = named_numbers()
    wanted = {n: t for n, t in items.items() if not arguments or n.split(".")[0] in arguments}
    missing = {n: t for n, t in wanted.items() if n not in named}
    for number, text in missing.items():
        print(f"{number:8} {text}")
    print(f"{len(wanted) - len(missing)} of {len(wanted)} items are named by a test")
    return min(len(missing), 255)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
