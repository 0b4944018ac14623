"""18.15: the CTC loss and decoding, against tf_keras (golden/make_ctc.py), and in training."""

from pathlib import Path

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import GRU, Activation, Dense, Input, Lambda
from pykeras.models import Model
from pykeras.optimizers import SGD

with np.load(Path(__file__).resolve().parents[1] / "golden" / "ctc.npz") as archive:
    GOLDEN = dict(archive)
SHAPES = [(6, 8, 5, 3, 1.0), (4, 40, 12, 15, 3.0), (5, 6, 3, 5, 2.0), (2, 300, 30, 60, 2.0)]
BEAMS = [(100, 1), (20, 3), (3, 3), (1, 1)]


def draw(index, samples, time, classes, most, spread):
    rng = np.random.RandomState(index)
    x = np.exp(rng.normal(0, spread, (samples, time, classes)))
    labels = rng.randint(0, classes - 1, (samples, most))
    frames = rng.randint(time // 2, time + 1, (samples, 1))
    counts = np.minimum(rng.randint(1, most + 1, (samples, 1)), frames)
    return (x / x.sum(-1, keepdims=True)).astype("float32"), labels, frames, counts


def cost_function(time, classes, most, dtype="float32", labels="float32"):
    """K.function of (predictions, labels, input length, label length) → loss, gradient."""
    x = K.placeholder((None, time, classes), dtype=dtype)
    inputs = [x, K.placeholder((None, most), dtype=labels)]
    inputs += [K.placeholder((None, 1), dtype="int64") for _ in range(2)]
    loss = K.ctc_batch_cost(inputs[1], x, inputs[2], inputs[3])
    assert K.int_shape(loss) == (None, 1) and loss.dtype == dtype
    return K.function(inputs, [loss, *K.gradients(loss, [x])])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_cost_and_gradient(index, dtype):
    """18.15: infinite where repeated labels do not fit; the gradient of those is left out here."""
    _, time, classes, most, _ = shape = SHAPES[index]
    x, labels, frames, counts = draw(index, *shape)
    loss, gradient = cost_function(time, classes, most, dtype)([x, labels, frames, counts])
    want = GOLDEN[f"{index}/loss"]
    assert index != 2 or np.isinf(want).any()
    np.testing.assert_allclose(loss, want, rtol=1e-5)
    finite = np.isfinite(want[:, 0])
    want = GOLDEN[f"{index}/gradient"][finite]
    got = gradient[finite][:, :: max(1, time // 20)]
    scale = np.abs(want).max(axis=(1, 2), keepdims=True)  # by 1/probability: some are great
    tolerance = 2e-4 if time < 100 else 2e-3  # TensorFlow adds up in single precision
    np.testing.assert_allclose(got / scale, want / scale, rtol=tolerance, atol=1e-6)
    assert not gradient[~finite].any()


def test_blanks_behind_the_labels():
    """18.15: they do not count, as in TensorFlow."""
    x, labels, frames, counts = draw(0, *SHAPES[0])
    labels[:, 1:] = SHAPES[0][2] - 1
    function = cost_function(8, 5, 3, labels="int32")
    loss = function([x, labels, frames, counts])[0]
    np.testing.assert_allclose(loss, GOLDEN["blanks"], rtol=1e-5)
    np.testing.assert_array_equal(loss, function([x, labels, frames, np.ones_like(counts)])[0])


def test_what_is_behind_the_labels_does_not_matter():
    """18.15: fillers of any kind; and no labels, no frames, fewer frames than labels."""
    x, labels, _, _ = draw(0, *SHAPES[0])
    function = cost_function(8, 5, 3, labels="int32")
    frames, counts = np.array([[8], [8], [0], [0], [2], [3]]), np.array([[2], [0], [0], [1], [3], [3]])
    labels[:, :] = [[1, 2, 3]]
    first = function([x, labels, frames, counts])
    np.testing.assert_array_equal(np.isinf(first[0][:, 0]), [0, 0, 0, 1, 1, 0])
    np.testing.assert_allclose(first[0][1, 0], -np.log(x[1, :, 4]).sum(), rtol=1e-5)
    assert first[0][2, 0] == 0.0
    labels[0, 2] = labels[1, :] = -1
    for a, b in zip(first, function([x, labels, frames, counts])):
        np.testing.assert_array_equal(a, b)


def test_many_frames_keep_their_digits():
    """float32 predictions of 2000 frames: the loss is that of float64 within 1e-6."""
    rng = np.random.RandomState(3)
    x = rng.dirichlet(np.ones(6), (1, 2000)).astype("float32")
    labels = rng.randint(0, 5, (1, 100))
    lengths = [np.array([[2000]]), np.array([[100]])]
    single = cost_function(2000, 6, 100)([x, labels, *lengths])[0]
    double = cost_function(2000, 6, 100, "float64")([x, labels, *lengths])[0]
    np.testing.assert_allclose(single, double, rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "frames", "counts", "message"),
    [
        ([[0, 7, 0]], 5, 2, r"label 7 of sample 0 is not in \[0, 4\): the predictions have 5 classes"),
        ([[0, 4, 1]], 5, 3, "label 4 of sample 0"),  # a blank between labels
        ([[0, 1, -1]], 5, 3, "label -1 of sample 0"),
        ([[0, 1, 2]], 9, 3, "input length 9 of sample 0"),
        ([[0, 1, 2]], 5, 4, "label length 4 of sample 0"),
        ([[0, 1, 2]], -1, 3, "input length -1 of sample 0"),
    ],
)
def test_bad_labels_and_lengths(labels, frames, counts, message):
    function = cost_function(8, 5, 3)
    with pytest.raises(ValueError, match=message):
        function([np.full((1, 8, 5), 0.2), labels, [[frames]], [[counts]]])


def test_bad_shapes():
    x, lengths = K.placeholder((None, 8, 5)), K.placeholder((None, 1), dtype="int32")
    with pytest.raises(ValueError, match=r"\(samples, time, classes\)"):
        K.ctc_batch_cost(K.placeholder((None, 3)), K.placeholder((None, 5)), lengths, lengths)
    with pytest.raises(ValueError, match="must have 2 dimensions"):
        K.ctc_batch_cost(K.placeholder((None, 3, 1)), x, lengths, lengths)
    with pytest.raises(ValueError, match="one row of labels per sample"):
        K.ctc_batch_cost(K.placeholder((4, 3)), K.placeholder((5, 8, 5)), lengths, lengths)
    with pytest.raises(ValueError, match="width of the beam"):
        K.ctc_decode(x, lengths, greedy=False, beam_width=2, top_paths=3)
    loss = K.ctc_batch_cost(K.placeholder((None, 3)), x, lengths, lengths)
    with pytest.raises(ValueError, match="first derivatives only"):
        K.gradients(K.gradients(loss, [x])[0], [x])


@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_decode(index):
    """18.15: greedy and beam search; as wide as the longest result."""
    x, _, frames, _ = draw(index, *SHAPES[index])
    inputs = [K.placeholder((None, *x.shape[1:])), K.placeholder((None,), dtype="int32")]

    def check(decoded, score, names, score_name):
        assert all(K.int_shape(d) == (None, None) and d.dtype == "int64" for d in decoded)
        *labels, got = K.function(inputs, [*decoded, score])([x, frames[:, 0]])
        np.testing.assert_allclose(got, GOLDEN[f"{index}/{score_name}"], rtol=2e-5)
        for array, name in zip(labels, names):
            want = GOLDEN[f"{index}/{name}"].astype(int)
            width = (want != -1).sum(axis=1).max()  # tf_keras's greedy has a column for each time step
            np.testing.assert_array_equal(array, want[:, :width])

    check(*K.ctc_decode(*inputs), ["greedy"], "greedy_score")
    for width, paths in BEAMS:
        names = [f"beam{width}_{k}" for k in range(paths)]
        check(
            *K.ctc_decode(*inputs, greedy=False, beam_width=width, top_paths=paths),
            names,
            f"beam{width}_score",
        )


def test_decode_arrays():
    """18.15: predictions as arrays, lengths as NumPy makes them."""
    x = np.eye(4, dtype="float32")[[[0, 0, 3, 1], [3, 3, 3, 3]]]
    decoded, score = K.ctc_decode(x, input_length=np.ones(2) * 4)
    np.testing.assert_array_equal(K.get_value(decoded[0]), [[0, 1], [-1, -1]])
    np.testing.assert_allclose(K.get_value(score), np.zeros((2, 1)), atol=1e-5)
    nothing, _ = K.ctc_decode(x, np.zeros((2, 1)), greedy=False)
    assert K.eval(nothing[0]).shape == (2, 0)


def test_decode_inside_a_graph_has_a_column_per_time_step():
    """So that batches of different results fit together; only what a function returns is cut."""
    inputs = Input((4, 4))

    def decode(x):
        return K.ctc_decode(x, K.sum(K.ones_like(x[:, :, 0]), axis=1))[0][0]

    model = Model(inputs, Lambda(decode)(inputs))
    x = np.eye(4, dtype="float32")[[[0, 0, 3, 1], [3, 3, 3, 3], [0, 1, 2, 0]]]
    found = model.predict(x, batch_size=1)
    np.testing.assert_array_equal(found, [[0, 1, -1, -1], [-1, -1, -1, -1], [0, 1, 2, 0]])
    labels = decode(inputs)
    cut, longer = K.function([inputs], [labels, labels + 1])([x[:2]])
    assert cut.shape == (2, 2) and longer.shape == (2, 4)


def test_same_bits_for_any_number_of_threads():
    x, labels, frames, counts = (np.concatenate([a] * 8) for a in draw(1, *SHAPES[1]))
    results = []
    before = K.engine.get_num_threads()
    for threads in (1, 3):
        K.engine.set_num_threads(threads)
        results.append(cost_function(40, 12, 15)([x, labels, frames, counts]))
        decoded, score = K.ctc_decode(x, frames, greedy=False, beam_width=10)
        results[-1] += [K.eval(decoded[0]), K.eval(score)]
    K.engine.set_num_threads(before)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


def test_training_as_the_ocr_example_does():
    """18.15: a Lambda layer with four inputs computes the loss; a K.function reads what was learned."""
    classes, time, most = 5, 10, 3  # four letters and the blank
    rng = np.random.RandomState(0)
    words = rng.randint(0, 4, (96, most))
    words[:, 1] = np.where(words[:, 1] == words[:, 0], (words[:, 0] + 1) % 4, words[:, 1])
    counts = rng.randint(1, most + 1, (96, 1))
    x = rng.normal(0, 0.1, (96, time, 4)).astype("float32")
    for i in range(len(x)):  # letter k is written at three frames from 3k on
        for k in range(counts[i, 0]):
            x[i, 3 * k : 3 * k + 2, words[i, k]] += 1

    K.clear_session()
    np.random.seed(1)
    inputs = Input(name="the_input", shape=(time, 4))
    inner = GRU(16, return_sequences=True)(inputs)
    y_pred = Activation("softmax", name="softmax")(Dense(classes)(inner))
    labels = Input(name="the_labels", shape=[most], dtype="float32")
    input_length = Input(name="input_length", shape=[1], dtype="int64")
    label_length = Input(name="label_length", shape=[1], dtype="int64")

    def ctc(arguments):
        predicted, true, frames, letters = arguments
        return K.ctc_batch_cost(true, predicted[:, 1:, :], frames, letters)  # the first output is garbage

    loss = Lambda(ctc, output_shape=(1,), name="ctc")([y_pred, labels, input_length, label_length])
    model = Model(inputs=[inputs, labels, input_length, label_length], outputs=loss)
    optimizer = SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True, clipnorm=5)
    model.compile(loss={"ctc": lambda y_true, y_pred: y_pred}, optimizer=optimizer)
    data = {
        "the_input": x,
        "the_labels": words.astype("float32"),
        "input_length": np.full((96, 1), time - 1),
        "label_length": counts,
    }
    history = model.fit(data, {"ctc": np.zeros(96)}, batch_size=16, epochs=30, verbose=0).history["loss"]
    assert history[0] > 3 and history[-1] < 0.1
    read = K.function([inputs], [y_pred])
    probabilities = read([x])[0][:, 1:]
    for greedy in (True, False):
        decoded, _ = K.ctc_decode(probabilities, np.full(96, time - 1), greedy=greedy, beam_width=10)
        found = K.get_value(decoded[0])
        right = sum(
            [w for w in row if w >= 0] == list(word[:n]) for row, word, (n,) in zip(found, words, counts)
        )
        assert right >= 94
