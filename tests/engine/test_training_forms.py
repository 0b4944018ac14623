"""The ways to say what is trained, weighted and measured (BEHAVIOURS 7 to 10), each against NumPy."""

import numpy as np
import pytest
from engine.training_models import TWO, X, Y, double, mse, simple

from pykeras import backend as K
from pykeras import losses, metrics, optimizers
from pykeras.layers import (
    GRU,
    Activation,
    Add,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Input,
    Lambda,
    Layer,
    TimeDistributed,
)
from pykeras.models import Model, Sequential, clone_model

W = [np.linspace(0, 2, 20), np.linspace(1, 0, 20)]


def weighted_mse(model, targets, weights):
    """What 7.9 says: mean over features, times weights, over the share of non-zero weights, mean."""
    values = []
    for p, t, w in zip(model.predict(X), targets, weights):
        per_sample = ((p - t) ** 2).mean(axis=-1)
        values.append((per_sample * w / np.mean(w != 0)).mean())
    return values


# ------------------------------------------------------------------------------------------ per output


@pytest.mark.parametrize("as_dict", [False, True])
def test_7_1_losses_per_output(as_dict):
    loss = {"p": "mse", "q": losses.mean_absolute_error} if as_dict else ["mse", losses.mean_absolute_error]
    weights = {"p": 2.0, "q": 0.5} if as_dict else [2.0, 0.5]
    model = double(loss, loss_weights=weights)
    p, q = model.predict(X)
    targets = dict(zip("pq", TWO)) if as_dict else TWO
    total, of_p, of_q = model.test_on_batch(X, targets)
    assert of_p == pytest.approx(mse(p, TWO[0]), rel=1e-5)
    assert of_q == pytest.approx(np.abs(q - TWO[1]).mean(), rel=1e-5)
    assert total == pytest.approx(2 * of_p + 0.5 * of_q, rel=1e-5)


def test_7_1_none_in_the_loss_leaves_an_output_out():
    for loss in (["mse", None], {"p": "mse", "q": None}):
        a = Input((3,), name="a")
        h = Dense(1, name="p")(a)
        model = Model(a, [h, Activation("relu", name="q")(h)])
        model.compile("sgd", loss)
        assert model.metrics_names == ["loss", "p_loss"]
        assert model.train_on_batch(X, [TWO[0]])[0] > 0
        assert len(model.predict(X)) == 2
    with pytest.raises(ValueError, match="gradient is `None` for q/kernel"):  # weights that only q has
        double(["mse", None]).train_on_batch(X, [TWO[0]])


@pytest.mark.parametrize("as_dict", [False, True])
def test_7_4_metrics_per_output(as_dict):
    wanted = {"p": ["mae"], "q": ["mse", "mae"]} if as_dict else [["mae"], ["mse", "mae"]]
    model = double(metrics=wanted)
    names = ["p_mean_absolute_error", "q_mean_squared_error", "q_mean_absolute_error"]
    assert model.metrics_names[3:] == names
    p, q = model.predict(X)
    values = dict(zip(model.metrics_names, model.evaluate(X, TWO, batch_size=7, verbose=0)))
    assert values["p_mean_absolute_error"] == pytest.approx(np.abs(p - TWO[0]).mean(), rel=1e-5)
    assert values["q_mean_squared_error"] == pytest.approx(mse(q, TWO[1]), rel=1e-5)
    assert values["q_mean_absolute_error"] == pytest.approx(np.abs(q - TWO[1]).mean(), rel=1e-5)
    history = model.fit(X, TWO, validation_data=(X, TWO), verbose=0).history
    assert set(history) == {prefix + name for name in model.metrics_names for prefix in ("", "val_")}


def test_7_4_a_flat_list_of_metrics_goes_to_every_output():
    model = double(metrics=["mae", "mse"])
    assert model.metrics_names[3:] == [
        "p_mean_absolute_error",
        "p_mean_squared_error",
        "q_mean_absolute_error",
        "q_mean_squared_error",
    ]
    with pytest.raises(ValueError, match="one entry per model outputs"):
        double(metrics=[["mae"]])


def test_7_2_one_layer_for_two_outputs():
    a, b = Input((3,)), Input((3,))
    shared = Dense(1, name="same")
    model = Model([a, b], [shared(a), shared(b)])
    assert model.output_names == ["same", "same"]
    model.compile("sgd", "mse", metrics=["mae"])
    values = model.train_on_batch([X, X + 1], [Y, Y])
    assert len(values) == len(model.metrics_names) == 5


