"""HDF5 files as such: what is read, what is refused, and how that is said."""

import builtins

import numpy as np
import pytest

from pykeras.saving import h5file

h5py = pytest.importorskip("h5py")


@pytest.fixture
def group(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        yield file


# ---- names in attributes


def test_names_round_trip(group):  # 3.2.1
    names = ["dense_1", "größe", ""]
    h5file.save_names(group, "layer_names", names)
    assert h5file.load_names(group, "layer_names") == names


def test_empty_list_is_a_float_array(group):  # 3.2.1
    h5file.save_names(group, "weight_names", [])
    assert group.attrs["weight_names"].shape == (0,)
    assert h5file.load_names(group, "weight_names") == []
    assert h5file.load_names(group, "not there") == []


def test_long_lists_are_split(group):  # 3.2.4
    names = [f"layer_{i:05d}_" + "x" * 50 for i in range(3000)]
    h5file.save_names(group, "layer_names", names)
    assert "layer_names" not in group.attrs
    chunks = [key for key in group.attrs if key.startswith("layer_names")]
    assert len(chunks) == 3  # 3000 × 62 bytes over 64512
    assert all(group.attrs[key].nbytes <= 64512 for key in chunks)
    assert {len(group.attrs[key]) for key in chunks} == {1000}
    assert h5file.load_names(group, "layer_names") == names


def test_plain_name_wins_over_chunks(group):  # 3.2.4
    group.attrs["layer_names"] = np.array([b"a"])
    group.attrs["layer_names0"] = np.array([b"b"])
    assert h5file.load_names(group, "layer_names") == ["a"]


def test_one_name_too_long(group):  # 3.2.4
    with pytest.raises(RuntimeError, match="larger than 64512 bytes"):
        h5file.save_names(group, "weight_names", ["x" * 64513])


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        b"abc",
        np.bytes_(b"abc"),
        np.array([b"abc"]),
        np.array(b"abc\0\0", dtype="S5"),
        np.array(["abc"], dtype=object),
    ],
)
def test_text_in_any_form(group, value):  # 3.2.5
    if isinstance(value, np.ndarray) and value.dtype == object:
        group.attrs.create("a", value, dtype=h5py.string_dtype())
    else:
        group.attrs["a"] = value
    assert h5file.text_attribute(group, "a") == "abc"
    assert h5file.text_attribute(group, "b", "default") == "default"


def test_text_that_is_none(group):
    group.attrs["a"] = 3
    with pytest.raises(ValueError, match="expected a text"):
        h5file.text_attribute(group, "a")


# ---- links and arrays


def test_only_hard_links_are_followed(group, tmp_path):
    group["real/x"] = np.arange(3)
    group["soft"] = h5py.SoftLink("/real")
    group["external"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    assert h5file.child(group, "real/x").shape == (3,)
    for path in ("soft/x", "external", "soft"):
        with pytest.raises(ValueError, match="link to elsewhere"):
            h5file.child(group, path)
    with pytest.raises(ValueError, match="lacks 'real/y'"):
        h5file.child(group, "real/y")


def test_data_outside_the_file_is_refused(group, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"12345678")
    group.create_dataset("e", shape=(2,), dtype="f4", external=[(str(secret), 0, 8)])
    layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(3,))
    group.create_virtual_dataset("v", layout)
    for name in ("e", "v"):
        with pytest.raises(ValueError, match="another file"):
            h5file.open_array(group, name)


def test_odd_arrays_are_refused(group):
    group["text"] = np.array([b"abc"])
    group.create_dataset("empty", data=h5py.Empty("f"))
    group.create_group("group")
    for name, words in (("text", "not numbers"), ("empty", "is empty"), ("group", "no array")):
        with pytest.raises(ValueError, match=words):
            h5file.open_array(group, name)


def test_size_is_checked_before_reading(group):
    # a few bytes in the file, a terabyte in memory
    bomb = group.create_dataset("bomb", shape=(2**38,), dtype="f4", chunks=(2**16,), compression="gzip")
    assert bomb.id.get_storage_size() == 0
    with pytest.raises(ValueError, match="too large"):
        h5file.read_array(h5file.open_array(group, "bomb"), 1000)


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"chunks": True, "shuffle": True}])
def test_usual_arrays_are_read(group, options):
    data = np.arange(100, dtype="f8")
    group.create_dataset("x", data=data, **options)
    assert (h5file.read_array(h5file.open_array(group, "x"), 100) == data).all()
    group["scalar"] = np.int64(7)
    assert h5file.read_array(h5file.open_array(group, "scalar"), 1) == 7


# ---- opening


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\n <!DOCTYPE html>", "web page"),
        (b'{"class_name": "Model"}', "model_from_json"),
        (b"\x00" * 5000, "not an HDF5 file"),
    ],
)
def test_other_files(tmp_path, content, words):
    path = tmp_path / "m.h5"
    path.write_bytes(content)
    with pytest.raises(OSError, match=f"Unable to open file: .*m\\.h5.*{words}"):
        with h5file.reading(path, "load_model"):
            pass


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"), h5file.reading(tmp_path / "m.h5", ""):
        pass
    with pytest.raises(IsADirectoryError, match="SavedModel"), h5file.reading(tmp_path, ""):
        pass


def test_truncated_file(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(1000)
    whole = path.read_bytes()
    for size in (100, 1000, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(OSError, match=r"m\.h5"):
            with h5file.reading(path, "load_model") as file:
                h5file.read_array(h5file.open_array(file, "x"), 1000)


def test_user_block_before_the_file(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["x"] = 1
    with h5file.reading(path, "load_model") as file:
        assert "x" in file


def test_open_file_is_handed_on_and_stays_open(group):  # 3.2.8
    with h5file.reading(group, "load_model") as file:
        assert file is group
    with h5file.writing(group, "save_model") as file:
        file["x"] = 1
    assert group["x"][()] == 1


def test_no_h5py(monkeypatch):  # 20
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"`save_model` requires h5py\."):
        with h5file.writing("x.h5", "save_model"):
            pass
