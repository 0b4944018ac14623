"""Plans: updates, constants kept from run to run, threads, the rewrite passes, the two phases."""

import gc
import os
import threading
import time

import numpy as np
import pytest

from pykeras import _core


def op(name, *inputs, scope="", **attrs):
    return _core.op(name, list(inputs), attrs, scope)[0]


def const(x, dtype="float32"):
    return _core.constant(np.asarray(x, dtype))


def variable(x, name="v"):
    x = np.asarray(x, "float32")
    v = _core.Variable(x.shape, "float32", name)
    v.set(x)
    return v


@pytest.fixture(params=["cpu", "reference"])
def device(request):
    _core.set_device(request.param)
    yield request.param
    _core.set_device("cpu")


@pytest.fixture
def all_passes_off():
    on = _core.passes()
    for name in on:
        _core.set_pass(name, False)
    yield
    for name, was in on.items():
        _core.set_pass(name, was)


def test_outputs_are_computed_before_updates(device):
    v = variable([1.0, 2.0])
    f = _core.Function([], [v.value, op("neg", v.value)], [(v, op("add", v.value, const(10.0)))], "f")
    old, negated = f([])
    np.testing.assert_array_equal(old, [1, 2])
    np.testing.assert_array_equal(negated, [-1, -2])
    np.testing.assert_array_equal(v.get(), [11, 12])


def test_two_variables_can_be_swapped(device):
    a, b = variable([1.0], "a"), variable([2.0], "b")
    _core.Function([], [], [(a, b.value), (b, a.value)], "swap")([])
    assert (a.get(), b.get()) == (2.0, 1.0)


def test_updates_read_old_values_of_each_other(device):
    a, b = variable([1.0, 1.0], "a"), variable([2.0, 2.0], "b")
    new_a = op("add", a.value, b.value)
    new_b = op("mul", a.value, const(5.0))
    _core.Function([], [], [(a, new_a), (b, new_b)], "f")([])
    np.testing.assert_array_equal(a.get(), [3, 3])
    np.testing.assert_array_equal(b.get(), [5, 5])


def test_an_update_may_depend_on_another_updates_new_value(device):
    m, w = variable(np.ones(4), "m"), variable(np.zeros(4), "w")
    new_m = op("add", op("mul", m.value, const(0.9)), const(1.0))
    new_w = op("sub", w.value, new_m)
    f = _core.Function([], [op("sum", w.value, axes=[0])], [(w, new_w), (m, new_m)], "momentum")
    for _ in range(3):
        f([])
    expected_m, expected_w = 1.0, 0.0
    for _ in range(3):
        expected_m = 0.9 * expected_m + 1
        expected_w -= expected_m
    np.testing.assert_allclose(m.get(), expected_m, rtol=1e-6)
    np.testing.assert_allclose(w.get(), expected_w, rtol=1e-6)


def test_a_failing_step_leaves_variables_as_they_were(device):
    table = variable(np.ones((3, 2)), "table")
    i = _core.placeholder((None,), "int32", "i")
    rows = op("gather", table.value, i, scope="embedding_1")
    f = _core.Function([i], [rows], [(table, op("add", table.value, const(1.0)))], "f")
    with pytest.raises(ValueError, match=r"embedding_1.*3"):
        f([np.array([0, 3], "int32")])
    np.testing.assert_array_equal(table.get(), np.ones((3, 2)))
    f([np.array([0, 2], "int32")])
    np.testing.assert_array_equal(table.get(), 2 * np.ones((3, 2)))


def test_what_depends_on_weights_only_is_renewed_when_they_change(device):
    w = variable(np.ones((4, 4)), "w")
    x = _core.placeholder((None, 4), "float32", "x")
    derived = op("exp", op("mul", w.value, const(2.0)))
    f = _core.Function([x], [op("matmul", x, derived)], [], "f")
    data = np.ones((2, 4), "float32")
    np.testing.assert_allclose(f([data])[0], 4 * np.exp(2.0), rtol=1e-6)
    assert "once" in f.describe([data])
    w.set(np.zeros((4, 4)))
    np.testing.assert_allclose(f([data])[0], 4.0, rtol=1e-6)


def test_packed_weights_follow_a_training_step():
    rng = np.random.RandomState(0)
    w = variable(rng.randn(64, 64), "w")
    x = _core.placeholder((None, 64), "float32", "x")
    predict = _core.Function([x], [op("matmul", x, w.value)], [], "predict")
    train = _core.Function([], [], [(w, op("neg", w.value))], "train")
    data = rng.randn(64, 64).astype("float32")
    before = predict([data])[0]
    train([])
    np.testing.assert_array_equal(predict([data])[0], -before)


