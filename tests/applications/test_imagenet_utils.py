"""Pictures before a network and predictions after it (17.2, 17.3, chapter 21)."""

import hashlib
import json

import numpy as np
import pytest

import pykeras.applications as applications
from pykeras import backend as K
from pykeras.applications import imagenet_utils
from pykeras.applications.imagenet_utils import _obtain_input_shape, decode_predictions, preprocess_input


def by_hand(x, mode):
    """Channels last, float64."""
    x = np.array(x, dtype="float64")
    if mode == "tf":
        return x / 127.5 - 1
    if mode == "torch":
        return (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return x[..., ::-1] - [103.939, 116.779, 123.68]


MODES = ["caffe", "tf", "torch"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 5, 7, 3), (2, 3, 5, 7, 3)])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
def test_arrays(mode, shape, layout, dtype):  # 17.2
    x = np.random.randint(0, 256, shape).astype(dtype)
    wanted = by_hand(x, mode)
    if layout == "channels_first":
        x, wanted = np.moveaxis(x, -1, -3).copy(), np.moveaxis(wanted, -1, -3)
    original = x.copy()
    got = preprocess_input(x, data_format=layout, mode=mode)
    assert np.allclose(got, wanted, atol=1e-4 if dtype != "float64" else 1e-12)
    assert got.dtype == (dtype if dtype.startswith("float") else "float32")
    # floats are changed in place, others cannot be
    assert np.shares_memory(got, x) == dtype.startswith("float")
    assert np.array_equal(x, original) != dtype.startswith("float")


