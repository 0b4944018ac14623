"""`H5Dict`: the same code fills an HDF5 file and a dict."""

import h5py
import numpy as np
import pytest

from pykeras.utils import H5Dict, h5dict
from pykeras.utils.io_utils import H5Dict as same


def fill(data):
    data["version"] = "2.2.4"
    data["names"] = ["b", "a"]
    data["none"] = []
    data["kernel"] = np.arange(6.0).reshape(2, 3)
    data["layer"]["bias"] = [1, 2]
    data["layer"]["deep"]["x"] = np.float32(3)
    data.update({"more": {"y": np.ones(2)}})


def check(data):
    assert data["version"] == "2.2.4"
    assert data["names"] == ["b", "a"]
    assert len(data["none"]) == 0
    np.testing.assert_array_equal(data["kernel"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(data["layer"]["bias"], [1, 2])
    assert data["layer"]["deep"]["x"] == 3
    np.testing.assert_array_equal(data["more"]["y"], [1, 1])
    assert (
        sorted(data) == sorted(data.iter()) == sorted(["version", "names", "none", "kernel", "layer", "more"])
    )
    assert len(data) == 6
    assert "layer" in data and b"names" in data and "what" not in data
    assert data.get("what") is None
    assert data.get("what", 5) == 5
    assert data.get("version") == "2.2.4"


def test_names():
    assert h5dict is H5Dict is same


@pytest.mark.parametrize("as_group", [False, True])
def test_file(tmp_path, as_group):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") if as_group else H5Dict(str(path)) as data:
        fill(H5Dict(data.create_group("inside")) if as_group else data)
        with pytest.raises(KeyError, match="already"):
            (H5Dict(data["inside"]) if as_group else data)["kernel"] = 1
    with h5py.File(path, "r") as file:
        check(H5Dict(file["inside"] if as_group else file, "r"))
    data = H5Dict(path, mode="r")
    where = data["inside"] if as_group else data
    check(where)
    with pytest.raises(ValueError, match="reading only"):
        where["new"] = 1
    with pytest.raises(ValueError, match=r"'new'.*reading only"):
        where["new"]
    data.close()
    data.close()


def test_dict():
    store = {}
    fill(H5Dict(store))
    check(H5Dict(store))
    assert store["layer"]["bias"] == [1, 2]
    with pytest.raises(ValueError, match="reading only"):
        H5Dict(store, "r")["new"]


def test_group_of_the_caller_stays_open(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        H5Dict(file).close()
        file["x"] = 1


def test_long_lists_of_names(tmp_path):
    names = [f"layer_{i:05d}" for i in range(9000)]
    with H5Dict(tmp_path / "data.h5") as data:
        data["names"] = names
        data["names_of_others"] = ["a"]
        assert data["names"] == names
        assert sorted(data) == ["names", "names_of_others"]
        with pytest.raises(KeyError):
            data["names"] = ["b"]


def test_links_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = 1
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = h5py.ExternalLink("secret.h5", "x")
    with H5Dict(tmp_path / "data.h5", "r") as data, pytest.raises(ValueError, match="link"):
        data["x"]


def test_what_it_takes():
    assert H5Dict.is_supported_type({}) and H5Dict.is_supported_type("a.h5")
    assert not H5Dict.is_supported_type(3)
    with pytest.raises(TypeError, match="takes the path"):
        H5Dict(3)