def test_7_4_crossentropy_as_a_metric():
    model = Sequential([Dense(4, activation="softmax", input_shape=(3,))])
    for loss, target in (
        ("categorical_crossentropy", np.eye(4)[np.arange(20) % 4]),
        ("sparse_categorical_crossentropy", (np.arange(20) % 4)[:, None]),
    ):
        model.compile("sgd", loss, metrics=["ce", "acc"])
        assert model.metrics_names == ["loss", "ce", "acc"]
        p = model.predict(X)
        expected = -np.log(p[np.arange(20), np.arange(20) % 4]).mean()
        loss_value, ce, acc = model.test_on_batch(X, target)
        assert loss_value == pytest.approx(expected, rel=1e-4)
        assert ce == pytest.approx(expected, rel=1e-4)
        assert acc == pytest.approx((p.argmax(1) == np.arange(20) % 4).mean())


# ------------------------------------------------------------------------------------------ weights


@pytest.mark.parametrize("as_dict", [False, True])
def test_7_9_sample_weights_per_output(as_dict):
    model = double()
    weights = dict(zip("pq", W)) if as_dict else W
    of_p, of_q = weighted_mse(model, TWO, W)
    total, p_loss, q_loss = model.test_on_batch(X, TWO, sample_weight=weights)
    assert (p_loss, q_loss) == (pytest.approx(of_p, rel=1e-5), pytest.approx(of_q, rel=1e-5))
    assert total == pytest.approx(of_p + of_q, rel=1e-5)
    only = model.test_on_batch(X, TWO, sample_weight={"q": W[1]} if as_dict else [None, W[1]])
    assert only[1] == pytest.approx(mse(model.predict(X)[0], TWO[0]), rel=1e-5)
    assert only[2] == pytest.approx(of_q, rel=1e-5)


@pytest.mark.parametrize("as_dict", [False, True])
def test_7_4_weighted_metrics_per_output(as_dict):
    wanted = {"q": ["mse"]} if as_dict else [[], ["mse"]]
    model = double(metrics={"q": "mse"}, weighted_metrics=wanted)
    assert model.metrics_names[3:] == ["q_mean_squared_error", "q_weighted_mean_squared_error"]
    values = model.test_on_batch(X, TWO, sample_weight=W)
    assert values[3] == pytest.approx(mse(model.predict(X)[1], TWO[1]), rel=1e-5)
    assert values[4] == pytest.approx(weighted_mse(model, TWO, W)[1], rel=1e-5)


@pytest.mark.parametrize("form", ["dict", "list"])
def test_7_5_temporal_weights_per_output(form):
    x = Input((4, 3))
    model = Model(x, [Dense(1, name="steps")(x), Dense(1, name="last")(Lambda(lambda t: t[:, -1])(x))])
    modes = {"steps": "temporal", "last": None} if form == "dict" else ["temporal", None]
    model.compile("sgd", "mse", sample_weight_mode=modes)
    random = np.random.RandomState(0)
    data, targets = random.rand(8, 4, 3), [random.rand(8, 4, 1), random.rand(8, 1)]
    by_step, by_sample = random.rand(8, 4), random.rand(8)
    by_step[:, 0] = 0
    steps, last = model.predict(data)
    values = model.test_on_batch(data, targets, sample_weight=[by_step, by_sample])
    error = ((steps - targets[0]) ** 2)[..., 0] * by_step / 0.75
    assert values[1] == pytest.approx(error.mean(), rel=1e-5)
    assert values[2] == pytest.approx((((last - targets[1]) ** 2)[:, 0] * by_sample).mean(), rel=1e-5)
    model.fit(data, targets, sample_weight={"steps": by_step, "last": by_sample}, verbose=0)
    with pytest.raises(ValueError, match="Unknown entry in sample_weight_mode dictionary"):
        model.compile("sgd", "mse", sample_weight_mode={"nobody": "temporal"})
    with pytest.raises(ValueError, match="sample_weight_mode"):
        model.compile("sgd", "mse", sample_weight_mode=["temporal"])


def test_9_3_weights_are_split_per_output():
    model = double()
    model.optimizer.lr = 0.0
    history = model.fit(X, TWO, sample_weight=W, validation_split=0.25, verbose=0).history
    rest = model.evaluate(X[15:], [t[15:] for t in TWO], sample_weight=[w[15:] for w in W], verbose=0)
    assert history["val_loss"][0] == pytest.approx(rest[0], rel=1e-5)