def test_arrays_that_are_no_plain_memory():  # 17.2: views, read-only arrays, lists
    x = np.random.rand(2, 12, 14, 3).astype("float32") * 255
    for view in (x[:, ::2, 1:-1], x[:, :, ::-1], np.asfortranarray(x), x.transpose(0, 2, 1, 3)):
        for mode in MODES:
            wanted = by_hand(view, mode)
            assert np.allclose(preprocess_input(view.copy(order="K"), mode=mode), wanted, atol=1e-3)
    fixed = x.copy()
    fixed.flags.writeable = False
    assert np.allclose(preprocess_input(fixed), by_hand(x, "caffe"), atol=1e-3)
    assert np.array_equal(fixed, x)
    assert np.allclose(preprocess_input(x.tolist()), by_hand(x, "caffe"), atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_tensors(mode, layout):  # 17.2: symbolic tensors work too
    x = np.random.randint(0, 256, (2, 5, 7, 3))
    wanted = by_hand(x, mode)
    if layout == "channels_first":
        x, wanted = np.moveaxis(x, -1, 1), np.moveaxis(wanted, -1, 1)
    for value in (K.placeholder(x.shape), K.placeholder(x.shape, dtype="int32")):
        (got,) = K.function([value], [preprocess_input(value, layout, mode)])([x])
        assert np.allclose(got, wanted, atol=1e-4)
    single = K.constant(x[0].astype("float32"))
    assert np.allclose(K.eval(preprocess_input(single, layout, mode)), wanted[0], atol=1e-4)


@pytest.mark.parametrize("shape", [(4, 5, 4), (2, 4, 5, 1), (4, 5), (2, 3, 4, 5), (), (0,)])
def test_pictures_that_are_not_rgb(shape):  # 17.2: RGBA, grey, the other layout
    for mode in ("caffe", "torch"):
        with pytest.raises(ValueError, match=rf"with 3 channels \(RGB\). Got shape \{str(shape)[:-1]}"):
            preprocess_input(np.zeros(shape), mode=mode)
    if len(shape) == 4:
        with pytest.raises(ValueError, match=r"with 3 channels"):
            preprocess_input(K.placeholder(shape))
    x = np.zeros(shape)
    assert preprocess_input(x, mode="tf").shape == shape and (x == -1).all()


def test_colours():  # 17.2: no picture, but three channels
    x = np.random.rand(6, 3) * 255
    for mode in MODES:
        assert np.allclose(preprocess_input(x.copy(), mode=mode), by_hand(x, mode))


def test_the_module_decides_the_mode():  # 17.2: vgg16.preprocess_input ≠ xception.preprocess_input; 17.1
    modes = dict.fromkeys(["vgg16", "vgg19", "resnet50"], "caffe")
    modes |= dict.fromkeys(["inception_v3", "inception_resnet_v2", "xception", "mobilenet", "nasnet"], "tf")
    modes |= {"mobilenet_v2": "tf", "mobilenetv2": "tf", "densenet": "torch"}
    x = np.random.rand(1, 4, 4, 3).astype("float32") * 255
    for name, mode in modes.items():
        module = getattr(applications, name)
        assert np.allclose(module.preprocess_input(x.copy()), by_hand(x, mode), atol=1e-4), name
        first = np.moveaxis(x, -1, 1).copy()
        first = module.preprocess_input(first, data_format="channels_first")
        assert np.allclose(np.moveaxis(first, 1, -1), by_hand(x, mode), atol=1e-4), name


def test_configured_layout_and_bad_arguments():
    K.set_image_data_format("channels_first")
    x = np.random.rand(3, 4, 5) * 255
    wanted = np.moveaxis(by_hand(np.moveaxis(x, 0, -1), "caffe"), -1, 0)
    assert np.allclose(preprocess_input(x.copy()), wanted)
    with pytest.raises(ValueError, match="Unknown data_format"):
        preprocess_input(x, data_format="channels_middle")
    with pytest.raises(ValueError, match="Unknown mode: 'pytorch'"):
        preprocess_input(x, mode="pytorch")


INDEX = {str(i): [f"n{i:08d}", f"class {i}"] for i in range(1000)}


def test_decode_predictions(monkeypatch):  # 17.3
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", INDEX)
    scores = np.random.permutation(2000).reshape(2, 1000).astype("float32")
    best = decode_predictions(scores)
    assert [len(row) for row in best] == [5, 5]
    for row, values in zip(best, scores):
        assert [float(score) for _, _, score in row] == sorted(values.tolist())[-5:][::-1]
        assert all(
            values[int(number[1:])] == score and name == INDEX[str(int(number[1:]))][1]
            for number, name, score in row
        )
    assert len(decode_predictions(scores, top=3)[0]) == 3
    assert decode_predictions(scores, top=0) == [[], []]
    for module in ("vgg16", "xception", "densenet", "nasnet", "mobilenet_v2", "mobilenetv2", "resnet50"):
        assert getattr(applications, module).decode_predictions(scores, top=1) == [row[:1] for row in best]


@pytest.mark.parametrize("shape", [(1000,), (1, 10), (1, 1, 1000), (1, 1001)])
def test_predictions_of_other_networks(shape):  # 17.3: needs (n, 1000)
    with pytest.raises(ValueError, match=r"a 2D array of shape \(samples, 1000\)\)\. Found array with shape"):
        decode_predictions(np.zeros(shape))


def test_class_index_file(
    tmp_path, monkeypatch
):  # 17.3: ~/.keras/models/imagenet_class_index.json, by its hash
    assert imagenet_utils._CLASS_INDEX_HASH == "c2c37ea517e94d9795004a39431a14cb"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_PATH", "file:///no/such/file")
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "imagenet_class_index.json"
    text = json.dumps(INDEX).encode()
    path.write_bytes(text)
    with pytest.raises(OSError, match=r"URL fetch failure on .*its hash is not c2c37ea517e94d97"):
        decode_predictions(np.zeros((1, 1000)))
    monkeypatch.setattr(imagenet_utils, "_CLASS_INDEX_HASH", hashlib.md5(text).hexdigest())
    assert decode_predictions(np.eye(1000)[:1])[0][0] == ("n00000000", "class 0", 1.0)
    path.unlink()  # it is read once
    assert decode_predictions(np.eye(1000)[7:8])[0][0][1] == "class 7"


def test_obtain_input_shape():  # chapter 21, used by many scripts
    shape = _obtain_input_shape(None, 224, 48, "channels_last", True)
    assert shape == (224, 224, 3)
    assert _obtain_input_shape(None, 224, 48, "channels_first", require_flatten=False) == (3, None, None)
    assert _obtain_input_shape((3, 50, 60), 224, 48, "channels_first", True) == (3, 50, 60)
    assert _obtain_input_shape([50, None, 1], 224, 48, "channels_last", False) == (50, None, 1)
    assert _obtain_input_shape((299, 299, 3), 299, 48, "channels_last", True, weights="imagenet") == (
        299,
        299,
        3,
    )
    with pytest.raises(ValueError, match="at least 48x48"):
        _obtain_input_shape((3, 48, 47), 224, 48, "channels_first", False)
    with pytest.raises(ValueError, match=r"`input_shape` should be \(3, 224, 224\)"):
        _obtain_input_shape((3, 48, 48), 224, 48, "channels_first", True, weights="imagenet")
    with pytest.raises(ValueError, match="specify a static `input_shape`"):
        _obtain_input_shape((None, None, 3), 224, 48, "channels_last", True)
