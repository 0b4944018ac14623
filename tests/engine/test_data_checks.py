"""What users feed: forms of x and y, wrong shapes, lengths, types, weights, and what the messages say."""

import re

import numpy as np
import pytest

from pykeras.engine import training_utils
from pykeras.engine.training import _make_batches, _slice_arrays, _standardize_input_data
from pykeras.layers import Conv2D, Dense, Embedding, Flatten, Input
from pykeras.models import Model, Sequential


def simple(loss="mse", units=1, **kwargs):
    model = Sequential([Dense(units, input_shape=(3,), name="d")])
    model.compile("sgd", loss, **kwargs)
    return model


def double(loss="mse", **kwargs):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    model = Model([a, b], [Dense(1, name="p")(a), Dense(2, name="q")(b)])
    model.compile("sgd", loss, **kwargs)
    return model


X, Y = np.ones((8, 3)), np.ones((8, 1))
XS, YS = [np.ones((8, 3)), np.ones((8, 2))], [np.ones((8, 1)), np.ones((8, 2))]


# ------------------------------------------------------------------------------------------ forms of data


def test_8_1_forms():
    model = simple()
    model.fit(X, Y[:, 0], verbose=0)
    model.fit({"d_input": X}, {"d": Y}, verbose=0)
    model.fit([X], [Y], verbose=0)
    one = Sequential([Dense(1, input_shape=(1,))])
    assert one.predict([1.0, 2.0, 3.0]).shape == (3, 1)
    assert one.predict(np.arange(4)).shape == (4, 1)
    pair = double()
    pair.fit({"a": XS[0], "b": XS[1]}, {"p": YS[0], "q": YS[1]}, verbose=0)
    pair.fit(XS, YS, verbose=0)


def test_8_1_data_frames():
    class DataFrame:  # pandas need not be there
        def __init__(self, values):
            self.values = values
            self.shape = values.shape

    simple().fit(DataFrame(X), DataFrame(Y), verbose=0)


def test_other_types_are_converted():
    model = simple()
    for kind in ("float64", "float16", "int32", "int64", "uint8", "bool"):
        model.train_on_batch(X.astype(kind), Y.astype(kind))
    np.testing.assert_array_equal(model.predict(X.astype("int8")), model.predict(X))
    np.testing.assert_array_equal(model.predict(np.asfortranarray(X)), model.predict(X))
    np.testing.assert_array_equal(model.predict(X[::-1]), model.predict(X))


def test_8_1_missing_key():
    with pytest.raises(ValueError, match=r'No data provided for "b". Need data for each key in'):
        double().fit({"a": XS[0]}, YS, verbose=0)
    with pytest.raises(ValueError, match='No data provided for "q"'):
        double().fit(XS, {"p": YS[0]}, verbose=0)


# ------------------------------------------------------------------------------------------ shapes, types


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_8_2_shapes(call):
    function = getattr(simple(), call)
    with pytest.raises(
        ValueError,
        match=re.escape(
            "Error when checking input: expected d_input to have 2 dimensions, but got array with "
            "shape (8, 3, 1)"
        ),
    ):
        function(np.ones((8, 3, 1)), Y)
    with pytest.raises(
        ValueError,
        match=re.escape(
            "Error when checking input: expected d_input to have shape (3,) but got array with shape (4,)"
        ),
    ):
        function(np.ones((8, 4)), Y)
    with pytest.raises(
        ValueError,
        match=re.escape(
            "Error when checking target: expected d to have shape (1,) but got array with shape (2,)"
        ),
    ):
        function(X, np.ones((8, 2)))


def test_8_2_predict():
    model = simple()
    with pytest.raises(ValueError, match="Error when checking input: expected d_input to have 2 dimensions"):
        model.predict(np.ones((1, 3, 3)))
    with pytest.raises(ValueError, match=re.escape("to have shape (3,) but got array with shape (4,)")):
        model.predict(np.ones((1, 4)))
    with pytest.raises(
        ValueError, match=re.escape("to have shape (None, 3) but got array with shape (1, 4)")
    ):
        model.predict_on_batch(np.ones((1, 4)))
    model.predict_on_batch(np.ones((1, 3), dtype="float32"))
    with pytest.raises(ValueError, match="Error when checking input"):
        model.predict_on_batch(np.ones((1, 4), dtype="float32"))


def test_8_2_fixed_batch_axis_counts_on_a_batch_only():
    model = Sequential([Dense(1, batch_input_shape=(4, 3))])
    assert model.predict_on_batch(np.ones((4, 3))).shape == (4, 1)
    with pytest.raises(ValueError, match="Error when checking input"):
        model.predict_on_batch(np.ones((3, 3)))


