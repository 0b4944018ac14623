"""8.8: SciPy matrices as data: sparse throughout if the Input is sparse, otherwise dense batch by batch."""

import re
import tracemalloc

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import Activation, Concatenate, Dense, Dropout, Embedding, Input, InputLayer, Lambda
from pykeras.models import Model, Sequential, clone_model, model_from_json

sparse = pytest.importorskip("scipy.sparse")


def matrix(rows, columns, density=0.25, seed=0, kind="csr"):
    state = np.random.RandomState(seed)
    return sparse.random(rows, columns, density, kind, random_state=state).astype("float32")


def twins(columns=6, units=3):
    """Two models of equal weights, the first with a sparse input."""
    models = []
    for is_sparse in (True, False):
        inputs = Input((columns,), sparse=is_sparse)
        models.append(Model(inputs, Dense(units, activation="tanh")(inputs)))
        models[-1].compile("adam", "mse", metrics=["mae"])
    models[1].set_weights(models[0].get_weights())
    return models


def test_every_method_gives_what_dense_data_gives():
    """8.8"""
    first, second = twins()
    x, y = matrix(20, 6), matrix(20, 3, seed=1).toarray()
    a = x.toarray()
    for model in (first, second):  # a sparse matrix for a dense input, too
        np.testing.assert_allclose(model.predict(x), second.predict(a), rtol=1e-6)
        np.testing.assert_allclose(model.predict_on_batch(x[:4]), second.predict(a[:4]), rtol=1e-6)
        np.testing.assert_allclose(
            model.evaluate(x, y, 8, verbose=0), second.evaluate(a, y, 8, verbose=0), rtol=1e-5
        )
        np.testing.assert_allclose(
            model.test_on_batch(x[:4], y[:4]), second.test_on_batch(a[:4], y[:4]), rtol=1e-5
        )
    histories = []
    for model, data in ((first, x), (second, a)):
        np.random.seed(4)
        losses = model.fit(data, y, 8, 3, verbose=0, validation_split=0.2).history
        losses["one"] = model.train_on_batch(data[:4], y[:4])
        losses["many"] = model.fit_generator(((data, y) for _ in range(2)), 2, 1, verbose=0).history["loss"]
        histories.append(losses)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-4, err_msg=name)
    for one, two in zip(first.get_weights(), second.get_weights()):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil"])
@pytest.mark.parametrize("is_sparse", [True, False])
def test_inputs_and_targets_of_every_format(kind, is_sparse):
    """8.8: several inputs and outputs; targets are made dense."""
    xs = [matrix(6, 3, seed=s, kind=kind) for s in (1, 2)]
    ys = [matrix(6, n, seed=n, kind=kind) for n in (3, 4)]
    first, second = Input((3,)), Input((3,), sparse=is_sparse)
    model = Model([first, second], [Dropout(0.5, name="dropout")(first), Dense(4, name="dense")(second)])
    before = [p.copy() for p in model.predict(xs, batch_size=2)]
    model.compile("rmsprop", "mse")
    for shuffle in (True, False, "batch"):
        model.fit(xs, ys, epochs=1, batch_size=2, validation_split=0.5, shuffle=shuffle, verbose=0)
    np.testing.assert_array_equal(before[0], xs[0].toarray())
    dense = [[m.toarray() for m in group] for group in (xs, ys)]
    np.testing.assert_allclose(
        model.evaluate(xs, ys, batch_size=2, verbose=0),
        model.evaluate(*dense, batch_size=2, verbose=0),
        rtol=1e-5,
    )


def test_memory_goes_with_the_elements():
    """8.8: a matrix that would take 8 GB dense, batches of 500 MB."""
    rows, columns = 2000, 1_000_000
    state = np.random.RandomState(0)
    places = state.randint(rows, size=20_000), state.randint(columns, size=20_000)
    x = sparse.coo_matrix((state.rand(20_000), places), (rows, columns), "float32").tocsr()
    inputs = Input((columns,), sparse=True)
    model = Model(inputs, Dense(1, kernel_initializer="ones")(inputs))
    model.compile("sgd", "mse")
    tracemalloc.start()
    found = model.predict(x, batch_size=128)
    model.train_on_batch(x[:128], np.zeros(128))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found[:, 0], np.asarray(x.sum(axis=1))[:, 0], rtol=1e-4, atol=1e-5)
    assert peak < 10e6
    text = model.predict_function.describe([x[:128]])
    assert int(re.search(r"arena (\d+) bytes", text)[1]) < 10_000


