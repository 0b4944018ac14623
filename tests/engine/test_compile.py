"""compile: losses, weights of losses, metrics, targets, trainable flags."""

import numpy as np
import pytest
from engine.training_models import TWO, X, Y, double, mse, simple

from pykeras import backend as K
from pykeras import losses, metrics, optimizers
from pykeras.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Input,
    Layer,
    Masking,
)
from pykeras.models import Model, Sequential


def test_7_1_forms_of_loss():
    for loss in ("mse", losses.mean_squared_error, ["mse", "mae"], {"p": "mse", "q": "mae"}):
        double(loss)
    with pytest.raises(ValueError, match='Unknown entry in loss dictionary: "r"'):
        double({"p": "mse", "r": "mse"})
    with pytest.raises(ValueError, match=r"one entry per model outputs. The model has 2 outputs"):
        double(["mse"])
    with pytest.raises(ValueError, match="no loss to optimize"):
        double(None)
    with pytest.raises(ValueError, match="Unknown loss function"):
        double("nonsense")


def test_7_1_missing_loss_warns():
    a = Input((3,), name="a")
    h = Dense(1, name="p")(a)
    model = Model(a, [h, Activation("relu", name="q")(h)])
    with pytest.warns(UserWarning, match='Output "q" missing from loss dictionary'):
        model.compile("sgd", {"p": "mse"})
    assert model._feed_output_names == ["p"]
    model.fit(X, Y, verbose=0)
    assert model.metrics_names == ["loss", "p_loss"]


def test_7_2_names():
    assert simple().metrics_names == ["loss"]
    assert double().metrics_names == ["loss", "p_loss", "q_loss"]
    model = double(metrics={"p": "mae", "q": ["acc", "mse"]})
    assert model.metrics_names[3:] == ["p_mean_absolute_error", "q_acc", "q_mean_squared_error"]
    assert model.output_names == ["p", "q"]


def test_7_3_total_loss():
    model = double(["mse", "mae"], loss_weights=[0.5, 2.0])
    p, q = model.predict(X)
    total, loss_p, loss_q = model.test_on_batch(X, TWO)
    assert loss_p == pytest.approx(mse(p, TWO[0]), rel=1e-5)
    assert loss_q == pytest.approx(np.abs(q - TWO[1]).mean(), rel=1e-5)
    assert total == pytest.approx(0.5 * loss_p + 2 * loss_q, rel=1e-5)
    assert double(loss_weights={"q": 3.0}).loss_weights_list == [1.0, 3.0]
    with pytest.raises(ValueError, match="Unknown entry in loss_weights dictionary"):
        double(loss_weights={"r": 3.0})
    with pytest.raises(ValueError, match="list as loss_weights"):
        double(loss_weights=[1.0])
    with pytest.raises(TypeError, match="Could not interpret loss_weights"):
        double(loss_weights=3.0)


def test_7_3_regularization_counts_in_training_and_evaluation():
    model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones", kernel_regularizer="l2")])
    model.compile("sgd", "mse")
    expected = mse(model.predict(X), Y) + 0.01 * 3
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)


def test_7_3_losses_count_once():
    layer = Dense(3, kernel_regularizer="l2", kernel_initializer="ones")
    x = Input((3,))
    model = Model(x, layer(layer(x)))
    model.compile("sgd", lambda t, p: 0.0 * p[:, 0])
    assert model.test_on_batch(X, np.zeros((20, 3))) == pytest.approx(0.09, rel=1e-5)


@pytest.mark.parametrize(
    ("units", "loss", "expected"),
    [
        (1, "mse", metrics.binary_accuracy),
        (4, "binary_crossentropy", metrics.binary_accuracy),
        (4, "categorical_crossentropy", metrics.categorical_accuracy),
        (4, "mse", metrics.categorical_accuracy),
        (4, "sparse_categorical_crossentropy", metrics.sparse_categorical_accuracy),
    ],
)
@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_7_4_accuracy(units, loss, expected, name):
    from pykeras.engine.compile_utils import metric_function

    function, label = metric_function(name, (None, units), losses.get(loss))
    assert function is expected
    assert label == "acc"
    assert metric_function("ce", (None, units), losses.get(loss))[1] == "ce"


