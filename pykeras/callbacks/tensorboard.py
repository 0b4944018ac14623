"""The TensorBoard callback: curves, histograms, pictures, graph and embeddings in files for `tensorboard`.

Source: the public behaviour of keras/callbacks.py (2.1.6; `embeddings_data` and `update_freq` of 2.2.4).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from ..utils._png import png_bytes
from . import _events
from .base import Callback

# tensorboard shows this many pictures of one tensor
_MOST_IMAGES = 3


class TensorBoard(Callback):
    """Writes what `tensorboard --logdir=…` shows. Nothing else has to be installed where it is written.

    Args:
        log_dir: folder of the files; every `fit` adds one.
        histogram_freq: write histograms of weights and activations every so many epochs; 0: never. Needs
            validation data that is given as arrays.
        batch_size: samples per step when activations are computed.
        write_graph: write the graph of the layers.
        write_grads: add histograms of the gradients over the validation data to the others.
        write_images: add pictures of the weights to the histograms.
        embeddings_freq: write embeddings every so many epochs; 0: never.
        embeddings_layer_names: names of the layers to write; all `Embedding` layers if missing.
        embeddings_metadata: file (relative to `log_dir`) with a label per row, or a dict layer name → file.
        embeddings_data: inputs whose layer outputs are written; without it the weights of the layers are.
        update_freq: 'epoch'; 'batch' writes loss and metrics after every batch, a number n after every n
            samples. The steps are then counted in samples.

    Raises:
        ValueError: in `fit`: histograms without validation arrays, or an unknown layer of embeddings.

    Example:
        >>> model.fit(x, y, epochs=5, callbacks=[TensorBoard('logs/first')])
    """

    def __init__(
        self,
        log_dir: Any = "./logs",
        histogram_freq: int = 0,
        batch_size: int = 32,
        write_graph: bool = True,
        write_grads: bool = False,
        write_images: bool = False,
        embeddings_freq: int = 0,
        embeddings_layer_names: Any = None,
        embeddings_metadata: Any = None,
        embeddings_data: Any = None,
        update_freq: Any = "epoch",
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata or {}
        self.embeddings_data = embeddings_data
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.samples_seen = 0
        self.samples_seen_at_last_write = 0
        self.writer: Any = None
        self._probe: tuple[Any, list[str], list[Any]] | None = None

    def set_model(self, model: Any) -> None:
        """Receives the model, opens a file and writes the graph."""
        self.model = model
        self._probe = None
        if self.writer is not None:
            self.writer.close()
        self.writer = _events.EventWriter(self.log_dir)
        if self.write_graph:
            self.writer.add_graph(_events.graph(_nodes_of(model)))
            self.writer.flush()

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.update_freq == "epoch":
            return
        logs = logs or {}
        self.samples_seen += int(logs.get("size", 1))
        if self.samples_seen - self.samples_seen_at_last_write >= self.update_freq:
            self._write_logs(logs, self.samples_seen)
            self.samples_seen_at_last_write = self.samples_seen

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.histogram_freq:
            if not self.validation_data:
                raise ValueError(
                    "If printing histograms, validation_data must be provided, and cannot be a generator: "
                    "give arrays, or set histogram_freq=0."
                )
            if epoch % self.histogram_freq == 0:
                self.writer.add_summary(self._histograms(), epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._write_logs(logs or {}, epoch if self.update_freq == "epoch" else self.samples_seen)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.writer.close()

    def _write_logs(self, logs: dict[str, Any], index: int) -> None:
        numbers = {name: value for name, value in logs.items() if name not in ("batch", "size")}
        self.writer.add_summary(
            [_events.scalar(name, float(v)) for name, v in numbers.items() if np.ndim(v) == 0], index
        )

    # ------------------------------------------------------------------------------------- histograms

    def _histograms(self) -> Iterator[bytes]:
        for weight in self.model.weights:
            name, value = _tag(weight.name), K.get_value(weight)
            yield _histogram(name, [value])
            if self.write_images:
                yield from _images(name, value)
        if self._probe is None:
            self._probe = self._make_probe()
        function, names, gradients = self._probe
        counted: dict[str, _events.Histogram] = {name: _events.Histogram() for name in names}
        sums: list[Any] = [0.0] * len(gradients)
        total = int(self.validation_data[0].shape[0])
        model = self.model
        fed = len(model._feed_inputs) + len(model._feed_targets) + len(model._feed_sample_weights)
        for start in range(0, total, self.batch_size):
            batch = [x[start : start + self.batch_size] for x in self.validation_data[:fed]]
            share = len(batch[0]) / total
            values = function(model._with_phase(function, batch, 0))
            for name, value in zip(names, values):
                counted[name].add(value)
            for i, value in enumerate(values[len(names) :]):
                sums[i] = sums[i] + value * share
        for name, counts in counted.items():
            yield _events.histogram(name, counts)
        for weight, value in zip(gradients, sums):
            yield _histogram(_tag(weight.name) + "_grad", [value])

    def _make_probe(self) -> tuple[Any, list[str], list[Any]]:
        """Returns a function of the validation data: layer outputs, gradients; with their names, weights."""
        model = self.model
        names, outputs = [], []
        for layer, tensors in _outputs_by_layer(model):
            for i, tensor in enumerate(tensors):
                names.append(f"{layer.name}_out" if len(tensors) == 1 else f"{layer.name}_out_{i}")
                outputs.append(tensor)
        weights = list(model._collected_trainable_weights) if self.write_grads else []
        grads = model.optimizer.get_gradients(model.total_loss, weights) if weights else []
        inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
        phase = model._phase_inputs(*outputs, *grads)
        return K.function(inputs + phase, outputs + grads, name="tensorboard"), names, weights

    # ------------------------------------------------------------------------------------- embeddings

    def _write_embeddings(self) -> None:
        names = self.embeddings_layer_names or [
            layer.name for layer in self.model.layers if type(layer).__name__ == "Embedding"
        ]
        layers = [self.model.get_layer(name) for name in names]
        config = ""
        for layer, rows in zip(layers, self._embedded(layers)):
            file_name = f"keras_embedding_{_tag(layer.name).replace('/', '_')}.tsv"
            path = os.path.join(self.log_dir, file_name)
            np.savetxt(path, rows.reshape(len(rows), -1), fmt="%.7g", delimiter="\t")
            config += f"embeddings {{\n  tensor_name: {json.dumps(layer.name)}\n"
            config += f"  tensor_path: {json.dumps(file_name)}\n"
            labels = self.embeddings_metadata
            if isinstance(labels, dict):
                labels = labels.get(layer.name)
            if labels:
                config += f"  metadata_path: {json.dumps(os.fspath(labels))}\n"
            config += "}\n"
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.write(config)

    def _embedded(self, layers: list[Any]) -> list[np.ndarray]:
        if self.embeddings_data is None:
            return [layer.get_weights()[0] for layer in layers]
        model = self.model
        of_layer = {layer.name: tensors[0] for layer, tensors in _outputs_by_layer(model)}
        outputs = [of_layer[layer.name] for layer in layers]
        function = K.function(model._feed_inputs + model._phase_inputs(*outputs), outputs)
        xs = model._standardize_inputs(self.embeddings_data, check_batch_axis=False)
        parts = []
        for start in range(0, len(xs[0]), self.batch_size):
            batch = [x[start : start + self.batch_size] for x in xs]
            parts.append(function(model._with_phase(function, batch, 0)))
        return [np.concatenate(column) for column in zip(*parts)]


# ------------------------------------------------------------------------------------- parts of a model


def _tag(name: str) -> str:
    return name.replace(":", "_")


def _outputs_by_layer(model: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Yields each layer that computes something, with what it puts out inside this model."""
    inputs = {id(x) for x in model.inputs}
    for layer in model.layers:
        tensors = [x for node in _calls(model, layer) for x in node.output_tensors if id(x) not in inputs]
        if tensors:
            yield layer, tensors


