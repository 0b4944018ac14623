"""MNIST, Fashion-MNIST and CIFAR (17.7): small files as the published ones are built, and the real MNIST."""

import gzip
import hashlib
import io
import struct
import tarfile

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.datasets import cifar, cifar10, cifar100, fashion_mnist, mnist


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty folder of Keras, and nowhere to fetch anything from."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for module in (mnist, cifar10, cifar100):
        monkeypatch.setattr(module, "_ORIGIN", "file:///no/such/file")
    monkeypatch.setattr(fashion_mnist, "_ORIGIN", "file:///no/such/folder/")
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def test_mnist(tmp_path):
    arrays = {
        "x_train": np.random.randint(0, 256, (5, 28, 28), dtype=np.uint8),
        "y_train": np.arange(5, dtype=np.uint8),
        "x_test": np.zeros((2, 28, 28), np.uint8),
        "y_test": np.ones(2, np.uint8),
    }
    np.savez(tmp_path / "m.npz", **arrays)
    (x_train, y_train), (x_test, y_test) = mnist.load_data(str(tmp_path / "m.npz"))
    got = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    assert all(np.array_equal(got[name], arrays[name]) and got[name].dtype == np.uint8 for name in arrays)


def test_a_file_of_something_else_is_not_mnist(tmp_path):
    texts = np.empty(2, dtype=object)
    texts[:] = [[1], [2, 3]]
    for x, y in ((texts, np.zeros(2)), (np.zeros((2, 28, 28)), np.zeros(3)), (np.zeros(4), np.zeros(4))):
        np.savez(tmp_path / "m.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        with pytest.raises(ValueError, match=r"another one than expected: pictures of shape \([0-9, ]+\)"):
            mnist.load_data(str(tmp_path / "m.npz"))


def test_mnist_in_the_cache_must_be_the_published_one(home):  # 17.7
    np.savez(home / "mnist.npz", **dict.fromkeys(("x_train", "y_train", "x_test", "y_test"), np.zeros(1)))
    with pytest.raises(OSError, match="its hash is not 8a61469f7ea1b51cbae51d4f78837e45"):
        mnist.load_data()
    (home / "mnist.npz").write_bytes(b"half")
    with pytest.raises(OSError, match="its hash is not 8a61469f7ea1b51cbae51d4f78837e45"):
        mnist.load_data()


def test_real_mnist(shared_folder, monkeypatch):
    """The published pictures are taken in any container (this one is packed anew)."""
    monkeypatch.setenv("KERAS_HOME", str(shared_folder / "data"))
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and y_train.shape == (60000,)
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.uint8
    # the MD5 of the data in the files of the set's authors, whose head is put before it
    head = struct.pack(">4i", 0x803, *x_test.shape)
    assert hashlib.md5(head + x_test.tobytes()).hexdigest() == "2646ac647ad5339dbf082846283269ea"


# ---- Fashion-MNIST


def idx(array):
    return struct.pack(f">BBBB{array.ndim}i", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def fashion(home):
    folder = home / "fashion-mnist"
    folder.mkdir()
    arrays = [
        np.random.randint(0, 256, (6, 28, 28), dtype=np.uint8),
        np.arange(6, dtype=np.uint8),
        np.random.randint(0, 256, (3, 28, 28), dtype=np.uint8),
        np.arange(3, dtype=np.uint8),
    ]
    for name, array in zip(fashion_mnist._FILES, arrays):
        (folder / name).write_bytes(gzip.compress(idx(array)))
    return folder, arrays


def test_fashion_mnist(fashion):  # 17.7
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    for got, wanted in zip((x_train, y_train, x_test, y_test), fashion[1]):
        assert np.array_equal(got, wanted) and got.dtype == np.uint8 and got.flags.writeable


LABELS = np.zeros(6, np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no gzip",
        gzip.compress(b"\0\0\x08"),
        gzip.compress(b"\0\0\x0d\x01" + b"\0" * 12),
        gzip.compress(idx(LABELS)[:-1]),
        gzip.compress(idx(LABELS))[:-12],
        gzip.compress(idx(LABELS[:5])),
        gzip.compress(struct.pack(">BBBBi", 0, 0, 8, 1, -6) + b"123456"),
    ],
    ids=["empty", "text", "no sizes", "floats", "short", "cut", "fewer labels", "negative"],
)
def test_broken_fashion_mnist(fashion, data):
    path = fashion[0] / "train-labels-idx1-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"is broken or another one than expected: .*Remove it") as caught:
        fashion_mnist.load_data()
    assert str(path) in str(caught.value)


# ---- CIFAR


def old_pickle(pictures, **labels):
    """A batch file as Python 2 wrote it: strings of bytes, protocol 2."""

    def text(value):
        return b"T" + struct.pack("<i", len(value)) + value

    def number(value):
        return b"J" + struct.pack("<i", value)

    kind = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R("
    kind += number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + number(0)
        + b"\x85"
        + text(b"b")
        + b"\x87R("
    )
    array += number(1) + number(pictures.shape[0]) + number(pictures.shape[1]) + b"\x86" + kind + b"\x89"
    array += text(pictures.tobytes()) + b"tb"
    items = text(b"data") + array + text(b"batch_label") + text(b"training batch 1 of 5")
    for key, value in labels.items():
        items += text(key.encode()) + b"](" + b"".join(number(int(n)) for n in value) + b"e"
    return b"\x80\x02}(" + items + b"u."


def batch(count, first=0, **labels):
    pictures = np.random.RandomState(first).randint(0, 256, (count, 3072), dtype=np.uint8)
    return pictures.reshape(count, 3, 32, 32), old_pickle(pictures, **labels)


def make_archive(path, folder, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@pytest.fixture
def cifar10_pictures(tmp_path, monkeypatch):
    pictures, files = [], {}
    for i, name in enumerate([f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]):
        part, files[name] = batch(4, i, labels=[i, 1, 2, 3])
        pictures.append(part)
    make_archive(tmp_path / "c.tar.gz", "cifar-10-batches-py", files)
    monkeypatch.setattr(cifar10, "_ORIGIN", (tmp_path / "c.tar.gz").as_uri())
    return np.concatenate(pictures)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_cifar10(cifar10_pictures, home, layout):  # 17.7: channels first by configuration
    K.set_image_data_format(layout)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    pictures = cifar10_pictures
    if layout == "channels_last":
        pictures = pictures.transpose(0, 2, 3, 1)
    assert np.array_equal(x_train, pictures[:20]) and np.array_equal(x_test, pictures[20:])
    assert y_train.shape == (20, 1) and y_train.dtype == y_test.dtype == x_train.dtype == np.uint8
    assert y_train[::4, 0].tolist() == [0, 1, 2, 3, 4] and y_test[0, 0] == 5
    assert (home / "cifar-10-batches-py.tar.gz").exists()


def test_cifar10_with_a_file_missing(cifar10_pictures, home):
    cifar10.load_data()
    (home / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(ValueError, match="the file data_batch_3 is missing in this folder"):
        cifar10.load_data()


def test_cifar100(tmp_path, monkeypatch):  # 17.7: label_mode fine|coarse
    train, data = batch(4, 1, fine_labels=[0, 99, 5, 6], coarse_labels=[0, 19, 1, 2])
    test, other = batch(2, 2, fine_labels=[3, 4], coarse_labels=[5, 6])
    make_archive(tmp_path / "c.tar.gz", "cifar-100-python", {"train": data, "test": other})
    monkeypatch.setattr(cifar100, "_ORIGIN", (tmp_path / "c.tar.gz").as_uri())
    (x_train, y_train), (x_test, y_test) = cifar100.load_data()
    assert np.array_equal(x_train, train.transpose(0, 2, 3, 1))
    assert np.array_equal(x_test, test.transpose(0, 2, 3, 1))
    assert y_train.tolist() == [[0], [99], [5], [6]] and y_test.tolist() == [[3], [4]]
    (_, y_train), (_, y_test) = cifar100.load_data(label_mode="coarse")
    assert y_train.tolist() == [[0], [19], [1], [2]] and y_test.dtype == np.uint8
    with pytest.raises(ValueError, match="`label_mode` must be one of `fine`, `coarse`"):
        cifar100.load_data("other")


def test_load_batch(tmp_path):
    pictures, data = batch(3, labels=[7, 8, 9])
    (tmp_path / "b").write_bytes(data)
    got, labels = cifar.load_batch(str(tmp_path / "b"))
    assert np.array_equal(got, pictures) and labels == [7, 8, 9]
    bad = {
        "other labels": data.replace(b"labels", b"labelz"),
        "cut": data[:-100],
        "code": b"\x80\x02cposix\nsystem\n(U\x04trueo.",
        "count": batch(3, labels=[1, 2])[1],
        "type": data.replace(b"u1", b"i1"),
    }
    for name, broken in bad.items():
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ValueError, match="is broken or another one than expected"):
            cifar.load_batch(str(tmp_path / name))
