"""What the applications take as arguments, and what they are made of (chapter 17)."""

import warnings

import h5py
import numpy as np
import pytest

import pykeras.applications as applications
from pykeras import backend as K
from pykeras.applications import _build, densenet, inception_resnet_v2, mobilenet, nasnet, resnet50
from pykeras.layers import Conv2D, Dense, DepthwiseConv2D, GlobalAveragePooling2D, Input, Lambda
from pykeras.models import Model, load_model, model_from_json

# 17.1: default size, smallest size (2.2.4's, where it allows more), name of the model, last layer, channels
# of the features, parameters
FACTS = {
    "VGG16": (224, 32, "vgg16", "predictions", 512, 138_357_544),
    "VGG19": (224, 32, "vgg19", "predictions", 512, 143_667_240),
    "ResNet50": (224, 32, "resnet50", "fc1000", 2048, 25_636_712),
    "InceptionV3": (None, 75, "inception_v3", "predictions", 2048, 23_851_784),
    "InceptionResNetV2": (None, 75, "inception_resnet_v2", "predictions", 1536, 55_873_736),
    "Xception": (None, 71, "xception", "predictions", 2048, 22_910_480),
    "MobileNet": (224, 32, "mobilenet_1.00_224", "reshape_2", 1024, 4_253_864),
    "MobileNetV2": (224, 32, "mobilenetv2_1.00_224", "Logits", 1280, 3_538_984),
    "DenseNet121": (224, 32, "densenet121", "fc1000", 1024, 8_062_504),
    "DenseNet169": (224, 32, "densenet169", "fc1000", 1664, 14_307_880),
    "DenseNet201": (224, 32, "densenet201", "fc1000", 1920, 20_242_984),
    "NASNetMobile": (224, 32, "NASNet", "predictions", 1056, 5_326_716),
    "NASNetLarge": (331, 32, "NASNet", "predictions", 4032, 88_949_818),
}
SMALL = ["VGG16", "MobileNet", "MobileNetV2"]


@pytest.mark.parametrize("name", FACTS)
def test_default_model(name):  # 17.1; Xception and the Inceptions take any size even with their top (17.4)
    size, _, model_name, last, _, parameters = FACTS[name]
    model = getattr(applications, name)(weights=None)
    assert model.input_shape == (None, size, size, 3)
    assert model.output_shape == (None, 1000)
    assert (model.name, model.layers[-1].name, model.count_params()) == (model_name, last, parameters)


@pytest.mark.parametrize("name", FACTS)
def test_without_top(name):  # 17.4: variable size, unless given
    _, smallest, _, _, channels, _ = FACTS[name]
    cls = getattr(applications, name)
    model = cls(weights=None, include_top=False)
    assert model.input_shape == (None, None, None, 3)
    assert model.output_shape == (None, None, None, channels)
    pooling = "avg" if channels < 1100 else "max"
    model = cls(weights=None, include_top=False, input_shape=(smallest, smallest, 3), pooling=pooling)
    assert model.input_shape == (None, smallest, smallest, 3) and model.output_shape == (None, channels)
    below = (smallest, smallest - 1, 3)
    advice = (
        rf"Input size must be at least {smallest}x{smallest}; got .*target_size=\({smallest}, {smallest}\)"
    )
    with pytest.raises(ValueError, match=advice):
        cls(weights=None, include_top=False, input_shape=below)


@pytest.mark.parametrize("name", FACTS)
def test_bad_arguments(name):  # 17.1
    cls = getattr(applications, name)
    for weights in ("imaginary", "", 0, True, ["imagenet"], np.zeros(2)):
        with pytest.raises(ValueError, match="The `weights` argument should be either `None`"):
            cls(weights=weights)
    with pytest.raises(ValueError, match="`classes` should be 1000"):
        cls(weights="imagenet", classes=10)
    for classes in (0, -3, "10", None, 2.5):
        with pytest.raises(ValueError, match="`classes` must be a whole number above 0"):
            cls(weights=None, classes=classes)
    with pytest.raises(ValueError, match="`pooling` must be None, 'avg' or 'max'"):
        cls(weights=None, include_top=False, pooling="average")
    for shape in ((224, 224), 224, (224.0, 224.0, 3), "224"):
        with pytest.raises(ValueError, match="`input_shape` must be a tuple of three integers"):
            cls(weights=None, include_top=False, input_shape=shape)
    with pytest.raises(ValueError, match="The input must have 3 channels"):
        cls(weights="imagenet", include_top=False, input_shape=(224, 224, 1))


