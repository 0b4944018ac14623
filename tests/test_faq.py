"""The questions that Keras users ask most, answered by code that runs: the FAQ in its order and terms."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

import pykeras
from pykeras import backend as K
from pykeras.callbacks import Callback, EarlyStopping
from pykeras.layers import LSTM, Activation, BatchNormalization, Dense, Dropout, Input, Layer
from pykeras.models import Model, Sequential, load_model, model_from_json, model_from_yaml
from pykeras.optimizers import SGD
from pykeras.utils import CustomObjectScope, HDF5Matrix, Sequence, multi_gpu_model

ROOT = Path(__file__).resolve().parent.parent


def small_model(**first):
    model = Sequential()
    model.add(Dense(8, input_dim=4, activation="relu", name="dense_1", **first))
    model.add(Dense(3, activation="softmax", name="dense_2"))
    model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return model


@pytest.fixture
def data():
    x = np.random.random((60, 4))
    return x, np.eye(3)[np.random.randint(0, 3, 60)]


def python(folder, *words, **environment):
    """Run the interpreter in a folder that is also its home."""
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("KERAS", "PYTHON", "PYKERAS"))
    }
    house = str(Path(pykeras.__file__).parent.parent)
    clean |= {"HOME": str(folder), "PYTHONPATH": house, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    result = subprocess.run([sys.executable, *words], env=clean, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


# ---------------------------------------------------------------------------------------------------------


def test_how_should_i_cite():
    """How should I cite Keras? The repository says so, in the form that reference managers read."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["title"] == "pykeras"
    assert citation["version"] == pykeras.__version__
    (keras,) = citation["references"]
    assert (keras["title"], keras["year"], keras["authors"][0]["family-names"]) == ("Keras", 2015, "Chollet")


def test_how_can_i_run_on_a_gpu(tmp_path):
    """How can I run Keras on a GPU? There are no flags or sessions to set; those of Theano change nothing.

    What can be used is listed, and a device is chosen by name; a name that cannot be used is an error.
    """
    from pykeras.backend import tensorflow_backend as KTF
    from pykeras.backend.engine import devices, get_device, set_device

    assert "cpu" in devices()
    assert get_device() in devices()
    assert all(name.startswith("cuda") for name in KTF._get_available_gpus())
    assert set(KTF._get_available_gpus()) <= set(devices())
    before = get_device()
    with pytest.raises(ValueError, match=r"there is no device 'gpu'; there are: .*cpu"):
        set_device("gpu")
    assert get_device() == before
    with pytest.raises(AttributeError, match="memory and devices need no configuration"):
        K.tf.device("/gpu:0")
    results = {}
    for name in ("cpu", "reference"):
        set_device(name)
        try:
            results[name] = K.eval(K.dot(K.constant([[1.0, 2.0]]), K.constant([[3.0], [4.0]])))
        finally:
            set_device(before)
    assert results["cpu"] == results["reference"] == 11
    ask = (
        "from pykeras import backend as K; from pykeras.backend.engine import get_device; "
        "print(get_device(), K.eval(K.ones((2,))).dtype)"
    )
    flags = python(tmp_path, "-c", ask, THEANO_FLAGS="device=gpu,floatX=float64")
    assert flags == python(tmp_path, "-c", ask) == f"{get_device()} float32\n"


def test_how_can_i_run_on_multiple_gpus():
    """How can I run a Keras model on multiple GPUs? By `multi_gpu_model`, which says what is missing."""
    from pykeras.backend import tensorflow_backend as KTF

    wanted = len(KTF._get_available_gpus()) + 8
    with pytest.raises(ValueError, match=rf"`gpus={wanted}`, we expect the devices .* to be available"):
        multi_gpu_model(small_model(), gpus=wanted)


def test_sample_batch_epoch(data):
    """What does "sample", "batch", "epoch" mean?

    A sample is one row of the data; a batch is what one update of the weights sees; an epoch is one pass over
    all samples, at whose end validation takes place.
    """
    seen = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(("batch", batch, logs["size"]))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(("epoch", epoch, "val_loss" in logs))

    model = small_model()
    model.fit(*data, batch_size=25, epochs=2, verbose=0, validation_data=data, callbacks=[Watch()])
    one = [("batch", 0, 25), ("batch", 1, 25), ("batch", 2, 10)]
    assert seen == [*one, ("epoch", 0, True), *one, ("epoch", 1, True)]
    assert K.get_value(model.optimizer.iterations) == 6
    # samples are processed independently of each other
    x = data[0]
    np.testing.assert_array_equal(model.predict(x)[7:8], model.predict(x[7:8]))


