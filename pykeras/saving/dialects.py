"""Model configs of Keras 1, 2.x, tf.keras and Keras 3, put into the words of our own layers.

The config of a file is data that someone else wrote: class names are looked up among the layers of this
package and the caller's custom objects, nowhere else, and a setting that our layer does not have is either
known to be harmless or an error; it is never dropped in silence.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

from ..utils.generic_utils import get_custom_objects
from . import keras1
from .objects import clean_object, kind_of

Config = dict[str, Any]

_CLASSES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Container": "Model",
    "Functional": "Model",
    "Graph": "Model",
    "GRUV2": "GRU",
    "LSTMV2": "LSTM",
    "SyncBatchNormalization": "BatchNormalization",
}

_BASE_KEYS = frozenset(
    {"batch_input_shape", "batch_size", "dtype", "input_dtype", "input_shape", "name", "trainable", "weights"}
)

# Settings of other dialects that change nothing here, whatever their value …
_IRRELEVANT = frozenset(
    {
        "autocast",
        "build_config",
        "count_include_pad",
        "fused",
        "implementation",
        "input_dim",
        "input_length",
        "module",
        "node_def",
        "optional",
        "renorm_clipping",
        "renorm_momentum",
        "seed",
        "sparse",
        "synchronized",
        "use_cudnn",
        "virtual_batch_size",
    }
)

# … and the value at which they change nothing.
_NEUTRAL: dict[str, Any] = {
    "data_format": "channels_last",
    "dilation_rate": 1,
    "groups": 1,
    "interpolation": "nearest",
    "negative_slope": 0.0,
    "reset_after": False,
    "threshold": 0.0,
}

_FLOATS = frozenset({"float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "half"})


class _Context:
    def __init__(
        self, custom_objects: dict[str, Any] | None, weights_follow: bool, keras_version: str | None
    ) -> None:
        self.known: dict[str, Any] = {**get_custom_objects(), **(custom_objects or {})}
        self.weights_follow = weights_follow
        self.last_cell_first = _last_cell_first(keras_version)
        self.unknown: list[str] = []


def _last_cell_first(version: str | None) -> bool:
    """Whether this version listed the states of stacked cells from the last cell: Keras before 2.2.3."""
    if not isinstance(version, str) or version.endswith("tf"):
        return False
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return bool(numbers) and numbers < (2, 2, 3)


def clean_model_config(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    weights_follow: bool = False,
    keras_version: str | None = None,
) -> Config:
    """Translates the config of a model.

    Args:
        config: dict with class_name and config, of any dialect.
        custom_objects: names that the caller knows; their configs are left alone.
        weights_follow: weights will be loaded, so unknown initializers do not matter.
        keras_version: version that wrote it; None means what the config says, if it says anything.

    Returns:
        a new dict that `pykeras.layers.deserialize` understands.

    Raises:
        ValueError: not the config of a model, unknown layers (all are named), or settings that do not
        exist here.
    """
    if isinstance(config, dict) and "class_name" not in config and "output_layers" in config:
        config = {"class_name": "Model", "config": config}  # the bare result of model.get_config()
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"This is not the config of a model: {str(config)[:200]}")
    version = config.get("keras_version") if keras_version is None else keras_version
    context = _Context(custom_objects, weights_follow, version)
    try:
        cleaned = _clean(config, context)
    except RecursionError:
        raise ValueError("The config of the model is nested too deeply") from None
    if context.unknown:
        names = sorted(set(context.unknown))
        listed = ", ".join(f"{name!r}: {name}" for name in names)
        raise ValueError(
            f"Unknown layer: {', '.join(names)}. Define what this file needs in your program and pass it: "
            f"custom_objects={{{listed}}}"
        )
    return cleaned


def _clean(node: Any, context: _Context) -> Config:
    """Translates one {'class_name', 'config'} entry, a layer or a model."""
    if not isinstance(node, dict) or not isinstance(node.get("class_name"), str):
        raise ValueError(f"This is not the config of a layer: {str(node)[:200]}")
    name = node["class_name"]
    config = _plain(node.get("config"))
    if name in context.known:
        return {"class_name": name, "config": config}
    registered = name.rsplit(">", 1)[-1]
    if registered in context.known:
        return {"class_name": registered, "config": config}
    name = _CLASSES.get(registered, registered)
    if name == "Sequential":
        return {"class_name": name, "config": _clean_sequential(config, context)}
    if not isinstance(config, dict):
        raise ValueError(f"The config of layer {name} is no dict: {str(config)[:200]}")
    if name == "Model" or ("layers" in config and "output_layers" in config):
        return {"class_name": "Model", "config": _clean_functional(config, context)}
    return _clean_layer(name, config, context)


# ---- models


def _clean_sequential(config: Any, context: _Context) -> Any:
    bare = isinstance(config, list)
    entries = config if bare else config.get("layers") if isinstance(config, dict) else None
    if not isinstance(entries, list):
        raise ValueError("The config of a Sequential model has no list of layers")
    layers = [_clean(entry, context) for entry in entries]
    first = entries[0] if entries else {}
    if first.get("class_name") == "Merge" and (first.get("config") or {}).get("layers"):
        layers[0] = _clean_branches(first["config"], context)
    if bare:
        return layers
    shape = config.get("build_input_shape")
    if shape and layers and not has_input_shape(layers):
        first = layers[0]["config"]
        if isinstance(first, dict):
            first["batch_input_shape"] = shape
    result: Config = {"layers": layers}
    return result | _own_settings(config)


def _own_settings(config: Config) -> Config:
    """What a model says about itself: its name, and whether it is frozen."""
    frozen = {"trainable": False} if config.get("trainable") is False else {}
    return {"name": config["name"], **frozen} if "name" in config else frozen


def _clean_branches(config: Config, context: _Context) -> Config:
    """A `Merge` that holds the models which it joins, as the start of a Keras 1 stack."""
    keys = ("name", "mode", "mode_type", "concat_axis", "dot_axes")
    merge: Config = {key: config[key] for key in keys if key in config}
    merge["layers"] = [_clean(_plain(entry), context) for entry in config["layers"]]
    return {"class_name": "Merge", "config": merge}


def has_input_shape(layers: list[Config]) -> bool:
    """Whether the first of a Sequential's (cleaned) layers says what it takes."""
    if not layers:
        return True
    config = layers[0]["config"]
    if isinstance(config, list):
        return has_input_shape(config)
    if "output_layers" in config or layers[0]["class_name"] == "Merge":
        return True
    if "layers" in config:
        return has_input_shape(config["layers"])
    if isinstance(config.get("layer"), dict) and has_input_shape([config["layer"]]):
        return True
    keys = ("batch_input_shape", "input_shape", "input_dim")
    return layers[0]["class_name"] == "Embedding" or any(config.get(key) is not None for key in keys)


