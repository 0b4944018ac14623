"""Architectures as dicts, JSON and YAML.

Source: items 3.1.3 to 3.1.6 of the format's description; keras/models.py (2.1.6).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .dialects import clean_model_config
from .hdf5 import BACKEND, KERAS_VERSION


def model_from_config(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds a model, with new weights, from its config.

    Args:
        config: dict with class_name and config.
        custom_objects: name → class or function, for what this package does not have.

    Returns:
        the model, not compiled.

    Raises:
        TypeError: a list (the config of a Sequential without its wrapping).
        ValueError: unknown layers or settings.
    """
    return build_model(config, custom_objects, weights_follow=False)


def build_model(
    config: Any,
    custom_objects: dict[str, Any] | None,
    weights_follow: bool,
    keras_version: str | None = None,
) -> Any:
    """`model_from_config`; with `weights_follow`, unknown initializers do not matter."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    from .. import layers

    config = clean_model_config(config, custom_objects, weights_follow, keras_version)
    return layers.deserialize(config, custom_objects=custom_objects)


def model_from_json(json_string: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds a model, with new weights, from JSON text.

    Args:
        json_string: what `model.to_json()` returned (here or in another Keras).
        custom_objects: name → class or function, for what this package does not have.

    Returns:
        the model, not compiled.

    Raises:
        ValueError: no JSON, unknown layers or settings.
    """
    return model_from_config(parse_json(json_string), custom_objects)


def parse_json(text: Any) -> Any:
    """Parses JSON text, also if it was encoded twice.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        value = json.loads(text)
        if isinstance(value, str):
            value = json.loads(value)
    except RecursionError:
        raise ValueError("The config is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"The config is not JSON: {error}") from error
    return value


def model_to_json(model: Any, **kwargs: Any) -> str:
    """Returns a model's architecture as JSON text.

    Args:
        model: the model.
        **kwargs: for `json.dumps`.
    """
    kwargs.setdefault("default", json_value)
    return json.dumps(model_to_dict(model), **kwargs)


def model_to_dict(model: Any) -> dict[str, Any]:
    """Returns a model's architecture as a dict with class_name, config, keras_version and backend."""
    return {
        "class_name": model.__class__.__name__,
        "config": model.get_config(),
        "keras_version": KERAS_VERSION,
        "backend": BACKEND,
    }


def json_value(obj: Any) -> Any:
    """For `json.dumps(default=…)`: NumPy values become numbers and lists, functions and classes their names.

    Raises:
        TypeError: anything else.
    """
    config = getattr(obj, "_keras_config", None)  # a loss that a dict in a file described
    if config is not None:
        return config
    if isinstance(obj, np.ndarray):
        return obj.tolist()
    if isinstance(obj, np.generic):
        return obj.item()
    if hasattr(obj, "get_config"):
        return {"class_name": obj.__class__.__name__, "config": obj.get_config()}
    if isinstance(obj, (set, frozenset)):
        return sorted(obj)
    if hasattr(obj, "__name__"):
        return obj.__name__
    raise TypeError(f"Not JSON Serializable: {obj!r}")


# ---- YAML


def model_from_yaml(yaml_string: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds a model, with new weights, from YAML text. Only plain data is read; Python objects in it are
    refused.

    Args:
        yaml_string: what `model.to_yaml()` returned (here or in another Keras).
        custom_objects: name → class or function, for what this package does not have.

    Returns:
        the model, not compiled.

    Raises:
        ImportError: no PyYAML.
        ValueError: no YAML of plain data, unknown layers or settings.
    """
    return model_from_config(parse_yaml(yaml_string), custom_objects)


def parse_yaml(text: Any) -> Any:
    """Parses YAML of plain data, tuples and Python 2's strings.

    Raises:
        ValueError: anything else in it.
    """
    yaml = _import_yaml("model_from_yaml")

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        pass

    prefix = "tag:yaml.org,2002:python/"
    Loader.add_constructor(
        prefix + "tuple", lambda loader, node: tuple(loader.construct_sequence(node, True))
    )
    for tag in ("unicode", "str"):
        Loader.add_constructor(prefix + tag, lambda loader, node: loader.construct_scalar(node))
    try:
        return yaml.load(text, Loader=Loader)
    except RecursionError:
        raise ValueError("The config is nested too deeply") from None
    except yaml.YAMLError as error:
        raise ValueError(f"The config is not YAML of plain data: {error}") from error


def model_to_yaml(model: Any, **kwargs: Any) -> str:
    """Returns a model's architecture as YAML text.

    Args:
        model: the model.
        **kwargs: for `yaml.dump`.
    """
    yaml = _import_yaml("to_yaml")
    return yaml.dump(_plain(model_to_dict(model)), **kwargs)


def _plain(value: Any) -> Any:
    """Leaves nothing but dicts, lists, tuples, texts and numbers, each separate, to avoid YAML's aliases."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple)(_plain(item) for item in value)
    if value is None or type(value) in (str, bool, int, float, bytes):
        return value
    if isinstance(value, int):
        return int(value)
    return _plain(json_value(value))


def _import_yaml(caller: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError(f"`{caller}` requires PyYAML.") from error
    return yaml
