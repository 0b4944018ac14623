"""Printing while a graph runs. (What it prints: tests/backend/test_print.py.)"""

from __future__ import annotations

from . import In, OpCase, integers

CASES = [
    OpCase("print", lambda x, message: x, [In((None, 4))], {"message": "x "}),
    OpCase(
        "print",
        lambda x, message: x,
        [In((None, 2), domain=integers(0, 2))],
        {"message": ""},
        label="types",
        dtypes=("int32", "int64", "uint8", "bool"),
    ),
]
