"""Runs Keras 2 scripts as they are: inside them `import keras` means pykeras.

`python -m pykeras run script.py …` (or `run -m module …`) is the command for it. A finder in front of
`sys.meta_path` answers for `keras` and everything below it with the modules of this package themselves, not
with copies: `keras.layers.Dense` is `pykeras.layers.Dense`. Only the root is a module of its own, because it
carries Keras's version number.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import runpy
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

OWN = __name__.partition(".")[0]

# What the API of this package is that of. Scripts compare it.
KERAS_VERSION = "2.2.4"

_NUMPY_NAMES = f"{OWN}.utils._numpy_names"

_OTHER_ENGINES = ("tensorflow", "theano", "cntk")

# Packages that came along with Keras 2.2, and where most of what they hold is in Keras itself.
_COMPANIONS = {
    "keras_applications": "keras.applications",
    "keras_preprocessing": "keras.preprocessing",
}


# ---- import keras


class _Root(types.ModuleType):
    """The module `keras`: what this package's root has, under Keras's version."""

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(sys.modules[OWN], name)
        except AttributeError:
            raise AttributeError(f"module 'keras' has no attribute {name!r}") from None

    def __dir__(self) -> list[str]:
        return dir(sys.modules[OWN])

    def __reduce__(self) -> Any:
        # Tools that send functions to other processes send the modules that they use along, by name.
        return _install_and_import, ()


def _install_and_import() -> types.ModuleType:
    install()
    return importlib.import_module("keras")


class _SameModule(Loader):
    """Loads `keras.x` by giving out `pykeras.x`."""

    def __init__(self, own_name: str) -> None:
        self.own_name = own_name
        self.own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        own = importlib.import_module(self.own_name)
        self.own_spec = own.__spec__
        if self.own_name != OWN:
            return own
        root = _Root("keras", own.__doc__)
        root.__version__ = KERAS_VERSION  # type: ignore[attr-defined]
        root.__file__ = own.__file__
        root.__all__ = list(own.__all__)  # type: ignore[attr-defined]
        return root

    def exec_module(self, module: types.ModuleType) -> None:
        if self.own_name != OWN:
            module.__spec__ = self.own_spec  # the import system has put the one for `keras.x` there
        else:
            importlib.import_module(_NUMPY_NAMES).restore()  # here, for scripts may set NumPy up before
        # Modules that came along are known at once. Left to the import system, each would be set as an
        # attribute of its package when first imported, and `keras.layers.merge`, a function, would become
        # the module of that name.
        for name, loaded in list(sys.modules.items()):
            if name.startswith(OWN + "."):
                sys.modules.setdefault("keras" + name[len(OWN) :], loaded)


class _Finder(MetaPathFinder):
    """Answers for `keras` and all that is below it."""

    def __init__(self) -> None:
        self.hidden: dict[str, types.ModuleType] = {}  # modules called `keras…` whose place ours take

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "keras":
            return None
        own_name = OWN + fullname[len("keras") :]
        own = importlib.util.find_spec(own_name)
        if own is None:
            # not left to other finders: with Keras 3 installed they would mix its modules into ours
            raise ModuleNotFoundError(
                f"No module named {fullname!r} (run with {OWN}, whose modules are those of Keras 2)",
                name=fullname,
            )
        spec = ModuleSpec(fullname, _SameModule(own_name), origin=own.origin)
        if own.submodule_search_locations is not None:
            spec.submodule_search_locations = list(own.submodule_search_locations)
        return spec


_FINDER = _Finder()


def install() -> None:
    """Makes `import keras` mean pykeras in this process, until `remove`; for notebooks, say.

    From the first import of it on, NumPy also answers to the names that it had at that time, such as
    `np.float` and `np.unicode_`.

    Example:
        >>> install()
        >>> import keras
        >>> keras.__version__
        '2.2.4'
        >>> remove()
    """
    if _FINDER not in sys.meta_path:
        _FINDER.hidden = _take_keras_modules()
        sys.meta_path.insert(0, _FINDER)


def remove() -> None:
    """Undoes `install`: `keras` is again what it was."""
    if _FINDER in sys.meta_path:
        if _NUMPY_NAMES in sys.modules:
            sys.modules[_NUMPY_NAMES].take_away()
        sys.meta_path.remove(_FINDER)
        _take_keras_modules()
        sys.modules.update(_FINDER.hidden)
        _FINDER.hidden = {}


def _take_keras_modules() -> dict[str, types.ModuleType]:
    """Takes all modules called `keras…` out of `sys.modules` and returns them."""
    names = [name for name in sys.modules if name.partition(".")[0] == "keras"]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def keras_name() -> Iterator[None]:
    """Inside a `with` block, `import keras` means pykeras; afterwards nothing of it is left.

    Example:
        >>> with keras_name():
        ...     import keras
        ...     keras.__version__
        '2.2.4'
    """
    fresh = _FINDER not in sys.meta_path
    install()
    try:
        yield
    finally:
        if fresh:
            remove()


# ---- processes that the script starts


class _MainName(str):
    """The script's path or name on its way to a process of `multiprocessing`.

    Unpickled there, it prepares `import keras`: a spawned process runs the script again (as `__mp_main__`)
    before it does its work.
    """

    def __reduce__(self) -> Any:
        return _arrive, (str(self),)


def _arrive(name: str) -> str:
    install()
    _prepare_spawning()
    return name


def _prepare_spawning() -> Callable[[], None]:
    """Lets spawned processes know about `keras`; returns a function that undoes it."""
    from multiprocessing import spawn

    original = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        data = original(name)
        for key in ("init_main_from_path", "init_main_from_name"):
            if key in data:
                data[key] = _MainName(data[key])
        return data

    spawn.get_preparation_data = get_preparation_data  # type: ignore[assignment]

    def undo() -> None:
        spawn.get_preparation_data = original

    return undo


# ---- the script


def _load(path: str) -> types.CodeType:
    with io.open_code(os.path.abspath(path)) as file:
        source = file.read()
    return SourceFileLoader("__main__", path).source_to_code(source, os.path.abspath(path))


def _become(path: str, arguments: Sequence[str]) -> tuple[dict[str, Any], Callable[[], None]]:
    """Gives this process the face of `python path arguments`.

    Returns:
        (the name space of a fresh `__main__`, a function that puts everything back)
    """
    old_main, old_argv, old_path = sys.modules["__main__"], sys.argv, list(sys.path)
    fresh = _FINDER not in sys.meta_path
    install()
    undo_spawning = _prepare_spawning()

    main = types.ModuleType("__main__")
    main.__file__ = os.path.abspath(path)
    main.__loader__ = SourceFileLoader("__main__", main.__file__)
    main.__dict__.update(__builtins__=sys.modules["builtins"], __cached__=None, __annotations__={})
    sys.modules["__main__"] = main
    sys.argv = [os.fspath(path), *arguments]
    if not _safe_path():
        sys.path.insert(0, os.path.dirname(os.path.realpath(path)))

    def undo() -> None:
        sys.modules["__main__"] = old_main
        sys.argv = old_argv
        sys.path[:] = old_path
        undo_spawning()
        if fresh:
            remove()

    return main.__dict__, undo


def run_script(path: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a Keras script inside this process, as its `__main__`; afterwards everything is as before.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv[1:]`.

    Returns:
        the script's global names.

    Raises:
        whatever the script raises, SystemExit too; OSError if it cannot be read.
    """
    code = _load(path)
    names, undo = _become(path, arguments)
    try:
        exec(code, names)
    finally:
        undo()
    return names