def test_7_4_names_of_metrics():
    def mine(y_true, y_pred):
        return K.mean(y_pred)

    model = simple(metrics=["mae", mine, "mae", lambda t, p: K.sum(p), "accuracy"], weighted_metrics=["mse"])
    assert model.metrics_names == [
        "loss",
        "mean_absolute_error",
        "mine",
        "mean_absolute_error_1",
        "<lambda>",
        "acc",
        "weighted_mean_squared_error",
    ]
    weights = np.arange(20.0)
    values = dict(zip(model.metrics_names, model.test_on_batch(X, Y, sample_weight=weights)))
    p = model.predict(X)
    assert values["mine"] == pytest.approx(p.mean(), rel=1e-5)
    assert values["<lambda>"] == pytest.approx(p.sum(), rel=1e-5)
    weighted = ((p - Y)[:, 0] ** 2 * weights).mean() / np.mean(weights != 0)
    assert values["weighted_mean_squared_error"] == pytest.approx(weighted, rel=1e-4, abs=1e-9)
    assert values["loss"] == pytest.approx(weighted, rel=1e-4, abs=1e-9)
    with pytest.raises(ValueError, match="Unknown metric function"):
        simple(metrics=["nonsense"])


class Count(Layer):
    """A stateful metric: how many samples so far."""

    def __init__(self, name="count", **kwargs):
        super().__init__(name=name, **kwargs)
        self.stateful = True
        self.total = K.variable(0.0)

    def reset_states(self):
        K.set_value(self.total, 0)

    def __call__(self, y_true, y_pred):
        seen = K.sum(K.ones_like(y_pred))
        self.add_update(K.update_add(self.total, seen), inputs=[y_true, y_pred])
        return self.total + seen


def test_7_4_stateful_metrics():
    model = simple(metrics=[Count()])
    assert model.stateful_metric_names == ["count"]
    history = model.fit(X, Y, batch_size=6, epochs=2, validation_data=(X[:10], Y[:10]), verbose=0).history
    assert history["count"] == [20, 20]
    assert history["val_count"] == [10, 10]
    assert model.evaluate(X, Y, batch_size=7, verbose=0)[1] == 20


def test_7_6_targets_take_the_outputs_type():
    model = simple()
    assert K.dtype(model.targets[0]) == "float32"
    assert model.train_on_batch(X, np.ones((20, 1), dtype="int64")) > 0


