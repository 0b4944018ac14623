"""TensorBoard's files, read back by the program that they are for (13.9)."""

import io
import math

import numpy as np
import pytest

from pykeras.callbacks import Callback, TensorBoard, _events
from pykeras.layers import Activation, Conv2D, Dense, Dropout, Embedding, Flatten, Input, add
from pykeras.models import Model, Sequential

accumulators = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs the package tensorboard"
)

X = np.random.RandomState(0).rand(30, 6, 6, 1).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(30) % 3]


def read(folder):
    """All that the files of a folder hold."""
    found = accumulators.EventAccumulator(str(folder), dict.fromkeys(("images", "histograms", "scalars"), 0))
    found.Reload()
    return found


def net():
    model = Sequential(
        [
            Conv2D(4, 3, activation="relu", input_shape=(6, 6, 1), name="c"),
            Flatten(name="f"),
            Dropout(0.3, name="drop"),
            Dense(3, name="d"),
            Activation("softmax", name="a"),
        ]
    )
    model.compile("sgd", "categorical_crossentropy", metrics=["acc"])
    return model


def fit(callback, epochs=3, **how):
    model = net()
    history = model.fit(
        X, Y, 10, epochs, verbose=0, callbacks=[callback], **{"validation_data": (X, Y), **how}
    )
    return model, history


# ---- curves


def test_13_9_scalars(tmp_path):
    _, history = fit(TensorBoard(tmp_path / "logs"))
    found = read(tmp_path / "logs")
    assert set(found.Tags()["scalars"]) == {"loss", "acc", "val_loss", "val_acc"}
    for name in ("loss", "acc", "val_loss", "val_acc"):
        events = found.Scalars(name)
        assert [e.step for e in events] == [0, 1, 2]
        np.testing.assert_allclose([e.value for e in events], history.history[name], rtol=1e-6)
        assert all(abs(e.wall_time - events[0].wall_time) < 60 for e in events)
    assert not found.Tags()["histograms"]


def test_every_fit_has_its_own_file(tmp_path):
    board = TensorBoard(tmp_path, write_graph=False)
    fit(board, 1)
    fit(board, 2, initial_epoch=1)
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 2
    assert [e.step for e in read(tmp_path).Scalars("loss")] == [0, 1]


@pytest.mark.parametrize(
    ("update_freq", "steps"), [("batch", [10, 20, 30, 30, 40, 50, 60, 60]), (25, [30, 30, 60, 60])]
)
def test_13_9_update_freq(tmp_path, update_freq, steps):
    fit(TensorBoard(tmp_path, update_freq=update_freq), 2)
    found = read(tmp_path)
    assert [e.step for e in found.Scalars("loss")] == steps
    assert [e.step for e in found.Scalars("val_loss")] == [30, 60]
    assert "size" not in found.Tags()["scalars"] and "batch" not in found.Tags()["scalars"]


def test_other_callbacks_may_add_numbers(tmp_path):
    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs.update(python=1, numpy=np.float32(2), cell=np.array(3.0), row=np.ones(4))

    model = net()
    model.fit(X, Y, verbose=0, callbacks=[Adds(), TensorBoard(tmp_path)])
    found = read(tmp_path)
    assert [found.Scalars(n)[0].value for n in ("python", "numpy", "cell")] == [1, 2, 3]
    assert "row" not in found.Tags()["scalars"]


def test_with_a_generator(tmp_path):
    def batches():
        while True:
            yield X[:10], Y[:10]

    net().fit_generator(
        batches(),
        2,
        3,
        verbose=0,
        validation_data=batches(),
        validation_steps=1,
        callbacks=[TensorBoard(tmp_path)],
    )
    assert [e.step for e in read(tmp_path).Scalars("val_acc")] == [0, 1, 2]


# ---- histograms


def test_13_9_histograms(tmp_path):
    fit(TensorBoard(tmp_path, histogram_freq=2, batch_size=7), 4)
    found = read(tmp_path)
    weights = {"c/kernel_0", "c/bias_0", "d/kernel_0", "d/bias_0"}
    outputs = {"c_out", "f_out", "drop_out", "d_out", "a_out"}
    assert set(found.Tags()["histograms"]) == weights | outputs
    for name in weights | outputs:
        assert [e.step for e in found.Histograms(name)] == [0, 2]


