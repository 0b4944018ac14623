"""HDF5 data used where it lies in the file: which data, and what happens when the file changes (15.4)."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import pykeras
from pykeras.callbacks import Callback
from pykeras.engine import training_arrays
from pykeras.layers import Dense
from pykeras.models import Sequential
from pykeras.utils import HDF5Matrix, _h5mapped
from pykeras.utils._h5mapped import mapped_rows
from pykeras.utils._h5matrix import RowRange

h5py = pytest.importorskip("h5py")
scipy_sparse = pytest.importorskip("scipy.sparse")
fcntl = pytest.importorskip("fcntl")

X = np.random.RandomState(0).rand(50, 3).astype("float32")
Y = X.sum(axis=1)


# Where temporary files usually lie. Asked for here by the folder's name, not as the package does it.
USUAL = {"btrfs", "ext4", "overlay", "tmpfs", "xfs"}


def file_system(folder):
    """Returns the type of the file system that a folder is on."""
    mounts = {}
    with open("/proc/mounts") as file:
        for line in file:
            _, place, kind = line.split()[:3]
            mounts[place.encode().decode("unicode_escape")] = kind
    return next(mounts[str(p)] for p in (folder.resolve(), *folder.resolve().parents) if str(p) in mounts)


def leases_here(folder):
    """Whether the file system gives leases and is local."""
    if not os.path.exists("/proc/mounts") or file_system(folder) not in USUAL:
        return False
    path = os.path.join(folder, "lease")
    with open(path, "wb") as file:
        file.write(b"1")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, 0)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        return True
    except (AttributeError, OSError):
        return False
    finally:
        os.close(descriptor)


@pytest.fixture
def folder(tmp_path):
    if not leases_here(tmp_path):
        pytest.skip("the file system gives no leases, or is not one of this machine's own")
    return tmp_path


@pytest.fixture
def path(folder):
    with h5py.File(folder / "data.h5", "w", userblock_size=512) as file:
        file["x"], file["y"] = X, Y[:, None]
    return folder / "data.h5"


def net():
    model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model


def may_write(path):
    """Whether the file can be opened for writing at once, that is, whether nobody has a lease."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except BlockingIOError:
        return False
    return True


def test_rows_are_those_that_h5py_reads(path):
    with h5py.File(path, "r") as file:
        sources = [
            file["x"],
            HDF5Matrix(path, "x", 10, 40),
            RowRange(HDF5Matrix(path, "x", 10, 40), 5, 20),
            Y,
        ]
        mapped = mapped_rows([*sources, None])
        wanted = [X, X[10:40], X[15:30], Y, None]
        with mapped.lease() as lease:
            assert lease.held()
            for x, rows in zip(mapped.arrays, wanted):
                np.testing.assert_array_equal(x, rows)
                assert type(x) is type(rows)
    assert mapped.arrays[3] is Y
    assert not mapped.arrays[0].flags.writeable


def save(path, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"data": X, "chunks": (7, 3)},
        {"data": X, "chunks": (7, 3), "compression": "gzip"},
        {"data": X.astype(">f4")},
        {"data": X > 0.5},
        {"data": X[:0]},
        {"data": X[0, 0]},
        {"shape": (50, 3), "dtype": "float32"},  # never written: it has no place in the file
        {"data": np.array(["a", "b"], object), "dtype": h5py.string_dtype()},
    ],
    ids=lambda options: " ".join(options),
)
def test_other_layouts_are_left_to_h5py(folder, options):
    save(folder / "other.h5", **options)
    with h5py.File(folder / "other.h5", "r") as file:
        assert mapped_rows([RowRange(file["x"])] if file["x"].ndim else [file["x"]]) is None


