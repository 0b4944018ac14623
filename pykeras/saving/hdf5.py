"""Weights in HDF5 groups: one group per layer, one dataset per weight, names and order in attributes.

Source: items 3.2.1 to 3.2.4 and 3.2.9 of the format's description; keras/engine/topology.py (2.1.6).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import backend as K
from ..utils._warn import warn
from . import h5file
from .convert import Weights, preprocess_weights_for_loading

Pairs = list[tuple[Any, np.ndarray]]

KERAS_VERSION = "2.2.4"
BACKEND = "tensorflow"

# A stored layer may be larger than ours only by what conversions take away (CuDNN's second bias).
_SLACK = 4
_SLACK_CONSTANT = 4096


# ---- whole files


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Writes a model's weights to an HDF5 file, atomically.

    Args:
        model: a built model.
        filepath: path, or open h5py file or group.
        overwrite: False asks on the terminal before an existing file is replaced.

    Raises:
        ImportError: no h5py.
        OSError: it cannot be written; what was there is unchanged.
    """
    if not may_write(filepath, overwrite):
        return
    with h5file.writing(filepath, "save_weights") as group:
        save_weights_to_hdf5_group(group, model.layers)


def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Reads weights into a model from a weight file or from a whole model's file.

    Args:
        model: a built model.
        filepath: path, or open h5py file or group.
        by_name: load what layers of equal name have, instead of layer after layer.
        skip_mismatch: with `by_name`, only warn about layers that do not fit.
        reshape: reshape arrays that have the right number of elements.

    Raises:
        ImportError: no h5py.
        OSError: no readable HDF5 file.
        ValueError: no weights in it, or they do not fit. The model is then unchanged.
    """
    if skip_mismatch and not by_name:
        raise ValueError("load_weights: `skip_mismatch` works only together with `by_name=True`")
    with h5file.reading(filepath, "load_weights") as group:
        group = weight_group(group, filepath)
        if by_name:
            load_weights_from_hdf5_group_by_name(group, model.layers, skip_mismatch, reshape)
        else:
            load_weights_from_hdf5_group(group, model.layers, reshape)


def may_write(filepath: Any, overwrite: bool) -> bool:
    """Whether a file may be written; asks on the terminal if it exists and `overwrite` is False."""
    if overwrite or h5file.is_handle(filepath) or not os.path.exists(filepath):
        return True
    from ..utils.io_utils import ask_to_proceed_with_overwrite

    return ask_to_proceed_with_overwrite(filepath)


def weight_group(group: Any, filepath: Any) -> Any:
    """Returns the group that holds the weights: the file itself or its `model_weights`."""
    if _has_weights(group):
        return group
    if h5file.has_child(group, "model_weights"):
        inner = h5file.child(group, "model_weights")
        if _has_weights(inner):
            return inner
    name = getattr(filepath, "filename", filepath) if h5file.is_handle(filepath) else filepath
    raise ValueError(
        f"{name!s} is an HDF5 file, but not one of Keras: it lacks the `layer_names` attribute. "
        f"Give a file written by `save_weights` or `save`"
    )


def _has_weights(group: Any) -> bool:
    return h5file.has_attribute(group, "layer_names", "layer_names0", "nb_layers")


# ---- writing


def save_weights_to_hdf5_group(f: Any, layers: Iterable[Any]) -> None:
    """Writes the weights of layers into a group.

    Args:
        f: h5py group, empty.
        layers: layers in the order of `model.layers`; those without weights are listed too.
    """
    layers = list(layers)
    h5file.save_names(f, "layer_names", [layer.name for layer in layers])
    f.attrs["backend"] = BACKEND.encode("utf8")
    f.attrs["keras_version"] = KERAS_VERSION.encode("utf8")
    for layer in layers:
        group = f.require_group(layer.name)  # a name may lie inside another one: a, a/b
        write_arrays(group, layer.weights)


def write_arrays(group: Any, variables: list[Any]) -> None:
    """Writes variables as datasets under their own names; the attribute `weight_names` keeps the order."""
    names = _distinct([getattr(v, "name", None) or f"param_{i}" for i, v in enumerate(variables)])
    h5file.save_names(group, "weight_names", names)
    # one at a time, so that only one copy of one weight is in memory
    for name, variable in zip(names, variables):
        value = np.asarray(K.get_value(variable))
        group.create_dataset(name, data=value)


def _distinct(names: list[str]) -> list[str]:
    """Numbers names that recur: two datasets of one name cannot be."""
    seen: set[str] = set()
    result = []
    for name in names:
        stem, colon, number = name.partition(":")
        unique, count = name, 0
        while unique in seen:
            count += 1
            unique = f"{stem}_{count}{colon}{number}"
        seen.add(unique)
        result.append(unique)
    return result


# ---- reading


class _StoredLayer:
    """A layer of a file: its name and where its arrays are, not yet read."""

    def __init__(self, name: str, group: Any, weight_names: list[str]) -> None:
        self.name = name
        self.weight_names = weight_names
        self._group = group

    def read(self, expected: int) -> Weights:
        """Reads the arrays; `expected` is the number of elements of the layer that wants them."""
        limit = _SLACK * expected + _SLACK_CONSTANT
        datasets = [h5file.open_array(self._group, name) for name in self.weight_names]
        if sum(math.prod(d.shape) for d in datasets) > limit:
            shapes = [d.shape for d in datasets]
            raise ValueError(f"the file's arrays have shapes {shapes}, too large for it")
        return [h5file.read_array(d, limit) for d in datasets]


class _Stored:
    """The layers of a weight group with what is needed to convert them."""

    def __init__(self, f: Any) -> None:
        self.version = h5file.text_attribute(f, "keras_version") or "1"
        self.backend = h5file.text_attribute(f, "backend")
        self.layers = list(self._layers(f))
        if self.backend is None and self.version.startswith(("0", "1")):
            self.backend = self._keras1_backend()

    def _layers(self, f: Any) -> Iterable[_StoredLayer]:
        count = h5file.attribute(f, "nb_layers")
        if count is not None and not h5file.has_attribute(f, "layer_names"):
            # Keras 0.3: layer_0/param_0 …
            for i in range(int(count)):
                group = h5file.child(f, f"layer_{i}")
                count = int(h5file.attribute(group, "nb_params") or 0)
                yield _StoredLayer(f"layer_{i}", group, [f"param_{k}" for k in range(count)])
            return
        for name in h5file.load_names(f, "layer_names"):
            group = h5file.child(f, name)
            yield _StoredLayer(name, group, h5file.load_names(group, "weight_names"))

    def _keras1_backend(self) -> str:
        # Keras 1 did not write it down, but TensorFlow's variables are called 'x:0'
        names = [name for layer in self.layers for name in layer.weight_names]
        return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"

    def with_weights(self) -> list[_StoredLayer]:
        return [layer for layer in self.layers if layer.weight_names]

    def fit(self, stored: _StoredLayer, layer: Any, where: str, reshape: bool) -> Pairs:
        """Reads and converts a stored layer for `layer`, returns (variable, array) pairs.

        Raises:
            ValueError: number or shapes of the weights differ; the message starts with `where`.
        """
        variables = list(layer.weights)
        expected = sum(K.count_params(v) for v in variables)
        try:
            arrays = stored.read(expected)
            arrays = preprocess_weights_for_loading(layer, arrays, self.version, self.backend, reshape)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if len(arrays) != len(variables):
            raise ValueError(
                f"{where} expects {len(variables)} weight(s), but the saved weights have {len(arrays)} "
                f"element(s) ({stored.weight_names})"
            )
        if hasattr(layer, "layers"):
            variables = _by_name(layer, variables, stored.weight_names)
        for variable, array in zip(variables, arrays):
            shape: Any = K.int_shape(variable)
            if shape != array.shape:
                raise ValueError(
                    f"{where}, weight {variable.name!r} has shape {shape}, but the saved weight has shape "
                    f"{array.shape}. The file was made for another architecture"
                )
        return list(zip(variables, arrays))


def _by_name(model: Any, variables: list[Any], names: list[str]) -> list[Any]:
    """Reorders a nested model's variables as the file has them, if the names tell.

    Freezing a sublayer moves its weights to the end of the list; a file made before that has them elsewhere.
    """
    leaves = variable_layers(model)
    own = {}
    for variable in variables:
        leaf = leaves.get(id(variable))
        if leaf is not None:
            own[leaf, bare_name(variable.name.split("/")[-1])] = variable
    known = {leaf for leaf, _ in own}
    stored = []
    for name in names:
        *scopes, last = name.split("/")
        scope = scopes[-1] if scopes else ""
        stored.append((scope if scope in known else bare_name(scope), bare_name(last)))
    if len(own) == len(variables) and len(set(stored)) == len(stored) and set(stored) == set(own):
        return [own[key] for key in stored]
    return variables


def variable_layers(model: Any) -> dict[int, str]:
    """Which (innermost) layer's name each variable of a model belongs to."""
    found: dict[int, str] = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found |= variable_layers(layer)
        else:
            found |= {id(variable): layer.name for variable in layer.weights}
    return found


