"""Settings: keras.json, environment, run-time changes; and the weight of the import (BEHAVIOURS 1.1-1.7)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pykeras
from pykeras import backend as K


def run(code, home, **environment):
    """Runs Python code in a fresh process with its own home folder; returns what it prints."""
    env = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "KERAS_HOME")}
    # Started elsewhere: in the repository Python would find the sources, perhaps without a built core.
    env.update(HOME=str(home), PYTHONPATH=str(Path(pykeras.__file__).parent.parent), **environment)
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout.strip(), result.stderr.strip()


SHOW = "from pykeras import backend as K; print(K.floatx(), K.epsilon(), K.image_data_format(), K.backend())"
DEFAULTS = "float32 1e-07 channels_last tensorflow"


def write(home, text):
    (home / ".keras").mkdir()
    (home / ".keras" / "keras.json").write_text(text)


def test_without_a_file_defaults_hold_and_nothing_is_written_or_said(tmp_path):
    """1.1, 1.4, 1.5, DECISIONS: no file is made and no line goes to stderr."""
    assert run(SHOW, tmp_path) == (0, DEFAULTS, "")
    assert list(tmp_path.iterdir()) == []


def test_1_2_the_folder_is_in_the_home_or_in_tmp(tmp_path):
    code = "from pykeras.backend.common import keras_dir; print(keras_dir())"
    assert run(code, tmp_path) == (0, str(tmp_path / ".keras"), "")
    absent = tmp_path / "absent"
    env = {**os.environ, "HOME": str(absent), "PYTHONPATH": str(Path(pykeras.__file__).parent.parent)}
    env.pop("KERAS_HOME", None)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == os.path.join("/tmp", ".keras")
    assert list(tmp_path.iterdir()) == []


def test_1_2_a_folder_that_cannot_be_read_is_no_error(tmp_path):
    (tmp_path / ".keras").write_text("a file where the folder should be")
    assert run(SHOW, tmp_path) == (0, DEFAULTS, "")


def test_the_file_is_read(tmp_path):
    """1.1, 1.5: and the environment wins over it."""
    settings = {
        "floatx": "float64",
        "epsilon": 1e-5,
        "image_data_format": "channels_first",
        "backend": "theano",
    }
    write(tmp_path, json.dumps(settings))
    assert run(SHOW, tmp_path) == (0, "float64 1e-05 channels_first theano", "")
    assert run(SHOW, tmp_path, KERAS_BACKEND="cntk")[1].endswith(" cntk")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"unknown": 1}'])
def test_a_broken_or_partial_file_counts_as_empty(tmp_path, text):
    """1.1."""
    write(tmp_path, text)
    assert run(SHOW, tmp_path) == (0, DEFAULTS, "")


@pytest.mark.parametrize(
    "settings",
    [{"floatx": "int8"}, {"epsilon": "x"}, {"epsilon": 1}, {"image_data_format": "tf"}, {"backend": "jax"}],
)
def test_wrong_values_are_errors(tmp_path, settings):
    """1.3: the epsilon must be a float, the others one of the names."""
    write(tmp_path, json.dumps(settings))
    code, _, error = run(SHOW, tmp_path)
    assert code == 1 and "ValueError" in error


@pytest.mark.parametrize("floatx", ["float16", "float32", "float64"])
def test_1_3_allowed_float_types(tmp_path, floatx):
    write(tmp_path, json.dumps({"floatx": floatx}))
    assert run(SHOW, tmp_path) == (0, DEFAULTS.replace("float32", floatx), "")


def test_the_environment_names_the_backend(tmp_path):
    """1.5, 1.6: in lower case."""
    for name in ("pykeras", "tensorflow", "theano", "cntk", "TensorFlow", "CNTK"):
        assert run(SHOW, tmp_path, KERAS_BACKEND=name)[1].endswith(" " + name.lower())
    assert "ValueError" in run(SHOW, tmp_path, KERAS_BACKEND="jax")[2]


def test_importing_is_light(tmp_path):
    code = (
        "import sys; from pykeras import backend; "
        "print([m for m in ('h5py', 'yaml', 'scipy', 'PIL') if m in sys.modules])"
    )
    assert run(code, tmp_path)[1] == "[]"


def test_1_7_what_is_built_keeps_its_settings():
    from pykeras.layers import Conv2D, Dense, Input

    old = Dense(2)
    old(Input((3,)))
    conv, loss = Conv2D(2, 3), K.categorical_crossentropy(K.constant([[1.0, 0.0]]), K.constant([[0.0, 1.0]]))
    K.set_floatx("float64")
    K.set_image_data_format("channels_first")
    K.set_epsilon(1e-2)
    assert K.dtype(old.kernel) == "float32" and conv.data_format == "channels_last"
    np.testing.assert_allclose(K.eval(loss), -np.log(1e-7), rtol=1e-4)
    new = Dense(2)
    new(Input((3,)))
    assert K.dtype(new.kernel) == "float64" and Conv2D(2, 3).data_format == "channels_first"
    loss = K.categorical_crossentropy(K.constant([[1.0, 0.0]]), K.constant([[0.0, 1.0]]))
    np.testing.assert_allclose(K.eval(loss), -np.log(1e-2), rtol=1e-4)


def test_run_time_changes():
    """1.7."""
    K.set_floatx("float64")
    assert (
        K.floatx() == "float64"
        and K.variable(1.0).dtype == "float64"
        and K.placeholder((1,)).dtype == "float64"
    )
    assert K.cast_to_floatx(np.float32([1])).dtype == np.float64
    K.set_epsilon(1e-3)
    assert K.epsilon() == 1e-3
    K.set_image_data_format("channels_first")
    assert K.image_data_format() == "channels_first" and K.image_dim_ordering() == "th"
    K.set_image_dim_ordering("tf")
    assert K.image_data_format() == "channels_last"
    wrong = [
        (K.set_floatx, "int8"),
        (K.set_image_data_format, "tf"),
        (K.set_image_dim_ordering, "x"),
        (K.set_epsilon, "x"),
    ]
    for setter, bad in wrong:
        with pytest.raises(ValueError):
            setter(bad)


def test_normalize_data_format():
    assert K.normalize_data_format(None) == "channels_last"
    assert K.normalize_data_format("Channels_First") == "channels_first"
    with pytest.raises(ValueError, match="data_format"):
        K.normalize_data_format("tf")


def test_old_import_path():
    from pykeras.backend import tensorflow_backend

    assert tensorflow_backend.dot is K.dot
    assert tensorflow_backend._get_available_gpus() == []
    assert tensorflow_backend.py_all([True]) and tensorflow_backend.py_sum([1, 2]) == 3
    assert K._BACKEND == K.backend()
