"""How a model was compiled: the `training_config` of a file in the dialects of Keras 2.x and tf.keras.

Source: items 3.2.5 to 3.2.8 of the format's description; configs of tf.keras 1.13 to 2.15 and Keras 3 files.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .. import losses, metrics
from ..utils._warn import warn
from ..utils.generic_utils import get_custom_objects

Config = dict[str, Any]


def training_config(model: Any) -> Config:
    """Describes how a compiled model was compiled, in the words of Keras 2.1.6 to 2.2.4."""
    optimizer = model.optimizer
    config: Config = {
        "optimizer_config": {"class_name": optimizer.__class__.__name__, "config": optimizer.get_config()},
        "loss": model.loss,
        "metrics": model.metrics,
        "sample_weight_mode": model.sample_weight_mode,
        "loss_weights": model.loss_weights,
    }
    weighted = getattr(model, "weighted_metrics", None)
    if weighted:
        config["weighted_metrics"] = weighted
    return config


def compile_arguments(config: Config, model: Any, custom_objects: Config | None) -> Config:
    """Turns a file's training_config into arguments for `model.compile`.

    Args:
        config: the parsed training_config.
        model: the model, for the names of its outputs.
        custom_objects: name → class or function.

    Returns:
        keyword arguments.

    Raises:
        ValueError: an optimizer or loss that is not known.
    """
    from .. import optimizers

    known = {**get_custom_objects(), **(custom_objects or {})}
    arguments: Config = {
        "optimizer": optimizers.deserialize(_optimizer(config["optimizer_config"], known), custom_objects),
        "loss": _losses(config.get("loss"), known),
        "metrics": _metrics(config.get("metrics"), model, known),
        "loss_weights": config.get("loss_weights"),
        "sample_weight_mode": config.get("sample_weight_mode"),
    }
    weighted = _metrics(config.get("weighted_metrics"), model, known)
    if weighted:
        arguments["weighted_metrics"] = weighted
    return arguments


def _optimizer(config: Config, known: Config) -> Config:
    name = str(config.get("class_name"))
    if name not in known:
        name = name.rsplit(">", 1)[-1]
    return {"class_name": name, "config": dict(config.get("config") or {})}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value and "config" in value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name.rsplit(">", 1)[-1]).lower()


def _losses(value: Any, known: Config) -> Any:
    if isinstance(value, list):
        return [_losses(item, known) for item in value]
    if _is_object(value):
        return _loss_object(value, known)
    if isinstance(value, dict):
        return {key: _losses(item, known) for key, item in value.items()}
    return known.get(value, value) if isinstance(value, str) else value


def _loss_object(value: Config, known: Config) -> Any:
    """A tf.keras loss object as a function's name, or as a function that first applies its settings."""
    name, config = value["class_name"], value["config"]
    if name == "function" and isinstance(config, str):
        return known.get(config, config)
    if name in known:
        return known[name](**config) if isinstance(known[name], type) else known[name]
    if name == "LossFunctionWrapper":
        name = str(config.get("fn", config.get("name")))
    function = getattr(losses, _snake(name), None)
    if not callable(function):
        raise ValueError(f"Unknown loss function:{name}. Pass it in `custom_objects`")
    if not config.get("from_logits") and not config.get("label_smoothing"):
        return function.__name__
    return _configured_loss(function, value)


def _classes(y_pred: Any) -> int:
    from .. import backend as K

    shape: Any = K.int_shape(y_pred)
    return int(shape[-1])


def _configured_loss(function: Any, value: Config) -> Any:
    from .. import backend as K

    config = value["config"]
    smoothing = config.get("label_smoothing") or 0.0
    squash = {"binary_crossentropy": K.sigmoid}.get(function.__name__, K.softmax)

    def loss(y_true: Any, y_pred: Any) -> Any:
        if smoothing and function.__name__ == "binary_crossentropy":
            y_true = y_true * (1.0 - smoothing) + 0.5 * smoothing
        elif smoothing:
            y_true = y_true * (1.0 - smoothing) + smoothing / float(_classes(y_pred))
        return function(y_true, squash(y_pred) if config.get("from_logits") else y_pred)

    loss.__name__ = function.__name__
    loss._keras_config = value  # type: ignore[attr-defined]  # so that it can be saved again
    return loss


def _metrics(value: Any, model: Any, known: Config) -> Any:
    """Metrics as a flat list or a dict by output; what does not exist here is left out with a warning."""
    if value is None:
        return None
    lost: list[str] = []
    result: Any
    if isinstance(value, dict) and not _is_object(value):
        result = {name: _metric_list(item, known, lost) for name, item in value.items()}
    elif isinstance(value, list) and value and all(isinstance(item, (list, type(None))) for item in value):
        lists = [_metric_list(item, known, lost) for item in value]
        result = lists[0] if len(lists) == 1 else dict(zip(model.output_names, lists))
    else:
        result = _metric_list(value, known, lost)
    if lost:
        warn(
            f"The file's metrics {', '.join(lost)} do not exist here and are left out",
        )
    return result


