"""Names to objects and back, plus the small list helpers shared by the whole package.

Source: the public behaviour of keras/utils/generic_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

import hashlib
import inspect
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from .progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "deserialize_keras_object",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "has_arg",
    "is_all_none",
    "is_own_code",
    "object_list_uid",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]

_GLOBAL_CUSTOM_OBJECTS: dict[str, Any] = {}

# Digests of the code strings that func_dump made in this process: such code is already ours, so a config that
# never left the process (clone_model, from_config(get_config())) may be turned into a function again.
_DUMPED_HERE: set[bytes] = set()


# ---- registry


class CustomObjectScope:
    """Makes names known to every `deserialize` and `get` inside a `with` block.

    Args:
        *args: dicts name → class or function; later ones win.

    The registry is put back on exit exactly as it was, so scopes nest, one in itself too.

    Example:
        >>> with CustomObjectScope({'twice': lambda x: 2 * x}):
        ...     'twice' in get_custom_objects()
        True
    """

    def __init__(self, *args: dict[str, Any]) -> None:
        self.custom_objects = args
        self._backups: list[dict[str, Any]] = []

    def __enter__(self) -> CustomObjectScope:
        self._backups.append(_GLOBAL_CUSTOM_OBJECTS.copy())
        for objects in self.custom_objects:
            if objects:
                _GLOBAL_CUSTOM_OBJECTS.update(objects)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _GLOBAL_CUSTOM_OBJECTS.clear()
        _GLOBAL_CUSTOM_OBJECTS.update(self._backups.pop())


def custom_object_scope(*args: dict[str, Any]) -> CustomObjectScope:
    """Returns a `CustomObjectScope` over the given dicts, for use in a `with` statement."""
    return CustomObjectScope(*args)


def get_custom_objects() -> dict[str, Any]:
    """Returns the live global registry (name → class or function); changing it changes what can be read."""
    return _GLOBAL_CUSTOM_OBJECTS


# ---- objects ↔ configs


def serialize_keras_object(instance: Any) -> Any:
    """Describes an object so that `deserialize_keras_object` finds it again.

    Args:
        instance: None, an object with `get_config`, or anything with a `__name__`.

    Returns:
        None, ``{'class_name': …, 'config': …}``, or the name.

    Raises:
        ValueError: the object has neither a config nor a name.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not isinstance(instance, type):
        return {"class_name": instance.__class__.__name__, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return instance.__name__
    raise ValueError(f"Cannot serialize {instance!r}: it has neither `get_config` nor a name")


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Finds or builds the object that a name or a config stands for.

    Names are looked up in `custom_objects`, then in the global registry, then in `module_objects`.

    Args:
        identifier: a name, or a dict with `class_name` and `config`.
        module_objects: names of the calling module.
        custom_objects: names that only this call knows.
        printable_module_name: what to call the thing in errors ("layer", "loss function" …).

    Returns:
        The instance (from a config) or the named object (classes are returned as they are).

    Raises:
        ValueError: the name is unknown, or the identifier is of no known form.
    """
    if isinstance(identifier, dict):
        if "class_name" not in identifier or "config" not in identifier:
            raise ValueError(f"Improper config format: {identifier}")
        class_name, config = identifier["class_name"], identifier["config"]
        if not isinstance(class_name, str):
            raise ValueError(f"Improper config format: {identifier}")
        found = _lookup(class_name, module_objects, custom_objects)
        if found is None:
            raise ValueError(_unknown(printable_module_name, class_name))
        return _instantiate(found, {} if config is None else config, custom_objects)
    if isinstance(identifier, str):
        found = _lookup(identifier, module_objects, custom_objects)
        if found is None:
            raise ValueError(_unknown(printable_module_name, identifier, ":"))
        return found
    raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}")


def _lookup(name: Any, module_objects: dict[str, Any] | None, custom_objects: dict[str, Any] | None) -> Any:
    for objects in (custom_objects, _GLOBAL_CUSTOM_OBJECTS, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


def _unknown(kind: str, name: Any, separator: str = ": ") -> str:
    # Keras prints no blank after the colon for plain names; people search for both forms.
    return (
        f"Unknown {kind}{separator}{name}. If it is your own, pass it by name in `custom_objects` or use a "
        f"`CustomObjectScope`."
    )


def _instantiate(cls: Any, config: Any, custom_objects: dict[str, Any] | None) -> Any:
    if hasattr(cls, "from_config"):
        if has_arg(cls.from_config, "custom_objects"):
            merged = dict(_GLOBAL_CUSTOM_OBJECTS)
            merged.update(custom_objects or {})
            return cls.from_config(config, custom_objects=merged)
        with CustomObjectScope(custom_objects or {}):
            return cls.from_config(config)
    # A plain function or class: its config is its keyword arguments.
    with CustomObjectScope(custom_objects or {}):
        return cls(**config)


# ---- functions


def func_dump(func: Callable[..., Any]) -> tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """Turns a Python function into text.

    Args:
        func: a function written in Python (lambda or def).

    Returns:
        (base64 of its marshalled code, its defaults or None, the contents of its closure cells or None).
    """
    import base64
    import marshal

    raw = marshal.dumps(func.__code__)
    code = base64.b64encode(raw).decode("ascii")
    _DUMPED_HERE.add(hashlib.sha256(code.encode("ascii")).digest())
    closure = tuple(cell.cell_contents for cell in func.__closure__) if func.__closure__ else None
    return code, func.__defaults__, closure


def is_own_code(code: Any) -> bool:
    """Whether `func_dump` of this very process made this code string (it cannot be a stranger's)."""
    if isinstance(code, (tuple, list)):
        code = code[0] if code else None
    if not isinstance(code, str):
        return False
    text = code.strip().encode("utf-8", "replace")
    return hashlib.sha256(text).digest() in _DUMPED_HERE


def func_load(
    code: Any,
    defaults: tuple[Any, ...] | None = None,
    closure: tuple[Any, ...] | None = None,
    globs: dict[str, Any] | None = None,
) -> Callable[..., Any]:
    """Makes a function from what `func_dump` returned. It is foreign code: **trust its source first.**

    No loader of this package calls it on the content of a file.

    Args:
        code: the text, or the whole (code, defaults, closure) sequence.
        defaults: default values of the arguments.
        closure: values (or cells) of the closure.
        globs: global names of the function; the caller's module by default is this one.

    Returns:
        The function.
    """
    import base64
    import binascii
    import marshal

    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
        if isinstance(defaults, list):
            defaults = tuple(defaults)

    def cell(value: Any) -> Any:
        return value if isinstance(value, types.CellType) else types.CellType(value)

    cells = tuple(cell(value) for value in closure) if closure is not None else None
    try:
        raw = base64.b64decode("".join(code.split()).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        # files of the early 2.0 releases hold escaped text instead of base64
        raw = code.encode("raw_unicode_escape")
    return types.FunctionType(
        marshal.loads(raw), globals() if globs is None else globs, name=None, argdefs=defaults, closure=cells
    )


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether `fn` can be called with the keyword `name`.

    Args:
        fn: any callable.
        name: the keyword.
        accept_all: what a `**kwargs` in the signature counts as.

    Returns:
        True if the parameter exists and may be given by keyword.
    """
    try:
        parameters = _parameters(fn)
    except (TypeError, ValueError):
        return False
    parameter = parameters.get(name)
    if parameter is None:
        return accept_all and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    return parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


# Function → its parameters: reading a signature takes as long as making a small layer, and large models ask
# for those of the same methods thousands of times. Functions that are gone are forgotten.
_PARAMETERS: weakref.WeakKeyDictionary[Any, dict[str, inspect.Parameter]] = weakref.WeakKeyDictionary()


def _parameters(fn: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Parameters of a callable, a method's without its first one. Raises TypeError or ValueError if none."""
    function: Any = fn
    if inspect.ismethod(fn):
        function = fn.__func__
    elif not inspect.isroutine(fn) and not inspect.isclass(fn):
        function = vars(type(fn)).get("__call__")
    if not inspect.isfunction(function):
        return dict(inspect.signature(fn).parameters)
    known = _PARAMETERS.get(function)
    if known is None:
        known = _PARAMETERS[function] = dict(inspect.signature(function).parameters)
    if function is fn:
        return known
    first, *others = known.items()
    return known if first[1].kind is inspect.Parameter.VAR_POSITIONAL else dict(others)


# ---- list helpers


def to_list(x: Any, allow_tuple: bool = False) -> Any:
    """Returns `x` if it is a list, else `[x]`; a tuple becomes a list of its items only if asked to.

    Args:
        x: anything.
        allow_tuple: True keeps a tuple's items as the list's items instead of wrapping the tuple.
    """
    if isinstance(x, list):
        return x
    if allow_tuple and isinstance(x, tuple):
        return list(x)
    return [x]


def unpack_singleton(x: Any) -> Any:
    """Returns the only item of a sequence of length one, anything longer as it is."""
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """Returns a text that is equal for lists of the same objects (by identity)."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether the argument is None or a list or tuple of nothing but None."""
    items = to_list(iterable_or_element, allow_tuple=True)
    return all(item is None for item in items)


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Cuts rows out of an array or out of each array of a list.

    Args:
        arrays: None, an array, or a list of arrays and Nones.
        start: first row, or the rows themselves (list or array of indices; then `stop` must be None).
        stop: row after the last.

    Returns:
        The same structure with fewer rows; ``[None]`` for None.

    Raises:
        ValueError: indices and `stop` together.
    """
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError(f"The stop argument has to be None if the value of start is a list, got stop={stop}")
    if hasattr(start, "__len__"):
        rows: Any = start.tolist() if hasattr(start, "tolist") else start  # HDF5 datasets want plain lists
    elif start is None and stop is None:
        return [None] if isinstance(arrays, list) else None
    else:
        rows = slice(start, stop)
    if isinstance(arrays, list):
        return [None if x is None else x[rows] for x in arrays]
    return arrays[rows]


def transpose_shape(shape: Iterable[Any], target_format: str, spatial_axes: Iterable[int]) -> tuple[Any, ...]:
    """Reorders a channels_last shape.

    Args:
        shape: shape in channels_last order.
        target_format: 'channels_last' (nothing changes) or 'channels_first'.
        spatial_axes: positions of the spatial axes in `shape`.

    Returns:
        tuple in the target order (leading axes, channels, spatial axes for channels_first).

    Raises:
        ValueError: another format.
    """
    values = tuple(shape)
    if target_format == "channels_last":
        return values
    if target_format == "channels_first":
        axes = tuple(spatial_axes)
        return values[: axes[0]] + (values[-1],) + tuple(values[i] for i in axes)
    raise ValueError(
        'The `data_format` argument must be one of "channels_first", "channels_last". '
        f"Received: {target_format}"
    )


def check_for_unexpected_keys(name: str, input_dict: dict[str, Any], expected_values: Iterable[str]) -> None:
    """Raises ValueError if the dict has keys that are not expected (`name` says what was passed)."""
    expected = list(expected_values)
    unknown = sorted(str(key) for key in set(input_dict).difference(expected))
    if unknown:
        raise ValueError(
            f"Unknown entries in {name} dictionary: {unknown}. Only expected following keys: {expected}"
        )