def run_as_main(path: str, arguments: Sequence[str] = ()) -> int:
    """Runs a Keras script as `python path arguments` would; for the command line.

    The process stays what it has become, because threads and exit handlers of the script may still run.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv[1:]`.

    Returns:
        the exit status: 0, 1 after an exception (shown as Python shows it), 2 if there is no such script.
    """
    try:
        code = _load(path)
    except OSError as error:
        print(f"{OWN} run: cannot open the script {path!r}: {error.strerror}", file=sys.stderr)
        return 2
    except (SyntaxError, ValueError) as error:
        _show(error, None)
        return 1
    _drop_first_folder()
    names, _ = _become(path, arguments)
    return _ends(lambda: exec(code, names))


def run_module_as_main(name: str, arguments: Sequence[str] = ()) -> int:
    """Runs a module as `python -m name arguments` would; for the command line.

    Args:
        name: full name of the module, or of a package with a `__main__`.
        arguments: what it finds in `sys.argv[1:]`.

    Returns:
        the exit status: 0, or 1 after an exception or if there is no such module.
    """
    install()
    _prepare_spawning()
    _drop_first_folder()
    if not _safe_path():
        sys.path.insert(0, os.getcwd())
    sys.argv = [name, *arguments]

    def find_and_run() -> None:
        try:
            found = importlib.util.find_spec(name)  # which runs the packages above it
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            found = None
        if found is None:
            raise SystemExit(f"{OWN} run: No module named {name}")
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        except ImportError as error:
            if _part_of_script(error) is None:  # a package without __main__
                raise SystemExit(f"{OWN} run: {error}") from None
            raise

    return _ends(find_and_run)


