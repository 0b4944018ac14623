"""Importing pykeras: silent, quick by being lazy, and without a trace on the disk."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pykeras

EVERYTHING_USUAL = (
    "import pykeras.models, pykeras.layers, pykeras.optimizers, pykeras.callbacks, pykeras.datasets"
)


def run_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter whose home and current folder are `home`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS", "PYTHON"))}
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": str(Path(pykeras.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=home, capture_output=True, text=True
    )


@pytest.mark.parametrize("code", ["import pykeras", EVERYTHING_USUAL])
def test_silent_and_writes_nothing(code, tmp_path):
    """1.5, DECISIONS: nothing is said about the backend, and no settings file appears."""
    result = run_python(code, tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["h5py", "yaml", "PIL", "scipy", "matplotlib", "pandas", "sklearn", "tensorflow"]
)
def test_loaded_only_when_needed(name, tmp_path):
    result = run_python(f"{EVERYTHING_USUAL}\nimport sys\nprint({name!r} in sys.modules)", tmp_path)
    assert result.stdout == "False\n", result.stderr


@pytest.mark.parametrize(
    "name",
    [
        "Input",
        "Model",
        "Sequential",
        "layers",
        "models",
        "backend",
        "optimizers",
        "losses",
        "metrics",
        "callbacks",
    ]
    + ["activations", "initializers", "regularizers", "constraints", "utils", "datasets", "engine"],
)
def test_root_names(name, tmp_path):
    result = run_python(f"import pykeras; pykeras.{name}", tmp_path)
    assert result.returncode == 0, result.stderr


def test_unknown_root_name():
    with pytest.raises(AttributeError, match="no_such_thing"):
        pykeras.no_such_thing  # noqa: B018


SUBMODULES = """
    activations, applications, applications.densenet, applications.imagenet_utils,
    applications.inception_resnet_v2, applications.inception_v3, applications.mobilenet, applications.nasnet,
    applications.resnet50, applications.vgg16, applications.vgg19, applications.xception,
    backend, backend.tensorflow_backend, callbacks, constraints, datasets, datasets.digits,
    engine, engine.saving, engine.topology, engine.training,
    initializers, layers, layers.advanced_activations,
    layers.convolutional, layers.convolutional_recurrent, layers.core, layers.cudnn_recurrent,
    layers.embeddings, layers.local, layers.merge, layers.noise, layers.normalization, layers.pooling,
    layers.recurrent, layers.wrappers, legacy,
    legacy.interfaces, legacy.layers, losses, metrics, models, optimizers, preprocessing,
    preprocessing.image, preprocessing.sequence, preprocessing.text, regularizers, utils, utils.conv_utils,
    utils.data_utils, utils.generic_utils, utils.io_utils, utils.layer_utils, utils.multi_gpu_utils,
    utils.np_utils, utils.test_utils, utils.training_utils, utils.vis_utils,
    datasets.boston_housing, datasets.cifar10,
    datasets.cifar100, datasets.fashion_mnist, datasets.imdb, datasets.mnist, datasets.reuters
