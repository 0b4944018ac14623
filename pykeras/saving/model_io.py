"""Whole models in one file: architecture, weights, how they were compiled, the optimizer's state.

Source: items 3.2.5 to 3.2.8 of the format's description; keras/models.py `save_model`, `load_model` (2.1.6).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .. import backend as K
from ..utils._warn import warn
from . import config_io, h5file, hdf5
from .dialects import has_input_shape
from .training_config import compile_arguments, restore_state, training_config

# Attributes of ours beside Keras's own, for what its format leaves out; others ignore them.
_ITERATIONS = "pykeras_iterations"
_RANDOM_STEP = "pykeras_random_step"


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Saves architecture, weights, compile arguments and optimizer state in one HDF5 file, atomically.

    Args:
        model: a built model.
        filepath: path, or open h5py file or group (which stays open).
        overwrite: False asks on the terminal before an existing file is replaced.
        include_optimizer: False leaves compile arguments and optimizer state out.

    Raises:
        ImportError: no h5py.
        OSError: it cannot be written; what was there is unchanged.

    Example:
        >>> model.save('model.h5')                       # doctest: +SKIP
        >>> again = pykeras.models.load_model('model.h5')  # doctest: +SKIP
    """
    if not hdf5.may_write(filepath, overwrite):
        return
    with h5file.writing(filepath, "save_model") as group:
        _write_model(group, model, include_optimizer)


def _write_model(f: Any, model: Any, include_optimizer: bool) -> None:
    f.attrs["keras_version"] = hdf5.KERAS_VERSION.encode("utf8")
    f.attrs["backend"] = hdf5.BACKEND.encode("utf8")
    config = {"class_name": model.__class__.__name__, "config": model.get_config()}
    f.attrs["model_config"] = json.dumps(config, default=config_io.json_value).encode("utf8")
    hdf5.save_weights_to_hdf5_group(f.create_group("model_weights"), model.layers)
    optimizer = getattr(model, "optimizer", None)
    if not include_optimizer or optimizer is None:
        return
    text = json.dumps(training_config(model), default=config_io.json_value)
    f.attrs["training_config"] = text.encode("utf8")
    weights = getattr(optimizer, "weights", None)
    if not weights:
        return
    group = f.create_group("optimizer_weights")
    hdf5.write_arrays(group, weights)
    iterations = getattr(optimizer, "iterations", None)
    if iterations is not None:
        group.attrs[_ITERATIONS] = int(K.get_value(iterations))
    step = getattr(getattr(model, "train_function", None), "step", None)
    if isinstance(step, int):
        group.attrs[_RANDOM_STEP] = step