def test_7_6_target_tensors():
    x = Input(tensor=K.constant(X))
    model = Model(x, Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", "mse", target_tensors=K.constant(Y + 1.0))
    assert model._feed_inputs == model._feed_targets == model._feed_sample_weights == []
    history = model.fit(steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert history.history["loss"][0] > history.history["loss"][1]
    assert model.evaluate(steps=2, verbose=0) < 1
    assert model.predict(None, steps=2).shape == (40, 1)
    with pytest.raises(ValueError, match="specify the `steps_per_epoch` argument"):
        model.fit()
    with pytest.raises(ValueError, match="`steps`"):
        model.evaluate()


def test_7_7_keywords_for_the_function():
    model = simple(options=None)
    model.train_on_batch(X, Y)
    model = simple(nonsense=3)
    with pytest.raises(ValueError, match="nonsense"):
        model.train_on_batch(X, Y)


def test_7_8_compile_keeps_weights_and_optimizer():
    optimizer = optimizers.Adam(lr=0.1)
    model = simple(optimizer=optimizer)
    model.fit(X, Y, batch_size=5, verbose=0)
    before = model.get_weights()
    K.set_value(optimizer.lr, 0.5)
    model.compile(optimizer, "mae")
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert model.train_function is model.test_function is model.predict_function is None
    assert K.get_value(model.optimizer.iterations) == 4
    assert K.get_value(model.optimizer.lr) == 0.5


def test_7_8_accumulators_begin_anew():
    optimizer = optimizers.Adam(lr=0.1)
    model = simple(optimizer=optimizer)
    model.fit(X, Y + 1.0, batch_size=5, verbose=0)
    old = optimizer.get_weights()
    assert np.abs(old[1]).max() > 0
    model.compile(optimizer, "mse")
    model._make_train_function()
    new = optimizer.get_weights()
    assert len(new) == len(old) and new[0] == old[0] == 4  # iterations live on
    assert not any(np.any(a) for a in new[1:])


def test_failed_compile_changes_nothing():
    model = simple(metrics=["mae"])
    model.train_on_batch(X, Y)
    with pytest.raises(ValueError):
        model.compile("adam", "mse", metrics=["nonsense"])
    assert type(model.optimizer).__name__ == "SGD"
    assert len(model.train_on_batch(X, Y)) == 2


def test_7_9_zero_weights_do_not_dilute():
    model = simple()
    weights = np.zeros(20)
    weights[:5] = 2.0
    got = model.test_on_batch(X, Y + 1, sample_weight=weights)
    assert got == pytest.approx(2 * mse(model.predict(X[:5]), Y[:5] + 1), rel=1e-5)


def test_5_4_masked_loss():
    x = Input((4, 3))
    model = Model(x, Dense(1, kernel_initializer="ones")(Masking()(x)))
    model.compile("sgd", "mse", metrics=["mse"])
    data = np.random.rand(6, 4, 3)
    data[:, 2:] = 0
    target = np.random.rand(6, 4, 1)
    expected = mse(data[:, :2].sum(-1, keepdims=True), target[:, :2])
    np.testing.assert_allclose(model.test_on_batch(data, target), [expected] * 2, rtol=1e-5)
    assert np.isnan(model.test_on_batch(data * 0, target)[0])


def test_7_1_add_loss_alone():
    x = Input((3,))
    y = Dense(2, kernel_initializer="ones")(x)
    model = Model(x, y)
    model.add_loss(K.mean(K.square(y)))
    model.compile("sgd", loss=None)
    expected = float(np.mean(model.predict(X) ** 2))
    assert model.train_on_batch(X, None) == pytest.approx(expected, rel=1e-5)
    history = model.fit(X, epochs=2, validation_data=(X, None), verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert set(history) == {"loss", "val_loss"}


def test_2_19_frozen_at_compile():
    model = simple()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.layers[0].trainable = True
    before = model.get_weights()
    with pytest.warns(UserWarning, match="Discrepancy between trainable weights and collected trainable"):
        model.train_on_batch(X, Y + 1)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_2_19_the_warning_comes_on_the_fast_path_too():
    model = simple()
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.trainable = False
    with pytest.warns(UserWarning, match="Discrepancy"):
        model.train_on_batch(X, Y)


def test_2_19_gan_pattern():
    judge = Sequential([Dense(1, input_shape=(3,))])
    judge.compile("sgd", "mse")
    maker = Sequential([Dense(3, input_shape=(3,))])
    judge.trainable = False
    both = Sequential([maker, judge])
    both.compile("sgd", "mse")
    frozen, moved = judge.get_weights(), maker.get_weights()
    both.train_on_batch(X, Y)
    np.testing.assert_array_equal(frozen[0], judge.get_weights()[0])
    assert not np.array_equal(moved[0], maker.get_weights()[0])
    with pytest.warns(UserWarning, match="Discrepancy"):
        judge.train_on_batch(X, Y + 1)
    assert not np.array_equal(frozen[0], judge.get_weights()[0])


def test_2_20_frozen_normalization():
    model = Sequential([BatchNormalization(input_shape=(3,)), Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.layers[0].get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.layers[0].get_weights()):
        np.testing.assert_array_equal(a, b)