""".replace("\n", " ").split(", ")


def test_1_8_submodules_are_attributes(tmp_path):
    """`import keras` is enough to write `keras.layers.core.Dense`."""
    names = [name.strip() for name in SUBMODULES]
    code = f"import pykeras\nfor name in {names}:\n    thing = pykeras\n"
    code += "    for part in name.split('.'):\n        thing = getattr(thing, part)\n"
    result = run_python(code + "print(pykeras.__version__, pykeras.Model, pykeras.Sequential)", tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("layers.core", "Dense Dropout Flatten Lambda Masking Reshape Permute RepeatVector Activation"),
        (
            "layers.convolutional",
            "Conv1D Conv2D Conv3D Conv2DTranspose SeparableConv2D UpSampling2D ZeroPadding2D",
        ),
        ("layers.recurrent", "LSTM GRU SimpleRNN RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells"),
        ("layers.normalization", "BatchNormalization"),
        ("layers.advanced_activations", "LeakyReLU PReLU ELU ThresholdedReLU Softmax"),
        ("layers.embeddings", "Embedding"),
        ("layers.merge", "Add Concatenate Dot add concatenate dot"),
        ("layers.wrappers", "TimeDistributed Bidirectional Wrapper"),
        ("layers.noise", "GaussianNoise GaussianDropout AlphaDropout"),
        ("layers.pooling", "MaxPooling1D MaxPooling2D AveragePooling2D GlobalAveragePooling2D"),
        ("layers.local", "LocallyConnected1D LocallyConnected2D"),
        ("layers.convolutional_recurrent", "ConvLSTM2D"),
        ("layers.cudnn_recurrent", "CuDNNLSTM CuDNNGRU"),
        ("engine", "Layer InputSpec Input Model"),
        ("engine.topology", "Layer InputSpec Container Node get_source_inputs Input"),
        ("engine.training", "Model"),
        ("utils.np_utils", "to_categorical normalize"),
        ("utils.generic_utils", "Progbar get_custom_objects CustomObjectScope has_arg"),
        ("utils.layer_utils", "print_summary count_params convert_all_kernels_in_model"),
        ("utils.conv_utils", "normalize_tuple conv_output_length deconv_length"),
        ("utils.io_utils", "ask_to_proceed_with_overwrite"),
        ("utils.test_utils", "get_test_data layer_test keras_test"),
        ("objectives", "mean_squared_error get"),
        ("backend.tensorflow_backend", "dot conv2d set_session _get_available_gpus"),
        ("preprocessing.sequence", "pad_sequences skipgrams make_sampling_table TimeseriesGenerator"),
        ("preprocessing.text", "Tokenizer text_to_word_sequence one_hot hashing_trick"),
        ("preprocessing.image", "ImageDataGenerator load_img img_to_array array_to_img"),
        ("utils.data_utils", "get_file Sequence OrderedEnqueuer GeneratorEnqueuer"),
        ("utils.vis_utils", "plot_model model_to_dot"),
        ("utils.multi_gpu_utils", "multi_gpu_model"),
        ("wrappers.scikit_learn", "KerasClassifier KerasRegressor"),
        ("applications.imagenet_utils", "preprocess_input decode_predictions _obtain_input_shape"),
        ("applications.vgg16", "VGG16 preprocess_input decode_predictions"),
        ("datasets.mnist", "load_data"),
        ("datasets.imdb", "load_data get_word_index"),
    ],
)
def test_1_9_import_paths(module, names):
    found = importlib.import_module("pykeras." + module)
    for name in names.split():
        assert hasattr(found, name), f"{module} has no {name}"


def test_version():
    """1.8."""
    assert isinstance(pykeras.__version__, str)
    assert pykeras.__version__.split(".")[0].isdigit()


def test_settings_are_read_and_never_written(tmp_path):
    (tmp_path / ".keras").mkdir()
    settings = tmp_path / ".keras" / "keras.json"
    settings.write_text('{"image_data_format": "channels_first", "epsilon": 1e-05}')
    code = (
        "from pykeras import backend as K; print(K.image_data_format(), K.epsilon(), K.floatx(), K.backend())"
    )
    result = run_python(code, tmp_path)
    assert result.stdout == "channels_first 1e-05 float32 tensorflow\n", result.stderr
    assert settings.read_text() == '{"image_data_format": "channels_first", "epsilon": 1e-05}'
    assert [path.name for path in (tmp_path / ".keras").iterdir()] == ["keras.json"]


def test_broken_settings_count_as_empty(tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text("{this is no JSON")
    result = run_python("from pykeras import backend as K; print(K.image_data_format())", tmp_path)
    assert (result.stdout, result.stderr) == ("channels_last\n", "")


def test_sources_without_the_core(tmp_path):
    """Whoever starts Python beside the sources is told so."""
    uncompiled = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(Path(pykeras.__file__).parent, tmp_path / "pykeras", ignore=uncompiled)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pykeras.layers"
    result = run_python(code, tmp_path)
    assert result.returncode == 1
    assert f"The compiled core is missing in {tmp_path / 'pykeras'}" in result.stderr.splitlines()[-1]
    assert "start Python in another folder" in result.stderr