def _clean_functional(config: Config, context: _Context) -> Config:
    layers = []
    for entry in config.get("layers") or []:
        cleaned = _clean(entry, context)
        cleaned["name"] = entry.get("name") or cleaned["config"].get("name")
        nodes = entry.get("inbound_nodes") or []
        if isinstance(nodes, dict):
            nodes = list(nodes.values())
        cleaned["inbound_nodes"] = [_clean_node(node) for node in nodes]
        layers.append(cleaned)
    result: Config = {
        "layers": layers,
        "input_layers": _tensor_list(config.get("input_layers")),
        "output_layers": _tensor_list(config.get("output_layers")),
    }
    return result | _own_settings(config)


def _clean_node(node: Any) -> list[Any]:
    """One call of a layer as a list of [layer, node, tensor, kwargs]."""
    if isinstance(node, dict) and "args" in node:
        return _keras3_node(node)
    if isinstance(node, dict):
        node = [node[key] for key in node]
    if _is_reference(node):
        node = [node]
    return [list(entry) for entry in node]


def _is_reference(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) in (3, 4) and isinstance(value[0], str)


def _keras3_node(node: Config) -> list[Any]:
    references: list[list[Any]] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            references.append(list(value["config"]["keras_history"]))
        elif isinstance(value, dict):
            for item in value.values():
                collect(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                collect(item)

    collect(node["args"])
    kwargs = {key: item for key, item in (node.get("kwargs") or {}).items() if item is not None}
    kwargs.pop("training", None)
    kwargs.pop("mask", None)
    for reference in references:
        reference.append(kwargs)
    return references


def _tensor_list(value: Any) -> list[Any]:
    """`input_layers` as a list of [layer, node, tensor]; a single one, nested lists, dicts are flattened."""
    if _is_reference(value):
        return [list(value)]
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"The config of a model names no input or output layers: {str(value)[:100]}")
    return [reference for item in value for reference in _tensor_list(item)]