def test_other_files_are_left_to_h5py(path, folder):
    with h5py.File(folder / "outside.h5", "w") as file:
        file.create_dataset("x", data=X, external=[(str(folder / "x.raw"), 0, X.nbytes)])
    with h5py.File(folder / "outside.h5", "r") as file:
        assert mapped_rows([file["x"]]) is None
    with h5py.File(path, "r", driver="core") as file:
        assert mapped_rows([file["x"]]) is None
    with h5py.File(path, "r+") as file:
        assert mapped_rows([file["x"]]) is None
    assert mapped_rows([X, None]) is None
    assert mapped_rows([HDF5Matrix(path, "x", normalizer=lambda rows: rows / 2)]) is None
    # one that is not mapped: a thread reads ahead for all
    save(folder / "chunks.h5", data=X, chunks=(7, 3))
    assert mapped_rows([HDF5Matrix(path, "x"), HDF5Matrix(folder / "chunks.h5", "x")]) is None
    with h5py.File(path, "r") as file:
        assert mapped_rows([RowRange(file["x"], 0, 60)]) is None
    assert mapped_rows([RowRange(HDF5Matrix(path, "x", 10, 40), 5, 35)]) is None  # rows beyond the inner end
    assert mapped_rows([HDF5Matrix(path, "x"), scipy_sparse.csr_matrix(X)]) is None
    with h5py.File(path, "r") as file:
        closed = file["x"]
    assert mapped_rows([closed]) is None


def test_files_that_another_machine_may_hold_are_left_to_h5py(path, monkeypatch):
    """A page that cannot be fetched would end the process; sshfs and its like give leases all the same."""
    x = HDF5Matrix(path, "x")
    with open("/proc/self/status") as file:
        assert not _h5mapped._on_this_machine(file.fileno())
    with open(path) as file:
        assert _h5mapped._on_this_machine(file.fileno())
        monkeypatch.setattr(_h5mapped, "_LOCAL", frozenset())
        assert not _h5mapped._on_this_machine(file.fileno())
    assert mapped_rows([x]) is None
    np.testing.assert_array_equal(net().predict(x, 7), net().predict(X, 7))


def test_a_single_batch_is_read_at_once(path, monkeypatch):
    monkeypatch.setattr(training_arrays, "mapped_rows", lambda _: pytest.fail("not worth it"))
    x = HDF5Matrix(path, "x")
    np.testing.assert_array_equal(net().predict(x, 50), net().predict(X, 50))
    net().fit(x, Y, 50, verbose=0, shuffle="batch")


@pytest.mark.parametrize("shuffle", ["batch", False])
def test_the_same_numbers_as_from_memory(path, shuffle):
    def run(x, y):
        np.random.seed(3)
        model = net()
        history = model.fit(x, y, 8, 3, verbose=0, shuffle=shuffle, validation_split=0.2)
        weights = model.get_weights()
        return [
            history.history["loss"],
            history.history["val_loss"],
            model.evaluate(x, y, 7, verbose=0),
            *weights,
        ]

    for a, b in zip(run(HDF5Matrix(path, "x"), HDF5Matrix(path, "y")), run(X, Y[:, None])):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(net().predict(HDF5Matrix(path, "x"), 7), net().predict(X, 7))


def test_no_copy_is_read_through_h5py(path, monkeypatch):
    x, y = HDF5Matrix(path, "x"), HDF5Matrix(path, "y")
    model = net()
    model.fit(x, y, 8, verbose=0, shuffle="batch")
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda *_: pytest.fail("read"))
    monkeypatch.setattr(_h5mapped, "_same", lambda *_: True)
    model.fit(x, y, 8, verbose=0, shuffle="batch")


def test_the_lease_lasts_as_long_as_the_epoch(path):
    within = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs=None):
            within.append(may_write(path))

        def on_epoch_end(self, epoch, logs=None):
            within.append(may_write(path))

    model = net()
    model.fit(HDF5Matrix(path, "x"), Y, 25, 2, verbose=0, shuffle="batch", callbacks=[Watch()])
    assert within == [False, True, True] * 2  # the question itself ends the lease
    with pytest.raises(ZeroDivisionError):

        class Fail(Callback):
            def on_batch_end(self, batch, logs=None):
                raise ZeroDivisionError

        model.fit(HDF5Matrix(path, "x"), Y, 25, verbose=0, shuffle="batch", callbacks=[Fail()])
    assert may_write(path)


def test_without_leases_everything_is_read_through_h5py(path, monkeypatch):
    def refuse(descriptor, command, *value):
        raise PermissionError("not your file")

    x = HDF5Matrix(path, "x")
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", refuse)
        assert mapped_rows([x]) is None
        wanted = net().predict(x, 7)
    mapped = mapped_rows([x])
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", refuse)
        with mapped.lease() as lease:
            assert not lease.held()
    np.testing.assert_array_equal(net().predict(x, 7), wanted)