def test_8_2_number_of_arrays():
    message = (
        "the list of Numpy arrays that you are passing to your model is not the size the model expected. "
        "Expected to see 2 array(s), but instead got the following list of 1 arrays"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        double().fit(XS[:1], YS, verbose=0)
    with pytest.raises(ValueError, match="Error when checking model target: the list of Numpy arrays"):
        double().fit(XS, YS[:1], verbose=0)
    with pytest.raises(ValueError, match="expects a list of 2 Numpy arrays"):
        double().predict([1.0, 2.0, 3.0])


def test_missing_targets():
    with pytest.raises(ValueError, match='No data provided for "d"'):
        simple().fit(X, verbose=0)


@pytest.mark.parametrize(
    "bad",
    [
        np.array([["a", "b", "c"]] * 8),
        np.array([[1, 2, "x"]] * 8, dtype=object),
        np.ones((8, 3), dtype="complex64"),
        np.zeros((8, 3), dtype="datetime64[s]"),
    ],
)
def test_wrong_dtype(bad):
    with pytest.raises(ValueError, match="expected d_input to hold real numbers, but got array with dtype"):
        simple().fit(bad, Y, verbose=0)


def test_rows_of_different_lengths():
    ragged = np.empty(8, dtype=object)
    ragged[:] = [[1] * i for i in range(8)]
    with pytest.raises(ValueError, match="rows of different lengths"):
        Sequential([Embedding(10, 2, input_length=3)]).predict(ragged)


def test_something_else_than_data():
    with pytest.raises(TypeError, match="data should be a Numpy array"):
        simple().predict(object())


def test_shape_with_unknown_sizes():
    model = Sequential([Conv2D(2, 3, input_shape=(None, None, 1))])
    assert model.predict(np.ones((2, 5, 6, 1))).shape == (2, 3, 4, 2)
    assert model.predict_on_batch(np.ones((2, 7, 5, 1), dtype="float32")).shape == (2, 5, 3, 2)
    with pytest.raises(ValueError, match="Error when checking input"):
        model.predict(np.ones((2, 5, 6, 3)))


# ------------------------------------------------------------------------------------------ losses, targets


def test_8_3_sparse_targets():
    model = simple("sparse_categorical_crossentropy", units=4)
    model.fit(X, np.zeros((8, 1)), verbose=0)
    model.fit(X, np.zeros(8), verbose=0)
    with pytest.raises(ValueError, match=re.escape("expected d to have shape (1,)")):
        model.fit(X, np.zeros((8, 4)), verbose=0)


def test_8_3_custom_losses_decide_about_shapes():
    def loss(y_true, y_pred):
        return y_pred[:, 0] * y_true[:, 0] + y_true[:, 2]

    simple(loss).fit(X, np.ones((8, 3)), verbose=0)


def test_8_4_one_column_for_categorical_crossentropy():
    model = simple("categorical_crossentropy", units=4)
    with pytest.raises(ValueError, match=re.escape("expected d to have shape (4,)")):
        model.fit(X, np.ones((8, 1)), verbose=0)
    single = simple("categorical_crossentropy", units=1)
    with pytest.raises(ValueError, match=r"(?s)You are passing a target array of shape.*to_categorical"):
        single.fit(X, np.ones((8, 1)), verbose=0)
    with pytest.raises(ValueError, match="to_categorical"):
        single.train_on_batch(np.ones((8, 3), "float32"), np.ones((8, 1), "float32"))


def test_8_5_lengths():
    with pytest.raises(ValueError, match=r"All input arrays \(x\) should have the same number of samples"):
        double().fit([XS[0], XS[1][:4]], YS, verbose=0)
    with pytest.raises(ValueError, match=r"All target arrays \(y\) should have the same number of samples"):
        double().fit(XS, [YS[0], YS[1][:4]], verbose=0)
    with pytest.raises(ValueError, match="Found 8 input samples and 7 target samples"):
        simple().fit(X, Y[:7], verbose=0)
    with pytest.raises(ValueError, match="Found 8 input samples and 7 target samples"):
        simple().train_on_batch(X.astype("float32"), Y[:7].astype("float32"))
    with pytest.raises(ValueError, match="Sample_weight arrays should have the same number of samples"):
        simple().fit(X, Y, sample_weight=np.ones(5), verbose=0)


# ------------------------------------------------------------------------------------------ weights


def test_8_6_class_weight_values():
    weights = training_utils.standardize_weights
    y = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    table = {0: 1.0, 1: 2.0, 2: 4.0}
    np.testing.assert_array_equal(weights(y, None, table), [1, 4, 2])
    np.testing.assert_array_equal(weights(np.array([[2], [0]]), None, table), [4, 1])
    with pytest.raises(ValueError, match=re.escape("must contain all classes in the data. The classes {2}")):
        weights(y, None, {0: 1.0, 1: 1.0})
    with pytest.raises(ValueError, match=r"not supported for 3\+ dimensional targets"):
        weights(np.ones((2, 3, 4)), None, table)


def test_8_6_class_weight_in_the_loss():
    model = simple("mse", units=1)
    y = np.arange(8) % 2
    plain = model.test_on_batch(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    model.set_weights(model.get_weights())
    assert model.train_on_batch(X, y, class_weight={0: 1.0, 1: 3.0}) == pytest.approx(plain, rel=1e-5)


def test_8_6_class_weight_beside_sample_weight():  # 22.3
    model = simple()
    expected = model.test_on_batch(X, Y, sample_weight=np.full(8, 2.0))
    with pytest.warns(UserWarning, match="`class_weight` argument will be ignored"):
        got = model.train_on_batch(X, Y, sample_weight=np.full(8, 2.0), class_weight={1: 100.0})
    assert got == pytest.approx(expected)


def test_8_6_class_weight_of_another_kind_has_no_effect():
    with pytest.warns(UserWarning, match="'auto' has no effect"):
        simple().fit(X, Y, class_weight="auto", verbose=0)


def test_8_6_class_weight_per_output():
    model = double()
    y = [np.zeros((8, 1)), np.eye(2)[np.arange(8) % 2]]
    model.fit(XS, y, class_weight={"q": {0: 1.0, 1: 2.0}}, verbose=0)
    model.fit(XS, y, class_weight=[{0: 1.0}, {0: 1.0, 1: 2.0}], verbose=0)
    with pytest.raises(ValueError, match="`class_weight` was a list of 1 elements, but the model has 2"):
        model.fit(XS, y, class_weight=[{0: 1.0}], verbose=0)
    with pytest.raises(TypeError, match="should be either a list or a dict"):
        model.fit(XS, y, sample_weight=np.ones(8), verbose=0)


def test_8_7_sample_weight_rank():
    with pytest.raises(ValueError, match='specify sample_weight_mode="temporal"'):
        simple().fit(X, Y, sample_weight=np.ones((8, 1)), verbose=0)


def test_7_5_temporal_weights():
    model = Sequential([Dense(1, input_shape=(4, 3))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    x, y = np.random.rand(8, 4, 3), np.random.rand(8, 4, 1)
    w = np.random.rand(8, 4)
    w[:, 3] = 0
    got = model.test_on_batch(x, y, sample_weight=w)
    error = ((model.predict(x) - y) ** 2).mean(-1)
    assert got == pytest.approx((error * w / 0.75).mean(), rel=1e-5)
    model.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="you should pass a 2D sample_weight array"):
        model.fit(x, y, sample_weight=np.ones(8), verbose=0)
    with pytest.raises(ValueError, match="cannot be broadcast"):
        model.fit(x, y, sample_weight=np.ones((8, 5)), verbose=0)
    flat = Sequential([Flatten(input_shape=(4, 3)), Dense(1)])
    flat.compile("sgd", "mse", sample_weight_mode="temporal")
    with pytest.raises(ValueError, match="restricted to outputs that are at least 3D"):
        flat.fit(x, y[:, 0], verbose=0)
    with pytest.raises(ValueError, match='should be None or "temporal"'):
        flat.compile("sgd", "mse", sample_weight_mode="daily")


def test_8_9_hdf5_data(tmp_path):
    h5py = pytest.importorskip("h5py")
    model = simple()
    with h5py.File(tmp_path / "data.h5", "w") as f:
        x = f.create_dataset("x", data=np.random.rand(100, 3))
        y = f.create_dataset("y", data=np.random.rand(100, 1))
        model.fit(x, y, batch_size=32, shuffle="batch", verbose=0)
        model.fit(x, y, batch_size=32, shuffle=False, verbose=0)
        np.testing.assert_array_equal(model.predict(x), model.predict(x[:]))
        with pytest.raises(TypeError, match='pass shuffle="batch"'):
            model.fit(x, y, batch_size=32, verbose=0)


# ------------------------------------------------------------------------------------------ helpers


def test_slices_of_arrays_in_memory_are_views():
    x = np.arange(20.0).reshape(10, 2)
    assert np.shares_memory(_slice_arrays([x], 2, 5)[0], x)
    np.testing.assert_array_equal(_slice_arrays([x, None], np.array([3, 1]))[0], x[[3, 1]])
    assert _slice_arrays([None], 0, 3) == [None]


def test_default_weights_take_no_memory():
    weights = training_utils.standardize_weights(np.ones((1000, 1)))
    assert weights.strides == (0,)
    part = _slice_arrays([weights], 3, 10)[0]
    np.testing.assert_array_equal(part, np.ones(7))
    assert part.flags.c_contiguous
    given = np.broadcast_to(np.float32(2), (10,))
    np.testing.assert_array_equal(_slice_arrays([given], 0, 3)[0], [2, 2, 2])


def test_21_batches():
    assert _make_batches(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert _standardize_input_data([[1.0], [2.0]], ["a", "b"])[1].shape == (1, 1)


def test_9_5_shuffling_whole_batches():
    order = training_utils.batch_shuffle(np.arange(11), 3)
    assert sorted(order) == list(range(11))
    assert list(order[-2:]) == [9, 10]
    assert all(list(order[i : i + 3]) == list(range(order[i], order[i] + 3)) for i in (0, 3, 6))