# ---- layers


def _clean_layer(name: str, config: Config, context: _Context) -> Config:
    name, config = keras1.translate(name, config)
    cls = layer_class(name)
    if cls is None:
        context.unknown.append(name)
        return {"class_name": name, "config": config}
    for key in ("layer", "cell", "backward_layer"):
        if isinstance(config.get(key), dict):
            config[key] = _clean(config[key], context)
    if isinstance(config.get("cells"), list):
        config["cells"] = [_clean(cell, context) for cell in config["cells"]]
        if name == "StackedRNNCells" and context.last_cell_first:
            config.setdefault("reverse_state_order", True)
    _clean_input(name, config)
    if name == "BatchNormalization" and isinstance(config.get("axis"), (list, tuple)):
        if len(config["axis"]) != 1:
            raise ValueError(f"BatchNormalization {config.get('name')!r} over several axes {config['axis']}")
        config["axis"] = config["axis"][0]
    if name == "Flatten":  # up to 2.1.5 it had no such setting and never moved the channels
        config.setdefault("data_format", "channels_last")
    if name == "LeakyReLU" and "negative_slope" in config:
        config["alpha"] = config.pop("negative_slope")
    for key in list(config):
        kind = kind_of(key)
        if kind is not None:
            config[key] = clean_object(kind, config[key], context.known, context.weights_follow)
    _drop_foreign(name, cls, config)
    return {"class_name": name, "config": config}


def _clean_input(name: str, config: Config) -> None:
    """Shapes and dtypes: `dtype` of tf.keras is what a layer computes in, of Keras 2 what its input holds."""
    if "batch_shape" in config:
        config.setdefault("batch_input_shape", config.pop("batch_shape"))
    dtype = config.get("dtype")
    if isinstance(dtype, dict):
        dtype = (dtype.get("config") or {}).get("name")
    if "dtype" in config:
        if name != "InputLayer" and config.get("batch_input_shape") is None:
            del config["dtype"]
        else:
            config["dtype"] = _dtype(dtype)
    if config.get("ragged"):
        raise ValueError(f"Layer {config.get('name')!r} takes ragged tensors, which do not exist here")
    config.pop("ragged", None)


def _dtype(name: Any) -> Any:
    if name in _FLOATS:
        return "float32"
    if name in ("int8", "int16", "uint16", "uint32", "uint64"):
        return "int32"
    return name


def layer_class(name: str) -> Any:
    """Returns the layer class of that name, None if this package has none (whatever else the name is)."""
    from .. import layers

    cls = getattr(layers, name, None) if name[:1].isalpha() else None
    return cls if inspect.isclass(cls) and hasattr(cls, "get_config") else None


@functools.cache
def _accepted(cls: type) -> frozenset[str]:
    """The constructor's keywords, with those of the bases that its **kwargs reach."""
    names = set(_BASE_KEYS)
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = inspect.signature(init).parameters.values()
        names.update(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return frozenset(names - {"self"})


def _drop_foreign(name: str, cls: type, config: Config) -> None:
    if name == "Lambda":
        return  # its from_config reads keys that its constructor does not have
    accepted = _accepted(cls)
    for key in list(config):
        if key in accepted:
            continue
        value = config[key]
        if key == "input_dim" and value is not None and config.get("batch_input_shape") is None:
            length = [config["input_length"]] if "input_length" in config else []
            config["batch_input_shape"] = [None, *length, value]
        if key in _IRRELEVANT or value in (None, False, [], {}) or _neutral(key, value):
            del config[key]
            continue
        raise ValueError(
            f"Layer {config.get('name')!r} ({name}) has the setting {key}={value!r}, which does not exist "
            f"here; without it the numbers would be wrong"
        )


def _neutral(key: str, value: Any) -> bool:
    if key not in _NEUTRAL:
        return False
    items = value if isinstance(value, (list, tuple)) else [value]
    return all(item == _NEUTRAL[key] for item in items)


def _plain(value: Any) -> Any:
    """A deep copy (translating must not change the caller's config) with Keras 3's marked tuples as lists."""
    if isinstance(value, dict):
        if value.get("class_name") == "__tuple__":
            return [_plain(item) for item in value.get("items", [])]
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value