@pytest.mark.parametrize("name", SMALL)
def test_other_channels_warn(name):
    cls = getattr(applications, name)
    with pytest.warns(UserWarning, match="passed an input_shape with 4 input channels"):
        model = cls(weights=None, include_top=False, input_shape=(64, 64, 4))
    assert model.input_shape == (None, 64, 64, 4)
    assert cls(weights=None, classes=7, input_shape=(64, 64, 1)).output_shape == (None, 7)


@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "DenseNet121", "MobileNet"])
def test_top_needs_a_known_size(name):
    cls = getattr(applications, name)
    with pytest.raises(ValueError, match="you should specify a static `input_shape`"):
        cls(weights=None, input_shape=(None, None, 3))
    with pytest.raises(ValueError, match=r"`input_shape` should be \(224, 224, 3\)"):
        cls(weights="imagenet", input_shape=(230, 230, 3))


def test_input_tensor_of_keras():  # 17.4
    picture = Input((80, 64, 3))
    shifted = Lambda(lambda x: x - 1.0)(picture)
    model = applications.VGG16(weights=None, include_top=False, input_tensor=shifted, pooling="avg")
    assert model.inputs == [picture] and any(isinstance(layer, Lambda) for layer in model.layers)
    assert model.predict(np.ones((2, 80, 64, 3))).tolist() == [[0.0] * 512] * 2  # biases are zero


def test_any_other_tensor():  # 17.4: the pictures are part of the graph, as style transfer does it
    base = K.variable(np.random.rand(1, 48, 64, 3))
    combination = K.placeholder((1, 48, 64, 3))
    tensor = K.concatenate([base, combination], axis=0)
    model = applications.VGG16(weights=None, include_top=False, input_tensor=tensor)
    outputs = {layer.name: layer.output for layer in model.layers}
    picture = np.random.rand(1, 48, 64, 3).astype("float32")
    (features,) = K.function([combination], [outputs["block2_conv2"]])([picture])
    assert features.shape == (2, 24, 32, 128)
    fed = applications.VGG16(weights=None, include_top=False)
    fed.set_weights(model.get_weights())
    same = Model(fed.input, fed.get_layer("block2_conv2").output).predict(
        np.concatenate([K.get_value(base), picture])
    )
    assert np.allclose(features, same, atol=1e-5)
    (gradient,) = K.function([combination], K.gradients(K.sum(outputs["block3_pool"]), combination))(
        [picture]
    )
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("name", FACTS)
def test_input_tensor_that_is_no_tensor(name):  # 17.4
    for wrong in (np.zeros((1, 64, 64, 3)), [Input((64, 64, 3))], "pictures"):
        with pytest.raises(ValueError, match="Expected a symbolic tensor instance"):
            getattr(applications, name)(weights=None, include_top=False, input_tensor=wrong)


def test_shape_and_tensor_that_contradict_each_other():
    with pytest.raises(ValueError, match="do not meet the same shape requirements"):
        applications.MobileNetV2((96, 96, 3), weights=None, input_tensor=Input((64, 64, 3)))
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        applications.MobileNetV2(weights=None, width=3)


# ---- weight files


HASHES = {  # 17.5, and 2.2.4's for the models that the list there does not have
    "VGG16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "VGG19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "ResNet50": ("a7b3fe01876f51b976af0dea6bc144eb", "a268eb855778b3df3c7506639542a6af"),
    "InceptionV3": ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    "InceptionResNetV2": ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
    "Xception": ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    "DenseNet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "DenseNet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "DenseNet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "NASNetMobile": ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    "NASNetLarge": ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
}


