"""Sparse tensors: 18.5 (dot), 18.8 (variables and placeholders), 18.9 (is_sparse, to_dense, eval)."""

import sys

import numpy as np
import pytest

from pykeras import backend as K

sparse = pytest.importorskip("scipy.sparse")


def matrix(rows=5, columns=7, density=0.4, seed=0, kind="csr", dtype="float32"):
    return sparse.random(rows, columns, density, kind, random_state=np.random.RandomState(seed)).astype(dtype)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr"])
def test_variables(kind):
    """18.8: a SciPy matrix of any format makes a sparse tensor; 18.9: its value is read as an array."""
    m = matrix(kind=kind)
    x = K.variable(m, name="m")
    assert K.is_sparse(x) and K.is_tensor(x) and not K.is_placeholder(x)
    assert K.int_shape(x) == (5, 7) and K.ndim(x) == 2 and K.dtype(x) == "float32" and x.name == "m:0"
    for value in (K.eval(x), K.get_value(x), *K.batch_get_value([x])):
        np.testing.assert_array_equal(value, m.toarray())
    dense = K.to_dense(x)
    assert not K.is_sparse(dense) and K.int_shape(dense) == (5, 7) and K.to_dense(dense) is dense
    np.testing.assert_array_equal(K.eval(K.variable(m, "float64")), m.toarray())
    assert K.count_params(x) == 35
    with pytest.raises(TypeError, match="cannot be changed"):
        K.set_value(x, m)


def test_cast_identity_and_scalars():
    m = matrix()
    x = K.variable(m)
    for y, want in (
        (K.cast(x, "float64"), m),
        (K.identity(x), m),
        (x * 3.0, m * 3),
        (K.constant(2.0) * 0.5 * x, m),
        (x / 2, m / 2),
        (-x, -m),
    ):
        assert K.is_sparse(y)
        np.testing.assert_allclose(K.eval(y), want.toarray(), rtol=1e-6)
    assert K.cast(x, "float64").dtype == "float64" and K.cast(x, "float32") is x


@pytest.mark.parametrize(
    "value",
    [
        matrix(),
        matrix(kind="coo"),
        matrix(dtype="float64"),
        matrix(density=0.0),
        matrix(rows=0),
        matrix(density=1.0),
        (matrix() * 10).astype("int64"),
        sparse.csr_array(matrix()),
        matrix().toarray(),
        matrix().toarray().tolist(),
        sparse.coo_matrix(([1.0, 2.0, 4.0], ([0, 0, 3], [2, 2, 6])), shape=(5, 7)),  # a place twice: the sum
    ],
    ids=["csr", "coo", "float64", "empty", "no rows", "full", "int64", "array", "dense", "list", "twice"],
)
def test_placeholders(value):
    """18.8: fed any format, or dense arrays."""
    x = K.placeholder((None, 7), sparse=True, name="x")
    assert K.is_sparse(x) and K.is_placeholder(x) and K.int_shape(x) == (None, 7)
    w = np.random.RandomState(1).normal(size=(7, 3)).astype("float32")
    dense, product, again = K.function([x], [K.to_dense(x), K.dot(x, K.constant(w)), x])([value])
    want = value.toarray() if sparse.issparse(value) else np.asarray(value)
    np.testing.assert_allclose(dense, want.astype("float32"))
    np.testing.assert_allclose(product, want.astype("float32") @ w, rtol=1e-5, atol=1e-6)
    assert sparse.issparse(again) and again.format == "csr" and again.dtype == np.float32
    np.testing.assert_array_equal(again.toarray(), dense)


def test_unknown_columns_and_known_rows():
    x = K.placeholder(ndim=2, sparse=True)
    w = K.placeholder((None, 2))
    function = K.function([x, w], [K.dot(x, w)])
    for columns in (3, 7):
        m = matrix(columns=columns)
        np.testing.assert_allclose(
            function([m, np.ones((columns, 2))])[0], m.toarray() @ np.ones((columns, 2))
        )
    with pytest.raises(ValueError, match="inner sizes differ"):
        function([m, np.ones((3, 2))])
    known = K.placeholder((5, 7), sparse=True)
    with pytest.raises(ValueError, match=r"expects shape \(5, 7\), got a matrix of shape \(4, 7\)"):
        K.function([known], [K.to_dense(known)])([matrix(rows=4)])
    with pytest.raises(ValueError, match="2 axes"):
        K.function([x], [K.to_dense(x)])([np.zeros(3)])
    with pytest.raises(ValueError, match="is a matrix"):
        K.placeholder((None, 3, 3), sparse=True)