# ------------------------------------------------------------------------------------------ of one's own


def test_custom_losses_and_metrics():
    def steep(y_true, y_pred):
        return K.mean(K.pow(y_pred - y_true, 4), axis=-1)

    def scaled(factor):
        def loss(y_true, y_pred):
            return factor * K.mean(K.square(y_pred - y_true), axis=-1)

        return loss

    def furthest(y_true, y_pred):
        return K.max(K.abs(y_pred - y_true))

    model = simple(steep, metrics=[furthest, scaled(3.0)])
    assert model.metrics_names == ["loss", "furthest", "loss_1"]  # "loss" is taken
    target = Y + np.arange(20)[:, None] / 10
    error = model.predict(X) - target
    values = model.test_on_batch(X, target)
    assert values[0] == pytest.approx((error**4).mean(), rel=1e-4)
    assert values[1] == pytest.approx(np.abs(error).max(), rel=1e-4)
    assert values[2] == pytest.approx(3 * (error**2).mean(), rel=1e-4)
    assert model.train_on_batch(X, target)[0] > model.train_on_batch(X, target)[0]


def test_7_3_add_loss_beside_a_loss():
    x = Input((3,))
    h = Dense(4, name="h", kernel_initializer="ones")(x)
    model = Model(x, Dense(1, name="out", kernel_initializer="ones")(h))
    model.add_loss(0.5 * K.mean(K.square(h)))
    model.compile("sgd", "mse")
    hidden = X.sum(axis=1, keepdims=True)
    expected = mse(4 * hidden, Y) + 0.5 * (hidden**2).mean()
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    assert model.metrics_names == ["loss"]
    before = model.get_weights()[0]
    model.train_on_batch(X, Y)
    assert not np.array_equal(model.get_weights()[0], before)