def test_plans_share_packed_weights():
    """One packed copy for all batch sizes and functions; renewed for all, and gone with the last."""
    x = _core.placeholder((None, 96), "float32", "x")
    w = variable(np.ones((96, 600)))
    product = op("matmul", x, w.value)
    gc.collect()  # models of other tests
    before = _core.kept_bytes()
    f = _core.Function([x], [product], [], "f")
    g = _core.Function([x], [op("relu", product)], [], "g")
    for n in (64, 77, 100):
        f([np.ones((n, 96), "float32")])
    one = _core.kept_bytes() - before
    assert 96 * 600 * 4 <= one < 2 * 96 * 600 * 4
    g([np.ones((80, 96), "float32")])  # `dense` here, `matmul` there: fused ops have attributes of their own
    assert _core.kept_bytes() - before <= 2 * one
    w.set(np.full((96, 600), 2.0, "float32"))
    for function in (f, g):
        for n in (64, 77, 80, 3):
            assert (function([np.ones((n, 96), "float32")])[0] == 192).all()
    del f, g, function
    gc.collect()
    assert _core.kept_bytes() == before


def test_stages_of_folded_weights_are_not_kept():
    """Of w·s only the packed form stays: neither the product nor its factors are held a second time."""
    x = _core.placeholder((None, 64), "float32", "x")
    w, scale = variable(np.ones((64, 600))), variable(np.full((600,), 3.0))
    folded = op("mul", w.value, scale.value)
    gc.collect()  # models of other tests
    before = _core.kept_bytes()
    f = _core.Function([x], [op("matmul", x, folded)], [], "f")
    assert (f([np.ones((60, 64), "float32")])[0] == 192).all()
    assert 0 < _core.kept_bytes() - before < 1.5 * 64 * 600 * 4
    assert (f([np.ones((1, 64), "float32")])[0] == 192).all()
    scale.set(np.full((600,), 0.5, "float32"))
    for n in (60, 1, 5):
        assert (f([np.ones((n, 64), "float32")])[0] == 32).all()


def test_equal_expressions_of_other_variables_are_not_mixed_up(device):
    x = _core.placeholder((None, 64), "float32", "x")
    functions = []
    for value, power in ((1.0, 2.0), (2.0, 2.0), (2.0, 3.0)):
        w = variable(np.full((64, 600), value))
        folded = op("mul", op("pow", w.value, const(power)), const(0.5))
        functions.append((_core.Function([x], [op("matmul", x, folded)], [], "f"), 64 * value**power / 2))
    for n in (60, 3):
        for f, want in functions:
            assert (f([np.ones((n, 64), "float32")])[0] == want).all()


def test_sharing_plans_in_many_threads():
    """Threads with other batch sizes, while the weights change: no result beyond what they ever were."""
    x = _core.placeholder((None, 128), "float32", "x")
    w = variable(np.ones((128, 600)))
    f = _core.Function([x], [op("matmul", x, w.value)], [], "f")
    wrong, stop = [], threading.Event()

    def predict(n):
        while not stop.is_set():
            result = f([np.ones((n, 128), "float32")])[0]
            if not (128 <= result).all() or not (result <= 128 * 49).all():
                wrong.append(result)

    threads = [threading.Thread(target=predict, args=(n,)) for n in (8, 69, 53, 64)]
    for thread in threads:
        thread.start()
    for k in range(1, 50):
        w.set(np.full((128, 600), k, "float32"))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    for n in (8, 69, 53, 64):
        assert (f([np.ones((n, 128), "float32")])[0] == 128 * 49).all()


def test_weights_that_change_while_pieces_are_made():
    """Two pieces come from one stage: what was made from the old weights must not pass for new."""
    n = 512
    x = _core.placeholder((None, n), "float32", "x")
    w, half = variable(np.ones((n, n))), variable(np.eye(n) / 2)
    stage = w.value
    for _ in range(4):  # takes its time
        stage = op("matmul", stage, half.value)
    f = _core.Function([x], [op("matmul", x, stage), op("matmul", x, op("square", stage))], [], "f")
    data = np.ones((8, n), "float32")
    f([data])
    for k in range(1, 25):
        w.set(np.full((n, n), 2 * k, "float32"))
        thread = threading.Thread(target=f, args=([data],))
        thread.start()
        time.sleep(k % 8 * 0.002)
        w.set(np.full((n, n), 16 * k, "float32"))
        thread.join()
        first, second = f([data])
        assert (first == n * k).all() and (second == n * k * k).all()