def _ends(work: Callable[[], object]) -> int:
    """Does the work; an exception ends it as it ends a script under Python itself.

    Returns:
        the exit status, 0 or 1. SystemExit and KeyboardInterrupt go on to the interpreter.
    """
    try:
        work()
    except KeyboardInterrupt as error:
        _show_later(error)
        raise
    except Exception as error:
        _show(error, _part_of_script(error))
        _hint(error)
        return 1
    return 0


def _safe_path() -> bool:
    """Whether the user wants no folder of scripts on the path (`-P`, `-I`)."""
    return bool(getattr(sys.flags, "safe_path", False) or sys.flags.isolated)


def _drop_first_folder() -> None:
    """Takes away what Python has put in front of the path for the command itself."""
    if not _safe_path():
        del sys.path[:1]


def _part_of_script(error: BaseException) -> types.TracebackType | None:
    """The trace without what runs the script: this file and the import system."""
    ours = (__file__, runpy.__file__, importlib.util.__file__)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(("<frozen ", *ours)):
        trace = trace.tb_next
    return trace


def _show_later(error: BaseException) -> None:
    """Lets the interpreter show the script's part of the trace when it ends because of this error."""
    trace = _part_of_script(error)
    hook = sys.excepthook
    sys.excepthook = lambda kind, value, _: hook(kind, value.with_traceback(trace), trace)


def _show(error: BaseException, trace: types.TracebackType | None) -> None:
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _hint(error: BaseException) -> None:
    """Says what to do about a script that needs the engine under the original."""
    if not isinstance(error, ModuleNotFoundError):
        return
    name = error.name or ""
    engine = name.partition(".")[0]
    # An installed TensorFlow looks for Keras under the name `keras`, and finds ours.
    through_tensorflow = engine == "keras" and any(
        module.partition(".")[0] == "tensorflow" for module in _modules_in_trace(error)
    )
    if through_tensorflow or (engine == "tensorflow" and ".keras" in name):
        hint = (
            f"the script takes Keras from tensorflow. Only the name `keras` means {OWN}: write "
            "`from keras… import …` for `from tensorflow.keras… import …`, and `keras.…` for `tf.keras.…`."
        )
    elif engine in _OTHER_ENGINES:
        hint = f"the script imports {engine}, which is not installed. Its Keras part does not need it:\n"
        if engine == "tensorflow":
            hint += (
                "  `from tensorflow.keras… import …`, `tf.keras.…`: write `from keras… import …`, `keras.…`\n"
            )
        hint += (
            "  sessions, devices, seeds: delete these lines; `numpy.random.seed` makes runs reproducible\n"
            "  functions on tensors (such as `tf.reduce_mean`): `keras.backend` has them (`K.mean`)\n"
            f"  anything else: install {engine} beside {OWN}"
        )
    elif engine in _COMPANIONS:
        hint = (
            f"the script imports {engine}, which came along with Keras 2.2. It works with {OWN}: "
            f"`pip install {engine}`. Most of it is also in `{_COMPANIONS[engine]}`."
        )
    else:
        return
    print(f"\n{OWN} run: {hint}", file=sys.stderr)


def _modules_in_trace(error: BaseException) -> Iterator[str]:
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield frame.f_globals.get("__name__", "")