class Fetched(Exception):
    """Stands for a download: carries its arguments."""


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    """Builds a model with weights='imagenet' and returns name, URL and hash of the file that it wants."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def fetch(name, origin, cache_subdir, file_hash):
        assert cache_subdir == "models" and origin.startswith("https://github.com/")
        raise Fetched(name, origin.rsplit("/", 1)[-1], file_hash)

    monkeypatch.setattr(_build, "get_file", fetch)

    def build(name, **arguments):
        with pytest.raises(Fetched) as caught:
            getattr(applications, name)(weights="imagenet", **arguments)
        return caught.value.args

    return build


@pytest.mark.parametrize("name", HASHES)
def test_published_files(fetched, name):  # 17.5: name, origin and hash
    for top, md5 in zip((True, False), HASHES[name]):
        file, remote, file_hash = fetched(name, include_top=top)
        assert file_hash == md5
        if name.startswith("NASNet"):
            kind = name.removeprefix("NASNet").lower()
            assert file == f"nasnet_{kind}{'' if top else '_no_top'}.h5"
            assert remote == f"NASNet-{kind}{'' if top else '-no-top'}.h5"
        else:
            stem = FACTS[name][2]
            ending = "" if top else "_notop"
            assert file == remote == f"{stem}_weights_tf_dim_ordering_tf_kernels{ending}.h5"


@pytest.mark.parametrize(("alpha", "size"), [(1.0, 128), (0.75, 160), (0.5, 192), (0.25, 224)])
def test_mobilenet_files(fetched, alpha, size):  # 17.1, 17.5: mobilenet_1_0_224_tf[_no_top].h5
    width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[alpha]
    wanted = f"mobilenet_{width}_{size}_tf"
    shape = (size, size, 3)
    assert fetched("MobileNet", input_shape=shape, alpha=alpha)[0] == f"{wanted}.h5"
    assert fetched("MobileNet", input_shape=shape, alpha=alpha, include_top=False)[0] == f"{wanted}_no_top.h5"


@pytest.mark.parametrize(
    ("alpha", "size"), [(0.35, 96), (0.5, 128), (0.75, 160), (1.0, 192), (1.3, 224), (1.4, 224)]
)
def test_mobilenet_v2_files(fetched, alpha, size):
    wanted = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}"
    shape = (size, size, 3)
    assert fetched("MobileNetV2", input_shape=shape, alpha=alpha)[0] == f"{wanted}.h5"
    assert fetched("MobileNetV2", input_tensor=Input(shape), alpha=alpha)[0] == f"{wanted}.h5"


def test_mobilenet_v2_file_without_top(fetched):
    shape = (224, 224, 3)
    assert fetched("MobileNetV2", input_shape=shape, include_top=False)[0].endswith("_1.0_224_no_top.h5")


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2"])
def test_mobilenet_sizes_and_widths(fetched, name):
    cls = getattr(applications, name)
    with pytest.warns(UserWarning, match=r"Weights for input shape \(224, 224\) will be loaded"):
        assert "_224" in fetched(name, include_top=False)[0]
    with pytest.raises(ValueError, match=r"one of .*\(224, 224\).*Received: 100x100"):
        cls(input_shape=(100, 100, 3), include_top=False)
    with pytest.raises(ValueError, match="alpha can be one of"):
        cls(alpha=0.6)
    with pytest.raises(ValueError, match="depth multiplier must be 1"):
        cls(depth_multiplier=2)


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2"])
def test_mobilenets_without_filters(name):
    for wrong in ({"alpha": 0}, {"alpha": -1.0}, {"depth_multiplier": 0}, {"depth_multiplier": 1.5}):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be .*above 0"):
            getattr(applications, name)(weights=None, **wrong)


def test_shapes_of_the_other_layout():
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=r"means \(rows, columns, channels\)"):
        applications.VGG16(weights=None, input_shape=(3, 224, 224))
    K.set_image_data_format("channels_first")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=r"means \(channels, rows, columns\)"):
        applications.VGG16(weights=None, input_shape=(224, 224, 3))


@pytest.mark.parametrize("top", [True, False])
def test_published_file_in_the_cache(monkeypatch, tmp_path, top):  # 17.5: no network is needed then
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", lambda *arguments, **more: pytest.fail("a download"))
    settings = {"input_shape": (128, 128, 3), "alpha": 0.25, "include_top": top}
    first = applications.MobileNet(weights=None, **settings)
    (tmp_path / "models").mkdir()
    first.save_weights(tmp_path / "models" / f"mobilenet_2_5_128_tf{'' if top else '_no_top'}.h5")
    again = applications.MobileNet(weights="imagenet", **settings)
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights()))


def test_published_file_that_is_broken(
    monkeypatch, tmp_path
):  # 17.5: its hash tells, and nothing replaces it
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    path.write_bytes(b"half a file")

    def unreachable(*arguments, **more):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(
        OSError, match=r"URL fetch failure on https.*vgg16_weights.*hash is not 64373286793e3c8b"
    ):
        applications.VGG16()
    assert path.read_bytes() == b"half a file"


def test_nasnet_sizes():
    with pytest.raises(ValueError, match="must be static"):
        applications.NASNetMobile((None, None, 3), include_top=False)
    with pytest.raises(ValueError, match=r"divisible by 24\. Current value: 100"):
        nasnet.NASNet(penultimate_filters=100)
    with pytest.raises(ValueError, match="can only be loaded with NASNetLarge or NASNetMobile"):
        nasnet.NASNet(default_size=99, weights="imagenet")
    with pytest.raises(ValueError, match="no ImageNet weights for this form of densenet"):
        densenet.DenseNet([1, 1, 1, 1])


def test_older_densenet_file_in_the_cache(monkeypatch, tmp_path):
    """2.1.6 and 2.2.4 have different files of the same name; one that is there is not fetched again."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(
        _build,
        "validate_file",
        lambda path, md5, algorithm: md5 == densenet._files("densenet169")[0].hashes[1],
    )
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "densenet169_weights_tf_dim_ordering_tf_kernels.h5"
    path.write_bytes(b"x")
    assert densenet._files("densenet169")[0].path() == str(path)