def _metric_list(value: Any, known: Config, lost: list[str]) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    result = []
    for item in items:
        if item is None:
            continue
        metric = _metric(item, known)
        if metric is None:
            lost.append(str(item["config"].get("name") or item["class_name"]))
        else:
            result.append(metric)
    return result


def _metric(item: Any, known: Config) -> Any:
    if isinstance(item, str):
        return known.get(item, item)
    if not _is_object(item):
        return item
    name, config = item["class_name"], item["config"]
    if name in known:
        return known[name]
    if name == "function" and isinstance(config, str):
        return known.get(config, config)
    if name == "MeanMetricWrapper":
        # 'accuracy' was resolved for the loss; resolving it again gives the same and keeps the short name
        label, name = str(config.get("name")), str(config.get("fn"))
        if "accuracy" in name and label.endswith(("accuracy", "acc")) and not label.endswith(name):
            return "accuracy"
    name = _snake(name)
    if name in known:
        return known[name]
    if name == "accuracy" or callable(getattr(metrics, name, None)):
        return name
    return None


# ---- the optimizer's state

# Slots of each optimizer in the order of our state, each with the names that the dialects give it.
_SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "SGD": (("momentum", "m", "velocity"),),
    "RMSprop": (("rms", "velocity"),),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accum_grad", "accumulated_grad"), ("accum_var", "accumulated_delta_var")),
    "Adam": (("m", "momentum"), ("v", "velocity"), ("vhat", "velocity_hat", "v_hat")),
    "Adamax": (("m", "momentum"), ("v", "u", "norm")),
    "Nadam": (("m", "momentum"), ("v", "velocity")),
}

_COUNTERS = frozenset({"iter", "iteration", "iterations"})
_SCALARS = frozenset({"learning_rate", "lr", "u_product", "_u_product", "decay", "beta_1", "beta_2"})


def sort_state(names: list[str], kind: str) -> list[int] | None:
    """Finds the order in which our optimizer wants the arrays of a file.

    Up to Keras 2.3 the names say nothing and the order is ours. tf.keras and Keras 3 name the slot: at the
    end (`Adam/dense/kernel/m:0`), in the middle (`Adam/m/dense/kernel:0`) or after a last underscore
    (`adam/dense_kernel_momentum`).

    Args:
        names: weight names of the file.
        kind: class name of the optimizer.

    Returns:
        indices into `names`, or None where the names do not tell.
    """
    slots = _SLOTS.get(kind)
    if slots is None:
        return None
    counters: list[int] = []
    found: list[list[int]] = [[] for _ in slots]
    for i, name in enumerate(names):
        parts = name.split(":")[0].split("/")
        last = parts[-1]
        if last in _COUNTERS:
            counters.append(i)
        elif last not in _SCALARS:
            slot = _slot(parts, slots)
            if slot is None:
                return None
            found[slot].append(i)
    if len(counters) > 1:
        return None
    return counters + [i for slot in found for i in slot]


def _slot(parts: list[str], slots: tuple[tuple[str, ...], ...]) -> int | None:
    if len(parts) < 2:
        return None
    # the end of the name first: a layer may be called 'm'
    for part in (parts[-1], parts[1]):
        for k, names in enumerate(slots):
            if part in names:
                return k
    for k, names in enumerate(slots):
        if any(parts[-1].endswith("_" + name) for name in names if len(name) > 2):
            return k
    return None


def restore_state(
    optimizer: Any, names: list[str], arrays: list[np.ndarray], params: list[str], by_name_first: bool = False
) -> None:
    """Gives an optimizer the state that a file holds.

    Args:
        optimizer: its slots exist (the training function has been made).
        names: weight names of the file.
        arrays: the weights.
        params: names of the variables that the optimizer trains, in its order.
        by_name_first: the writer sorted the variables by name (up to Keras 2.0.6), so try that order first.

    Raises:
        ValueError: they do not fit.
    """
    order = sort_state(names, optimizer.__class__.__name__)
    if order is not None:
        orders = [order]
    else:
        orders = [list(range(len(arrays)))]
        resorted = _order_of_sorted(len(arrays), params)
        if resorted is not None:
            orders.insert(0 if by_name_first else 1, resorted)
    arrays = [np.reshape(a, ()) if i == 0 and np.size(a) == 1 else a for i, a in enumerate(arrays)]
    for last, candidate in [(o is orders[-1], o) for o in orders]:
        values = [arrays[i] for i in candidate]
        if len(values) == 1 and len(optimizer.weights) > 1 and optimizer.__class__.__name__ == "SGD":
            # tf.keras keeps no momenta where the momentum is 0; ours are then zero
            values += [np.zeros_like(a) for a in optimizer.get_weights()[1:]]
        try:
            optimizer.set_weights(values)
            return
        except ValueError:
            if last:
                raise


def _order_of_sorted(count: int, params: list[str]) -> list[int] | None:
    """Indices that bring slots written for the params in alphabetical order into the params' own order."""
    n = len(params)
    lead = count % n if n else 0
    if not n or lead > 1 or count <= lead:
        return None
    place = {name: i for i, name in enumerate(sorted(params))}
    if len(place) != n:
        return None
    slots = range((count - lead) // n)
    return list(range(lead)) + [lead + k * n + place[name] for k in slots for name in params]
