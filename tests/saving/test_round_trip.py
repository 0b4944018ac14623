"""What we save, we load again. Numbers in comments are items of the list of behaviours."""

import json
import warnings

import numpy as np
import pytest

import pykeras
from pykeras import backend as K
from pykeras import layers as L
from pykeras.models import (
    Model,
    Sequential,
    clone_model,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
)

h5py = pytest.importorskip("h5py")


def mlp(name=None):
    return Sequential(
        [
            L.Dense(5, activation="relu", input_shape=(4,), name="first"),
            L.BatchNormalization(name="norm"),
            L.Dropout(0.5, name="drop"),
            L.Dense(3, activation="softmax", kernel_regularizer="l2", name="last"),
        ],
        name=name,
    )


def graph():
    a, b = L.Input((4,), name="a"), L.Input((6, 6, 2), name="b")
    shared = L.Dense(4, name="shared")
    u = shared(shared(a))
    inner = Sequential([L.Conv2D(3, 3, input_shape=(6, 6, 2)), L.LeakyReLU(), L.Flatten()], name="inner")
    v = L.Dense(4, name="v")(inner(b))
    joined = L.concatenate([u, v], name="joined")
    return Model([a, b], [L.Dense(2, name="out")(joined), L.add([u, v], name="sum")], name="graph")


def graph_inputs():
    return [np.random.rand(3, 4).astype("float32"), np.random.rand(3, 6, 6, 2).astype("float32")]


def shake(model):
    model.set_weights([np.random.rand(*w.shape) + 0.1 for w in model.get_weights()])


def data():
    x = np.random.rand(24, 4).astype("float32")
    return x, np.eye(3, dtype="float32")[np.random.randint(0, 3, 24)]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


# ---- architecture


@pytest.mark.parametrize("make", [mlp, graph])
@pytest.mark.parametrize("form", ["json", "yaml", "config"])
def test_architecture_round_trip(make, form):  # 3.1.1, 3.1.4, 3.1.5
    model = make()
    if form == "json":
        again = model_from_json(model.to_json())
    elif form == "yaml":
        again = model_from_yaml(model.to_yaml())
    else:
        again = model_from_config({"class_name": type(model).__name__, "config": model.get_config()})
    assert again.get_config() == model.get_config()
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    inputs = graph_inputs() if make is graph else np.random.rand(2, 4)
    assert same(np_list(again.predict(inputs)), np_list(model.predict(inputs)))


def np_list(x):
    return x if isinstance(x, list) else [x]


def test_json_has_the_usual_wrapping():  # 3.1.4
    text = mlp(name="net").to_json(indent=2)
    wrapped = json.loads(text)
    assert set(wrapped) == {"class_name", "config", "keras_version", "backend"}
    assert (wrapped["class_name"], wrapped["keras_version"], wrapped["backend"]) == (
        "Sequential",
        "2.2.4",
        "tensorflow",
    )
    assert text.startswith("{\n  ")


def test_configs_with_sizes_of_tensors():
    x = L.Input((4, 6))
    model = Model(x, L.Dense(x.shape[2] * 2)(L.Reshape((x.shape[1] * x.shape[2],))(x)))
    for copy in (model_from_json(model.to_json()), model_from_yaml(model.to_yaml())):
        assert copy.output_shape == (None, 12)


def test_yaml_tags():  # 3.1.5
    text = mlp().to_yaml()
    assert "!!python/tuple" in text
    assert "!!python/object" not in text
    old = text.replace("class_name: Dense", "class_name: !!python/unicode 'Dense'")
    assert len(model_from_yaml(old).layers) == 4


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['echo no']",
        "!!python/name:os.system",
        "a: [",
    ],
)
def test_yaml_runs_nothing(text):
    with pytest.raises(ValueError, match="not YAML of plain data"):
        model_from_yaml(text)


def test_reading_a_list_or_nonsense():  # 3.1.4
    with pytest.raises(TypeError, match="expects a dictionary, not a list"):
        model_from_config(mlp().get_config()["layers"])
    for text in ("{", "", "nonsense"):
        with pytest.raises(ValueError, match="not JSON"):
            model_from_json(text)