def test_own_weight_file(tmp_path):  # 17.1: a path
    def build(weights):
        picture = Input((64, 64, 3))
        return applications.MobileNetV2(weights=weights, input_tensor=picture, alpha=0.35, classes=4)

    first = build(None)
    first.save_weights(tmp_path / "w.h5")
    second = build(str(tmp_path / "w.h5"))
    x = np.random.rand(2, 64, 64, 3)
    assert np.array_equal(first.predict(x), second.predict(x))
    wanted = (
        "w.h5' does not fit this mobilenet_1.00_None with `include_top=False`: .* into a model with .*Was it"
    )
    with pytest.raises(ValueError, match=wanted):
        applications.MobileNet(weights=tmp_path / "w.h5", include_top=False)


@pytest.mark.parametrize("version", ["2.1.6", "2.2.4", "2.2.4-tf", "2.3.1", "2.21.0"])
def test_nasnet_of_tf_keras(tmp_path, version):
    """Its weights have the same names and shapes, but other poolings: only a warning can tell."""
    settings = {"penultimate_filters": 96, "num_blocks": 1, "stem_block_filters": 4, "include_top": False}
    nasnet.NASNet(**settings).save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file.attrs["keras_version"] = version
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nasnet.NASNet(weights=str(tmp_path / "w.h5"), **settings)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == (version not in ("2.1.6", "2.2.4"))
    assert all(f"written by Keras {version}, whose NASNet sees zeros around" in text for text in texts)


def test_real_mobilenet_weights(shared_folder):
    """The published weights, as far as they are there, give the reference outputs (17.6: 2.2's padding)."""
    model = applications.MobileNet(weights=None, include_top=False, input_shape=(224, 224, 3))
    model = Model(model.input, model.get_layer("conv_pw_12_relu").output)
    folder = shared_folder / "data" / "weights"
    with np.load(folder / "mobilenet_upto_conv_pw_12_reference.npz") as file:
        x, y = file["x"], file["y"]
    for by_name in (False, True):
        model.set_weights([np.zeros(w.shape) for w in model.get_weights()])
        model.load_weights(folder / "mobilenet_1_0_224_tf_upto_conv_pw_12.h5", by_name=by_name)
        assert np.abs(model.predict(x) - y).max() <= 1e-4 * y.max()