def test_13_9_what_histograms_count(tmp_path):
    model, _ = fit(TensorBoard(tmp_path, histogram_freq=1, batch_size=7), 1)
    found = read(tmp_path)
    check(found.Histograms("d/kernel_0")[0].histogram_value, model.get_weights()[2])
    # outputs: over all batches of the validation data, in the test phase
    for name, layer in (("c_out", "c"), ("drop_out", "f"), ("a_out", "a")):
        values = Model(model.inputs, model.get_layer(layer).output).predict(X)
        check(found.Histograms(name)[0].histogram_value, values)


def check(found, values):
    values = values.astype("float64").ravel()
    assert (found.num, found.min, found.max) == (values.size, values.min(), values.max())
    np.testing.assert_allclose([found.sum, found.sum_squares], [values.sum(), values @ values], rtol=1e-9)
    assert sum(found.bucket) == values.size
    limits = np.array(found.bucket_limit)
    assert (np.diff(limits) > 0).all()
    np.testing.assert_array_equal(np.cumsum(found.bucket), [(values < limit).sum() for limit in limits])


def test_13_9_gradients(tmp_path):
    model = Sequential([Dense(3, input_shape=(4,), name="d", activation="softmax"), Dense(3, name="e")])
    model.compile("sgd", "mse")
    x, y = X.reshape(30, 36)[:, :4], Y
    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True, batch_size=7)
    model.fit(x, y, 30, 1, verbose=0, validation_data=(x, y), callbacks=[board])
    found = read(tmp_path)
    assert {"d/kernel_0_grad", "e/bias_0_grad"} <= set(found.Tags()["histograms"])
    value = found.Histograms("e/bias_0_grad")[0].histogram_value
    gradient = (2 * (model.predict(x) - y) / 3).mean(axis=0)  # of the mean squared error, over all rows
    np.testing.assert_allclose([value.min, value.max], [gradient.min(), gradient.max()], rtol=1e-4)
    assert value.num == 3


def test_13_9_histograms_need_arrays_to_validate_on(tmp_path):
    with pytest.raises(ValueError, match="validation_data must be provided, and cannot be a generator"):
        fit(TensorBoard(tmp_path, histogram_freq=1), validation_data=None)


def test_shared_layers_and_models_inside(tmp_path):
    inner = Sequential([Dense(3, input_shape=(3,), name="deep")], name="inner")
    a, b = Input((3,), name="a"), Input((3,), name="b")
    shared = Dense(3, name="shared")
    model = Model([a, b], add([inner(shared(a)), shared(b)], name="sum"))
    model.compile("sgd", "mse")
    x = np.ones((4, 3))
    board = TensorBoard(tmp_path, histogram_freq=1)
    model.fit([x, x], x, verbose=0, validation_data=([x, x], x), callbacks=[board])
    found = read(tmp_path)
    outputs = {name for name in found.Tags()["histograms"] if "_out" in name}
    assert outputs == {"shared_out_0", "shared_out_1", "inner_out", "sum_out"}
    nodes = {node.name: node for node in found.Graph().node}
    assert set(nodes) == {"a", "b", "shared", "shared_1", "inner", "inner/deep_input", "inner/deep", "sum"}
    assert list(nodes["sum"].input) == ["inner", "shared_1"]
    assert list(nodes["inner"].input) == ["shared"]


# ---- pictures and graph


def test_13_9_images(tmp_path):
    PIL = pytest.importorskip("PIL.Image")
    one, _ = fit(TensorBoard(tmp_path, histogram_freq=1, write_images=True), 1)
    found = read(tmp_path)
    names = {name.split("/image")[0] for name in found.Tags()["images"]}
    assert names == {"c/kernel_0", "c/bias_0", "d/kernel_0", "d/bias_0"}
    (event,) = found.Images("d/kernel_0/image")
    picture = np.asarray(PIL.open(io.BytesIO(event.encoded_image_string)))
    kernel = one.get_weights()[2].T  # lying
    assert picture.shape == kernel.shape == (event.height, event.width)
    np.testing.assert_allclose(picture, 127 + 127 * kernel / np.abs(kernel).max(), atol=1)
    assert [f"c/kernel_0/image/{i}" in found.Tags()["images"] for i in range(4)] == [True, True, True, False]


