"""Initializers, regularizers, constraints and activations as the dialects of Keras write them.

Source: configs of tf.keras 1.13 to 2.15 and Keras 3 files.
"""

from __future__ import annotations

import inspect
from typing import Any

from .. import activations, constraints, initializers, regularizers

_MODULES = {
    "activation": activations,
    "constraint": constraints,
    "initializer": initializers,
    "regularizer": regularizers,
}

_NAMES = {
    "ConstantV2": "Constant",
    "GlorotNormalV2": "GlorotNormal",
    "GlorotUniformV2": "GlorotUniform",
    "IdentityInitializer": "Identity",
    "L1": "L1L2",
    "L2": "L1L2",
    "OnesV2": "Ones",
    "OrthogonalInitializer": "Orthogonal",
    "RandomNormalV2": "RandomNormal",
    "RandomUniformV2": "RandomUniform",
    "TruncatedNormalV2": "TruncatedNormal",
    "VarianceScalingV2": "VarianceScaling",
    "ZerosV2": "Zeros",
}

# classes that Keras 2 knows as functions returning a VarianceScaling: (scale, mode, distribution)
_SCALINGS = {
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
}


def kind_of(key: str) -> str | None:
    """What a config's key holds: 'initializer', 'regularizer', 'constraint', 'activation', or None."""
    kind = key.rsplit("_", 1)[-1]
    return kind if kind in _MODULES else None


def clean_object(kind: str, value: Any, known: dict[str, Any], weights_follow: bool) -> Any:
    """Puts the config of an initializer, regularizer, constraint or activation into our words.

    Args:
        kind: as `kind_of` returns it.
        value: what the file holds: None, a name or a dict.
        known: the caller's custom objects, which are left alone.
        weights_follow: weights will be loaded, so an initializer that is not known does not matter.

    Returns:
        None, a name, or ``{'class_name', 'config'}``.
    """
    if isinstance(value, dict):
        value = _clean_dict(kind, value, known)
    name = value.get("class_name") if isinstance(value, dict) else value
    if isinstance(name, str) and name not in known and _forbidden(kind, name):
        raise ValueError(f"Unknown {kind}: {name}")
    if kind == "initializer" and weights_follow and name is not None and not _exists(kind, name, known):
        return "zeros"
    return value


def _clean_dict(kind: str, value: dict[str, Any], known: dict[str, Any]) -> Any:
    name = value.get("class_name")
    config = value.get("config")
    if name == "function" and isinstance(config, str):  # Keras 3 writes functions so
        return config
    if not isinstance(name, str) or name in known:
        return value
    name = name.rsplit(">", 1)[-1]
    name = _NAMES.get(name, name)
    config = dict(config) if isinstance(config, dict) else {}
    if kind == "initializer":
        if name in _SCALINGS:
            scale, mode, distribution = _SCALINGS[name]
            config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": config.get("seed")}
            name = "VarianceScaling"
        elif name == "VarianceScaling" and "normal" in str(config.get("distribution")):
            config["distribution"] = "normal"
    target = getattr(_MODULES[kind], name, None)
    if kind != "activation" and callable(target):
        accepted = inspect.signature(target).parameters
        config = {key: item for key, item in config.items() if key in accepted}
    return {"class_name": name, "config": config}


def _forbidden(kind: str, name: str) -> bool:
    """Whether a name means something else that the module happens to hold: a helper, an import."""
    module = _MODULES[kind]
    found = getattr(module, name, None)
    if found is None:
        return False
    return name in ("get", "serialize", "deserialize") or getattr(found, "__module__", "") != module.__name__


def _exists(kind: str, name: Any, known: dict[str, Any]) -> bool:
    if not isinstance(name, str):
        return False
    return name in known or callable(getattr(_MODULES[kind], name, None))