def _nodes_of(model: Any, prefix: str = "") -> Iterator[bytes]:
    """Yields the layers as nodes of a graph; the layers of a model inside are a group."""
    for layer in model._layers if getattr(model, "_network_nodes", None) else ():
        calls = _calls(model, layer)
        for node in calls:
            sources = [
                _call_name(model, source, source._inbound_nodes[i], prefix)
                for source, i in zip(node.inbound_layers, node.node_indices)
            ]
            shapes = [K.int_shape(x) for x in node.output_tensors]
            name = _call_name(model, layer, node, prefix)
            yield _events.node(name, type(layer).__name__, sources, shapes)
        if calls and hasattr(layer, "_network_nodes"):
            yield from _nodes_of(layer, prefix + layer.name + "/")


def _calls(model: Any, layer: Any) -> list[Any]:
    """Returns the nodes of the graph that say where the model uses the layer."""
    return [node for node in layer._inbound_nodes if node in model._network_nodes]


def _call_name(model: Any, layer: Any, node: Any, prefix: str) -> str:
    number = _calls(model, layer).index(node)
    return prefix + (layer.name if number == 0 else f"{layer.name}_{number}")


def _histogram(tag: str, arrays: list[Any]) -> bytes:
    counts = _events.Histogram()
    for array in arrays:
        counts.add(array)
    return _events.histogram(tag, counts)


def _images(tag: str, weight: Any) -> Iterator[bytes]:
    """Yields pictures of a weight: a row for a vector, a matrix lying, the channels of a 1D kernel apart."""
    w = np.squeeze(weight)
    if w.ndim == 1:
        w = w[None, :, None, None]
    elif w.ndim == 2:
        w = (w.T if w.shape[0] > w.shape[1] else w)[None, :, :, None]
    elif w.ndim == 3:
        w = (w.transpose(2, 0, 1) if K.image_data_format() == "channels_last" else w)[..., None]
    elif w.ndim != 4 or w.shape[-1] not in (1, 3, 4):
        return
    for i, picture in enumerate(_gray(w[:_MOST_IMAGES])):
        name = f"{tag}/image/{i}" if len(w) > 1 else f"{tag}/image"
        yield _events.image(name, png_bytes(picture), *picture.shape)


def _gray(pictures: np.ndarray) -> np.ndarray:
    """Scales each picture to 0…255; if it has negative numbers, 0 becomes 127."""
    out = np.zeros(pictures.shape, np.uint8)
    for i, picture in enumerate(np.nan_to_num(pictures)):
        largest = float(np.abs(picture).max(initial=0.0)) or 1.0
        low = picture.min(initial=0.0) < 0
        out[i] = picture / largest * (127 if low else 255) + (127 if low else 0)
    return out