def test_only_the_shape_of_a_variable_is_read(device):
    """What is kept does not depend on its value, which is not even there yet."""
    v = _core.Variable((2000,), "float32", "v")
    f = _core.Function([], [op("fill_like", v.value, value=3.0, dtype="float32")], [], "f")
    assert (f([])[0] == 3).all()


def test_initializers_are_evaluated_once_and_late(device):
    v = _core.Variable((3,), "float32", "v")
    v.set_initializer(op("random_uniform", shape=[3], min=0.0, max=1.0, seed=7, dtype="float32"))
    first = v.get()
    np.testing.assert_array_equal(first, v.get())
    assert ((first >= 0) & (first < 1)).all()
    w = _core.Variable((3,), "float32", "w")
    with pytest.raises(RuntimeError, match="'w' has no value"):
        w.get()


def test_an_initial_value_that_fails_is_tried_again(device):
    index = _core.Variable((1,), "int32", "index")
    index.set(np.array([7], "int32"))
    v = _core.Variable((1,), "float32", "v")
    table = _core.constant(np.arange(3, dtype="float32"))
    v.set_initializer(op("gather", table, index.value))
    for _ in range(2):
        with pytest.raises(ValueError, match="index 7 is out of range"):
            v.get()
    index.set(np.array([2], "int32"))
    assert v.get() == [2]


def test_a_variable_does_not_share_the_memory_of_its_initial_value(device):
    source = _core.Variable((3,), "float32", "source")
    source.set(np.ones(3, "float32"))
    v = _core.Variable((3,), "float32", "v")
    v.set_initializer(source.value)
    constant = _core.Variable((3,), "float32", "constant")
    constant.set_initializer(_core.constant(np.ones(3, "float32")))
    for x in (v, constant):
        assert (x.get() == 1).all()
    source.set(np.zeros(3, "float32"))
    again = _core.Function([], [v.value, constant.value], [(v, op("neg", v.value))], "f")
    assert [y.tolist() for y in again([])] == [[1, 1, 1], [1, 1, 1]]
    assert source.get().tolist() == [0, 0, 0] and v.get().tolist() == [-1, -1, -1]


def test_random_ops_change_from_run_to_run_and_follow_step():
    f = _core.Function(
        [], [op("random_uniform", shape=[8], min=0.0, max=1.0, seed=3, dtype="float32")], [], "f"
    )
    a, b = f([])[0], f([])[0]
    assert (a != b).any()
    f.step = 0
    np.testing.assert_array_equal(f([])[0], a)


def test_phase_select_and_a_fed_phase(device):
    x = _core.placeholder((None,), "float32", "x")
    y = op("phase_select", op("neg", x), op("square", x))
    data = np.array([3.0], "float32")
    f = _core.Function([x], [y], [], "f")
    assert f([data], 0)[0] == 9 and f([data], 1)[0] == -3
    g = _core.Function([x, _core.learning_phase()], [y], [], "g")
    for train in (1, True, 1.0, np.ones(())):
        assert g([data, train])[0] == -3
    assert g([data, 0.0])[0] == 9


def mixed_graph():
    """A little of everything that the passes touch: products, biases, activations, norms, reductions."""
    rng = np.random.RandomState(1)
    x = _core.placeholder((None, 6, 6, 3), "float32", "x")
    k = variable(rng.randn(3, 3, 3, 5) * 0.3, "k")
    b, scale, shift = (variable(rng.rand(5) + 0.5, n) for n in "bst")
    conv = op("conv2d", x, k.value, padding="same", strides=[1, 1], dilation=[1, 1])
    h = op("add", conv, b.value)
    h = op("add", op("mul", h, scale.value), shift.value)
    h = op("relu", h)
    flat = op("flatten_from", h, axis=1)
    w = variable(rng.randn(180, 4) * 0.1, "w")
    c = variable(rng.randn(4), "c")
    y = op("tanh", op("add", op("matmul", flat, w.value), c.value))
    z = op("select", op("greater", y, const(0.0)), op("mul", y, const(2.0)), op("exp", y))
    loss = op("mean", op("square", z), axes=[0, 1])
    variables = [k, b, scale, shift, w, c]
    grads = _core.gradients([loss], [v.value for v in variables])
    return x, variables, [y, z, loss], grads