def test_dense_placeholders_take_sparse_matrices():
    """8.8: made dense, also beside a learning phase and in a feed_dict."""
    m, x = matrix(), K.placeholder((None, 7))
    np.testing.assert_array_equal(K.function([x], [x])([m])[0], m.toarray())
    y = K.in_train_phase(x, -x)
    np.testing.assert_array_equal(K.function([x, K.learning_phase()], [y])([m, 0])[0], -m.toarray())
    np.testing.assert_array_equal(K.function([], [x], feed_dict={x: m})([])[0], m.toarray())
    with pytest.raises(ValueError, match="expects shape"):
        K.function([x], [x])([matrix(columns=3)])


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 40), (2, 7, 3)])
@pytest.mark.parametrize("unknown", [False, True])
def test_dot(shape, unknown):
    """18.5: a sparse first factor, a dense second one of any rank."""
    m = matrix(rows=6)
    x = K.placeholder((None if unknown else 6, 7), sparse=True)
    w = np.random.RandomState(0).normal(size=shape).astype("float32")
    y = K.dot(x, K.variable(w))
    want = np.dot(m.toarray(), w)
    assert K.int_shape(y) == ((None if unknown else 6), *want.shape[1:]) and not K.is_sparse(y)
    np.testing.assert_allclose(K.function([x], [y])([m])[0], want, rtol=1e-5, atol=1e-6)


def test_gradients_of_the_dense_factor():
    """18.5: of the first and of the second order."""
    m = matrix(rows=6, columns=4, dtype="float64")
    a = m.toarray()
    x, w = K.placeholder((None, 4), "float64", sparse=True), K.placeholder((4, 3), dtype="float64")
    x = K.placeholder((None, 4), dtype="float64", sparse=True)
    value = np.random.RandomState(0).normal(size=(4, 3))
    y = K.sum(K.pow(K.dot(x, w), 3))
    gradient = K.gradients(y, [w])[0]
    second = K.gradients(K.sum(K.square(gradient)), [w])[0]
    first, other = K.function([x, w], [gradient, second])([m, value])
    z = a @ value
    np.testing.assert_allclose(first, a.T @ (3 * z**2), rtol=1e-10)
    np.testing.assert_allclose(other, a.T @ (6 * z * (a @ (2 * a.T @ (3 * z**2)))), rtol=1e-10)
    with pytest.raises(TypeError, match="is sparse"):
        K.gradients(y, [x])


def test_concatenate():
    """18.10: sparse if all are, otherwise dense."""
    ms = [matrix(columns=n, seed=n) for n in (7, 1, 4)]
    xs = [K.placeholder(m.shape, sparse=True) for m in ms]
    side = K.concatenate(xs)
    assert K.is_sparse(side) and K.int_shape(side) == (5, 12)
    result = K.function(xs, [side])(ms)[0]
    np.testing.assert_array_equal(result.toarray(), sparse.hstack(ms).toarray())
    assert result.nnz == sum(m.nnz for m in ms)
    below = K.concatenate([K.variable(ms[0]), K.variable(matrix(rows=2, columns=7))], axis=0)
    assert K.is_sparse(below) and K.int_shape(below) == (7, 7)
    np.testing.assert_array_equal(K.eval(below), np.concatenate([ms[0].toarray(), matrix(2, 7).toarray()]))
    mixed = K.concatenate([K.variable(ms[0]), K.ones((5, 2))])
    assert not K.is_sparse(mixed)
    np.testing.assert_array_equal(K.eval(mixed)[:, 7:], np.ones((5, 2)))
    alone = K.concatenate([xs[0]])
    assert K.is_sparse(alone) and alone is not xs[0]
    with pytest.raises(ValueError, match=r"\(5, 7\) and \(5, 1\) cannot be joined along axis 0"):
        K.concatenate(xs[:2], axis=0)
    with pytest.raises(ValueError, match="beyond a tensor with 2 axes"):
        K.concatenate(xs, axis=2)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1.0,
        lambda x: x * x,
        lambda x: x / np.ones(7),
        K.relu,
        K.sum,
        K.transpose,
        K.shape,
        lambda x: x[0],
        lambda x: K.dot(K.ones((2, 5)), x),
        lambda x: K.concatenate([x, x]) - 1.0,
        lambda x: K.map_fn(K.identity, x),
    ],
)
def test_what_takes_no_sparse_tensors_says_so(use):
    """Naming the tensor, the place, and what to do."""
    x = K.placeholder((5, 7), sparse=True, name="words")
    with K.name_scope("bag"), pytest.raises(TypeError, match=r"is sparse.*'bag'.*K\.to_dense") as error:
        use(x)
    assert "words" in str(error.value) or "sparse" in str(error.value)


