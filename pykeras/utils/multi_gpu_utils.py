"""One model on several GPUs, each with a part of the batch.

Source: the public behaviour of keras/utils/multi_gpu_utils.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .namespaces import held_by


def _available_gpus() -> int:
    """Number of GPUs that the engine can use."""
    from ..backend.tensorflow_backend import _get_available_gpus

    return len(_get_available_gpus())


def get_slice(data: Any, i: int, parts: int) -> Any:
    """Cuts part number `i` out of a batch.

    Args:
        data: tensor.
        i: number of the part, from 0.
        parts: number of parts; they are of equal size, only the last one takes what is left over.

    Returns:
        tensor with the rows of that part.
    """
    from .. import backend as K

    rows = K.shape(data)[0]
    step = rows // parts
    return K.gather(data, K.arange(step * i, rows if i == parts - 1 else step * (i + 1)))


def multi_gpu_model(
    model: Any, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """Makes a model that works on the parts of a batch with copies of another, which share its weights.

    The batch is cut along its first axis, the last copy takes what is left over; the results are put
    together under the names of the outputs. Save the model that was passed in, not this one.

    Args:
        model: the model to share out.
        gpus: number of GPUs (at least 2), or list of their numbers; default: all there are.
        cpu_merge: where Keras puts the results together; the engine decides that itself.
        cpu_relocation: True makes the copies from a fresh model of the same architecture and weights, as
            Keras does to have the weights on the CPU; `model` then keeps weights of its own.

    Returns:
        `Model` with the inputs of `model`; its layer before the outputs (`layers[-2]` if there is one
        output) is the shared model.

    Raises:
        ValueError: fewer than two GPUs are asked for, or there are not as many; the model is not built.

    Example:
        >>> parallel = multi_gpu_model(model, gpus=2)  # doctest: +SKIP
        >>> parallel.compile('adam', 'mse')  # doctest: +SKIP
    """
    ids = _wanted(gpus, _available_gpus())

    if not model.inputs:
        raise ValueError(
            f"The model {model.name} has not been built yet: its first layer must get an `input_shape`."
        )
    from ..layers import Lambda, concatenate
    from ..models import Model, clone_model

    shared = model
    if cpu_relocation:
        shared = clone_model(model)
        shared.set_weights(model.get_weights())
    results: list[list[Any]] = [[] for _ in shared.outputs]
    for part in range(len(ids)):
        pieces = [Lambda(get_slice, arguments={"i": part, "parts": len(ids)})(x) for x in shared.inputs]
        outputs = shared(pieces[0] if len(pieces) == 1 else pieces)
        for found, output in zip(results, outputs if isinstance(outputs, list) else [outputs]):
            found.append(output)
    merged = [concatenate(found, axis=0, name=name) for found, name in zip(results, shared.output_names)]
    return Model(shared.inputs, merged if len(merged) > 1 else merged[0])


def _wanted(gpus: Any, available: int) -> list[int]:
    """Returns the numbers of the GPUs asked for; ValueError if there is something wrong with them."""
    if gpus is None or gpus == 0:
        gpus = available
    ids = [int(i) for i in gpus] if isinstance(gpus, (list, tuple)) else list(range(int(gpus)))
    if len(ids) <= 1:
        raise ValueError(
            "For multi-gpu usage to be effective, call `multi_gpu_model` with `gpus >= 2` or a list of at "
            f"least two GPUs. Received: `gpus={gpus}`; this machine has {available} usable GPUs."
        )
    missing = [i for i in ids if not 0 <= i < available]
    if missing:
        wanted = [f"/gpu:{i}" for i in ids]
        there = ["/cpu:0", *(f"/gpu:{i}" for i in range(available))]
        raise ValueError(
            f"To call `multi_gpu_model` with `gpus={gpus}`, we expect the devices {wanted} to be available. "
            f"However this machine only has: {there}. Use the model itself instead, or "
            "reduce `gpus`."
        )
    if len(set(ids)) < len(ids):
        raise ValueError(f"Every GPU can be named only once. Received: `gpus={gpus}`")
    return ids


# What scripts also import from here.
__getattr__ = held_by(__name__)
