"""Importing pykeras: silent, quick by being lazy, and without a trace on the disk."""

import os
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


def test_version():
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