def test_json_encoded_twice():
    assert len(model_from_json(json.dumps(mlp().to_json())).layers) == 4


def test_sequential_config_forms():  # 3.1.3
    model = mlp(name="net")
    config = model.get_config()
    assert config["name"] == "net"
    assert len(Sequential.from_config(config).layers) == 4
    assert len(Sequential.from_config(config["layers"]).layers) == 4


# ---- weights


@pytest.mark.parametrize("by_name", [False, True])
def test_weight_file_round_trip(tmp_path, by_name):  # 3.2.1, 3.2.9
    model, again = graph(), graph()
    shake(model)
    path = tmp_path / "w.h5"
    model.save_weights(path)
    again.load_weights(path, by_name=by_name)
    assert same(again.get_weights(), model.get_weights())


def test_layout_of_a_weight_file(tmp_path):  # 3.2.1, 3.2.2
    path = str(tmp_path / "w.h5")
    model = mlp()
    model.save_weights(path)
    with h5py.File(path) as file:
        assert file.attrs["layer_names"].tolist() == [b"first", b"norm", b"drop", b"last"]
        assert file.attrs["backend"] in (b"tensorflow", "tensorflow")
        assert file.attrs["keras_version"] in (b"2.2.4", "2.2.4")
        assert file["first"].attrs["weight_names"].tolist() == [b"first/kernel:0", b"first/bias:0"]
        assert [n.decode().split("/")[-1] for n in file["norm"].attrs["weight_names"]] == [
            "gamma:0",
            "beta:0",
            "moving_mean:0",
            "moving_variance:0",
        ]
        assert file["drop"].attrs["weight_names"].shape == (0,)
        assert np.array_equal(file["first/first/kernel:0"][()], model.get_weights()[0])


def test_by_name_takes_what_fits(tmp_path):  # 3.2.9
    path = tmp_path / "w.h5"
    source = mlp()
    shake(source)
    source.save_weights(path)
    other = Sequential([L.Dense(5, input_shape=(4,), name="first"), L.Dense(7, name="new")])
    before = other.layers[1].get_weights()
    other.load_weights(path, by_name=True)
    assert same(other.layers[0].get_weights(), source.layers[0].get_weights())
    assert same(other.layers[1].get_weights(), before)


def test_by_name_finds_no_name(tmp_path):  # 3.2.9
    path = tmp_path / "w.h5"
    mlp().save_weights(path)
    other = Sequential([L.Dense(5, input_shape=(4,), name="mine"), L.Activation("relu", name="end")])
    before = other.get_weights()
    with pytest.warns(
        UserWarning, match="nothing was loaded: the file has 'first', 'norm', 'last', the model 'mine'"
    ):
        other.load_weights(path, by_name=True)
    assert same(other.get_weights(), before)


def test_by_name_mismatch(tmp_path):  # 3.2.9
    path = tmp_path / "w.h5"
    mlp().save_weights(path)
    other = Sequential([L.Dense(6, input_shape=(4,), name="first")])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"'first'.*has shape"):
        other.load_weights(path, by_name=True)
    with pytest.warns(UserWarning, match="Skipping loading of weights.*'first'"):
        other.load_weights(path, by_name=True, skip_mismatch=True)
    assert same(other.get_weights(), before)
    with pytest.raises(ValueError, match="skip_mismatch"):
        other.load_weights(path, skip_mismatch=True)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([L.Dense(5)], "containing 3 layers into a model with 1 layers"),
        ([L.Dense(5), L.BatchNormalization(), L.Dense(4)], r"Layer #2 .*shape \(5, 4\).*shape \(5, 3\)"),
        ([L.Dense(5), L.BatchNormalization(scale=False), L.Dense(3)], "expects 3 weight.*have 4 element"),
    ],
)
def test_another_architecture(tmp_path, layers, words):  # 3.2.9, 20
    path = tmp_path / "w.h5"
    mlp().save_weights(path)
    other = Sequential()
    other.add(L.InputLayer((4,)))
    for layer in layers:
        other.add(type(layer).from_config(layer.get_config()))
    before = other.get_weights()
    with pytest.raises(ValueError, match=words):
        other.load_weights(path)
    assert same(other.get_weights(), before)


