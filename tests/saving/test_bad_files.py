"""Damaged, foreign and hostile files: an error that names the file and the fix, and nothing else happens."""

import errno
import json

import numpy as np
import pytest

from pykeras import layers as L
from pykeras.models import Sequential, load_model
from pykeras.saving import atomic

h5py = pytest.importorskip("h5py")


def net(units=3):
    return Sequential([L.Dense(units, input_shape=(4,), name="d")])


@pytest.fixture
def path(tmp_path):
    model = net()
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)
    path = tmp_path / "m.h5"
    model.save(path)
    return path


@pytest.mark.parametrize("load", [load_model, lambda path: net().load_weights(path)])
def test_no_hdf5_file(path, load):
    whole = path.read_bytes()
    for content in (b"", b"not a model", whole[:50], whole[:1000], whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(OSError, match=r"m\.h5"):
            load(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"m\.h5"):
        load(path)


def test_hdf5_of_something_else(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"No model found in config file .*m\.h5"):
        load_model(path)
    with pytest.raises(ValueError, match=r"m\.h5 is an HDF5 file, but not one of Keras"):
        net().load_weights(path)


@pytest.mark.parametrize(
    "config",
    ["", "{", "[]", "3", '{"class_name": "Model"}', '{"class_name": "Model", "config": {"layers": []}}'],
)
def test_nonsense_for_a_config(path, config):
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = config
    with pytest.raises((ValueError, TypeError), match="config"):
        load_model(path)


def test_nonsense_for_a_training_config(path):
    for text in ("{", "[]", "{}", '{"optimizer_config": 3, "loss": "mse"}'):
        with h5py.File(path, "a") as file:
            file.attrs["training_config"] = text
        with pytest.raises(ValueError, match="config"):
            load_model(path)
        assert load_model(path, compile=False)


def test_missing_group_and_array(path):
    with h5py.File(path, "a") as file:
        del file["model_weights/d/d/kernel:0"]
    with pytest.raises(ValueError, match="lacks 'd/kernel:0'"):
        load_model(path)
    with h5py.File(path, "a") as file:
        del file["model_weights"]
    with pytest.raises(ValueError, match="lacks 'model_weights'"):
        load_model(path)


def replace(path, make):
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["kernel:0"]
        make(group)


def test_links_out_of_the_file(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros((4, 3), "f4")
    external = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    replace(path, lambda group: group.__setitem__("kernel:0", external))
    with pytest.raises(ValueError, match="link to elsewhere"):
        load_model(path)


def test_data_outside_the_file(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(48))
    where = [(str(tmp_path / "secret"), 0, 48)]
    replace(path, lambda group: group.create_dataset("kernel:0", (4, 3), "f4", external=where))
    with pytest.raises(ValueError, match="another file"):
        load_model(path)


def test_array_that_would_fill_the_memory(path):
    bomb = {"shape": (4, 2**40), "dtype": "f4", "chunks": (4, 2**14), "compression": "gzip"}
    replace(path, lambda group: group.create_dataset("kernel:0", **bomb))
    with pytest.raises(ValueError, match="too large"):
        load_model(path)
    with pytest.raises(ValueError, match="too large"):
        net().load_weights(path)


def test_state_that_would_fill_the_memory(path):
    with h5py.File(path, "a") as file:
        group = file["optimizer_weights"]
        name = group.attrs["weight_names"][-1]
        del group[name]
        group.create_dataset(name, (2**40,), "f4", chunks=(2**14,), compression="gzip")
    with pytest.warns(UserWarning, match="optimizer state"):
        load_model(path)


@pytest.mark.parametrize("initializer", ["zeros", "no such initializer", "glorot_uniform"])
def test_config_that_would_fill_the_memory(path, initializer):
    config = {
        "name": "d",
        "units": 10**9,
        "batch_input_shape": [None, 10**6],
        "kernel_initializer": initializer,
    }
    with h5py.File(path, "a") as file:
        layers = [{"class_name": "Dense", "config": config}]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
    with pytest.raises(ValueError, match=r"shape \(1000000, 1000000000\)"):
        load_model(path)


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "os", "config": {}},
        {"class_name": "deserialize", "config": {"config": {}}},
        {
            "class_name": "Dense",
            "config": {"units": 1, "kernel_initializer": {"class_name": "K", "config": {}}},
        },
        {"class_name": "Dense", "config": {"units": 1, "activation": "deserialize_keras_object"}},
    ],
)
def test_names_of_other_things(tmp_path, layer):
    """A config may name layers and their parts, and nothing else that a module happens to hold."""
    layer["config"] = {**layer["config"], "name": "x", "batch_input_shape": [None, 2]}
    config = {"class_name": "Sequential", "config": [layer]}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = np.array([b"x"])
    with pytest.raises(ValueError):
        load_model(tmp_path / "m.h5")


def test_wrong_backend(path):  # 3.2.11
    with h5py.File(path, "a") as file:
        file["model_weights"].attrs["backend"] = "abacus"
    with pytest.raises(ValueError, match="Unknown backend 'abacus'"):
        load_model(path)


def test_failed_load_leaves_the_model_usable(path):
    model = net(5)
    before = model.get_weights()
    with pytest.raises(ValueError, match="another architecture"):
        model.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before))
    assert model.predict(np.zeros((1, 4))).shape == (1, 5)


def test_damaged_text_of_the_config(path):
    """Whatever becomes of the config's letters: the model loads or a ValueError says that it does not."""
    with h5py.File(path) as file:
        config = bytearray(file.attrs["model_config"].encode())
    rng = np.random.RandomState(5)
    for _ in range(150):
        damaged = bytearray(config)
        for place in rng.randint(0, len(config), 2):
            damaged[place] = rng.randint(32, 127)
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = bytes(damaged)
        try:
            load_model(path, compile=False)
        except ValueError:
            pass


@pytest.mark.parametrize(
    "text", ["[" * 100000, '{"a":' * 100000, '{"class_name": "Sequential", "config": [' * 9000]
)
def test_config_nested_too_deeply(path, text):
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = text
    with pytest.raises(ValueError, match="config"):
        load_model(path)


def test_attribute_of_another_kind(path):
    with h5py.File(path, "a") as file:
        group = file["model_weights/d"]
        group.attrs["weight_names"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
    with pytest.raises(ValueError, match=r"'weight_names'.*is damaged"):
        load_model(path)


# ---- saving that fails


def test_disk_full_while_saving(path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    before = load_model(path).get_weights()
    monkeypatch.setattr(atomic.os, "fsync", full)
    model = net()
    for save in (model.save, model.save_weights):
        with pytest.raises(OSError, match=r"Cannot save to .*m\.h5.*No space left"):
            save(path)
    monkeypatch.undo()
    assert all(np.array_equal(a, b) for a, b in zip(load_model(path).get_weights(), before))
    assert [entry.name for entry in path.parent.iterdir()] == ["m.h5"]
    model.save(path)  # the model itself is none the worse
    assert np.array_equal(load_model(path, compile=False).get_weights()[0], model.get_weights()[0])


def test_config_that_cannot_be_written(path):
    class Odd(L.Dense):
        def get_config(self):
            return {**super().get_config(), "odd": object()}

    before = path.read_bytes()
    with pytest.raises(TypeError, match="Not JSON Serializable"):
        Sequential([Odd(3, input_shape=(4,))]).save(path)
    assert path.read_bytes() == before
