"""Calls in the words of Keras 1, turned into those of Keras 2 with a warning that shows the new call."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

# takes and returns positional arguments (`self` among them) and keywords, and lists what it turned
Preprocessor = Callable[[Any, Any], Any]
NO_WORDS: frozenset[str] = frozenset()


def looks_at(*words: str) -> Callable[[Preprocessor], Preprocessor]:
    """Marks a preprocessor that has nothing to do unless one of these keywords is given.

    Calls with none of them, and not too many positional arguments, need not run it.
    """

    def mark(preprocessor: Preprocessor) -> Preprocessor:
        preprocessor.words = frozenset(words)  # type: ignore[attr-defined]
        return preprocessor

    return mark


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> None:
    """Complains of an argument that was given under two names.

    Args:
        old_arg: its name in Keras 1.
        new_arg: its name in Keras 2.

    Raises:
        TypeError: always.
    """
    raise TypeError(
        f"For the `{new_arg}` argument, the layer received both the legacy keyword argument `{old_arg}` and "
        f"the Keras 2 keyword argument `{new_arg}`. Stick to the latter!"
    )


def generate_legacy_interface(
    allowed_positional_args: Any = None,
    conversions: Any = None,
    preprocessor: Preprocessor | None = None,
    value_conversions: Any = None,
    object_type: str = "class",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a decorator for constructors or methods that understands calls in the words of Keras 1.

    Args:
        allowed_positional_args: names of the arguments that may be given by position; None allows any.
        conversions: list of (old keyword, new keyword).
        preprocessor: called with (args, kwargs), returns them and a list of (new, old) that it turned.
        value_conversions: old keyword → dict of old value → new value.
        object_type: 'class' for constructors, 'method' for methods; how the warning names the call.

    The decorated function warns when it turned something, and raises TypeError if an argument is given under
    both its names or too many are given by position.
    """
    conversions = list(conversions or ())
    value_conversions = dict(value_conversions or {})
    most = None if allowed_positional_args is None else len(allowed_positional_args)
    words = {old for old, _ in conversions}
    always = preprocessor is not None and not hasattr(preprocessor, "words")
    words |= getattr(preprocessor, "words", NO_WORDS)
    old_words = frozenset(words)
    free = 10**9 if most is None else most + 1  # `self` is one of them

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        def turn(args: Any, kwargs: Any) -> tuple[Any, Any]:
            name = type(args[0]).__name__ if object_type == "class" else func.__name__
            turned: list[Any] = []
            if preprocessor is not None:
                args, kwargs, turned = preprocessor(args, kwargs)
            if most is not None and len(args) > most + 1:
                given = ", ".join(allowed_positional_args)
                raise TypeError(
                    f"`{name}` can accept only {most} positional arguments "
                    + (f"({given}), " if most else "")
                    + f"but you passed {len(args) - 1}. Give the others by their keywords: they have other "
                    f"names and places than in Keras 1."
                )
            for old, new in conversions:
                if old in kwargs:
                    by_place = allowed_positional_args and new in allowed_positional_args[: len(args) - 1]
                    if new in kwargs or by_place:
                        raise_duplicate_arg_error(old, new)
                    value = kwargs.pop(old)
                    values = value_conversions.get(old)
                    kwargs[new] = values.get(value, value) if values and _hashable(value) else value
                    turned.append((new, old))
            if turned:
                _suggest(name, args, kwargs)
            return args, kwargs

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if always or len(args) > free or not old_words.isdisjoint(kwargs):
                args, kwargs = turn(args, kwargs)
            return func(*args, **kwargs)

        wrapper._original_function = func  # type: ignore[attr-defined]
        return wrapper

    return decorate


def _suggest(name: str, args: Any, kwargs: dict[str, Any]) -> None:
    shown = [_short(value) for value in args[1:]] + [f"{key}={_short(kwargs[key])}" for key in kwargs]
    depth = 4  # this, turn, wrapper: the caller comes next
    frame = inspect.currentframe()
    caller = frame.f_back.f_back.f_back if frame and frame.f_back and frame.f_back.f_back else None
    while caller is not None and caller.f_code.co_name == "__init__" and "__class__" in caller.f_locals:
        caller, depth = caller.f_back, depth + 1  # constructors of subclasses
    warnings.warn(
        f"Update your `{name}` call to the Keras 2 API: `{name}({', '.join(shown)})`", stacklevel=depth
    )


def _short(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return "array"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


@looks_at("nb_val_samples", "val_samples", "samples_per_epoch")
def generator_methods_args_preprocessor(args: Any, kwargs: Any) -> Any:
    """Counts of samples become counts of batches, if the generator knows the size of its batches."""
    generator = args[1] if len(args) > 1 else kwargs.get("generator")
    turned = []
    batch = getattr(generator, "batch_size", None)
    if batch is not None and "samples_per_epoch" in kwargs:
        if "steps_per_epoch" in kwargs or len(args) > 2:
            raise_duplicate_arg_error("samples_per_epoch", "steps_per_epoch")
        kwargs["steps_per_epoch"] = kwargs.pop("samples_per_epoch") // batch
        turned.append(("steps_per_epoch", "samples_per_epoch"))
    if batch is not None and "val_samples" in kwargs:
        if "steps" in kwargs or len(args) > 2:
            raise_duplicate_arg_error("val_samples", "steps")
        kwargs["steps"] = kwargs.pop("val_samples") // batch
        turned.append(("steps", "val_samples"))
    return args, kwargs, turned


generate_legacy_method_interface = functools.partial(generate_legacy_interface, object_type="method")

legacy_generator_methods_support = generate_legacy_method_interface(
    allowed_positional_args=["generator", "steps_per_epoch", "epochs"],
    conversions=[
        ("samples_per_epoch", "steps_per_epoch"),
        ("val_samples", "steps"),
        ("nb_epoch", "epochs"),
        ("nb_val_samples", "validation_steps"),
        ("nb_worker", "workers"),
        ("pickle_safe", "use_multiprocessing"),
        ("max_q_size", "max_queue_size"),
    ],
    preprocessor=generator_methods_args_preprocessor,
)


def add_weight_args_preprocessing(args: Any, kwargs: Any) -> Any:
    """`add_weight`: the shape came first, then the name."""
    if len(args) > 1 and isinstance(args[1], (tuple, list)):
        kwargs["shape"] = args[1]
        args = (args[0], *args[2:])
        if len(args) > 1 and isinstance(args[1], str):
            kwargs["name"] = args[1]
            args = (args[0], *args[2:])
    return args, kwargs, []


def get_updates_arg_preprocessing(args: Any, kwargs: Any) -> Any:
    """`get_updates` of optimizers: (params, constraints, loss) becomes (loss, params).

    Raises:
        TypeError: too many arguments.
        ValueError: constraints, which belong to the variables now.
    """
    if len(args) > 4:
        raise TypeError(
            f"`get_update` call received more than three arguments: {list(args[1:])}. Call it as "
            f"`get_updates(loss=loss, params=params)`."
        )
    turned = []
    if len(args) == 4:
        optimizer, params, constraints, loss = args
        args = (optimizer,)
        kwargs.update(loss=loss, params=params, constraints=constraints)
        turned.append(("params", "params"))
    if "constraints" in kwargs:
        if kwargs.pop("constraints"):
            raise ValueError(
                "`get_updates` takes no constraints: give them to the variables, as in "
                "`K.variable(value, constraint=...)` or `add_weight(constraint=...)`."
            )
        turned.append(("", "constraints"))
    return args, kwargs, turned


legacy_get_updates_support = generate_legacy_method_interface(preprocessor=get_updates_arg_preprocessing)
