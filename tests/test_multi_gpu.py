"""`multi_gpu_model` (15.6 of the list of behaviours): what it checks, and the model that it makes."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers as L
from pykeras.models import Model, Sequential, load_model
from pykeras.utils import multi_gpu_model, multi_gpu_utils


def two_by_two():
    a, b = L.Input((4,), name="a"), L.Input((3,), dtype="float32", name="b")
    joined = L.concatenate([L.Dense(5, activation="relu")(a), b])
    return Model([a, b], [L.Dense(2, name="u")(joined), L.Dense(1, name="v")(joined)])


@pytest.fixture
def gpus_there(monkeypatch):
    """The graph is the same whatever computes it: a GPU is needed for the check of the devices only."""
    monkeypatch.setattr(multi_gpu_utils, "_available_gpus", lambda: 3)


@pytest.mark.parametrize("gpus", [None, 0, 1, [], [0], (1,)])
def test_fewer_than_two(gpus):
    with pytest.raises(ValueError, match="multi-gpu usage"):
        multi_gpu_model(two_by_two(), gpus)


@pytest.mark.parametrize("gpus", [2, [0, 1], (3, 5)])
def test_devices_that_are_not_there(gpus, monkeypatch):
    monkeypatch.setattr(multi_gpu_utils, "_available_gpus", lambda: 1)
    with pytest.raises(ValueError, match=r"we expect the devices .*only has: \['/cpu:0', '/gpu:0'\]"):
        multi_gpu_model(two_by_two(), gpus)


def test_no_gpu_at_all():
    from pykeras.backend import tensorflow_backend

    if not tensorflow_backend._get_available_gpus():
        with pytest.raises(ValueError, match=r"only has: \['/cpu:0'\]"):
            multi_gpu_model(two_by_two(), 2)


def test_model_without_shape(gpus_there):
    with pytest.raises(ValueError, match="has not been built"):
        multi_gpu_model(Sequential([L.Dense(2)]), 2)


def test_one_gpu_twice(gpus_there):
    with pytest.raises(ValueError, match="only once"):
        multi_gpu_model(two_by_two(), [1, 1])


@pytest.mark.parametrize("gpus", [None, 2, [0, 2]])
@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_same_results(gpus_there, gpus, rows):
    model = two_by_two()
    parallel = multi_gpu_model(model, gpus)
    x = [np.random.random((rows, 4)), np.random.random((rows, 3))]
    for ours, theirs in zip(parallel.predict(x), model.predict(x)):
        np.testing.assert_array_equal(ours, theirs)
    assert parallel.output_names == model.output_names == ["u", "v"]
    assert parallel.input_names == model.input_names
    assert parallel.count_params() == model.count_params()


def test_the_batch_is_cut_evenly_and_the_last_part_takes_the_rest():
    x = K.placeholder((None, 2))
    data = np.arange(22.0).reshape(11, 2)
    parts = K.function([x], [multi_gpu_utils.get_slice(x, i, 3) for i in range(3)])([data])
    assert [len(part) for part in parts] == [3, 3, 5]
    np.testing.assert_array_equal(np.concatenate(parts), data)


def test_training_moves_the_shared_weights(gpus_there):
    np.random.seed(3)
    model = Sequential([L.Dense(8, activation="tanh", input_shape=(4,)), L.Dense(1)])
    alone = Sequential.from_config(model.get_config())
    alone.set_weights(model.get_weights())
    parallel = multi_gpu_model(model, 3)
    x, y = np.random.random((32, 4)), np.random.random((32, 1))
    for trained in (alone, parallel):
        trained.compile("sgd", "mse")
        trained.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(alone.get_weights(), model.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert parallel.layers[-2] is model


def test_saved_as_a_whole(gpus_there, tmp_path):
    """What cuts the batch is a function, which a file may only name."""
    model = two_by_two()
    parallel = multi_gpu_model(model, 2)
    parallel.save(tmp_path / "parallel.h5")
    objects = {"get_slice": multi_gpu_utils.get_slice}
    again = load_model(tmp_path / "parallel.h5", objects, compile=False)
    x = [np.random.random((5, 4)), np.random.random((5, 3))]
    for ours, theirs in zip(again.predict(x), model.predict(x)):
        np.testing.assert_array_equal(ours, theirs)
    assert again.get_layer(model.name).get_config() == model.get_config()


def test_relocation_leaves_the_template_alone(gpus_there):
    model = Sequential([L.Dense(2, input_shape=(3,))])
    parallel = multi_gpu_model(model, 2, cpu_relocation=True)
    x = np.random.random((5, 3))
    np.testing.assert_array_equal(parallel.predict(x), model.predict(x))
    assert parallel.layers[-2] is not model
    parallel.compile("sgd", "mse")
    before = model.get_weights()[0]
    parallel.train_on_batch(x, np.ones((5, 2)))
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert not np.array_equal(parallel.get_weights()[0], before)