@pytest.mark.filterwarnings("ignore:Method on_batch_end")
def test_who_wants_to_write_waits_for_the_batch_only(path):
    """Somebody else opens the file in the middle of an epoch: the rest is read through h5py."""
    opened = threading.Event()

    def write():
        with open(path, "r+b"):
            opened.set()

    class Other(Callback):
        def on_batch_end(self, batch, logs=None):
            if batch == 1:
                self.thread = threading.Thread(target=write)
                self.thread.start()
                assert not opened.wait(0.2)
            if batch == 2:
                assert opened.wait(10)

    other = Other()
    model, plain = net(), net()
    model.fit(HDF5Matrix(path, "x"), Y, 8, verbose=0, shuffle=False, callbacks=[other])
    other.thread.join()
    plain.fit(X, Y, 8, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_array_equal(a, b)


CUT_SHORT = """
import subprocess, sys, time
import numpy as np
from pykeras.callbacks import Callback
from pykeras.layers import Dense
from pykeras.models import Sequential
from pykeras.utils import HDF5Matrix

path = sys.argv[1]
model = Sequential([Dense(1, input_shape=(4096,))])
model.compile("sgd", "mse")
x = HDF5Matrix(path, "x")

class Cut(Callback):
    def on_batch_end(self, batch, logs=None):
        if batch == 1:
            cut = "import os, sys; os.truncate(sys.argv[1], 4096)"
            self.other = subprocess.Popen([sys.executable, "-c", cut, path])
            time.sleep(1)
            assert self.other.poll() is None, "cut while it was in use"
        elif batch == 2:
            assert self.other.wait(20) == 0

try:
    model.fit(x, np.ones(64), 8, 2, shuffle="batch", verbose=0, callbacks=[Cut()])
except OSError as error:
    print(error)
model.predict(np.ones((2, 4096), "float32"))
"""


def test_a_file_that_is_cut_short_is_an_error_and_not_the_end_of_the_process(folder):
    path = folder / "long.h5"
    save(path, data=np.ones((64, 4096), "float32"))
    house = str(Path(pykeras.__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, "-c", CUT_SHORT, str(path)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": house},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(
        f"The file {path} was cut short while its rows were in use: of 1050624 bytes 4096 are left."
    )


def test_batches_on_the_disk_are_asked_for_ahead(path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *call: asked.append(call[1:3]))
    mapped = mapped_rows([HDF5Matrix(path, "x", 10, 40)])
    first = h5py.File(path, "r")["x"].id.get_offset() + 10 * 12
    ranges = [(0, 8), (16, 24), (8, 16), (24, 30)]
    monkeypatch.setattr(_h5mapped._File, "cached", lambda *_: True)
    mapped.reader(ranges)(0)
    assert asked == []
    monkeypatch.setattr(_h5mapped._File, "cached", lambda *_: False)
    monkeypatch.setattr(_h5mapped, "_AHEAD", 2 * 8 * 12)
    read_ahead = mapped.reader(ranges)
    for index in range(4):
        assert len(asked) == min(4, 2 + index)
        read_ahead(index)
    assert asked == [(first + 12 * start, 12 * (stop - start)) for start, stop in ranges]


def test_whether_the_system_has_a_page(path, monkeypatch):
    mapped = mapped_rows([HDF5Matrix(path, "x")])
    assert mapped._files[0].cached(1000)  # h5py has just read it

    def answer(error):
        def preadv(*_):
            raise error

        monkeypatch.setattr(os, "preadv", preadv)
        return mapped._files[0].cached(1000)

    assert not answer(BlockingIOError())
    assert answer(OSError("no such flag here"))


def test_descriptors_are_given_back(path):
    def count():
        return len(os.listdir("/proc/self/fd"))

    x, y = HDF5Matrix(path, "x"), HDF5Matrix(path, "y")
    model = net()
    model.fit(x, y, 8, verbose=0, shuffle="batch")
    before = count()
    for _ in range(20):
        model.fit(x, y, 8, verbose=0, shuffle="batch")
    assert count() == before


def test_threads_have_leases_of_their_own(path):
    x, wanted = HDF5Matrix(path, "x"), net().predict(X, 5)
    results, model = [], net()
    stop = time.monotonic() + 0.3

    def run():
        while time.monotonic() < stop:
            results.append(model.predict(x, 5))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results
    for result in results:
        np.testing.assert_array_equal(result, wanted)