# ---- architecture


def names_and_settings(model, kind):
    return [layer for layer in model.layers if type(layer).__name__ == kind]


def test_batch_normalizations():  # 17.6
    for cls in (applications.InceptionV3, applications.InceptionResNetV2):
        norms = names_and_settings(cls(weights=None), "BatchNormalization")
        assert all(not norm.scale and norm.epsilon == 1e-3 and norm.momentum == 0.99 for norm in norms)
    norms = names_and_settings(applications.DenseNet121(weights=None), "BatchNormalization")
    assert {(norm.epsilon, norm.scale) for norm in norms} == {(1.001e-5, True)}
    norms = names_and_settings(applications.NASNetMobile(weights=None), "BatchNormalization")
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.9997, 1e-3)}
    norms = names_and_settings(applications.ResNet50(weights=None), "BatchNormalization")
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.99, 1e-3)}


def test_resnet50():  # 17.1, 17.6: biases; the 7x7 average also without the top
    model = applications.ResNet50(weights=None, include_top=False)
    assert all(layer.use_bias for layer in names_and_settings(model, "Conv2D"))
    assert model.layers[-1].name == "avg_pool" and model.layers[-1].pool_size == (7, 7)
    small = applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))
    assert small.output_shape == (None, 1, 1, 2048)
    names = [layer.name for layer in model.layers if layer.weights]
    assert names[:10] == [
        *["conv1", "bn_conv1", "res2a_branch2a", "bn2a_branch2a", "res2a_branch2b", "bn2a_branch2b"],
        *["res2a_branch2c", "res2a_branch1", "bn2a_branch2c", "bn2a_branch1"],
    ]
    x = resnet50.identity_block(Input((8, 8, 256)), 3, [64, 64, 256], 9, "z")
    assert K.int_shape(x) == (None, 8, 8, 256)
    assert K.int_shape(resnet50.conv_block(x, 3, [64, 64, 512], 9, "y")) == (None, 4, 4, 512)


def test_vgg16_layers():  # 17.1: predictions after flatten, fc1, fc2
    model = applications.VGG16(weights=None)
    blocks = [(2, 1), (2, 2), (3, 3), (3, 4), (3, 5)]
    names = [
        name
        for count, block in blocks
        for name in [*(f"block{block}_conv{i + 1}" for i in range(count)), f"block{block}_pool"]
    ]
    assert [layer.name for layer in model.layers] == [
        "input_1",
        *names,
        "flatten",
        "fc1",
        "fc2",
        "predictions",
    ]


def test_inception_blocks():  # 17.1: blocks mixed0–mixed10
    model = applications.InceptionV3(weights=None, input_shape=(299, 299, 3))
    sizes = {name: model.get_layer(name).output_shape[1:] for name in (f"mixed{i}" for i in range(11))}
    assert [sizes[f"mixed{i}"][0] for i in range(11)] == [35] * 3 + [17] * 5 + [8] * 3
    assert [sizes[f"mixed{i}"][2] for i in range(11)] == [256, 288, 288] + [768] * 5 + [1280, 2048, 2048]
    assert [layer.name for layer in model.layers[1:4]] == [
        "conv2d_1",
        "batch_normalization_1",
        "activation_1",
    ]
    with pytest.raises(ValueError, match="Unknown Inception-ResNet block type"):
        inception_resnet_v2.inception_resnet_block(Input((8, 8, 32)), 0.1, "block99", 1)