def test_reshape(tmp_path):  # 3.2.9
    path = tmp_path / "w.h5"
    source = Sequential([L.Dense(6, input_shape=(4,))])
    source.save_weights(path)
    other = Sequential([L.Conv1D(6, 2, input_shape=(5, 2))])
    with pytest.raises(ValueError, match="has shape"):
        other.load_weights(path)
    other.load_weights(path, reshape=True)
    assert np.array_equal(other.get_weights()[0].ravel(), source.get_weights()[0].ravel())


def test_weights_out_of_a_full_file_and_split_names(tmp_path, monkeypatch):  # 3.2.4, 3.2.9
    from pykeras.saving import h5file

    def make():
        first = L.Dense(3, input_shape=(4,), name="d0")
        return Sequential([first] + [L.Dense(3, name=f"d{i}") for i in range(1, 9)])

    monkeypatch.setattr(h5file, "ATTRIBUTE_LIMIT", 12)
    path = tmp_path / "m.h5"
    model = make()
    shake(model)
    model.save(path)
    with h5py.File(path) as file:
        assert "layer_names1" in file["model_weights"].attrs
        assert "weight_names1" in file["model_weights/d0"].attrs
    again = make()
    again.load_weights(path)
    assert same(again.get_weights(), model.get_weights())


def test_weight_file_of_keras_0_3(tmp_path):
    path = tmp_path / "w.h5"
    arrays = [np.random.rand(4, 3), np.random.rand(3), np.random.rand(3, 2), np.random.rand(2)]
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = 3
        for k, weights in enumerate((arrays[:2], [], arrays[2:])):
            group = file.create_group(f"layer_{k}")
            group.attrs["nb_params"] = len(weights)
            for i, weight in enumerate(weights):
                group[f"param_{i}"] = weight
    model = Sequential([L.Dense(3, input_shape=(4,)), L.Activation("relu"), L.Dense(2)])
    model.load_weights(path)
    assert same(model.get_weights(), [a.astype("float32") for a in arrays])


def test_nested_weights_survive_freezing(tmp_path):  # 3.2.3
    path = tmp_path / "w.h5"

    def make(frozen):
        inner = mlp(name="inner")
        inner.layers[0].trainable = not frozen
        x = L.Input((4,))
        return Model(x, inner(x))

    model, again = make(frozen=True), make(frozen=False)
    shake(model)
    model.save_weights(path)
    again.load_weights(path)
    x = np.random.rand(2, 4)
    assert np.array_equal(model.predict(x), again.predict(x))


# ---- whole models


def on_frozen(kind):
    """A new top on a model that is frozen as a whole, compiled and trained."""
    base = Sequential([L.Dense(5, input_shape=(4,)), L.BatchNormalization()], name="base")
    base.trainable = False
    if kind == "sequential":
        model = Sequential([base, L.Dense(3, activation="softmax")])
    elif kind == "functional":
        x = L.Input((4,))
        model = Model(x, L.Dense(3, activation="softmax")(base(x)))
    else:
        model = Sequential([L.Reshape((1, 4), input_shape=(4,)), L.TimeDistributed(base), L.Flatten()])
        model.add(L.Dense(3, activation="softmax"))
    model.compile("adam", "categorical_crossentropy")
    model.fit(*data(), verbose=0)
    return model


@pytest.mark.parametrize("kind", ["sequential", "functional", "wrapped"])
def test_2_19_a_frozen_model_inside_another_stays_frozen(tmp_path, kind):
    """Else all would train from then on, with a fresh optimizer: its state does not fit any more."""
    model = on_frozen(kind)
    model.save(tmp_path / "m.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = load_model(tmp_path / "m.h5")
    copies = [again, model_from_json(model.to_json()), model_from_yaml(model.to_yaml()), clone_model(model)]
    assert [len(copy.trainable_weights) for copy in copies] == [2] * 4
    for one in (model, again):
        x, y = np.ones((4, 4)), np.eye(3)[[0, 1, 2, 0]]
        one.fit(x, y, verbose=0, shuffle=False)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(model.get_weights(), again.get_weights()))


