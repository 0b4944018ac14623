"""Data in HDF5 files as input: HDF5Matrix, plain h5py data sets, batches read ahead (8.9, 15.4)."""

import os
import pickle
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from feeding import data

from pykeras.callbacks import Callback
from pykeras.engine import training_arrays
from pykeras.layers import Dense, Dropout
from pykeras.models import Sequential
from pykeras.utils import HDF5Matrix, OrderedEnqueuer, Sequence
from pykeras.utils._h5matrix import RowRange

h5py = pytest.importorskip("h5py")

X = np.random.RandomState(0).rand(50, 3).astype("float32")
Y = X.sum(axis=1) + 1


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = X, Y
        file.create_dataset("packed", data=(X * 255).astype("uint8"), chunks=(7, 3), compression="gzip")
    return tmp_path / "data.h5"


def halved(rows):
    return (rows / 2).astype("float64")


def net():
    model = Sequential([Dropout(0.2, input_shape=(3,), seed=1), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model


# ---- the matrix


def test_15_4_what_it_tells(path):
    x = HDF5Matrix(path, "x", start=10, end=40)
    assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((30, 3), 2, 90, np.float32, 30)
    assert (x.start, x.end) == (10, 40)
    assert HDF5Matrix(str(path), "x").shape == (50, 3)
    normal = HDF5Matrix(path, "x", normalizer=lambda rows: rows[:, :2].astype("float64"))
    assert (normal.shape, normal.dtype) == ((50, 2), np.float64)


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(2, 5),
        slice(None, 3),
        slice(4, None, 2),
        slice(-3, None),
        slice(5, 5),
        7,
        -1,
        np.int64(3),
        [1, 4, 9],
        (2, 3),
        np.array([0, 8]),
        np.array([], dtype=int),
        np.arange(30) % 7 == 0,
    ],
    ids=str,
)
def test_15_4_keys_count_from_start(path, key):
    x = HDF5Matrix(path, "x", start=10, end=40)
    wanted = X[10:40][list(key) if isinstance(key, tuple) else key]
    np.testing.assert_array_equal(x[key], wanted)
    np.testing.assert_array_equal(HDF5Matrix(path, "x", 10, 40, halved)[key], wanted / 2)
    np.testing.assert_array_equal(RowRange(X, 10, 40)[key], wanted)


@pytest.mark.parametrize("key", [slice(0, 31), slice(25, 40), 30, -31, [1, 30], np.array([99])], ids=str)
def test_15_4_beyond_the_end(path, key):
    with pytest.raises(IndexError, match="there are only 30"):
        HDF5Matrix(path, "x", start=10, end=40)[key]


def test_as_an_array(path):
    np.testing.assert_array_equal(np.asarray(HDF5Matrix(path, "x", 10, 40)), X[10:40])
    assert np.asarray(HDF5Matrix(path, "x"), dtype="float64").dtype == np.float64


def test_opens_read_only(path):  # 22.9
    path.chmod(0o444)
    x = HDF5Matrix(path, "x")
    assert x.data.file.mode == "r"
    with pytest.raises(OSError):
        x.data[0] = 1


def test_the_file_is_opened_once_and_closed_with_the_last_matrix(path):  # 15.4
    x, y = HDF5Matrix(path, "x"), HDF5Matrix(path, "y")
    assert x.data.file.id.id == y.data.file.id.id and len(HDF5Matrix.refs) == 1
    del x, y
    assert not HDF5Matrix.refs
    with h5py.File(path, "w") as file:  # could not be opened for writing if it were still in use
        file["x"] = X * 2
    np.testing.assert_array_equal(HDF5Matrix(path, "x")[:], X * 2)


def test_errors(path, tmp_path):
    with pytest.raises(OSError):
        HDF5Matrix(tmp_path / "none.h5", "x")
    with pytest.raises(KeyError, match="nothing"):
        HDF5Matrix(path, "nothing")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(OSError):
        HDF5Matrix(tmp_path / "text.h5", "x")
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["group/number"] = 3.0
    for name in ("group", "group/number"):
        with pytest.raises(ValueError, match=f"'{name}' in .*odd.h5 is no data set with rows"):
            HDF5Matrix(tmp_path / "odd.h5", name)


@pytest.mark.parametrize(("start", "end"), [(0, 51), (30, 20), (-10, None), (0, -1), (60, None)])
def test_rows_that_are_not_there(path, start, end):
    with pytest.raises(ValueError, match=f"Rows {start} to {end or 50} were asked for, but 'x' in .* has 50"):
        HDF5Matrix(path, "x", start, end)
    assert len(HDF5Matrix(path, "x", 50)) == 0


def test_in_threads_and_pickled(path):
    x = HDF5Matrix(path, "packed", normalizer=halved)
    wanted = x[:]
    twin = pickle.loads(pickle.dumps(x))
    np.testing.assert_array_equal(twin[:], wanted)
    with ThreadPoolExecutor(8) as pool:
        for row in pool.map(lambda i: (i % 50, x[i % 50 : i % 50 + 1]), range(400)):
            np.testing.assert_array_equal(row[1][0], wanted[row[0]])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_fork_while_a_thread_reads(path):
    x = HDF5Matrix(path, "packed")
    wanted, enough = x[:], threading.Event()

    def read():
        while not enough.is_set():
            np.testing.assert_array_equal(x[3:20], wanted[3:20])

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(30)  # ends a child that hangs
                status = 1
                try:
                    status = 0 if np.array_equal(x[:], wanted) and x._opened[0] == os.getpid() else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        enough.set()
        thread.join()
    np.testing.assert_array_equal(x[:], wanted)