def bare_name(name: str) -> str:
    """A name without what makes it unique in a graph: 'kernel_1:0' → 'kernel'."""
    return re.sub(r"_\d+$", "", name.partition(":")[0])


def load_weights_from_hdf5_group(f: Any, layers: Iterable[Any], reshape: bool = False) -> None:
    """Reads weights layer after layer; layers without weights do not count.

    Args:
        f: h5py group.
        layers: layers in the order of `model.layers`.
        reshape: reshape arrays that have the right number of elements.

    Raises:
        ValueError: the numbers of layers or of weights, or a shape, differ. Nothing has been set then.
    """
    K.batch_set_value(_pairs_by_order(_Stored(f), list(layers), reshape))


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Iterable[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Reads the weights of those layers whose names are in the file; the others keep theirs.

    Args:
        f: h5py group.
        layers: layers.
        skip_mismatch: only warn about layers that do not fit.
        reshape: reshape arrays that have the right number of elements.

    Raises:
        ValueError: a layer of equal name does not fit. Nothing has been set then.

    Warns where no name at all is found.
    """
    K.batch_set_value(_pairs_by_name(_Stored(f), list(layers), skip_mismatch, reshape))


def load_own_weights(f: Any, layers: Iterable[Any]) -> None:
    """Reads weights into a model that was made from the same file's config.

    There the names are sure to match, whatever the order in which the writer sorted the layers; where they
    do not (names that the writer changed), the order decides as usual.
    """
    layers = list(layers)
    stored = _Stored(f)
    wanting = [layer.name for layer in layers if layer.weights]
    filled = [layer.name for layer in stored.with_weights()]
    if len(set(wanting)) == len(wanting) and sorted(wanting) == sorted(filled):
        K.batch_set_value(_pairs_by_name(stored, layers, False, False))
    else:
        K.batch_set_value(_pairs_by_order(stored, layers, False))


def _pairs_by_order(stored: _Stored, layers: list[Any], reshape: bool) -> Pairs:
    filled = stored.with_weights()
    wanting = [layer for layer in layers if layer.weights]
    if len(filled) != len(wanting):
        raise ValueError(
            f"You are trying to load a weight file containing {len(filled)} layers into a model with "
            f"{len(wanting)} layers."
        )
    pairs: Pairs = []
    for k, (source, layer) in enumerate(zip(filled, wanting)):
        where = f"Layer #{k} (named {layer.name!r} in the current model, {source.name!r} in the save file)"
        pairs += stored.fit(source, layer, where, reshape)
    return pairs


def _pairs_by_name(stored: _Stored, layers: list[Any], skip_mismatch: bool, reshape: bool) -> Pairs:
    index: dict[str, list[Any]] = {}
    for layer in layers:
        index.setdefault(layer.name, []).append(layer)
    pairs: Pairs = []
    for source in stored.layers:
        for layer in index.get(source.name, []):
            try:
                pairs += stored.fit(source, layer, f"Layer {layer.name!r}", reshape)
            except ValueError as error:
                if not skip_mismatch:
                    raise
                warn(f"Skipping loading of weights: {error}")
    there, wanted = stored.with_weights(), [layer.name for layer in layers if layer.weights]
    if there and wanted and not {source.name for source in there}.intersection(wanted):
        warn(
            f"No layer of the file has the name of a layer of the model, so nothing was loaded: the file has "
            f"{_some([source.name for source in there])}, the model {_some(wanted)}"
        )
    return pairs


def _some(names: list[str]) -> str:
    """The first few of many names."""
    return ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