# ---- How can I save a Keras model?


def test_saving_whole_models(data, tmp_path):
    """Saving/loading whole models: architecture, weights, training configuration, state of the optimizer."""
    model = small_model()
    model.fit(*data, epochs=2, verbose=0)
    path = str(tmp_path / "my_model.h5")
    model.save(path)
    state = [K.get_value(w) for w in model.optimizer.weights]
    expected = model.predict(data[0])
    model.fit(*data, epochs=1, verbose=0, shuffle=False)
    resumed = model.get_weights()
    del model

    model = load_model(path)
    np.testing.assert_array_equal(model.predict(data[0]), expected)
    assert [type(layer) for layer in model.layers] == [Dense, Dense]
    assert model.loss == "categorical_crossentropy" and model.metrics_names == ["loss", "acc"]
    for ours, theirs in zip(state, [K.get_value(w) for w in model.optimizer.weights], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model.fit(*data, epochs=1, verbose=0, shuffle=False)  # training goes on exactly where it was left
    for ours, theirs in zip(model.get_weights(), resumed, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_saving_only_the_architecture(data):
    """Saving/loading only a model's architecture: JSON and YAML, which people can read and edit."""
    model = small_model()
    for text, load in [(model.to_json(), model_from_json), (model.to_yaml(), model_from_yaml)]:
        fresh = load(text)
        assert fresh.get_config() == model.get_config()
        assert not np.array_equal(fresh.get_weights()[0], model.get_weights()[0])
        fresh.set_weights(model.get_weights())
        np.testing.assert_array_equal(fresh.predict(data[0]), model.predict(data[0]))
    edited = model.to_json().replace('"units": 8', '"units": 5')
    assert model_from_json(edited).layers[0].units == 5


def test_saving_only_the_weights(data, tmp_path):
    """Saving/loading only a model's weights, also into another architecture, by name."""
    path = str(tmp_path / "my_model_weights.h5")
    model = small_model()
    model.save_weights(path)
    same = small_model()
    same.load_weights(path)
    np.testing.assert_array_equal(same.predict(data[0]), model.predict(data[0]))

    other = Sequential()
    other.add(Dense(8, input_dim=4, name="dense_1"))  # will be loaded
    other.add(Dense(10, name="new_dense"))  # will not be loaded
    before = other.get_weights()
    other.load_weights(path, by_name=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])
    with pytest.raises(ValueError):
        other.load_weights(path)


class AttentionLayer(Layer):
    """A custom layer: weighs its inputs."""

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
        super().build(input_shape)

    def call(self, x):
        return K.softmax(x * self.scale)


def test_custom_objects_in_saved_models(data, tmp_path):
    """Handling custom layers (or other custom objects) in saved models: `custom_objects`, or a scope."""
    path = str(tmp_path / "my_model.h5")
    model = Sequential([AttentionLayer(input_shape=(4,)), Dense(1)])
    model.layers[0].set_weights([np.array([0.5, 1.0, 2.0, -1.0])])
    model.save(path)
    with pytest.raises(ValueError, match="Unknown layer: AttentionLayer"):
        load_model(path)
    by_argument = load_model(path, custom_objects={"AttentionLayer": AttentionLayer}, compile=False)
    with CustomObjectScope({"AttentionLayer": AttentionLayer}):
        by_scope = load_model(path, compile=False)
    from_text = model_from_json(model.to_json(), custom_objects={"AttentionLayer": AttentionLayer})
    from_text.set_weights(model.get_weights())
    for loaded in (by_argument, by_scope, from_text):
        np.testing.assert_array_equal(loaded.predict(data[0]), model.predict(data[0]))


def test_h5py():
    """How can I install HDF5 or h5py to save my models? They come along; this is how to look."""
    assert h5py.version.hdf5_version


# ---------------------------------------------------------------------------------------------------------


def test_why_is_the_training_loss_higher_than_the_testing_loss(data):
    """Why is the training loss much higher than the testing loss?

    Dropout works in the training phase only, and the training loss is an average over the batches of an
    epoch, while the model changes; the testing loss is computed with the model at the epoch's end.
    """
    x, y = data
    a = Input((4,))
    dropping = Model(a, Dense(3, activation="softmax")(Dropout(0.5)(Dense(64, activation="relu")(a))))
    dropping.compile("sgd", "categorical_crossentropy")
    dropping.fit(x, y, epochs=200, verbose=0)
    in_training = K.function([a, K.learning_phase()], [dropping.output])
    errors = [np.mean((in_training([x, phase])[0] - y) ** 2) for phase in (1, 0)]
    assert errors[0] > errors[1]

    # weight penalties, though, are in both losses: with targets that are met, nothing else is left
    heavy = Sequential([Dense(2, input_dim=4, use_bias=False, kernel_regularizer="l2")])
    heavy.compile(SGD(lr=0.0), "mse")
    penalty = 0.01 * np.sum(heavy.get_weights()[0] ** 2)
    nothing = np.zeros((8, 4)), np.zeros((8, 2))
    trained = heavy.fit(*nothing, epochs=1, verbose=0).history["loss"][0]
    assert trained == pytest.approx(penalty) == pytest.approx(heavy.evaluate(*nothing, verbose=0))

    losses = []

    class Batches(Callback):
        def on_batch_end(self, batch, logs=None):
            losses.append(logs["loss"])

    model = small_model()
    history = model.fit(x, y, batch_size=10, epochs=1, verbose=0, callbacks=[Batches()])
    assert history.history["loss"][0] == pytest.approx(np.mean(losses), rel=1e-6)
    learned = Sequential([Dense(1, input_dim=4)])
    learned.compile("adam", "mse")
    K.set_value(learned.optimizer.lr, 0.05)
    history = learned.fit(x, x.sum(1), batch_size=5, epochs=1, verbose=0)
    assert history.history["loss"][0] > learned.evaluate(x, x.sum(1), verbose=0)


def test_output_of_an_intermediate_layer(data):
    """How can I obtain the output of an intermediate layer? By a sub-model or a backend function."""
    x = data[0].astype("float32")
    model = small_model()
    layer_name = "dense_1"
    intermediate_layer_model = Model(inputs=model.input, outputs=model.get_layer(layer_name).output)
    intermediate_output = intermediate_layer_model.predict(x)
    kernel, bias = model.get_weights()[:2]
    np.testing.assert_allclose(intermediate_output, np.maximum(x @ kernel + bias, 0), rtol=1e-5, atol=1e-6)

    get_first_layer_output = K.function([model.layers[0].input], [model.layers[0].output])
    np.testing.assert_array_equal(get_first_layer_output([x])[0], intermediate_output)


def test_output_of_an_intermediate_layer_in_both_phases(data):
    """The same where training and testing differ (Dropout, BatchNormalization): pass the learning phase."""
    x = data[0].astype("float32")
    model = Sequential([BatchNormalization(input_shape=(4,)), Dropout(0.5), Dense(2), Activation("relu")])
    get_output = K.function([model.layers[0].input, K.learning_phase()], [model.layers[1].output])
    in_test_mode = get_output([x, 0])[0]
    np.testing.assert_allclose(in_test_mode, x / np.sqrt(1 + 1e-3), rtol=1e-5)
    in_train_mode = get_output([x, 1])[0]
    assert 0.3 < (in_train_mode == 0).mean() < 0.7
    normalised = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3) * 2
    kept = in_train_mode != 0
    np.testing.assert_allclose(in_train_mode[kept], normalised[kept], rtol=1e-3, atol=1e-4)


