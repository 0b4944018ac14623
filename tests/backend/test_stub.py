"""The stub `_core.pyi` names exactly what the compiled core offers."""

from __future__ import annotations

import ast
from pathlib import Path

import pykeras
from pykeras import _core


def public(names):
    return {n for n in names if not n.startswith("_")}


def stub_names():
    """Module-level names, and names per class."""
    tree = ast.parse((Path(pykeras.__file__).parent / "_core.pyi").read_text())
    top, classes = set(), {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            top.add(node.name)
        elif isinstance(node, ast.ClassDef):
            top.add(node.name)
            classes[node.name] = {
                n.name if isinstance(n, ast.FunctionDef) else n.target.id
                for n in node.body
                if isinstance(n, (ast.FunctionDef, ast.AnnAssign))
            }
    return top, classes


def test_stub_and_core_agree():
    top, classes = stub_names()
    assert public(top) == public(dir(_core))
    for name, members in classes.items():
        assert public(members) == public(dir(getattr(_core, name))), name