def test_13_9_graph(tmp_path):
    fit(TensorBoard(tmp_path), 1)
    nodes = list(read(tmp_path).Graph().node)
    assert [(n.name, n.op, list(n.input)) for n in nodes] == [
        ("c_input", "InputLayer", []),
        ("c", "Conv2D", ["c_input"]),
        ("f", "Flatten", ["c"]),
        ("drop", "Dropout", ["f"]),
        ("d", "Dense", ["drop"]),
        ("a", "Activation", ["d"]),
    ]
    (shape,) = nodes[1].attr["_output_shapes"].list.shape
    assert [d.size for d in shape.dim] == [-1, 4, 4, 4]
    fit(TensorBoard(tmp_path / "none", write_graph=False), 1)
    assert not read(tmp_path / "none").Tags()["graph"]


# ---- embeddings


def words():
    model = Sequential([Embedding(7, 2, input_length=3, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    return model, np.arange(12).reshape(4, 3) % 7


def projector(folder):
    """What the projector plugin makes of a folder: its configuration."""
    plugin = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    text_format = pytest.importorskip("google.protobuf.text_format")
    config = plugin.ProjectorConfig()
    text_format.Parse((folder / "projector_config.pbtxt").read_text(), config)
    return plugin, list(config.embeddings)


def test_13_9_embeddings_are_the_weights(tmp_path):
    model, x = words()
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata="words.tsv")
    model.fit(x, np.ones(4), verbose=0, callbacks=[board])
    plugin, (entry,) = projector(tmp_path)
    assert (entry.tensor_name, entry.metadata_path) == ("words", "words.tsv")
    rows = plugin._read_tensor_tsv_file(str(tmp_path / entry.tensor_path))
    np.testing.assert_allclose(rows, model.get_weights()[0], rtol=1e-6)


def test_13_9_embeddings_of_data(tmp_path):
    model, x = words()
    board = TensorBoard(
        tmp_path,
        embeddings_freq=2,
        batch_size=3,
        embeddings_layer_names=["words", "flatten_1"],
        embeddings_metadata={"words": 'a "name".tsv'},
        embeddings_data=x,
    )
    model.fit(x, np.ones(4), verbose=0, callbacks=[board])
    plugin, (first, second) = projector(tmp_path)
    assert (first.metadata_path, second.metadata_path) == ('a "name".tsv', "")
    wanted = model.get_weights()[0][x].reshape(4, 6)
    for entry in (first, second):
        rows = plugin._read_tensor_tsv_file(str(tmp_path / entry.tensor_path))
        np.testing.assert_allclose(rows, wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="No such layer: nothing"):
        board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_layer_names=["nothing"])
        model.fit(x, np.ones(4), verbose=0, callbacks=[board])


# ---- the format itself


def test_check_sum():
    """The check value of CRC-32C for '123456789', and two of the examples of RFC 3720."""

    def plain(data):
        rotated = (_events.masked_crc32c(data) - 0xA282EAD8) & 0xFFFFFFFF
        return (rotated << 15 | rotated >> 17) & 0xFFFFFFFF

    assert plain(b"123456789") == 0xE3069283
    assert plain(bytes(32)) == 0x8A9136AA
    assert plain(b"\xff" * 32) == 0x62A8AB43


def test_histogram_of_odd_numbers(tmp_path):
    writer = _events.EventWriter(str(tmp_path))
    odd = {
        "empty": [],
        "nan": [math.nan, math.inf, 2.0],
        "same": [0.5] * 4,
        "zero": [0.0, 0.0],
        "huge": [-1e30, 1e-30, 1e30],
    }
    for tag, values in odd.items():
        counts = _events.Histogram()
        counts.add(values)
        writer.add_summary([_events.histogram(tag, counts)], -1)
    writer.close()
    found = read(tmp_path)
    totals = {tag: sum(found.Histograms(tag)[0].histogram_value.bucket) for tag in odd}
    assert totals == {"empty": 0, "nan": 1, "same": 4, "zero": 2, "huge": 3}
    assert found.Histograms("nan")[0].step == -1


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        fit(TensorBoard(tmp_path / "file" / "logs"))
