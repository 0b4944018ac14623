"""The layers of the house: who may include or import whom. A breach is shown with its file, line and rule."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp"
PACKAGE = ROOT / "pykeras"

# ---------------------------------------------------------------------------------------------------- C++

# folder → what it may include: folders or single headers. Its own folder is always allowed.
CPP_MAY_INCLUDE = {
    "core": set(),
    "kernels": {"core"},
    # Facts about ops are stated with the attributes and formulas of the kernels, never with their table:
    # a graph and its ops do not touch data.
    "graph": {"core", "kernels/attrs.h", "kernels/functors.h"},
    "ops": {"core", "graph", "kernels/attrs.h", "kernels/functors.h", "kernels/geometry.h"},
    # Devices see neither graphs nor each other.
    "reference": {"core", "kernels"},
    "cpu": {"core", "kernels"},
    "cuda": {"core", "kernels"},
    "runtime": {"core", "graph", "kernels"},
    "bindings": {"core", "graph", "kernels", "runtime"},
}
FOREIGN_HEADERS = (  # pattern, the only folder that may include it
    (re.compile(r"<(pybind11/|Python\.h|numpy/)"), "bindings"),
    (re.compile(r"<(cuda|nv|cublas|cudnn)"), "cuda"),
)
INCLUDE = re.compile(r"""^\s*#\s*include\s+(?:"(?P<own>[^"]+)"|(?P<foreign><[^>]+>))""")


def cpp_includes() -> Iterator[tuple[str, int, str, str | None, str | None]]:
    """Yield (path below cpp/, line number, line, own header, foreign header) of every include."""
    for path in sorted(CPP.rglob("*")):
        if path.suffix in {".h", ".cpp", ".cu", ".cuh"}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if match := INCLUDE.match(line):
                    yield (
                        path.relative_to(CPP).as_posix(),
                        number,
                        line.strip(),
                        match["own"],
                        match["foreign"],
                    )


def test_cpp_layers():
    breaches = []
    for path, number, line, own, foreign in cpp_includes():
        folder = path.split("/")[0]
        where = f"cpp/{path}:{number}: {line}"
        if folder not in CPP_MAY_INCLUDE:
            breaches.append(f"{where}\n    cpp/{folder} has no place among the layers yet")
        elif own is not None:
            allowed = CPP_MAY_INCLUDE[folder]
            if not (CPP / own).is_file():
                breaches.append(f'{where}\n    own headers are named from cpp/, as in "core/types.h"')
            elif own.split("/")[0] not in {folder, *allowed} and own not in allowed:
                breaches.append(f"{where}\n    cpp/{folder} may include {sorted({folder, *allowed})}")
        elif foreign is not None:
            for pattern, home in FOREIGN_HEADERS:
                if pattern.match(foreign) and folder != home:
                    breaches.append(f"{where}\n    only cpp/{home} may include this")
    assert not breaches, "\n" + "\n".join(breaches)


# ------------------------------------------------------------------------------------------------- Python

# From the bottom to the top; a module imports from its own floor and from those below.
FLOORS = (
    {"_cython"},
    {"backend", "utils"},
    {
        "activations",
        "constraints",
        "initializers",
        "losses",
        "metrics",
        "objectives",
        "optimizers",
        "regularizers",
    },
    {"callbacks", "preprocessing"},
    {"engine"},
    {"layers", "legacy"},
    {"saving"},
    {"models"},
    {"applications", "datasets", "wrappers"},
    {"demo", "scripts"},
    {"__main__"},
)
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}
CORE_IMPORTER = "backend/engine.py"
# What a program pays for with every import: the standard library and numpy, nothing else.
IMPORTED_AT_ONCE = {"numpy", "pykeras"}


def module_level(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when a module is imported: those outside of functions and TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from module_level(ast.Module([child], []))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from module_level(node)


def imported_names(node: ast.Import | ast.ImportFrom, path: Path) -> list[str]:
    """Name the modules that an import loads, in full: `from .. import backend` gives `pykeras.backend`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        package = ["pykeras", *path.relative_to(PACKAGE).parts[:-1]]
        package = package[: len(package) - (node.level - 1)]
        base = ".".join([*package, base]) if base else ".".join(package)
    if base.split(".")[0] != "pykeras":
        return [base]
    folder = ROOT.joinpath(*base.split("."))
    names = []
    for alias in node.names:
        is_module = (
            base == "pykeras" or (folder / alias.name).is_dir() or (folder / f"{alias.name}.py").is_file()
        )
        names.append(f"{base}.{alias.name}" if is_module else base)
    return names


def python_imports(at_import: bool) -> Iterator[tuple[str, int, str, str]]:
    """Yield (path below pykeras/, line number, line, full name of what is imported)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        tree = ast.parse(text)
        nodes = module_level(tree) if at_import else ast.walk(tree)
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                line = text.splitlines()[node.lineno - 1].strip()
                for name in imported_names(node, path):
                    yield path.relative_to(PACKAGE).as_posix(), node.lineno, line, name


def test_python_layers():
    breaches = []
    for path, number, line, name in python_imports(at_import=True):
        where = f"pykeras/{path}:{number}: {line}"
        parts = name.split(".")
        importer = path.split("/")[0].removesuffix(".py")
        if parts[0] != "pykeras":
            if parts[0] not in IMPORTED_AT_ONCE and parts[0] not in sys.stdlib_module_names:
                breaches.append(
                    f"{where}\n    {parts[0]} is imported where it is needed, inside the function"
                )
            continue
        if len(parts) == 1 or parts[1] in {"__version__", "_core"}:
            continue
        if importer == "__init__":
            breaches.append(f"{where}\n    the root loads its parts when they are first used")
        elif unknown := {importer, parts[1]} - FLOOR_OF.keys():
            breaches.append(f"{where}\n    {', '.join(unknown)} has no floor yet: see FLOORS in this test")
        elif FLOOR_OF[parts[1]] > FLOOR_OF[importer]:
            breaches.append(f"{where}\n    {importer} lies below {parts[1]} and must not import it")
    assert not breaches, "\n" + "\n".join(breaches)


def test_one_door_to_the_core():
    breaches = [
        f"pykeras/{path}:{number}: {line}\n    only pykeras/{CORE_IMPORTER} may import the core"
        for path, number, line, name in python_imports(at_import=False)
        if name.split(".")[:2] == ["pykeras", "_core"] and path != CORE_IMPORTER
    ]
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from ..backend import engine", ["pykeras.backend.engine"]),
        ("from .. import backend as K, _core", ["pykeras.backend", "pykeras._core"]),
        ("from . import core", ["pykeras.layers.core"]),
        ("import pykeras.layers.core", ["pykeras.layers.core"]),
        ("def f():\n    import h5py", []),
        ("if TYPE_CHECKING:\n    from .. import models", []),
        ("try:\n    import h5py\nexcept ImportError:\n    pass", ["h5py"]),
    ],
)
def test_the_parser_itself(source, names):
    path = PACKAGE / "layers" / "merge.py"
    found = [name for node in module_level(ast.parse(source)) for name in imported_names(node, path)]
    assert found == names