def test_data_that_does_not_fit_in_memory(data):
    """How can I use Keras with datasets that don't fit in memory? Batch by batch, or from a generator."""
    x, y = data

    def batches():
        while True:
            for start in range(0, 60, 20):
                yield x[start : start + 20], y[start : start + 20]

    by_hand, by_generator, by_sequence = small_model(), small_model(), small_model()
    for model in (by_generator, by_sequence):
        model.set_weights(by_hand.get_weights())
    feed = batches()
    for _ in range(6):
        by_hand.train_on_batch(*next(feed))
    loss, accuracy = by_hand.test_on_batch(x, y)
    assert loss > 0 and 0 <= accuracy <= 1

    history = by_generator.fit_generator(batches(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2

    class Parts(Sequence):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return x[index * 20 : index * 20 + 20], y[index * 20 : index * 20 + 20]

    by_sequence.fit_generator(Parts(), epochs=2, verbose=0, shuffle=False, workers=2)
    for model in (by_generator, by_sequence):
        for ours, theirs in zip(model.get_weights(), by_hand.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(by_sequence.predict_generator(Parts()), by_sequence.predict(x))
    assert by_sequence.evaluate_generator(Parts()) == pytest.approx(by_sequence.evaluate(x, y, verbose=0))


def test_interrupt_training_when_validation_loss_stops_decreasing(data):
    """How can I interrupt training when the validation loss isn't decreasing anymore? By `EarlyStopping`."""
    x, y = data
    early_stopping = EarlyStopping(monitor="val_loss", patience=2)
    model = small_model()
    K.set_value(model.optimizer.lr, 0.05)
    history = model.fit(x, y, validation_split=0.2, epochs=300, verbose=0, callbacks=[early_stopping])
    losses = history.history["val_loss"]
    assert len(losses) == early_stopping.stopped_epoch + 1 < 300
    assert int(np.argmin(losses)) == len(losses) - 3


def test_how_is_the_validation_split_computed(data):
    """How is the validation split computed? It is the last part of the data, before shuffling."""
    x, y = data
    model = small_model()
    history = model.fit(x, y, validation_split=0.1, epochs=1, verbose=0)
    loss, accuracy = model.evaluate(x[54:], y[54:], verbose=0)
    assert history.history["val_loss"] == pytest.approx([loss])
    assert history.history["val_acc"] == pytest.approx([accuracy])
    assert history.params["samples"] == 54


def test_is_the_data_shuffled_during_training():
    """Is the data shuffled during training? Yes, anew in every epoch, unless `shuffle` is False.

    Validation data never is.
    """
    x = np.arange(8.0).reshape(8, 1)
    seen = []

    class Losses(Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(float(logs["loss"]))

    model = Sequential([Activation("linear", input_shape=(1,))])
    model.compile("sgd", lambda t, p: p)  # the loss is the number of the row
    orders = {}
    for shuffle in (True, False):
        seen.clear()
        model.fit(x, x, batch_size=1, epochs=2, verbose=0, shuffle=shuffle, callbacks=[Losses()])
        orders[shuffle] = [seen[:8], seen[8:]]
    rows = list(x[:, 0])
    assert orders[False] == [rows, rows]
    assert sorted(orders[True][0]) == sorted(orders[True][1]) == rows
    assert orders[True][0] != rows and orders[True][0] != orders[True][1]

    validated = []

    class Asked(Sequence):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            validated.append(index)
            return x[index : index + 1], x[index : index + 1]

    model.fit_generator(Asked(), epochs=1, verbose=0, shuffle=False, validation_data=Asked(), workers=0)
    assert validated == [*range(8), *range(8)]
    history = model.fit(x, x, validation_split=0.5, epochs=1, verbose=0)
    np.testing.assert_array_equal(history.validation_data[0], x[4:])


def test_record_loss_and_accuracy_at_each_epoch(data):
    """How can I record the training / validation loss / accuracy at each epoch? `fit` returns them."""
    hist = small_model().fit(*data, validation_split=0.2, epochs=3, verbose=0)
    assert set(hist.history) == {"loss", "acc", "val_loss", "val_acc"}
    assert all(len(values) == 3 for values in hist.history.values())
    json.dumps({name: [float(v) for v in values] for name, values in hist.history.items()})


def test_how_can_i_freeze_layers():
    """How can I "freeze" Keras layers? `trainable`, which counts when a model is compiled."""
    model = Sequential([Dense(32, trainable=False, input_dim=32), Dense(32)])
    model.compile("rmsprop", "mse")
    before = model.get_weights()
    model.train_on_batch(np.random.random((10, 32)), np.zeros((10, 32)))
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [False, False, True, True]

    x = Input(shape=(32,))
    layer = Dense(32)
    layer.trainable = False
    y = layer(x)

    frozen_model = Model(x, y)
    frozen_model.compile(optimizer="rmsprop", loss="mse")  # the weights of `layer` will not be updated
    layer.trainable = True
    trainable_model = Model(x, y)
    trainable_model.compile(optimizer="rmsprop", loss="mse")  # they will be

    data, labels = np.random.random((10, 32)), np.random.random((10, 32))
    before = layer.get_weights()
    with pytest.warns(UserWarning, match="Discrepancy between trainable weights"):
        frozen_model.fit(data, labels, verbose=0)  # this does not update the weights of `layer`
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    trainable_model.fit(data, labels, verbose=0)  # this does
    assert not np.array_equal(layer.get_weights()[0], before[0])
    np.testing.assert_array_equal(frozen_model.predict(data), trainable_model.predict(data))


def test_stateful_rnns():
    """How can I use stateful RNNs? The last states of a batch are the first ones of the next."""
    x = np.random.random((32, 21, 16))  # what we feed, ten steps at a time
    model = Sequential()
    model.add(LSTM(32, input_shape=(10, 16), batch_size=32, stateful=True))
    model.add(Dense(16, activation="softmax"))
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    # we train the network to predict the 11th step given the first 10
    model.train_on_batch(x[:, :10, :], np.reshape(x[:, 10, :], (32, 16)))
    # the state of the network has changed; we can feed the follow-up sequences
    model.train_on_batch(x[:, 10:20, :], np.reshape(x[:, 20, :], (32, 16)))
    state = K.get_value(model.layers[0].states[0])
    assert np.abs(state).max() > 0
    model.reset_states()
    assert np.abs(K.get_value(model.layers[0].states[0])).max() == 0

    first, second = model.predict(x[:, :10]), model.predict(x[:, 10:20])
    whole = Sequential([LSTM(32, input_shape=(None, 16)), Dense(16, activation="softmax")])
    whole.set_weights(model.get_weights())
    np.testing.assert_allclose(first, whole.predict(x[:, :10]), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(second, whole.predict(x[:, :20]), rtol=1e-5, atol=1e-7)
    # predict, fit, train_on_batch, predict_classes … all change the states; a layer alone can be reset
    model.layers[0].reset_states()
    np.testing.assert_array_equal(model.predict_classes(x[:, :10]), first.argmax(-1))
    np.testing.assert_array_equal(model.predict_classes(x[:, 10:20]), second.argmax(-1))
    model.reset_states()
    model.fit(x[:, :10], x[:, 10], batch_size=32, epochs=1, shuffle=False, verbose=0)
    assert np.abs(K.get_value(model.layers[0].states[0])).max() > 0
    with pytest.raises(ValueError, match="batch_input_shape"):
        Sequential([LSTM(32, input_shape=(10, 16), stateful=True)])


def test_remove_a_layer():
    """How can I remove a layer from a Sequential model? By `pop`, which takes the last one."""
    model = Sequential()
    model.add(Dense(32, activation="relu", input_dim=784))
    model.add(Dense(32, activation="relu"))
    assert len(model.layers) == 2
    model.pop()
    assert len(model.layers) == 1
    assert model.output_shape == (None, 32)
    assert model.predict(np.zeros((1, 784))).shape == (1, 32)


def test_pretrained_models(tmp_path):
    """How can I use pre-trained models in Keras? By `applications`, with the published weights by name.

    `weights='imagenet'` looks for the published file in `~/.keras/models`; a path gives weights of your own.
    """
    from pykeras import applications
    from pykeras.applications import mobilenet

    for name in (
        "Xception VGG16 VGG19 ResNet50 InceptionV3 InceptionResNetV2 MobileNet MobileNetV2 DenseNet121 "
        "DenseNet169 DenseNet201 NASNetLarge NASNetMobile"
    ).split():
        assert callable(getattr(applications, name))
    options = {"input_shape": (32, 32, 3), "alpha": 0.25, "classes": 5}
    path = str(tmp_path / "weights.h5")
    trained = mobilenet.MobileNet(weights=None, **options)
    trained.save_weights(path)
    model = mobilenet.MobileNet(weights=path, **options)
    pictures = np.random.randint(0, 256, (2, 32, 32, 3)).astype("float32")
    x = mobilenet.preprocess_input(pictures.copy())
    assert -1 <= x.min() < 0 < x.max() <= 1
    np.testing.assert_array_equal(model.predict(x), trained.predict(x))

    # extracting features, and fine-tuning: new layers on top, then some of the old ones
    base = mobilenet.MobileNet(
        weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3), alpha=0.25
    )
    assert base.predict(x).shape == (2, 256)
    fine = Model(base.input, Dense(2, activation="softmax", name="new")(base.output))
    for layer in base.layers:
        layer.trainable = False
    fine.compile("sgd", "categorical_crossentropy")
    before = fine.get_weights()
    fine.train_on_batch(x, np.eye(2))
    changed = [not np.array_equal(a, b) for a, b in zip(before, fine.get_weights(), strict=True)]
    assert changed == [False] * (len(before) - 2) + [True, True]


def test_hdf5_inputs(tmp_path):
    """How can I use HDF5 inputs with Keras? By `HDF5Matrix`, or by h5py data sets directly."""
    x, y = np.random.random((40, 4)), np.eye(3)[np.random.randint(0, 3, 40)]
    path = str(tmp_path / "file.hdf5")
    with h5py.File(path, "w") as f:
        f["data"], f["labels"] = x, y
    model, same = small_model(), small_model()
    same.set_weights(model.get_weights())
    x_data = HDF5Matrix(path, "data")
    np.testing.assert_array_equal(model.predict(x_data), model.predict(x))
    with h5py.File(path, "r") as f:
        np.testing.assert_array_equal(model.predict(f["data"]), model.predict(x))
    np.random.seed(1)
    model.fit(x_data, HDF5Matrix(path, "labels"), batch_size=8, epochs=2, shuffle="batch", verbose=0)
    np.random.seed(1)
    same.fit(x, y, batch_size=8, epochs=2, shuffle="batch", verbose=0)
    for ours, theirs in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_where_is_the_configuration_file(tmp_path):
    """Where is the Keras configuration file stored? In `~/.keras/keras.json`, or where KERAS_HOME says.

    It is read if it is there; the defaults are those of Keras. This package writes none by itself.
    """
    ask = (
        "from pykeras import backend as K; print(K.image_data_format(), K.epsilon(), K.floatx(), K.backend())"
    )
    assert python(tmp_path, "-c", ask) == "channels_last 1e-07 float32 tensorflow\n"
    assert not (tmp_path / ".keras").exists()
    settings = {
        "image_data_format": "channels_first",
        "epsilon": 1e-6,
        "floatx": "float64",
        "backend": "theano",
    }
    for folder in (tmp_path / ".keras", tmp_path / "elsewhere"):
        folder.mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    assert python(tmp_path, "-c", ask) == "channels_first 1e-06 float64 theano\n"
    (tmp_path / "elsewhere" / "keras.json").write_text('{"floatx": "float16"}')
    here = python(tmp_path, "-c", ask, KERAS_HOME=str(tmp_path / "elsewhere"))
    assert here == "channels_last 1e-07 float16 tensorflow\n"
    assert python(tmp_path, "-c", ask, KERAS_BACKEND="cntk").endswith("cntk\n")


REPRODUCIBLE = """
import numpy as np
import random as rn

# for starting Numpy and core Python generated random numbers in a well-defined initial state
np.random.seed(42)
rn.seed(12345)

from keras import backend as K
from keras.layers import LSTM, BatchNormalization, Conv1D, Dense, Dropout
from keras.models import Sequential

x = np.random.random((50, 12, 4))
y = np.random.random((50, 1))
model = Sequential()
model.add(Conv1D(8, 3, input_shape=(12, 4), padding='same'))
model.add(BatchNormalization())
model.add(LSTM(8, dropout=0.2, recurrent_dropout=0.2))
model.add(Dropout(0.5))
model.add(Dense(1, kernel_regularizer='l2'))
model.compile('adam', 'mse')
history = model.fit(x, y, epochs=3, batch_size=16, verbose=0, validation_split=0.2)
for values in model.get_weights() + [model.predict(x), np.array(history.history['val_loss'])]:
    print(values.tobytes().hex())
"""


def test_reproducible_results(tmp_path):
    """How can I obtain reproducible results using Keras during development? Seed Numpy; that is all.

    The same bits come out of every process, whatever its hash seed, and for any number of threads.
    """
    (tmp_path / "script.py").write_text(REPRODUCIBLE)
    run = ("-m", "pykeras", "run", "script.py")
    first = python(tmp_path, *run, PYTHONHASHSEED="0")
    assert len(first) > 1000
    assert python(tmp_path, *run, PYTHONHASHSEED="0") == first
    assert python(tmp_path, *run, PYTHONHASHSEED="7", PYKERAS_NUM_THREADS="1") == first
    (tmp_path / "script.py").write_text(REPRODUCIBLE.replace("seed(42)", "seed(43)"))
    assert python(tmp_path, *run, PYTHONHASHSEED="0") != first