class Spread(Layer):
    """Adds a loss and counts calls: what custom layers do with `add_loss` and `add_update`."""

    def build(self, input_shape):
        self.seen = self.add_weight("seen", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        self.add_loss(0.1 * K.sum(K.square(inputs)), inputs=inputs)
        self.add_loss(3.0)
        self.add_update(K.update_add(self.seen, K.sum(K.ones_like(inputs[:, 0]))), inputs=inputs)
        return inputs


def test_losses_and_updates_of_layers():
    """2.24, 7.3, 4.18: both losses count, in evaluation as well; updates in training only."""
    layer = Spread(input_shape=(3,))
    model = Sequential([layer, Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    expected = 0.1 * (X**2).sum() + 3.0
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    assert K.get_value(layer.seen) == 0
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert K.get_value(layer.seen) == 40
    assert len(layer.get_losses_for(None)) == 1 and len(layer.get_updates_for(layer.input)) == 1


def test_10_7_metrics_are_averaged_over_batches():
    """A maximum per batch becomes the mean of maxima; only a stateful metric sees the whole epoch."""

    def largest(y_true, y_pred):
        return K.max(y_true)

    class Largest(Layer):
        def __init__(self, **kwargs):
            super().__init__(name="stateful_largest", **kwargs)
            self.stateful = True
            self.value = K.variable(-1e9)

        def reset_states(self):
            K.set_value(self.value, -1e9)

        def __call__(self, y_true, y_pred):
            now = K.maximum(self.value, K.max(y_true))
            self.add_update(K.update(self.value, now), inputs=[y_true, y_pred])
            return now

    model = simple(optimizer=optimizers.SGD(lr=0.0), metrics=[largest, Largest()])
    target = np.arange(20.0)[:, None]
    sizes, maxima = np.array([8, 8, 4]), np.array([7, 15, 19])
    _, mean, whole = model.evaluate(X, target, batch_size=8, verbose=0)
    assert mean == pytest.approx((sizes * maxima).sum() / 20)
    assert whole == 19
    history = model.fit(X, target, batch_size=8, shuffle=False, verbose=0).history
    assert history["largest"][0] == pytest.approx((sizes * maxima).sum() / 20)
    assert history["stateful_largest"] == [19]


# ------------------------------------------------------------------------------------------ targets


def test_7_6_target_tensors_per_output():
    for form in ("list", "dict"):
        a = Input((3,), name="a")
        model = Model(a, [Dense(1, name="p")(a), Dense(2, name="q")(a)])
        fixed = K.constant(np.zeros((20, 1)))
        mine = K.placeholder((None, 2))
        tensors = [fixed, mine] if form == "list" else {"p": fixed, "q": mine}
        model.compile("sgd", "mse", target_tensors=tensors)
        assert model.targets == [fixed, mine]
        assert model._feed_output_names == ["q"]
        values = model.train_on_batch(X, [TWO[1]])
        assert len(values) == 3 and np.isfinite(values).all()
    with pytest.raises(ValueError, match="target_tensors"):
        model.compile("sgd", "mse", target_tensors=[fixed])
    with pytest.raises(ValueError, match="target_tensors"):
        model.compile("sgd", "mse", target_tensors={"nobody": fixed})


def test_7_1_compile_without_a_loss():
    """A VAE: the loss is added, targets are none."""
    x = Input((3,))
    mean, spread = Dense(2, name="mean")(x), Dense(2, name="spread")(x)
    z = Lambda(lambda t: t[0] + K.exp(t[1] / 2) * K.random_normal(K.shape(t[0])))([mean, spread])
    y = Dense(3, name="decoded")(z)
    model = Model(x, y)
    kl = -0.5 * K.sum(1 + spread - K.square(mean) - K.exp(spread), axis=-1)
    model.add_loss(K.mean(K.sum(K.square(x - y), axis=-1) + kl))
    model.compile("adam", loss=None)
    history = model.fit(X, epochs=40, batch_size=10, validation_data=(X, None), verbose=0).history
    assert set(history) == {"loss", "val_loss"}
    assert history["loss"][-1] < history["loss"][0]
    assert np.isscalar(model.evaluate(X, verbose=0))


# ------------------------------------------------------------------------------------------ freezing, copies


def test_2_19_one_generator_two_judges():
    """A GAN with batch normalization, twenty rounds: each compiled model moves its own part only."""
    noise, picture = Input((2,)), Input((3,))
    maker = Model(noise, Dense(3)(BatchNormalization()(Dense(4)(noise))), name="maker")
    judge = Model(picture, Dense(1, activation="sigmoid")(Dropout(0.2)(Dense(4)(picture))), name="judge")
    judge.compile("adam", "binary_crossentropy")
    judge.trainable = False
    both = Model(noise, judge(maker(noise)))
    both.compile("adam", "binary_crossentropy")
    assert len(both._collected_trainable_weights) == 6
    random = np.random.RandomState(0)
    for _ in range(20):
        made = maker.predict(random.rand(10, 2))
        start = maker.get_weights(), judge.get_weights()
        with pytest.warns(UserWarning, match="Discrepancy"):
            judge.train_on_batch(np.concatenate([X[:10], made]), np.repeat([[1.0], [0.0]], 10, axis=0))
        for a, b in zip(start[0], maker.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert all(not np.array_equal(a, b) for a, b in zip(start[1], judge.get_weights(), strict=True))
        start = judge.get_weights()
        both.train_on_batch(random.rand(10, 2), np.ones((10, 1)))
        for a, b in zip(start, judge.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_2_19_part_of_a_pretrained_model_is_frozen():
    base = Sequential([Dense(4, input_shape=(3,), name="a"), Dense(4, name="b")], name="base")
    model = Sequential([base, Dense(1, name="top")])
    base.layers[0].trainable = False
    model.compile("adam", "mse")
    before = [layer.get_weights()[0] for layer in (base.layers[0], base.layers[1], model.layers[1])]
    model.fit(X, Y, verbose=0)
    after = [layer.get_weights()[0] for layer in (base.layers[0], base.layers[1], model.layers[1])]
    assert [np.array_equal(a, b) for a, b in zip(before, after)] == [True, False, False]


def test_2_25_clones_train_alone():
    a = Input((3,), name="a")
    shared = Dense(3, name="shared", activation="tanh")
    model = Model(a, Dense(1, name="out")(Add()([shared(a), shared(Activation("relu")(a))])))
    model.compile("sgd", "mse")
    fixed = K.constant(X)
    twins = [clone_model(model), clone_model(model, Input((3,))), clone_model(model, fixed)]
    before = model.get_weights()
    for twin in twins:
        twin.set_weights(before)
    np.testing.assert_array_equal(twins[0].predict(X), model.predict(X))
    np.testing.assert_array_equal(twins[1].predict(X), model.predict(X))
    np.testing.assert_array_equal(twins[2].predict(None, steps=1), model.predict(X))
    assert twins[2].layers[0].name == "input_wrapper_for_a"
    for twin in twins[:2]:
        twin.compile("sgd", "mse")
        twin.train_on_batch(X, Y)
    twins[2].compile("sgd", "mse", target_tensors=K.constant(Y))
    twins[2].fit(steps_per_epoch=1, verbose=0)
    for x, y in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    for x, y, z in zip(*(twin.get_weights() for twin in twins), strict=True):
        np.testing.assert_allclose(x, y)
        np.testing.assert_allclose(x, z, rtol=1e-5)
        assert not np.array_equal(x, 0 * x)


# ------------------------------------------------------------------------------------------ forms of data


def test_8_1_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["u", "v", "w"])
    target = pandas.DataFrame({"sum": Y[:, 0]})
    model = simple(metrics=["mae"])
    plain = simple(metrics=["mae"])
    kwargs = {"batch_size": 6, "shuffle": False, "epochs": 2, "verbose": 0}
    history = model.fit(frame, target, validation_split=0.2, **kwargs).history
    assert history == plain.fit(X, Y, validation_split=0.2, **kwargs).history
    np.testing.assert_array_equal(model.predict(frame), plain.predict(X))
    assert model.evaluate(frame, target, verbose=0) == plain.evaluate(X, Y, verbose=0)
    assert np.isfinite(model.train_on_batch(frame, target)[0])
    np.testing.assert_array_equal(model.predict_on_batch(frame), model.predict(X))
    shifted = frame.iloc[5:15]  # an index that does not begin at 0
    np.testing.assert_array_equal(model.predict(shifted), model.predict(X[5:15]))
    two = double()
    two.fit(frame, {"p": target, "q": pandas.DataFrame(TWO[1])}, verbose=0)
    series = target["sum"]
    assert np.isfinite(model.fit(frame, series, verbose=0).history["loss"][0])
    assert np.isfinite(model.fit(frame, target, sample_weight=series, verbose=0).history["loss"][0])


def test_2_10_targets_have_the_shape_that_layers_state():
    """A loss inside the model: one number per sample, stated as (1,) by `output_shape`, as agents do it."""
    prediction, wanted, mask = Input((2,)), Input((2,), name="wanted"), Input((2,), name="mask")
    loss = Lambda(
        lambda xs: K.sum(K.square(xs[0] - xs[1]) * xs[2], axis=-1), output_shape=(1,), name="loss_of_action"
    )([prediction, wanted, mask])
    assert K.int_shape(loss) == (None, 1) and K.ndim(loss) == 1
    model = Model([prediction, wanted, mask], [loss, prediction])
    model.compile(
        "sgd", [lambda t, p: p, lambda t, p: K.zeros_like(p)], metrics={model.output_names[1]: ["mae"]}
    )
    assert K.ndim(model.targets[0]) == 2
    x, y, keep = np.ones((4, 2)), np.zeros((4, 2)), np.tile([1.0, 0.0], (4, 1))
    values = model.test_on_batch([x, y, keep], [np.zeros((4, 1)), y])
    assert values[0] == pytest.approx(1.0) and values[-1] == pytest.approx(1.0)


def test_19_4_fit_takes_nb_epoch():
    with pytest.warns(UserWarning, match="`nb_epoch` argument in `fit` has been renamed `epochs`"):
        assert simple().fit(X, Y, nb_epoch=2, verbose=0).epoch == [0, 1]


def test_masks_reach_losses_and_metrics():
    """5.4: the average is over unmasked steps, also of metrics, whatever layers pass the mask on."""
    x = Input((5,))
    h = GRU(4, return_sequences=True)(Embedding(6, 3, mask_zero=True)(x))
    model = Model(x, TimeDistributed(Dense(1))(h))
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    words = np.array([[1, 2, 3, 0, 0], [4, 5, 1, 2, 3], [1, 0, 0, 0, 0]])
    target = np.random.RandomState(0).rand(3, 5, 1)
    error = (model.predict(words) - target)[words != 0]
    loss, mae, weighted = model.test_on_batch(words, target)
    assert loss == pytest.approx((error**2).mean(), rel=1e-5)
    assert mae == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert weighted == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert metrics.get("mae") is metrics.mean_absolute_error
