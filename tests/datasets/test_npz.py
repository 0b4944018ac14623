"""Data files may be broken or hostile: nothing in them is run, and the error says what to do."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from pykeras.datasets import boston_housing, imdb
from pykeras.datasets._files import load_npz
from pykeras.datasets._pickles import read_pickle


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def ragged(*lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


def with_member(path, data):
    """Writes a file whose array `x` has these bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", data)
    return str(path)


def object_array(payload, shape=(1,)):
    """The bytes of an .npy file of objects with any pickle as its content."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": shape})
    return file.getvalue() + payload


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", ">f8", "bool"])
def test_plain_arrays(tmp_path, dtype):
    wanted = np.arange(24).reshape(2, 3, 4).astype(dtype)
    fortran = np.asfortranarray(wanted)
    path = write_npz(tmp_path / "a.npz", c=wanted, f=fortran, none=wanted[:0])
    for got, array in zip(load_npz(path, "f", "c", "none"), (fortran, wanted, wanted[:0])):
        assert got.dtype == array.dtype and got.shape == array.shape
        assert np.array_equal(got, array)
        assert got.flags.writeable


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_objects(protocol):
    """As NumPy pickles them, in every protocol; also numbers of NumPy and arrays in arrays."""
    inner = np.arange(6, dtype=np.int16).reshape(2, 3)
    array = ragged([1, 2, 3], [], [10**6], [np.int64(7), np.float32(0.5)], inner, "text", None, inner.T)
    got = read_pickle(pickle.dumps(array, protocol))
    assert got.dtype == object and got.shape == (8,)
    assert got[:4].tolist() == [[1, 2, 3], [], [1000000], [7, 0.5]]
    assert np.array_equal(got[4], inner) and np.array_equal(got[7], inner.T)
    assert got[5:7].tolist() == ["text", None]
    square = ragged([1], [2], [3], [4]).reshape(2, 2)
    assert read_pickle(pickle.dumps(square, protocol)).tolist() == [[[1], [2]], [[3], [4]]]
    table = {"data": inner, "labels": [1, 2]}
    assert read_pickle(pickle.dumps(table, protocol))["data"].tolist() == inner.tolist()


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("place", ["alone", "in a list", "in a dict", "in an array"])
@pytest.mark.parametrize("function", [os.mkdir, eval, exec, getattr, __import__, np.load, np.frombuffer])
def test_no_code_is_run(tmp_path, function, place):
    """DESIGN, Safety: a name in a pickle leads nowhere, wherever it stands."""
    folder = tmp_path / "was here"
    arguments = {
        os.mkdir: (str(folder),),
        eval: (f"__import__('os').mkdir({str(folder)!r})",),
        exec: (f"__import__('os').mkdir({str(folder)!r})",),
        getattr: (os, "mkdir"),
        __import__: ("antigravity",),
    }.get(function, (b"x",))
    if function is getattr:
        arguments = ("text", "upper")
    bomb = Attack(function, *arguments)
    value = {"alone": bomb, "in a list": [bomb], "in a dict": {"data": bomb}, "in an array": ragged(bomb)}[
        place
    ]
    path = with_member(tmp_path / "bad.npz", object_array(pickle.dumps(value)))
    with pytest.raises(ValueError, match=r"asks for .* and loading runs nothing from a file") as caught:
        load_npz(path, "x")
    assert path in str(caught.value) and "Remove it" in str(caught.value)
    assert not folder.exists()
    pickle.loads(pickle.dumps(Attack(os.mkdir, str(folder))))
    assert folder.exists()  # the attack would have worked


BUILD_ON_A_NAME = b"\x80\x02cnumpy\ndtype\n}(U\x01aK\x01ub."
NEW_OBJECT = b"\x80\x02cnumpy\ndtype\n)\x81."
EXTENSION = b"\x80\x02\x82\x01."
PERSISTENT = b"\x80\x02X\x01\x00\x00\x00aQ."
HUGE_BYTES = b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little") + b"."
STRING_TYPE = b"\x80\x02cnumpy\ndtype\nU\x02S9K\x00K\x01\x87R."


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80\x02",
        b"no pickle",
        BUILD_ON_A_NAME,
        NEW_OBJECT,
        EXTENSION,
        PERSISTENT,
        HUGE_BYTES,
        STRING_TYPE,
    ]
    + [pickle.dumps(ragged([1], [2]))[:-20], pickle.dumps([1, 2]), pickle.dumps(np.arange(3))],
    ids=range(12),
)
def test_broken_pickles(tmp_path, payload):
    path = with_member(tmp_path / "bad.npz", object_array(payload))
    with pytest.raises(ValueError, match=r"is broken or another one than expected: .*Remove it"):
        load_npz(path, "x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x07\x00" + b" " * 99,
        object_array(pickle.dumps(ragged([1])), (2,)),
    ]
    + [
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    ],
    ids=["nothing", "no head", "version", "other count", "claims a terabyte"],
)
def test_broken_members(tmp_path, data):
    with pytest.raises(ValueError, match=r"is broken or another one than expected: .*Remove it"):
        load_npz(with_member(tmp_path / "bad.npz", data), "x")


def test_broken_containers(tmp_path):
    path = write_npz(tmp_path / "a.npz", x=np.random.rand(1000))
    whole = open(path, "rb").read()
    for bad in (b"", b"<html>404</html>", whole[:5000], whole[:4000] + b"????" + whole[4004:]):
        open(path, "wb").write(bad)
        with pytest.raises(ValueError, match="is broken or another one than expected"):
            load_npz(path, "x")
    open(path, "wb").write(whole)
    with pytest.raises(ValueError, match=r"There is no item named 'y\.npy'"):
        load_npz(path, "x", "y")
    with pytest.raises(FileNotFoundError):
        load_npz(str(tmp_path / "none.npz"), "x")


def test_corrupt_cache_without_a_network(tmp_path, monkeypatch):
    """A file in the cache that is not the published one is named, with the place for a good copy."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(boston_housing, "_ORIGIN", "file:///no/such/file")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "boston_housing.npz").write_bytes(b"half a file")
    with pytest.raises(OSError, match=r"URL fetch failure on .*its hash is not f553886a1f8d") as caught:
        boston_housing.load_data()
    assert str(tmp_path / "datasets" / "boston_housing.npz") in str(caught.value)


def test_texts_that_are_no_texts(tmp_path):
    labels = np.zeros(1, dtype=int)
    path = write_npz(
        tmp_path / "i.npz", x_train=ragged("abc"), y_train=labels, x_test=ragged([1]), y_test=labels
    )
    with pytest.raises(ValueError, match="its texts are not lists of numbers"):
        imdb.load_data(path)
