"""What all tests share: which pykeras is meant, a home folder without settings, the folder of real data."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# `python -m pytest` puts this folder first on the path, where the sources lie without the compiled core:
# unless the core was built in place, the installed package is the one to test.
if not list((ROOT / "pykeras").glob("_core*.so")):
    elsewhere = [entry for entry in sys.path if Path(entry or os.curdir).resolve() != ROOT]
    if PathFinder.find_spec("pykeras", elsewhere):
        sys.path[:] = elsewhere

# A keras.json of the person who runs the tests must not decide about them.
os.environ["KERAS_HOME"] = os.path.join(tempfile.gettempdir(), "pykeras-tests-no-such-folder")
os.environ.pop("KERAS_BACKEND", None)

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with real models and data beside the repository; tests that need it are skipped without."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the real models and data in {folder.name}/ beside the repository")
    return folder


@pytest.fixture
def run_code(tmp_path: Path) -> Callable[[str], str]:
    """Runs Python code in a process of its own, with the pykeras under test, and returns what it printed."""
    import pykeras

    environment = {**os.environ, "PYTHONPATH": str(Path(pykeras.__file__).parent.parent)}

    def run(code: str) -> str:
        # not in this folder, where the sources may lie without the compiled core
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(autouse=True)
def fresh_state() -> Iterator[None]:
    """Every test starts with the same random numbers, names counted from 1, and the default settings."""
    np.random.seed(1234)
    if "pykeras.backend" in sys.modules:
        sys.modules["pykeras.backend"].clear_session()
    yield
    if "pykeras.backend" in sys.modules:
        backend = sys.modules["pykeras.backend"]
        backend.set_floatx("float32")
        backend.set_epsilon(1e-7)
        backend.set_image_data_format("channels_last")