def load_model(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """Loads a model that `save_model` of this or another Keras wrote as HDF5.

    No code from the file is run: a Lambda layer needs its function in `custom_objects`.

    Args:
        filepath: path, or open h5py file or group.
        custom_objects: name → class or function, for what this package does not have.
        compile: compile the model as it was and restore the optimizer.

    Returns:
        the model; compiled if the file says how.

    Raises:
        ImportError: no h5py.
        OSError: no readable HDF5 file.
        ValueError: no model in it, unknown layers or settings, or weights that do not fit.
    """
    with h5file.reading(filepath, "load_model") as f:
        name = getattr(f, "filename", None) or getattr(getattr(f, "file", None), "filename", filepath)
        model = _read_architecture(f, name, custom_objects)
        group = h5file.child(f, "model_weights")
        hdf5.load_own_weights(group, model.layers)
        if compile:
            _restore_training(f, name, model, custom_objects)
    return model


def _read_architecture(f: Any, name: Any, custom_objects: dict[str, Any] | None) -> Any:
    text = h5file.text_attribute(f, "model_config")
    if text is None:
        if h5file.has_attribute(f, "layer_names", "layer_names0", "nb_layers"):
            hint = "It holds weights only: build the model and call `model.load_weights` on it"
        else:
            hint = "It was not written by `model.save`"
        raise ValueError(f"No model found in config file {name!s}. {hint}")
    try:
        config = config_io.parse_json(text)
        _find_input_shape(f, config)
        version = h5file.text_attribute(f, "keras_version")
        return config_io.build_model(config, custom_objects, weights_follow=True, keras_version=version)
    except (LookupError, AttributeError, TypeError, OverflowError) as error:
        raise ValueError(
            f"The model config of {name!s} is damaged or of an unknown form: {error!r}"
        ) from error


def _find_input_shape(f: Any, config: Any) -> None:
    """Gives a Sequential that was saved without an input shape the one that its first weights imply."""
    if not isinstance(config, dict) or config.get("class_name") != "Sequential":
        return
    body = config.get("config")
    if not isinstance(body, (dict, list)):
        return
    layers = body if isinstance(body, list) else body.get("layers") or []
    if (isinstance(body, dict) and body.get("build_input_shape")) or has_input_shape(layers):
        return
    if any(_keras1_input(layer.get("config")) for layer in layers[:1]):
        return
    for layer in layers:
        shape = _implied_shape(f, layer)
        if shape is not None:
            layers[0]["config"]["batch_input_shape"] = shape
            return


def _keras1_input(config: Any) -> bool:
    return isinstance(config, dict) and config.get("batch_shape") is not None


def _implied_shape(f: Any, layer: Any) -> list[int | None] | None:
    group = h5file.child(f, "model_weights")
    name = layer["config"].get("name")
    if not isinstance(name, str) or name not in h5file.load_names(group, "layer_names"):
        return None
    group = h5file.child(group, name)
    names = h5file.load_names(group, "weight_names")
    if not names:
        return None
    kernel = h5file.open_array(group, names[0]).shape
    kind = layer["class_name"]
    if kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D") and len(kernel) == 4:
        if layer["config"].get("data_format") == "channels_first":
            return [None, kernel[2], None, None]
        return [None, None, None, kernel[2]]
    if kind in ("Conv1D", "SeparableConv1D") and len(kernel) == 3:
        return [None, None, kernel[1]]
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        return [None, None, kernel[0]]
    if kind in ("Dense", "BatchNormalization"):
        return [None, kernel[0]]
    return None


def _restore_training(f: Any, name: Any, model: Any, custom_objects: dict[str, Any] | None) -> None:
    text = h5file.text_attribute(f, "training_config")
    if text is None:
        warn(
            "No training configuration found in save file: the model was *not* compiled. "
            "Compile it to train or evaluate it.",
        )
        return
    try:
        arguments = compile_arguments(config_io.parse_json(text), model, custom_objects)
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(
            f"The training config of {name!s} is of an unknown form ({error!r}); load with compile=False"
        ) from error
    except ValueError as error:
        raise ValueError(f"{error} (To load the model without its training config: compile=False)") from error
    model.compile(**arguments)
    if h5file.has_child(f, "optimizer_weights"):
        _restore_optimizer(f, model)


def _restore_optimizer(f: Any, model: Any) -> None:
    # the optimizer's slots are made together with the training function
    model._make_train_function()
    optimizer = model.optimizer
    try:
        group = h5file.child(f, "optimizer_weights")
        names = h5file.load_names(group, "weight_names")
        expected = sum(K.count_params(w) for w in optimizer.weights)
        limit = 4 * expected + 4096
        datasets = [h5file.open_array(group, weight) for weight in names]
        if sum(math.prod(d.shape) for d in datasets) > limit:
            raise ValueError("the saved state is larger than the optimizer's")
        arrays = [h5file.read_array(d, limit) for d in datasets]
        restore_state(optimizer, names, arrays, _trained_names(model), _sorted_by_name(f))
    except ValueError as error:
        warn(
            f"Error in loading the saved optimizer state ({error}). As a result, your model is "
            f"starting with a freshly initialized optimizer.",
        )
        return
    _restore_counters(group, model)


def _trained_names(model: Any) -> list[str]:
    """Names of the variables that the optimizer trains, as Keras calls them in a graph of their own."""
    leaves = hdf5.variable_layers(model)
    variables = model._collected_trainable_weights
    return [f"{leaves.get(id(v), '')}/{hdf5.bare_name(v.name.split('/')[-1])}:0" for v in variables]


def _sorted_by_name(f: Any) -> bool:
    """Whether the file's writer sorted the trained variables: Keras up to 2.0.6, tf.keras up to 2.1."""
    version = h5file.text_attribute(f, "keras_version") or "1"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return numbers < ((2, 2) if version.endswith("-tf") else (2, 0, 7))


def _restore_counters(group: Any, model: Any) -> None:
    optimizer = model.optimizer
    iterations = h5file.attribute(group, _ITERATIONS)
    if iterations is not None:
        K.set_value(optimizer.iterations, int(iterations))
    step = h5file.attribute(group, _RANDOM_STEP)
    if step is not None and hasattr(model.train_function, "step"):
        # dropout goes on with the draws at which it stopped
        model.train_function.step = int(step)