def test_layers_that_take_sparse_inputs():
    """Concatenate of sparse inputs stays sparse, beside dense ones it is dense; a Lambda makes dense."""
    xs = [matrix(5, 4, seed=1), matrix(5, 3, seed=2)]
    inputs = [Input((4,), sparse=True), Input((3,), sparse=True)]
    joined = Concatenate()(inputs)
    assert K.is_sparse(joined) and K.int_shape(joined) == (None, 7)
    weights = np.random.RandomState(0).normal(size=(7, 2)).astype("float32")
    model = Model(inputs, Dense(2, use_bias=False, weights=[weights])(joined))
    want = sparse.hstack(xs).toarray() @ weights
    np.testing.assert_allclose(model.predict(xs), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        Model(inputs, joined).predict(xs, batch_size=2), sparse.hstack(xs).toarray()
    )
    mixed = Concatenate()([inputs[0], Lambda(K.to_dense)(inputs[1])])
    assert not K.is_sparse(mixed)
    np.testing.assert_array_equal(Model(inputs, mixed).predict(xs), sparse.hstack(xs).toarray())


def test_layers_that_do_not_say_so():
    inputs = Input((4,), sparse=True, name="words")
    for layer in (Activation("relu", name="act"), Embedding(9, 2, name="emb"), Dropout(0.5, name="drop")):
        with pytest.raises(TypeError, match=rf"is sparse.*{layer.name}.*Lambda\(K\.to_dense\)"):
            layer(inputs)
    with pytest.raises(ValueError, match="is a matrix"):
        Input((4, 5), sparse=True)


def test_input_layer_of_a_sparse_tensor():
    x = K.placeholder((None, 3), sparse=True)
    inputs = Input(tensor=x)
    model = Model(inputs, Dense(2)(inputs))
    assert model.layers[0].get_config()["sparse"] and model.layers[0].is_placeholder
    assert model.predict(matrix(4, 3)).shape == (4, 2)


def test_configs_and_copies_stay_sparse():
    x = matrix(5, 4)
    model = Sequential([InputLayer((4,), sparse=True), Dense(2)])
    for copy in (
        model_from_json(model.to_json()),
        clone_model(model),
        clone_model(Model(model.input, model.output)),
    ):
        copy.set_weights(model.get_weights())
        assert K.is_sparse(copy.input)
        np.testing.assert_array_equal(copy.predict(x), model.predict(x))


def test_wrong_shapes():
    first, _ = twins()
    with pytest.raises(ValueError, match=re.escape("to have shape (6,) but got array with shape (5,)")):
        first.predict(matrix(4, 5))


def test_dense_data_for_a_sparse_input():
    first, second = twins()
    a = matrix(5, 6).toarray()
    np.testing.assert_allclose(first.predict(a), second.predict(a), rtol=1e-6)
    np.testing.assert_allclose(first.predict_on_batch(a), second.predict(a), rtol=1e-6)
    y = np.zeros((5, 3), "float32")
    np.testing.assert_allclose(first.train_on_batch(a, y), second.train_on_batch(a, y), rtol=1e-5)
    np.testing.assert_allclose(first.train_on_batch(a, y), second.train_on_batch(a, y), rtol=1e-4)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_on_each_device(device):
    before = K.engine.get_device()
    K.engine.set_device(device)
    try:
        first, second = twins()
        x, y = matrix(8, 6), np.zeros((8, 3), "float32")
        for _ in range(3):
            one, two = first.train_on_batch(x, y), second.train_on_batch(x.toarray(), y)
        np.testing.assert_allclose(one, two, rtol=1e-4)
    finally:
        K.engine.set_device(before)
