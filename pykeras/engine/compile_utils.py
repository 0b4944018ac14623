"""What `compile` makes of losses, weights and metrics: one entry per output, and the tensors to compute.

Source: the public behaviour of keras/engine/training.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import losses, metrics
from ..utils._warn import warn
from .base_layer import Layer


def weighted_masked_objective(fn: Any) -> Any:
    """Adds masking, weights and the mean over everything to a loss or metric function.

    Args:
        fn: function of (targets, predictions) giving one value per sample and step; or None.

    Returns:
        function of (targets, predictions, weights, mask) giving a scalar; or None.
    """
    if fn is None:
        return None

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        score = fn(y_true, y_pred)
        if mask is not None:
            # dividing by the mean of the mask makes it the average over what is not masked
            mask = K.cast(mask, K.dtype(score))
            score = score * mask / K.mean(mask)
        if weights is not None:
            rank, weight_rank = K.ndim(score), K.ndim(weights)
            if rank > weight_rank:
                score = K.mean(score, axis=list(range(weight_rank, rank)))
            weights = K.cast(weights, K.dtype(score))
            # samples of weight 0 do not dilute the average
            share = K.mean(K.cast(K.not_equal(weights, 0), K.dtype(score)))
            score = score * weights / share
        return K.mean(score)

    return weighted


def _check_keys(given: dict[str, Any], names: list[str], what: str) -> None:
    for name in given:
        if name not in names:
            raise ValueError(
                f'Unknown entry in {what} dictionary: "{name}". Only expected the following keys: {names}'
            )


def loss_functions(loss: Any, names: list[str]) -> list[Any]:
    """Returns one loss function (or None) per output.

    Args:
        loss: name or function, list of these, dict by output name, or None.
        names: names of the outputs.

    Raises:
        ValueError: unknown names, or a list of another length.
    """
    if loss is None or (isinstance(loss, (list, dict)) and not loss):
        return [None] * len(names)
    if isinstance(loss, dict):
        _check_keys(loss, names, "loss")
        for name in names:
            if name not in loss:
                warn(
                    f'Output "{name}" missing from loss dictionary. We assume this was done on '
                    "purpose, and we "
                    f'will not be expecting any data to be passed to "{name}" during training.',
                )
        return [losses.get(loss.get(name)) for name in names]
    if isinstance(loss, (list, tuple)):
        if len(loss) != len(names):
            raise ValueError(
                f"When passing a list as loss, it should have one entry per model outputs. The model has "
                f"{len(names)} outputs, but you passed loss={loss}"
            )
        return [losses.get(entry) for entry in loss]
    function = losses.get(loss)
    return [function] * len(names)


def loss_weights_by_output(weights: Any, names: list[str]) -> list[float]:
    """Returns one factor per output.

    Raises:
        ValueError: unknown names, or a list of another length.
        TypeError: something else than list and dict.
    """
    if weights is None:
        return [1.0] * len(names)
    if isinstance(weights, dict):
        _check_keys(weights, names, "loss_weights")
        return [weights.get(name, 1.0) for name in names]
    if isinstance(weights, (list, tuple)):
        if len(weights) != len(names):
            raise ValueError(
                f"When passing a list as loss_weights, it should have one entry per model outputs. The model "
                f"has {len(names)} outputs, but you passed loss_weights={weights}"
            )
        return list(weights)
    raise TypeError(f"Could not interpret loss_weights argument: {weights} - expected a list or a dict.")


def sample_weight_modes_by_output(mode: Any, names: list[str], skipped: set[int]) -> list[str | None]:
    """Returns None or 'temporal' per output.

    Raises:
        ValueError: unknown or missing names, a list of another length, or another mode.
    """
    if isinstance(mode, dict):
        _check_keys(mode, names, "sample_weight_mode")
        for i, name in enumerate(names):
            if name not in mode and i not in skipped:
                raise ValueError(f'Output "{name}" missing from sample_weight_modes dictionary')
        modes = [mode.get(name) for name in names]
    elif isinstance(mode, (list, tuple)):
        if len(mode) != len(names):
            raise ValueError(
                f"When passing a list as sample_weight_mode, it should have one entry per model outputs. The "
                f"model has {len(names)} outputs, but you passed sample_weight_mode={mode}"
            )
        modes = list(mode)
    else:
        modes = [mode] * len(names)
    for entry in modes:
        if entry not in (None, "temporal"):
            raise ValueError(f'sample_weight_mode should be None or "temporal". Found: {entry}')
    return modes


def target_placeholders(given: Any, model: Any, skipped: set[int]) -> tuple[list[Any], set[int]]:
    """Makes the tensors that stand for the targets.

    Args:
        given: the argument `target_tensors`.
        model: the model.
        skipped: outputs without loss.

    Returns:
        (one tensor per output, None for skipped ones; the outputs whose targets are not fed)

    Raises:
        ValueError: a wrong number of tensors, or unknown names.
        TypeError: no tensors.
    """
    names = model.output_names
    if given is None:
        tensors: list[Any] = [None] * len(names)
    elif isinstance(given, dict):
        _check_keys(given, names, "`target_tensors`")
        tensors = [given.get(name) for name in names]
    elif isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(
                "When passing a list as `target_tensors`, it should have one entry per model outputs. "
                f"The model has {len(names)} outputs, but you passed target_tensors={given}"
            )
        tensors = list(given)
    elif len(names) == 1:
        tensors = [given]
    else:
        raise TypeError(f"Expected `target_tensors` to be a list or dict, but got: {given}")

    unfed: set[int] = set()
    targets: list[Any] = []
    for i, (name, output, tensor) in enumerate(zip(names, model.outputs, tensors)):
        if i in skipped:
            targets.append(None)
        elif tensor is None:
            stated = K.int_shape(output)  # what layers say of the shape counts, as in the checks of data
            rank = K.ndim(output) if stated is None else len(stated)
            targets.append(
                K.placeholder(
                    ndim=rank, name=name + "_target", sparse=K.is_sparse(output), dtype=K.dtype(output)
                )
            )
        else:
            if not K.is_placeholder(tensor):
                unfed.add(i)
            targets.append(tensor)
    return targets, unfed


def metrics_by_output(given: Any, names: list[str]) -> list[list[Any]]:
    """Returns a list of metrics per output.

    Args:
        given: one metric, a list for all outputs, a list of lists (2.3's form, one per output), a dict by
            output name (of one or a list), or None.
        names: names of the outputs.

    Raises:
        TypeError: something else.
        ValueError: a list of lists of another length.
    """
    if not given:
        return [[] for _ in names]
    if isinstance(given, dict):
        entries = [given.get(name, []) for name in names]
        return [list(e) if isinstance(e, (list, tuple)) else [e] for e in entries]
    if isinstance(given, (list, tuple)):
        if not any(isinstance(entry, (list, tuple)) for entry in given):
            return [list(given) for _ in names]
        if len(given) != len(names):
            raise ValueError(
                "When passing a list of lists as metrics, it should have one entry per model outputs. The "
                f"model has {len(names)} outputs, but you passed metrics={given}"
            )
        return [list(e) if isinstance(e, (list, tuple)) else [e] for e in given]
    if isinstance(given, str) or callable(given):
        return [[given] for _ in names]
    raise TypeError(
        f"Type of `metrics` argument not understood. Expected a list or dictionary, found: {given}"
    )


def metric_function(metric: Any, output_shape: Any, loss: Any) -> tuple[Any, str]:
    """Returns a metric's function and name.

    Args:
        metric: name, function or stateful layer. 'accuracy' and 'crossentropy' (and their short forms) mean
            what suits the output and its loss.
        output_shape: shape of the output.
        loss: loss function of the output.
    """
    if metric in ("accuracy", "acc", "crossentropy", "ce"):
        if output_shape[-1] == 1 or loss is losses.binary_crossentropy:
            kind = 0
        elif loss is losses.sparse_categorical_crossentropy:
            kind = 1
        else:
            kind = 2
        if metric in ("accuracy", "acc"):
            return (
                metrics.binary_accuracy,
                metrics.sparse_categorical_accuracy,
                metrics.categorical_accuracy,
            )[kind], "acc"
        return (
            metrics.binary_crossentropy,
            metrics.sparse_categorical_crossentropy,
            metrics.categorical_crossentropy,
        )[kind], "ce"
    function = metrics.get(metric)
    name = getattr(function, "name", None) or getattr(function, "__name__", None) or type(function).__name__
    return function, name


def is_stateful_metric(function: Any) -> bool:
    """Whether a metric keeps its own totals and is to be reset every epoch."""
    return isinstance(function, Layer) and function.stateful


def expected_target_shape(loss: Any, output_shape: Any) -> Any:
    """Returns the shape that targets must have; None if a loss function of the user's own decides."""
    if loss is losses.sparse_categorical_crossentropy:
        return tuple(output_shape[:-1]) + (1,)
    name = getattr(loss, "__name__", None)
    return output_shape if name is not None and getattr(losses, name, None) is not None else None
