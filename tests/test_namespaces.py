"""Names that scripts import from modules of Keras which only import them themselves (1.9)."""

import importlib

import pytest

from pykeras.utils import namespaces
from pykeras.utils.generic_utils import to_list


@pytest.mark.parametrize("module", sorted(namespaces.HELD))
def test_1_9_everything_held_is_found(module):
    found = importlib.import_module("pykeras." + module)
    for name in namespaces.HELD[module].split():
        value = getattr(found, name)
        if name in namespaces._FOREIGN:
            assert value is importlib.import_module(namespaces._FOREIGN[name])
        elif name in namespaces._MODULES:
            assert value is importlib.import_module("pykeras." + namespaces._MODULES[name])
        else:
            home, there = namespaces._ADDRESSES[name]
            assert value is getattr(importlib.import_module("pykeras." + home), there)
    with pytest.raises(AttributeError, match="has no attribute 'no_such_thing'"):
        found.no_such_thing  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'no_such_thing'"):
        exec(f"from pykeras.{module} import no_such_thing")


def test_1_9_what_scripts_write():
    import pykeras as keras
    from pykeras.applications.resnet50 import Input, Model, _obtain_input_shape, get_file
    from pykeras.datasets.cifar10 import load_batch
    from pykeras.engine import saving, topology
    from pykeras.engine.topology import _to_list
    from pykeras.engine.training import GeneratorEnqueuer, OrderedEnqueuer
    from pykeras.layers.convolutional import AveragePooling2D, K, MaxPooling2D
    from pykeras.layers.core import Highway, InputSpec, Layer, MaxoutDense, Merge, initializers, merge
    from pykeras.layers.recurrent import Recurrent, regularizers
    from pykeras.utils.training_utils import multi_gpu_model

    assert MaxPooling2D is keras.layers.MaxPooling2D
    assert AveragePooling2D is keras.layers.AveragePooling2D
    assert Layer is keras.engine.Layer and InputSpec is keras.engine.InputSpec
    assert Recurrent is keras.legacy.layers.Recurrent
    assert (Merge, merge) == (keras.layers.Merge, keras.layers.merge) == (topology.Merge, topology.merge)
    assert (Highway, MaxoutDense) == (keras.layers.Highway, keras.layers.MaxoutDense)
    assert (K, initializers, regularizers) == (keras.backend, keras.initializers, keras.regularizers)
    assert (Input, Model, get_file) == (keras.layers.Input, keras.models.Model, keras.utils.get_file)
    assert _obtain_input_shape is keras.applications.imagenet_utils._obtain_input_shape
    assert (GeneratorEnqueuer, OrderedEnqueuer) == (
        keras.utils.GeneratorEnqueuer,
        keras.utils.OrderedEnqueuer,
    )
    assert multi_gpu_model is keras.utils.multi_gpu_model
    assert saving.load_weights_from_hdf5_group_by_name is keras.saving.load_weights_from_hdf5_group_by_name
    assert _to_list is to_list and callable(load_batch)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "layers",
            "Dense Input Layer InputSpec K np warnings activations initializers regularizers constraints",
        ),
        ("layers.core", "Dense Layer K np initializers"),
        ("layers.convolutional", "Conv2D Convolution2D MaxPooling2D AveragePooling1D Layer K np"),
        ("layers.recurrent", "LSTM RNN Recurrent Layer K"),
        ("models", "Sequential Model Input load_model model_from_json Layer K np optimizers"),
        ("optimizers", "SGD Adam adam K"),
        ("callbacks", "Callback EarlyStopping K np"),
        ("preprocessing.image", "ImageDataGenerator load_img K Sequence np"),
        ("engine.topology", "Layer InputSpec K Container"),
        ("applications.vgg16", "VGG16 preprocess_input Model Input K"),
    ],
)
def test_1_9_what_a_star_takes_along(module, names):
    scope = {}
    exec(f"from pykeras.{module} import *", scope)
    assert [name for name in names.split() if name not in scope] == []


def test_homes_are_used():
    """No address without a module that holds the name."""
    held = {name for names in namespaces.HELD.values() for name in names.split()}
    known = set(namespaces._ADDRESSES) | set(namespaces._MODULES) | set(namespaces._FOREIGN)
    assert held <= known
    assert known - held == set()