def test_2_19_the_outermost_flag_is_not_saved(tmp_path):
    """A GAN's discriminator is frozen after it was compiled; its file trains on."""
    model = mlp()
    model.compile("adam", "categorical_crossentropy")
    model.fit(*data(), verbose=0)
    model.trainable = False
    model.save(tmp_path / "m.h5")
    assert "trainable" not in model.get_config()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = load_model(tmp_path / "m.h5")
    assert len(again.trainable_weights) == 6


def test_model_file_round_trip(tmp_path):  # 3.2.5, 3.2.8
    x, y = data()
    model = mlp(name="net")
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], loss_weights=[0.5])
    model.fit(x, y, verbose=0)
    path = tmp_path / "m.h5"
    model.save(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = load_model(path)
    assert isinstance(again, Sequential) and again.name == "net"
    assert same(again.get_weights(), model.get_weights())
    assert np.array_equal(again.predict(x), model.predict(x))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert again.metrics_names == ["loss", "acc"]
    assert same(again.optimizer.get_weights(), model.optimizer.get_weights())
    assert again.optimizer.get_config() == model.optimizer.get_config()


def test_layout_of_a_model_file(tmp_path):  # 3.2.5
    path = tmp_path / "m.h5"
    model = mlp()
    model.compile("sgd", "mse", metrics=["mae"])
    model.save(path)
    with h5py.File(path) as file:
        assert set(file.attrs) == {"keras_version", "backend", "model_config", "training_config"}
        assert list(file) == ["model_weights"]  # never trained: no state yet (3.2.7)
        training = json.loads(file.attrs["training_config"])
    assert set(training) == {"optimizer_config", "loss", "metrics", "sample_weight_mode", "loss_weights"}
    assert training["optimizer_config"]["class_name"] == "SGD"
    assert (training["loss"], training["metrics"]) == ("mse", ["mae"])


def test_graph_round_trip(tmp_path):
    path = tmp_path / "m.h5"
    model = graph()
    shake(model)
    losses = {"out": "mse", "sum": "mae"}
    model.compile("rmsprop", losses, loss_weights={"out": 1.0, "sum": 0.1}, metrics={"out": "mae"})
    model.save(path)
    again = load_model(path)
    inputs = graph_inputs()
    assert same(again.predict(inputs), model.predict(inputs))
    assert (again.loss, again.loss_weights) == (model.loss, model.loss_weights)
    assert again.metrics_names == model.metrics_names


def test_open_file_as_destination(tmp_path):  # 3.2.8
    model = mlp()
    with h5py.File(tmp_path / "m.h5", "w") as file:
        model.save(file)
        group = file.create_group("second")
        model.save(group)
        assert len(load_model(file, compile=False).layers) == 4
        assert same(load_model(group, compile=False).get_weights(), model.get_weights())
    assert len(load_model(tmp_path / "m.h5", compile=False).layers) == 4


def test_uncompiled_and_without_optimizer(tmp_path):  # 3.2.8, 20
    path = tmp_path / "m.h5"
    mlp().save(path)
    with pytest.warns(UserWarning, match="No training configuration found in save file"):
        model = load_model(path)
    with pytest.raises(RuntimeError, match="compile"):
        model.evaluate(*data(), verbose=0)
    model.compile("sgd", "mse")
    model.save(path, include_optimizer=False)
    with h5py.File(path) as file:
        assert "training_config" not in file.attrs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(path, compile=False)


def test_overwrite_false_asks(tmp_path, monkeypatch):  # 3.2.8
    path = tmp_path / "m.h5"
    model = mlp()
    model.save(path, overwrite=False)
    before = path.read_bytes()
    monkeypatch.setattr("builtins.input", lambda question: "n")
    model.save(path, overwrite=False)
    model.save_weights(path, overwrite=False)
    assert path.read_bytes() == before
    monkeypatch.setattr("builtins.input", lambda question: "y")
    model.save_weights(path, overwrite=False)
    assert path.read_bytes() != before


class Twice(L.Layer):
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(1,), initializer=half)
        super().build(input_shape)

    def call(self, x):
        return x * self.scale * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def half(shape, dtype=None):
    return K.constant(0.5, shape=shape, dtype=dtype)


