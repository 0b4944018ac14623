"""fit_generator, evaluate_generator, predict_generator."""

import itertools
import json
import threading
import warnings

import numpy as np
import pytest
from feeding import data

from pykeras import backend as K
from pykeras.callbacks import Callback
from pykeras.layers import Dense, Dropout, Input
from pykeras.models import Model, Sequential

FEW = {"workers": 1, "max_queue_size": 2}
HOW = [{"workers": 0}, {"workers": 1}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}]


# ---- numbers


@pytest.mark.parametrize("how", HOW, ids=str)
def test_the_same_numbers_as_fit(how):
    """9.14: a Sequence needs no steps; 9.6: means are weighted by the size of the batch."""
    sums = data.Sums()
    reference, found = data.model(), data.model()
    expected = reference.fit(
        sums.x, sums.y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=(sums.x, sums.y)
    )
    history = found.fit_generator(
        sums,
        epochs=3,
        verbose=0,
        shuffle=False,
        validation_data=data.Sums() if how["workers"] else (sums.x, sums.y),
        **how,
    )
    assert set(history.history) == {"loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"}
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-5, err_msg=name)
    for a, b in zip(found.get_weights(), reference.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("how", HOW, ids=str)
def test_9_15_evaluate_and_predict(how):
    sums = data.Sums()
    net = data.model()
    np.testing.assert_allclose(
        net.evaluate_generator(sums, **how), net.evaluate(sums.x, sums.y, verbose=0), rtol=1e-6
    )
    np.testing.assert_array_equal(net.predict_generator(sums, **how), net.predict(sums.x))


def test_9_15_what_predict_generator_accepts():
    net = data.model()
    x = np.random.rand(4, 3)
    once = net.predict(x)
    for batch in (x, (x, 0), (x, 0, 0), [x]):
        np.testing.assert_array_equal(net.predict_generator(iter([batch]), 1), once)
    np.testing.assert_array_equal(net.predict_generator(iter([x] * 3), 3), np.concatenate([once] * 3))
    a = Input((3,))
    two = Model(a, [Dense(1)(a), Dense(2)(a)])
    for steps in (1, 2):
        p, q = two.predict_generator(iter([x] * 2), steps)
        assert (p.shape, q.shape) == ((4 * steps, 1), (4 * steps, 2))


def test_9_14_weights_lists_and_dicts():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    net = Model([a, b], [Dense(1, name="p")(a), Dense(1, name="q")(b)])
    net.compile("sgd", "mse")
    x, y, w = np.ones((5, 3)), np.ones(5), np.full(5, 2.0)
    sizes = []

    class Sizes(Callback):
        def on_batch_end(self, batch, logs=None):
            sizes.append(logs["size"])

    batches = [
        ([x, x], [y, y], [w, w]),
        ({"a": x, "b": x}, {"p": y, "q": y}, {"p": w, "q": w}),
        ([x[:2], x[:2]], [y[:2], y[:2]]),
    ]
    history = net.fit_generator(iter(batches), 3, verbose=0, callbacks=[Sizes()])
    assert set(history.history) == {"loss", "p_loss", "q_loss"}
    assert sizes == [5, 5, 2]


def test_class_weight():
    x = np.random.rand(6, 3)
    classes = np.eye(2)[[0, 1, 0, 1, 1, 0]]
    results = []
    for weights in (None, {0: 1.0, 1: 50.0}):
        net = Sequential([Dense(2, activation="softmax", input_shape=(3,), kernel_initializer="ones")])
        net.compile("sgd", "categorical_crossentropy")
        history = net.fit_generator(iter([(x, classes)]), 1, verbose=0, class_weight=weights)
        results.append(history.history["loss"][0])
    assert results[1] > 10 * results[0]


# ---- callbacks


def test_9_10_and_9_14_what_callbacks_are_told_and_when():
    told = []

    class Spy(Callback):
        def on_train_begin(self, logs=None):
            told.append((dict(self.params), self.model, self.validation_data))

        def on_epoch_begin(self, epoch, logs=None):
            told.append(self.validation_data)

    net = data.model()
    x, y = np.ones((3, 3), "float32"), np.ones((3, 1), "float32")
    net.fit_generator(data.endless(), 2, 1, verbose=0, callbacks=[Spy()], validation_data=(x, y))
    params, model, before = told[0]
    assert params == {
        "epochs": 1,
        "steps": 2,
        "verbose": 0,
        "do_validation": True,
        "metrics": ["loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"],
    }
    assert model is net and before is None
    assert [v.shape for v in told[1]] == [(3, 3), (3, 1), (3,)]
    told.clear()
    net.fit_generator(data.endless(), 2, 1, verbose=0, callbacks=[Spy()])
    assert told[1] is None and told[0][0]["do_validation"] is False


def test_9_10_learning_phase_in_validation_data():
    seen = []

    class Spy(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(self.validation_data)

    net = Sequential([Dropout(0.5, input_shape=(3,)), Dense(1)])
    net.compile("sgd", "mse")
    x, y = np.ones((3, 3)), np.ones(3)
    net.fit_generator(data.endless(), 1, verbose=0, callbacks=[Spy()], validation_data=(x, y))
    assert len(seen[0]) == 4 and seen[0][3] == 0.0


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_generator_that_is_a_callback(workers):
    """9.14: nothing is drawn before on_train_begin, where such generators prepare themselves."""

    class Pictures(Callback):
        ready = None

        def on_train_begin(self, logs=None):
            self.ready = np.ones((2, 3), "float32")

        def batches(self):
            while True:
                yield self.ready, self.ready[:, 0]

    pictures = Pictures()
    history = data.model().fit_generator(
        pictures.batches(),
        3,
        2,
        verbose=0,
        callbacks=[pictures],
        workers=workers,
        validation_data=pictures.batches(),
        validation_steps=1,
    )
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize(("stop_at", "validated"), [(1, False), (2, True)])
def test_9_11_stopping_in_a_batch_hook(stop_at, validated):
    ends = []

    class Stop(Callback):
        def on_batch_end(self, batch, logs=None):
            if batch == stop_at:
                self.model.stop_training = True

        def on_epoch_end(self, epoch, logs=None):
            ends.append(("epoch", epoch))

        def on_train_end(self, logs=None):
            ends.append("train")

    history = data.model().fit_generator(
        data.endless(), 3, 4, verbose=0, callbacks=[Stop()], validation_data=data.Sums(), **FEW
    )
    assert ends == [("epoch", 0), "train"]
    assert ("val_loss" in history.history) is validated


def test_9_11_stopping_in_an_epoch_hook():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    history = data.model().fit_generator(data.Sums(), epochs=9, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0, 1]


def test_9_7_array_validation_takes_the_last_batch_size():
    sizes = []
    net = data.model()
    net._make_test_function()
    inner = net.test_function
    net.test_function = lambda ins: sizes.append(len(ins[0])) or inner(ins)
    net.test_function.inputs = inner.inputs
    x, y = np.ones((7, 3)), np.ones(7)
    batches = iter([(x[:5], y[:5]), (x[:3], y[:3])])
    net.fit_generator(batches, 2, verbose=0, validation_data=(x, y))
    assert sizes == [3, 3, 1]


def test_output(capsys):  # 9.20
    net = data.model()
    net.fit_generator(data.endless(), 2, 2)
    out = capsys.readouterr().out
    assert out.startswith("Epoch 1/2\n") and "2/2 [====" in out and "s/step - loss: " in out
    net.fit_generator(data.endless(), 2, verbose=0)
    net.evaluate_generator(data.endless(), 2)
    net.predict_generator(data.endless(), 2)
    assert capsys.readouterr().out == ""
    net.evaluate_generator(data.endless(), 2, verbose=1)
    net.predict_generator(data.endless(), 2, verbose=1)
    assert capsys.readouterr().out.count("2/2 [====") == 2


# ---- how batches are drawn


def test_9_14_shuffle_of_a_sequence():
    def order(shuffle, workers=2):
        np.random.seed(1)
        seen = []

        class Seen(data.Numbered):
            def __getitem__(self, index):
                if workers < 2:
                    seen.append(index)
                return super().__getitem__(index)

        data.model().fit_generator(Seen(12), epochs=2, verbose=0, shuffle=shuffle, workers=workers)
        return seen

    for workers in (0, 1):
        assert order(False, workers) == [*range(12)] * 2
        mixed = order(True, workers)
        assert sorted(mixed[:12]) == sorted(mixed[12:]) == [*range(12)]
        assert mixed != [*range(12)] * 2
        assert order(True, workers) == mixed


def test_9_14_no_workers_means_the_callers_thread():
    threads = set()

    def batches():
        while True:
            threads.add(threading.current_thread())
            yield np.ones((2, 3)), np.ones(2)

    data.model().fit_generator(
        batches(), 3, verbose=0, workers=0, validation_data=batches(), validation_steps=2
    )
    assert threads == {threading.main_thread()}
    threads.clear()
    data.model().fit_generator(batches(), 3, verbose=0, workers=2)
    assert threads and threading.main_thread() not in threads


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_15_3_on_epoch_end_once_per_epoch(workers):
    sequence, validation = data.Growing(), data.Growing(2)
    data.model().fit_generator(sequence, epochs=3, verbose=0, validation_data=validation, workers=workers)
    assert (sequence.passes, validation.passes) == (3, 3)


def test_validation_goes_on_where_it_stopped():
    drawn = []

    def validation():
        for x, y in data.endless():
            drawn.append(x[0, 0])
            yield x, y

    net = data.model()
    history = net.fit_generator(
        data.endless(), 2, 3, verbose=0, validation_data=validation(), validation_steps=2
    )
    assert len(drawn) == 6 and len(set(history.history["val_loss"])) == 3


def test_exactly_as_much_is_drawn_as_is_used():
    batches = data.endless(limit=7)
    data.model().fit_generator(batches, 2, 3, verbose=0)
    assert len(list(batches)) == 1


def test_9_14_several_processes_and_a_plain_generator():
    with pytest.warns(UserWarning, match="may duplicate your data.*keras.utils.Sequence"):
        data.model().fit_generator(data.Counter(9), 3, verbose=0, workers=2, use_multiprocessing=True)


def test_9_14_a_generator_function_and_processes():
    """Old scripts ask for processes where fork was the way; such a generator is read in a thread instead."""
    runs = []
    for keywords in ({}, {"use_multiprocessing": True}, {"pickle_safe": True, "nb_worker": 2}):
        np.random.seed(3)
        net = data.model()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runs.append(net.fit_generator(data.endless(), 3, verbose=0, **keywords).history["loss"])
        told = [str(w.message) for w in caught if "made in threads, in spite of" in str(w.message)]
        assert len(told) == (1 if keywords else 0)
    assert runs[0] == runs[1] == runs[2]


def test_9_14_what_cannot_be_sent_and_processes():
    for source in (data.Locked(), itertools.chain(data.endless())):
        with pytest.warns(UserWarning, match="made in threads, in spite of.*cannot be pickled"):
            data.model().fit_generator(source, 3, verbose=0, use_multiprocessing=True)


def test_a_model_built_by_its_first_batch():
    for batches in (data.endless(limit=6), data.Sums()):
        net = Sequential([Dense(1)])
        net.compile("sgd", "mse")
        history = net.fit_generator(batches, 3, 2, verbose=0, validation_data=data.Sums())
        assert len(history.history["val_loss"]) == 2
    net = Sequential([Dense(2)])
    assert net.predict_generator(data.endless(limit=3), 3).shape == (12, 2)


# ---- bad input


def test_9_15_generators_that_end_early():
    net = data.model()
    for workers in (0, 2):
        with pytest.raises(StopIteration, match=r"at batch 2 of 3.*steps_per_epoch \* epochs.*6\)"):
            net.fit_generator(data.endless(limit=4), 3, 2, verbose=0, workers=workers)
        with pytest.raises(StopIteration, match=r"at batch 3 of 5.*`steps`.*5\)"):
            net.evaluate_generator(data.endless(limit=2), 5, workers=workers)
        with pytest.raises(StopIteration, match="at batch 3 of 5"):
            net.predict_generator(data.endless(limit=2), 5, workers=workers)
    with pytest.raises(StopIteration, match="`validation_steps`"):
        net.fit_generator(
            data.endless(), 2, verbose=0, validation_data=data.endless(limit=1), validation_steps=2
        )
    assert not [t for t in threading.enumerate() if t.name.startswith("pykeras-")]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_22_12_a_sequence_whose_source_ends_early(how):
    for call in (data.model().fit_generator, data.model().evaluate_generator):
        shuffle = {"shuffle": False} if call.__name__ == "fit_generator" else {}
        with pytest.raises(StopIteration, match="ran out of data at batch 4 of 6"):
            call(data.Exhausted(), verbose=0, **shuffle, **how)


X = np.ones((2, 3))


@pytest.mark.parametrize(
    "batch", [X, (X,), (X, 1, 2, 3), 7, None, "text", [X]], ids=lambda b: type(b).__name__
)
def test_what_a_generator_must_yield(batch):
    """9.14, in fit, evaluate and predict."""
    net = data.model()
    text = r"Output of generator should be a tuple `\(x, y, sample_weight\)` or `\(x, y\)`. Found: "
    for workers in (0, 1):
        with pytest.raises(ValueError, match=text):
            net.fit_generator(iter([batch]), 1, verbose=0, workers=workers)
        with pytest.raises(ValueError, match=text):
            net.evaluate_generator(iter([batch]), 1, workers=workers)
    if isinstance(batch, tuple):
        with pytest.raises(ValueError, match=text):
            net.predict_generator(iter([batch]), 1)


def test_wrong_batches():
    net = data.model()
    with pytest.raises(ValueError, match=r"to have shape \(3,\) but got array with shape \(4,\)"):
        net.fit_generator(iter([(np.ones((2, 4)), np.ones(2))]), 1, verbose=0)
    with pytest.raises(ValueError, match="Found 2 input samples and 3 target samples"):
        net.fit_generator(iter([(X, np.ones(3))]), 1, verbose=0)
    for call in (net.fit_generator, net.evaluate_generator):
        with pytest.raises(ValueError, match="Received an empty batch"):
            call(iter([(X[:0], X[:0, :1])]), 1, verbose=0)


def test_wrong_arguments():
    net = data.model()
    for call, name in [
        (net.fit_generator, "steps_per_epoch"),
        (net.evaluate_generator, "steps"),
        (net.predict_generator, "steps"),
    ]:
        with pytest.raises(ValueError, match=f"`{name}=None` is only valid for a generator based on the"):
            call(data.endless())
        with pytest.raises(ValueError, match=f"`{name}` should be at least 1"):
            call(data.endless(), 0)
        with pytest.raises(TypeError, match=r"A generator or a `keras\.utils\.Sequence` is expected"):
            call(X, 1)
        with pytest.raises(ValueError, match="has no batches"):
            call(data.Numbered(0))
    with pytest.raises(ValueError, match="`validation_steps=None` is only valid"):
        net.fit_generator(data.endless(), 1, validation_data=data.endless())
    with pytest.raises(ValueError, match="`validation_data` should be a tuple"):
        net.fit_generator(data.endless(), 1, validation_data=(X,))
    with pytest.raises(RuntimeError, match="needs to be compiled"):
        Sequential([Dense(1, input_shape=(3,))]).fit_generator(data.endless(), 1)


def test_generators_given_to_fit():
    net = data.model()
    for batches in (data.endless(), data.Numbered()):
        for call in (net.fit, net.evaluate, net.predict):
            with pytest.raises(TypeError, match=r"makes batches: give it to `fit_generator`"):
                call(batches)
        with pytest.raises(TypeError, match=r"makes batches: give it to `fit_generator`"):
            net.fit(np.ones((2, 3)), np.ones(2), validation_data=batches)
    with pytest.raises(ValueError, match=r"`validation_data` should be a tuple.*Found: \[\[1\. 1"):
        net.fit(np.ones((2, 3)), np.ones(2), validation_data=np.ones((2, 3)))


def test_steps_that_are_no_whole_number():
    """`steps_per_epoch=len(x) / batch_size` of scripts: Keras counts steps up to it."""
    net, source = data.model(), data.Counter(100)
    net.fit_generator(source, 2.5, 2, verbose=0)
    assert source.i == 6
    net.evaluate_generator(source, 0.5)
    assert source.i == 7
    assert len(net.predict_generator(source, 3.0)) == 6
    assert source.i == 10


def test_errors_of_workers_reach_the_caller():
    net = data.model()
    for how in HOW:
        with pytest.raises(LookupError, match="no batch number three"):
            net.fit_generator(data.Failing(), epochs=2, verbose=0, **how)
        with pytest.raises(LookupError, match="no batch number three"):
            net.predict_generator(data.Failing(), **how)


# ---- words of Keras 1


def test_19_3_keras_1_keywords():
    net = data.model()
    with pytest.warns(UserWarning, match=r"fit_generator\(.*steps_per_epoch=2, epochs=3"):
        history = net.fit_generator(
            data.endless(),
            samples_per_epoch=2,
            nb_epoch=3,
            verbose=0,
            validation_data=data.endless(),
            nb_val_samples=1,
            nb_worker=1,
            max_q_size=3,
            pickle_safe=False,
        )
    assert len(history.history["val_loss"]) == 3

    class Sized(data.Counter):
        batch_size = 2

    with pytest.warns(UserWarning, match="steps_per_epoch=3"):
        source = Sized(9)
        net.fit_generator(source, samples_per_epoch=6, nb_epoch=1, verbose=0)
    assert source.i == 3
    with pytest.warns(UserWarning, match="steps=2"):
        source = Sized(9)
        net.evaluate_generator(source, val_samples=4)
    assert source.i == 2
    with pytest.warns(UserWarning, match="steps=4"):
        assert net.predict_generator(Sized(9), val_samples=8).shape == (8, 1)
    with pytest.raises(TypeError, match="can accept only 3 positional arguments"):
        net.fit_generator(data.endless(), 1, 1, 0)
    with pytest.raises(TypeError, match="both the legacy keyword argument `nb_epoch`"):
        net.fit_generator(data.endless(), 1, 1, nb_epoch=2)
    json.dumps(history.history)  # plain numbers
    assert K.get_value(net.optimizer.iterations) == 2 * 3 + 3
