"""Keras 1 configs: old class and argument names turned into those of Keras 2.

Old names never mean something else in Keras 2, so they are translated wherever they occur, whatever
version the file claims. Source: item 19.1 of the format's description.
"""

from __future__ import annotations

from typing import Any

from ..utils.keras1_words import CLASSES, COMMON, EFFORTS, MERGES, ORDERINGS, SPECIAL, is_one

Config = dict[str, Any]


def translate(class_name: str, config: Config) -> tuple[str, Config]:
    """Returns (class name, config) of a layer in Keras 2's words; Keras 2 configs come back unchanged.

    Args:
        class_name: as the file has it.
        config: the layer's config.

    Raises:
        ValueError: a setting that Keras 2 cannot express.
    """
    config = dict(config)
    if class_name == "Merge":
        return _merge(config)
    if class_name in ("Highway", "MaxoutDense"):  # these kept their words
        return class_name, _objects(config)
    if class_name == "TimeDistributedDense":
        config.pop("input_length", None)
    class_name = CLASSES.get(class_name, class_name)
    _kernel_size(config)
    if "dim_ordering" in config:
        ordering = config.pop("dim_ordering")
        config["data_format"] = ORDERINGS.get(ordering, ordering)
    if class_name != "Embedding" and "output_dim" in config and "units" not in config:
        config["units"] = config.pop("output_dim")
    if class_name.endswith("Pooling1D") and "stride" in config:
        config["strides"] = config.pop("stride")
    if "forget_bias_init" in config:
        config["unit_forget_bias"] = is_one(config.pop("forget_bias_init"))
    if "consume_less" in config:
        config["implementation"] = EFFORTS.get(config.pop("consume_less"), 1)
    if class_name == "BatchNormalization" and "mode" in config:
        mode = config.pop("mode")
        if mode != 0:
            raise ValueError(f"BatchNormalization {config.get('name')!r} has mode={mode}; only 0 is known")
    if class_name == "Conv2DTranspose" and isinstance(config.get("output_shape"), (list, tuple)):
        del config["output_shape"]
    _rename(class_name, config)
    return class_name, _objects(config)


def _objects(config: Config) -> Config:
    """Regularizers and constraints in the form of Keras 2."""
    for key in list(config):
        if key.endswith("_regularizer"):
            config[key] = _regularizer(config[key])
        elif key.endswith("_constraint"):
            config[key] = _constraint(config[key])
    return config


def _rename(class_name: str, config: Config) -> None:
    special = SPECIAL.get(class_name, {})
    for old, new in {**COMMON, **special}.items():
        if old in config and old != new:
            value = config.pop(old)
            config.setdefault(new, value)
    if class_name == "SeparableConv2D" and "kernel_initializer" in config:
        del config["kernel_initializer"]


def _kernel_size(config: Config) -> None:
    if "nb_row" in config and "nb_col" in config:
        config["kernel_size"] = [config.pop("nb_row"), config.pop("nb_col")]
    if "kernel_dim1" in config:
        config["kernel_size"] = [config.pop(f"kernel_dim{i}") for i in (1, 2, 3)]


def _regularizer(value: Any) -> Any:
    if isinstance(value, dict) and "class_name" not in value and ("l1" in value or "l2" in value):
        return {"class_name": "L1L2", "config": {k: value.get(k) or 0.0 for k in ("l1", "l2")}}
    return value


def _constraint(value: Any) -> Any:
    if not isinstance(value, dict) or "class_name" in value or "name" not in value:
        return value
    config = {key: item for key, item in value.items() if key != "name"}
    if "m" in config:
        config["max_value"] = config.pop("m")
    if "low" in config:
        config = {**config, "min_value": config.pop("low"), "max_value": config.pop("high")}
    return {"class_name": value["name"], "config": config}


def _merge(config: Config) -> tuple[str, Config]:
    mode = config.get("mode", "sum")
    if config.get("mode_type", "raw") != "raw" or mode not in MERGES:
        raise ValueError(
            f"Merge layer {config.get('name')!r} merges by a function ({str(mode)[:60]!r}); loading never "
            f"runs code from a file. Rebuild the model with today's layers and use `load_weights`"
        )
    new: Config = {key: config[key] for key in ("name", "trainable") if key in config}
    if mode == "concat":
        new["axis"] = config.get("concat_axis", -1)
    elif mode in ("dot", "cos"):
        axes = config.get("dot_axes", -1)
        if isinstance(axes, list):
            axes = [a[0] if isinstance(a, list) else a for a in axes]
        new["axes"] = axes
        new["normalize"] = mode == "cos"
    return MERGES[mode], new