def my_loss(t, p):
    return K.mean(K.square(t - p), axis=-1)


def custom():
    model = Sequential([L.Dense(3, kernel_initializer=half, input_shape=(4,)), Twice(3)])
    model.compile("sgd", my_loss, metrics=[my_loss, "mae"])
    return model


def test_custom_objects(tmp_path):  # 3.1.9, 3.2.8
    path = tmp_path / "m.h5"
    model = custom()
    model.save(path)
    objects = {"Twice": Twice, "half": half, "my_loss": my_loss}
    with pytest.raises(ValueError, match="Unknown layer: Twice"):
        load_model(path)
    with pytest.raises(ValueError, match="Unknown loss function:my_loss"):
        load_model(path, {"Twice": Twice, "half": half})
    # an initializer that is not known does not matter where weights follow
    assert same(load_model(path, {"Twice": Twice}, compile=False).get_weights(), model.get_weights())
    again = load_model(path, objects)
    assert again.layers[1].factor == 3
    assert again.loss is my_loss
    with pykeras.utils.CustomObjectScope(objects):
        assert load_model(path).metrics_names == again.metrics_names


def test_lambda_needs_its_function(tmp_path, monkeypatch):  # 3.1.10
    from pykeras.layers import _lambda

    def double(x):
        return 2 * x

    path = tmp_path / "m.h5"
    model = Sequential([L.Lambda(double, input_shape=(4,), name="twice")])
    model.save(path)
    text = model.to_json()
    monkeypatch.setattr(_lambda, "_KNOWN", type(_lambda._KNOWN)())  # as if another process had written it
    for load in (lambda: load_model(path, compile=False), lambda: model_from_json(text)):
        with pytest.raises(ValueError, match=r"'twice'.*never runs code.*custom_objects"):
            load()
    again = load_model(path, {"twice": double}, compile=False)
    assert again.predict(np.ones((1, 4))).tolist() == [[2, 2, 2, 2]]


# ---- training goes on as if nothing had happened


def resume_model(optimizer):
    model = Sequential(
        [
            L.Dense(8, activation="tanh", input_shape=(4,)),
            L.Dropout(0.3, seed=3),
            L.BatchNormalization(),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer(), "categorical_crossentropy", metrics=["accuracy"])
    return model


OPTIMIZERS = {
    "sgd": lambda: pykeras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, decay=0.01),
    "rmsprop": lambda: pykeras.optimizers.RMSprop(decay=0.1),
    "adagrad": lambda: pykeras.optimizers.Adagrad(decay=0.1),
    "adadelta": lambda: pykeras.optimizers.Adadelta(),
    "adam": lambda: pykeras.optimizers.Adam(clipnorm=1.0),
    "amsgrad": lambda: pykeras.optimizers.Adam(amsgrad=True),
    "adamax": lambda: pykeras.optimizers.Adamax(),
    "nadam": lambda: pykeras.optimizers.Nadam(),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resume_is_exact(tmp_path, name):  # issue: 2 epochs + save + load + 2 epochs = 4 epochs, bit for bit
    x, y = data()
    options = {"batch_size": 7, "verbose": 0, "shuffle": False}
    model = resume_model(OPTIMIZERS[name])
    start = model.get_weights()
    model.fit(x, y, epochs=4, **options)
    expected = model.get_weights()

    model = resume_model(OPTIMIZERS[name])
    model.set_weights(start)
    model.fit(x, y, epochs=2, **options)
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    again.fit(x, y, epochs=4, initial_epoch=2, **options)
    assert same(again.get_weights(), expected)


def test_state_that_does_not_fit_only_warns(tmp_path):  # 3.2.6
    x, y = data()
    path = tmp_path / "m.h5"
    model = resume_model(OPTIMIZERS["adam"])
    model.fit(x, y, verbose=0)
    model.save(path)
    with h5py.File(path, "a") as file:
        group = file["optimizer_weights"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:-2]
    with pytest.warns(UserWarning, match="Error in loading the saved optimizer state.*freshly initialized"):
        again = load_model(path)
    assert K.get_value(again.optimizer.iterations) == 0
