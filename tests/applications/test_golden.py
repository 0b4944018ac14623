"""Every application against tf_keras with the same weights: outputs, order of layers, names (17.5).

tests/golden/make_applications.py made the numbers, and says where tf_keras has another architecture than
Keras 2.1.6 (ResNet50, NASNet), which is allowed for there. Names of layers that differ from tf_keras's:
those of ResNet50 (`res2a_branch2a` there is `conv2_block1_1_conv`), the classifiers `fc1000` and
`Logits`, both called `predictions` there, and automatic names, which count from 1 here. Weight files are
matched by order, so this does not matter to them.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from golden.application_weights import CASES, CLASSES, fill, order, pictures, weighted

import pykeras.applications as applications
from pykeras import backend as K
from pykeras.applications import densenet, nasnet
from pykeras.layers import Input
from pykeras.models import Model

GOLDEN = Path(__file__).parent.parent / "golden"
FACTS = json.loads((GOLDEN / "applications.json").read_text())


def build(case):
    """The model with its weights, its size, and a model that gives the features before the top as well."""
    name, size, arguments = CASES[case]
    shape = (size, size, 3) if K.image_data_format() == "channels_last" else (3, size, size)
    cls = getattr(applications, name)
    model = cls(weights=None, input_tensor=Input(shape), classes=CLASSES, **arguments)
    layers = weighted(model)
    fill(layers, FACTS[case]["top_scale"])
    return model, size, Model(model.inputs, [layers[-1].input, model.output])


def check(got, wanted):
    assert got.shape == wanted.shape
    assert np.isfinite(got).all()
    assert np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("case", CASES)
def test_outputs(case):
    model, size, both = build(case)
    assert model.count_params() == FACTS[case]["params"]
    assert order(weighted(model)) == FACTS[case]["order"]
    middle, end = both.predict(pictures(size))
    middle = middle.reshape(2, -1)
    with np.load(GOLDEN / "applications.npz") as golden:
        check(middle[:, :: max(1, middle.shape[1] // 50)], golden[f"{case}_features"])
        check(end, golden[f"{case}_top"])


FIRST = [
    "VGG16",
    "ResNet50",
    "InceptionV3",
    "InceptionResNetV2",
    "Xception",
    "MobileNet_quarter",
    "MobileNetV2",
]


@pytest.mark.parametrize("case", [*FIRST, "DenseNet121", "NASNetMobile"])
def test_channels_first(case):
    """The same weights, in the same order, give the same with channels first."""
    K.set_image_data_format("channels_first")
    model, size, both = build(case)
    assert order(weighted(model)) == FACTS[case]["order"]
    end = both.predict(pictures(size).transpose(0, 3, 1, 2))[1]
    with np.load(GOLDEN / "applications.npz") as golden:
        check(end, golden[f"{case}_top"])


FILES = {
    "mobilenet": (applications.MobileNet, {"alpha": 0.25}),
    "nasnet": (
        nasnet.NASNet,
        {"penultimate_filters": 96, "num_blocks": 1, "stem_block_filters": 4, "default_size": 64},
    ),
    "densenet": (densenet.DenseNet, {"blocks": [1, 2, 1, 1]}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [64, None])
@pytest.mark.filterwarnings("ignore:.*whose NASNet sees zeros")  # this file's was given 2.1.6's poolings
def test_weight_files_of_tf_keras(name, size):
    """`weights` may be a path; files are matched by order (17.5); sizes may be unknown (17.4)."""
    cls, arguments = FILES[name]
    path = GOLDEN / "applications" / f"{name}.h5"
    picture = Input((size, size, 3))
    model = cls(weights=str(path), input_tensor=picture, include_top=False, pooling="avg", **arguments)
    with np.load(path.with_suffix(".npz")) as golden:
        check(model.predict(pictures(64)), golden["y"])
