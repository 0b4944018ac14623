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
    assert run(SHOW, tmp_path) == (0, DEFAULTS, "")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_read(tmp_path):
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
    write(tmp_path, text)
    assert run(SHOW, tmp_path) == (0, DEFAULTS, "")


@pytest.mark.parametrize(
    "settings",
    [{"floatx": "int8"}, {"epsilon": "x"}, {"epsilon": 1}, {"image_data_format": "tf"}, {"backend": "jax"}],
)
def test_wrong_values_are_errors(tmp_path, settings):
    write(tmp_path, json.dumps(settings))
    code, _, error = run(SHOW, tmp_path)
    assert code == 1 and "ValueError" in error


def test_the_environment_names_the_backend(tmp_path):
    assert run(SHOW, tmp_path, KERAS_BACKEND="pykeras")[1].endswith(" pykeras")
    assert "ValueError" in run(SHOW, tmp_path, KERAS_BACKEND="jax")[2]


def test_importing_is_light(tmp_path):
    code = (
        "import sys; from pykeras import backend; "
        "print([m for m in ('h5py', 'yaml', 'scipy', 'PIL') if m in sys.modules])"
    )
    assert run(code, tmp_path)[1] == "[]"


def test_run_time_changes():
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