def run_mixed(batch):
    x, variables, outputs, grads = mixed_graph()
    data = np.random.RandomState(2).randn(batch, 6, 6, 3).astype("float32")
    predict = _core.Function([x], outputs, [], "predict")([data])
    step = [(v, op("sub", v.value, op("mul", const(0.1), g))) for v, g in zip(variables, grads)]
    train = _core.Function([x], outputs + grads, step, "train")
    results = [train([data], 1) for _ in range(3)]
    return predict, results, [v.get() for v in variables]


def flatten(results):
    predict, steps, weights = results
    return [*predict, *(a for step in steps for a in step), *weights]


def test_passes_change_no_result(device, all_passes_off):
    plain = flatten(run_mixed(3))
    for name in _core.passes():
        _core.set_pass(name, True)
    for a, b in zip(plain, flatten(run_mixed(3))):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", list(_core.passes()))
def test_each_pass_alone(name, all_passes_off):
    plain = flatten(run_mixed(2))
    _core.set_pass(name, True)
    for a, b in zip(plain, flatten(run_mixed(2))):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    with pytest.raises(ValueError, match="no rewrite pass"):
        _core.set_pass("no_such_pass", True)


def test_the_passes_do_what_they_are_for():
    x, _, outputs, _ = mixed_graph()
    data = np.zeros((2, 6, 6, 3), "float32")
    text = _core.Function([x], outputs[:1], [], "predict").describe([data])
    # Convolution, bias, scale, shift and activation are one step; so are product, bias and tanh.
    steps = [line for line in text.splitlines() if line.startswith("      ")]
    assert len(steps) == 2, text
    assert "conv2d_fused" in steps[0] and "dense" in steps[1]


def test_results_are_the_same_for_any_number_of_threads():
    expected = flatten(run_mixed(5))
    try:
        for threads in (1, 2, 7):
            _core.set_num_threads(threads)
            for a, b in zip(expected, flatten(run_mixed(5))):
                np.testing.assert_array_equal(a, b)
    finally:
        _core.set_num_threads(0)


def test_one_function_in_many_threads():
    x, _, outputs, _ = mixed_graph()
    f = _core.Function([x], outputs[:2], [], "predict")
    rng = np.random.RandomState(3)
    data = [rng.randn(n, 6, 6, 3).astype("float32") for n in (1, 2, 3, 4)]
    expected = [f([d]) for d in data]
    failures = []

    def work(i):
        for _ in range(50):
            got = f([data[i]])
            if not all((a == b).all() for a, b in zip(got, expected[i])):
                failures.append(i)

    threads = [threading.Thread(target=work, args=(i % 4,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_computes_the_same():
    x, _, outputs, _ = mixed_graph()
    f = _core.Function([x], outputs[:1], [], "predict")
    data = np.random.RandomState(4).randn(64, 6, 6, 3).astype("float32")
    expected = f([data])[0]
    pid = os.fork()
    if pid == 0:
        os._exit(0 if (f([data])[0] == expected).all() else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_many_shapes_do_not_pile_up():
    x = _core.placeholder((None,), "float32", "x")
    f = _core.Function([x], [op("square", x)], [], "f")
    for n in range(1, 60):
        np.testing.assert_array_equal(f([np.full(n, 2.0, "float32")])[0], np.full(n, 4.0))


def test_empty_batches():
    x = _core.placeholder((None, 3), "float32", "x")
    y = op("relu", op("matmul", x, const(np.ones((3, 2)))))
    out = _core.Function([x], [y, op("sum", y, axes=[0, 1])], [], "f")([np.zeros((0, 3), "float32")])
    assert out[0].shape == (0, 2) and out[1] == 0


def test_inputs_are_converted_and_strided_arrays_read():
    x = _core.placeholder((None, 2), "float32", "x")
    f = _core.Function([x], [op("neg", x)], [], "f")
    data = np.arange(12.0).reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(f([data])[0], -data)
    np.testing.assert_array_equal(f([[[1, 2]]])[0], [[-1, -2]])


def test_unknown_devices_and_bad_thread_counts():
    with pytest.raises(ValueError, match=r"no device 'tpu'.*cpu"):
        _core.set_device("tpu")
    with pytest.raises(ValueError, match="threads"):
        _core.set_num_threads(-1)
    with pytest.raises(ValueError, match="instruction set"):
        _core.set_isa("mmx")