class FromFile(Sequence):
    def __init__(self, path):
        self.x, self.y = HDF5Matrix(path, "x", normalizer=halved), HDF5Matrix(path, "y")

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return self.x[index * 10 : index * 10 + 10], self.y[index * 10 : index * 10 + 10]


def test_in_worker_processes(path):
    import feeding.test_hdf5 as importable  # the name by which a process can find the class

    enqueuer = OrderedEnqueuer(importable.FromFile(path), use_multiprocessing=True)
    enqueuer.start(2)
    batches = enqueuer.get()
    for i in range(10):
        np.testing.assert_array_equal(next(batches)[0], X[i % 5 * 10 : i % 5 * 10 + 10] / 2)
    enqueuer.stop()


# ---- fit, evaluate, predict


@pytest.mark.parametrize("shuffle", ["batch", False])
@pytest.mark.parametrize("kind", ["matrix", "dataset"])
def test_8_9_the_same_numbers_as_from_memory(path, kind, shuffle):
    with h5py.File(path, "r") as file:
        if kind == "matrix":
            x, y = HDF5Matrix(path, "x"), HDF5Matrix(path, "y")
        else:
            x, y = file["x"], file["y"]
        results = []
        for a, b in [(X, Y), (x, y)]:
            np.random.seed(6)
            model = net()
            history = model.fit(a, b, 8, 3, verbose=0, shuffle=shuffle, validation_split=0.3)
            weights = model.get_weights()
            results.append((history.history, weights, model.evaluate(a, b, 7, 0), model.predict(a, 7)))
    memory, stored = results
    assert memory[0] == stored[0] and memory[2] == stored[2]
    np.testing.assert_array_equal(memory[3], stored[3])
    for a, b in zip(memory[1], stored[1]):
        np.testing.assert_array_equal(a, b)


def test_8_9_shuffling_rows_is_refused(path):
    with h5py.File(path, "r") as file:
        for x in (file["x"], HDF5Matrix(path, "x"), RowRange(file["x"])):
            with pytest.raises(TypeError, match='If using HDF5 input data, pass shuffle="batch"'):
                net().fit(x, Y, verbose=0)


def test_other_types_of_numbers_and_batches(path):
    x = HDF5Matrix(path, "packed", normalizer=lambda rows: rows / 255)
    model = data.model()
    model.fit(x, HDF5Matrix(path, "y"), verbose=0, shuffle="batch", validation_data=(x, Y))
    assert np.isfinite(model.train_on_batch(x[:10], Y[:10])).all()
    assert model.predict_on_batch(HDF5Matrix(path, "x")).shape == (50, 1)


def test_a_split_reads_no_more_than_a_batch_at_a_time(path):
    asked = []

    class Watched(HDF5Matrix):
        def __getitem__(self, key):
            rows = super().__getitem__(key)
            asked.append(len(rows))
            return rows

    data.model().fit(Watched(path, "x"), Y, 8, verbose=0, shuffle="batch", validation_split=0.3)
    assert max(asked) == 8 and sum(asked) == 50


# ---- reading ahead


def count_threads():
    return sum(t.name.startswith("pykeras-") for t in threading.enumerate())


class Slow:
    """Rows that remember in which thread they were read."""

    shape, dtype, ndim = (40, 3), np.dtype("float32"), 2

    def __init__(self, fail_at=99):
        self.threads, self.read, self.fail_at = set(), [], fail_at

    def __getitem__(self, key):
        if key.start >= self.fail_at:
            raise OSError("the disk is broken")
        self.threads.add(threading.current_thread())
        self.read.append(key.start)
        return np.ones((key.stop - key.start, 3), "float32")


@pytest.mark.parametrize("together", [1, 2])
def test_the_next_batch_is_read_while_one_is_in_use(together, monkeypatch):
    monkeypatch.setattr(training_arrays, "_MOST_TOGETHER", together)
    slow, ahead = Slow(), []

    class Waits(Callback):
        def on_batch_begin(self, batch, logs=None):
            for _ in range(500):  # until the reader is ahead
                if len(slow.read) > batch + 1 or batch == 9:
                    break
                threading.Event().wait(0.01)
            ahead.append(len(slow.read) - batch)

    data.model().fit(slow, np.ones(40), 4, verbose=0, shuffle=False, callbacks=[Waits()])
    assert slow.read == list(range(0, 40, 4))
    assert threading.main_thread() not in slow.threads
    assert all(2 <= n <= 4 * together for n in ahead[:-together])
    assert count_threads() == 0


def test_errors_and_stops_while_reading_ahead():
    class Stop(Callback):
        def on_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = data.model()
    with pytest.raises(OSError, match="the disk is broken"):
        model.fit(Slow(fail_at=20), np.ones(40), 4, verbose=0, shuffle=False)
    with pytest.raises(OSError, match="the disk is broken"):
        model.predict(Slow(fail_at=20), 4)
    assert count_threads() == 0
    model.fit(Slow(), np.ones(40), 4, 3, verbose=0, shuffle=False, callbacks=[Stop()])
    assert count_threads() == 0


def test_large_batches_in_memory_are_gathered_ahead(monkeypatch):
    def run():
        np.random.seed(2)
        model = net()
        model.fit(X, Y, 8, 4, verbose=0)
        return model.get_weights()

    gathered = []
    original = training_arrays.slice_arrays

    def watched(*arguments):
        gathered.append(threading.current_thread())
        return original(*arguments)

    monkeypatch.setattr(training_arrays, "slice_arrays", watched)
    plain = run()
    assert set(gathered) == {threading.main_thread()}
    gathered.clear()
    monkeypatch.setattr(training_arrays, "_LARGE_BATCH", 1)
    for a, b in zip(run(), plain):
        np.testing.assert_array_equal(a, b)
    assert gathered and threading.main_thread() not in gathered