def test_mobilenet_layers():  # 17.1: the last ones; 17.6, 22.5: 2.2's padding and ReLU layers
    model = applications.MobileNet(weights=None)
    names = [layer.name for layer in model.layers]
    assert names[1:5] == ["conv1_pad", "conv1", "conv1_bn", "conv1_relu"]
    assert names[-5:] == ["reshape_1", "dropout", "conv_preds", "act_softmax", "reshape_2"]
    pads = names_and_settings(model, "ZeroPadding2D")
    assert [pad.name for pad in pads] == [
        "conv1_pad",
        "conv_pad_2",
        "conv_pad_4",
        "conv_pad_6",
        "conv_pad_12",
    ]
    assert {pad.padding for pad in pads} == {((0, 1), (0, 1))}
    assert model.get_layer("conv_dw_1_relu").max_value == 6.0


def test_older_mobilenet_file(tmp_path):
    """17.6: files of 2.1.6 name the function relu6, which users hand over."""
    x = Input((8, 8, 3))
    y = Conv2D(4, 3, activation=mobilenet.relu6, name="conv1")(x)
    y = mobilenet.DepthwiseConv2D(3, activation=mobilenet.relu6)(y)
    model = Model(x, Dense(2)(GlobalAveragePooling2D()(y)))
    model.save(tmp_path / "m.h5")
    text = model.to_json()
    assert '"activation": "relu6"' in text and mobilenet.DepthwiseConv2D is DepthwiseConv2D
    objects = {"relu6": mobilenet.relu6, "DepthwiseConv2D": mobilenet.DepthwiseConv2D}
    again = load_model(tmp_path / "m.h5", custom_objects=objects, compile=False)
    pictures = 100 * np.random.rand(2, 8, 8, 3)
    assert np.array_equal(again.predict(pictures), model.predict(pictures))
    assert model_from_json(text, custom_objects=objects).get_config() == model.get_config()
    six = K.eval(mobilenet.relu6(K.constant([-1.0, 3.0, 7.0])))
    assert six.tolist() == [0.0, 3.0, 6.0]


def blocks_of_inception_resnet():
    x = picture = Input((None, None, 32))
    for kind in ("block35", "block17", "block8"):
        x = inception_resnet_v2.inception_resnet_block(x, 0.3, kind, 1)
    return Model(picture, x)


@pytest.mark.parametrize("name", ["blocks", "MobileNetV2", "MobileNet"])
def test_saved_and_loaded(tmp_path, name):
    """Whole models come back without custom_objects, InceptionResNetV2's scaled sums too."""
    if name == "blocks":
        model = blocks_of_inception_resnet()
    else:
        model = getattr(applications, name)(alpha=0.5, weights=None, include_top=False, pooling="avg")
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", compile=False)
    x = np.random.rand(1, 32, 32, model.input_shape[-1])
    assert np.array_equal(again.predict(x), model.predict(x))
    assert again.get_config() == model.get_config()


def test_fine_tuning():
    """A new top on frozen features, then training: the use that most scripts make of these models."""
    base = applications.MobileNetV2((64, 64, 3), 0.35, weights=None, include_top=False, pooling="avg")
    for layer in base.layers:
        layer.trainable = False
    model = Model(base.input, Dense(3, activation="softmax")(base.output))
    model.compile("rmsprop", "categorical_crossentropy")
    before = model.get_weights()
    model.fit(np.random.rand(8, 64, 64, 3), np.eye(3)[np.arange(8) % 3], epochs=2, verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    assert changed == [False] * (len(before) - 2) + [True, True]


@pytest.mark.parametrize("top", [True, False])
def test_small_pictures_for_resnet50(top):
    """Too small for the average over 7×7 cells: 2.1.6 refused them, 2.2.4 takes the average of all cells."""
    model = applications.ResNet50(weights=None, include_top=top, input_shape=(64, 48, 3), classes=10)
    names = [layer.name for layer in model.layers]
    assert ("avg_pool" in names) == top
    assert model.output_shape == ((None, 10) if top else (None, 2, 2, 2048))
    large = applications.ResNet50(weights=None, include_top=top, classes=10)
    shapes = [[w.shape for w in layer.get_weights()] for layer in large.layers if layer.weights]
    assert shapes == [[w.shape for w in layer.get_weights()] for layer in model.layers if layer.weights]