def test_ctc_labels():
    """18.15: `ctc_label_dense_to_sparse` keeps the first labels of each row."""
    labels = np.array([[3, 1, 2], [5, 9, 9], [7, 8, 0], [1, 1, 1]])
    x = K.ctc_label_dense_to_sparse(K.constant(labels, "int32"), K.constant([3, 1, 2, 0], "int32"))
    assert K.is_sparse(x) and x.dtype == "int32" and K.int_shape(x) == (4, 3)
    np.testing.assert_array_equal(K.eval(x), [[3, 1, 2], [5, 0, 0], [7, 8, 0], [0, 0, 0]])
    result = K.function([], [x])([])[0]
    np.testing.assert_array_equal(result.indptr, [0, 3, 4, 6, 6])
    with pytest.raises(ValueError, match=r"length 4 of row 0 is not in \[0, 3\]"):
        K.eval(K.ctc_label_dense_to_sparse(labels, np.full(4, 4)))


def test_damaged_matrices_are_refused():
    """Places beyond the matrix must not be read."""
    m = matrix()
    m.indices[0] = 70
    x = K.placeholder((None, 7), sparse=True)
    function = K.function([x], [K.dot(x, K.ones((7, 2)))])
    with pytest.raises(ValueError, match="damaged"):
        function([m])
    m.indices[0] = -1
    with pytest.raises(ValueError, match="damaged"):
        function([m])


def test_similar_batches_share_a_plan():
    """The arrays have some room to spare, so that not every number of elements is a new shape."""
    x = K.placeholder((None, 100), sparse=True)
    function = K.function([x], [K.dot(x, K.ones((100, 2)))])
    texts = {function.describe([matrix(50, 100, density)]) for density in (0.092, 0.095, 0.097, 0.1)}
    assert len(texts) == 1


def test_same_bits_for_any_number_of_threads():
    m = matrix(400, 90, 0.3)
    x, w = K.placeholder((None, 90), sparse=True), K.variable(np.random.RandomState(0).normal(size=(90, 200)))
    y = K.dot(x, w)
    function = K.function([x], [y, *K.gradients(K.sum(K.square(y)), [w])])
    before = K.engine.get_num_threads()
    results = []
    for threads in (1, 3):
        K.engine.set_num_threads(threads)
        results.append(function([m]))
    K.engine.set_num_threads(before)
    for one, three in zip(*results):
        np.testing.assert_array_equal(one, three)


def test_scipy_is_not_needed(monkeypatch, run_code):
    """It is imported only for a sparse result; the matrices of users bring it along."""
    code = (
        "import sys, numpy as np; from pykeras import backend as K\n"
        "x = K.placeholder((None, 3), sparse=True)\n"
        "print(K.function([x], [K.dot(x, K.ones((3, 1)))])([np.eye(3)])[0].sum(), 'scipy' in sys.modules)"
    )
    assert run_code(code).split() == ["3.0", "False"]
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    x = K.placeholder((None, 3), sparse=True)
    with pytest.raises(ImportError, match="pip install scipy"):
        K.function([x], [x])([np.eye(3)])
