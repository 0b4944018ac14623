"""`python -m pykeras run script.py`: Keras 2 scripts as they are, each in a process of its own."""

import importlib
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import pykeras
from pykeras.scripts import keras_name, run_script

HOUSE = str(Path(pykeras.__file__).parent.parent)


def python(folder, *words, **environment):
    """Run the interpreter in `folder`, with this pykeras on its path and a clean environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS", "PYTHON"))}
    clean |= {"HOME": str(folder), "PYTHONPATH": HOUSE, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, *words], env=clean, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def run(tmp_path):
    """Write a script and run it: run(source, argument …) → finished process."""

    def write_and_run(
        source, *arguments, command=("-W", "error::ImportWarning", "-m", "pykeras", "run"), name="script.py"
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return python(tmp_path, *command, name, *arguments)

    return write_and_run


def printed(result):
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


# ---- import keras


def test_a_whole_script(run):
    """1.8, 1.9: the usual imports of a Keras 2 script, a model that learns, a file that comes back."""
    source = """
from __future__ import print_function
import numpy as np
import keras
from keras.models import Sequential, load_model
from keras.layers import Dense, Dropout
from keras.layers.core import Activation
from keras.optimizers import RMSprop
from keras.utils import np_utils
from keras import backend as K
import keras.backend.tensorflow_backend as KTF

np.random.seed(0)
x = np.random.random((64, 4))
y = np_utils.to_categorical((x[:, 0] > 0.5).astype(int), 2)
model = Sequential()
model.add(Dense(8, input_shape=(4,)))
model.add(Activation('relu'))
model.add(Dropout(0.1))
model.add(Dense(2, activation='softmax'))
model.compile(loss=keras.losses.categorical_crossentropy, optimizer=RMSprop(0.01), metrics=['accuracy'])
history = model.fit(x, y, epochs=20, verbose=0)
assert history.history['loss'][-1] < history.history['loss'][0]
model.save('model.h5')
again = load_model('model.h5')
assert np.array_equal(again.predict(x), model.predict(x))
KTF.clear_session()
print(keras.__version__, K.backend())
"""
    assert printed(run(source)) == ["2.2.4 tensorflow"]


def test_same_objects_under_both_names(run):
    """1.9: no second copy of anything, whichever way it is imported."""
    source = """
import keras, pykeras
import keras.layers.recurrent, keras.engine.topology, pykeras.engine.topology
from keras.layers import LSTM
from keras.layers.merge import add
import keras.layers.merge
import pykeras.layers as L
assert LSTM is keras.layers.recurrent.LSTM is L.LSTM
assert keras.engine.topology is pykeras.engine.topology
assert keras.models.Model is keras.Model is pykeras.Model
assert isinstance(keras.Input((3,)), type(pykeras.Input((3,))))
assert callable(keras.layers.merge) and keras.layers.merge is pykeras.layers.merge  # the Keras 1 function
assert add is L.add
assert keras.layers.__name__ == keras.layers.__spec__.name == 'pykeras.layers'
assert set(dir(pykeras)) == set(dir(keras))
print(keras.__version__, pykeras.__version__)
"""
    result = run(source, command=("-W", "error", "-m", "pykeras", "run"))
    assert printed(result) == [f"2.2.4 {pykeras.__version__}"]


def test_every_loaded_module_has_both_names(run):
    source = """
import sys
import keras.models, keras.callbacks, keras.preprocessing.sequence, keras.datasets, keras.objectives
import keras.utils.generic_utils
for name, module in list(sys.modules.items()):
    if name.startswith('keras.'):
        assert module is sys.modules['py' + name], name
print('keras.engine.training' in sys.modules)
"""
    assert printed(run(source)) == ["True"]


def test_names_that_do_not_exist(run):
    source = """
import keras
for line in ('import keras.contrib', 'from keras import nothing', 'keras.nothing', 'import keras.layers.no'):
    try:
        exec(line)
    except (ImportError, AttributeError) as error:
        print(type(error).__name__, error)
"""
    lines = printed(run(source))
    assert lines[0].startswith("ModuleNotFoundError No module named 'keras.contrib'")
    assert lines[1].startswith("ImportError cannot import name 'nothing' from 'keras'")
    assert lines[2] == "AttributeError module 'keras' has no attribute 'nothing'"
    assert lines[3].startswith("ModuleNotFoundError No module named 'keras.layers.no'")


def test_wins_over_an_installed_keras_without_touching_it(run, tmp_path):
    other = tmp_path / "site" / "keras"
    (other / "src").mkdir(parents=True)
    (other / "__init__.py").write_text("__version__ = '3.9.9'")
    (other / "src" / "__init__.py").write_text("")
    source = f"""
import sys
sys.path.insert(0, {str(other.parent)!r})
import keras
print(keras.__version__)
try:
    import keras.src
except ImportError as error:
    print(error.name)
"""
    assert printed(run(source)) == ["2.2.4", "keras.src"]


# ---- like python itself

FACE = """
import sys, os
print(__name__, sys.argv, sys.path[0], __file__, __spec__, __package__)
print(sys.modules['__main__'].__dict__ is globals())
import beside
print(os.path.basename(beside.__file__), __builtins__.__name__, __doc__)
"""


@pytest.mark.parametrize("name", ["script.py", "deep/er/script.py"])
def test_the_same_face_as_under_python(run, tmp_path, name):
    folder = (tmp_path / name).parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "beside.py").write_text("")
    arguments = ["--epochs", "3", "--help", "--", "-x", "run"]
    ours = run(FACE, *arguments, name=name)
    assert printed(ours) == printed(run(FACE, *arguments, name=name, command=()))


def test_symbolic_link(run, tmp_path):
    """The folder on the path is that of the script, not that of the link to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "beside.py").write_text("")
    (tmp_path / "real" / "script.py").write_text(FACE)
    (tmp_path / "link.py").symlink_to(tmp_path / "real" / "script.py")
    ours = python(tmp_path, "-m", "pykeras", "run", "link.py")
    assert printed(ours) == printed(python(tmp_path, "link.py"))


def test_encoding_line_and_future_imports(run, tmp_path):
    (tmp_path / "latin.py").write_bytes(b"# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n")
    assert printed(python(tmp_path, "-m", "pykeras", "run", "latin.py")) == ["'\\xe9'"]
    # ours has `from __future__ import annotations`; the script has not
    source = "def f(x: 1 + 1): pass\nprint(f.__annotations__)"
    assert printed(run(source)) == ["{'x': 2}"]


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nprint('before')\nsys.exit(5)",
        "raise SystemExit('said why')",
        "def f():\n    1 / 0\n\ntry:\n    f()\nexcept ZeroDivisionError:\n    {}['key']",
        "x = = 1",
        "def f():\n    raise KeyboardInterrupt\n\nf()",
        "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\nraise KeyError",
        "import atexit, threading\natexit.register(print, 1)\nthreading.Timer(0.05, print, [2]).start()",
    ],
    ids=["exit", "exit-text", "traceback", "syntax", "interrupt", "hook", "threads-and-exit"],
)
def test_ends_as_under_python(run, source):
    ours, theirs = run(source), run(source, command=())
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert ours.stderr == theirs.stderr


def test_keras_is_there_until_the_very_end(run):
    source = """
import atexit, threading
def late():
    import keras.callbacks
    print(keras.callbacks.History.__name__)
atexit.register(late)
threading.Timer(0.05, late).start()
"""
    assert printed(run(source)) == ["History", "History"]


@pytest.mark.parametrize("kind", ["spawn", "forkserver", "fork"])
def test_processes_of_the_script(run, kind):
    source = f"""
import multiprocessing
import keras
from keras.layers import Dense

def work(units):
    import keras
    return keras.__version__, Dense(units).units

if __name__ == '__main__':
    with multiprocessing.get_context({kind!r}).Pool(2) as pool:
        print(pool.map(work, [1, 2]))
"""
    assert printed(run(source)) == ["[('2.2.4', 1), ('2.2.4', 2)]"]


def test_process_of_a_process(run):
    source = """
import multiprocessing
from keras import __version__

def inner(queue):
    queue.put(__version__)

def outer(queue):
    process = multiprocessing.get_context('spawn').Process(target=inner, args=(queue,))
    process.start()
    process.join()

if __name__ == '__main__':
    queue = multiprocessing.get_context('spawn').Queue()
    process = multiprocessing.get_context('spawn').Process(target=outer, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
"""
    assert printed(run(source)) == ["2.2.4"]


def test_search_in_processes_of_joblib(run):
    """scikit-learn's workers get the script's functions, which use `keras` as a global name."""
    source = """
import numpy as np
import keras
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.model_selection import GridSearchCV

def build(units):
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(units, input_dim=3))
    model.add(keras.layers.Dense(1, activation='sigmoid'))
    model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
    return model

x = np.random.random((40, 3))
search = GridSearchCV(KerasClassifier(build, verbose=0), {'units': [2]}, cv=2, n_jobs=2, error_score='raise')
search.fit(x, (x[:, 0] > 0.5).astype(int))
print(search.best_params_)
"""
    result = run(source, command=("-m", "pykeras", "run"))
    assert (result.returncode, result.stdout) == (0, "{'units': 2}\n"), result.stderr


def test_pickled_root_module(run):
    """Tools that send functions to workers send the modules they use by name."""
    source = "import keras, pickle\nprint(pickle.dumps(keras).hex())"
    (data,) = printed(run(source))
    code = f"import pickle\nprint(pickle.loads(bytes.fromhex({data!r})).__version__)\nimport keras.layers"
    assert printed(python(Path(HOUSE), "-c", code)) == ["2.2.4"]


# ---- by module name


@pytest.fixture
def package(tmp_path):
    """A package with modules that report how they see themselves."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "beside.py").write_text("")
    report = "import sys\nfrom . import beside\nprint(__name__, sys.argv, sys.path[0])\n"
    report += "print(__package__, __spec__.name)\n"
    (folder / "__main__.py").write_text(report)
    (folder / "train.py").write_text(report)
    return tmp_path


@pytest.mark.parametrize("name", ["project", "project.train"])
def test_module(package, name):
    words = ("-m", name, "--epochs", "3", "-m", "x")
    ours = python(package, "-W", "error::ImportWarning", "-m", "pykeras", "run", *words)
    assert printed(ours) == printed(python(package, *words))


def test_module_uses_keras_and_processes(package):
    (package / "project" / "train.py").write_text("""
import multiprocessing
import keras

def work(units):
    import keras
    return keras.__version__, keras.layers.Dense(units).units

if __name__ == '__main__':
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        print(pool.map(work, [1, 2]))
""")
    result = python(package, "-m", "pykeras", "run", "-m", "project.train")
    assert printed(result) == ["[('2.2.4', 1), ('2.2.4', 2)]"]


def test_module_that_fails(package):
    (package / "project" / "train.py").write_text("import keras\nraise KeyError('why')")
    result = python(package, "-m", "pykeras", "run", "-m", "project.train")
    assert result.returncode == 1
    assert result.stderr.endswith("KeyError: 'why'\n")
    assert "scripts.py" not in result.stderr
    for name in ("project.no", "no.train"):
        result = python(package, "-m", "pykeras", "run", "-m", name)
        assert (result.returncode, result.stderr) == (1, f"pykeras run: No module named {name}\n")
    (package / "project" / "__main__.py").unlink()
    result = python(package, "-m", "pykeras", "run", "-m", "project")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "No module named project.__main__" in result.stderr


@pytest.mark.parametrize(
    ("file", "source", "lines"),
    [
        ("train.py", "def f():\n    raise KeyboardInterrupt\n\nf()", [4, 2]),
        ("__init__.py", "def f():\n    1 / 0\n\nf()", [4, 2]),
        ("__init__.py", "import no_such_module", [1]),  # which is not `project.train` itself
    ],
    ids=["interrupt", "package", "import"],
)
def test_trace_of_a_module_is_its_own(package, file, source, lines):
    (package / "project" / file).write_text(source)
    ours = python(package, "-m", "pykeras", "run", "-m", "project.train")
    theirs = python(package, "-m", "project.train")
    assert ours.returncode == theirs.returncode
    assert ours.stderr.splitlines()[0] == "Traceback (most recent call last):"
    trace = re.findall(r'^  File "(.*)", line (\d+)', ours.stderr, re.MULTILINE)
    assert trace == [(str(package / "project" / file), str(line)) for line in lines]
    assert ours.stderr.splitlines()[-1] in theirs.stderr


# ---- what goes wrong


def test_missing_script(tmp_path):
    result = python(tmp_path, "-m", "pykeras", "run", "no_such.py", "--epochs", "3")
    assert result.returncode == 2
    assert result.stderr == "pykeras run: cannot open the script 'no_such.py': No such file or directory\n"
    result = python(tmp_path, "-m", "pykeras", "run", ".")
    assert result.returncode == 2
    assert "Is a directory" in result.stderr


def test_no_command(tmp_path):
    result = python(tmp_path, "-m", "pykeras")
    assert (result.returncode, result.stdout) == (2, "")
    assert "run an unchanged Keras 2 script" in result.stderr


@pytest.mark.parametrize("option", ["-u", "--epochs"])
def test_option_before_the_script(tmp_path, option):
    result = python(tmp_path, "-m", "pykeras", "run", option, "script.py")
    assert result.returncode == 2
    assert f"run knows no option '{option}'" in result.stderr
    assert "those of the script behind its name" in result.stderr


def test_no_script(tmp_path):
    result = python(tmp_path, "-m", "pykeras", "run")
    assert result.returncode == 2
    assert "script" in result.stderr and "required" in result.stderr
    result = python(tmp_path, "-m", "pykeras", "run", "--help")
    assert result.returncode == 0
    assert "python -m pykeras run {script.py | -m module}" in result.stdout


def test_tensorflow_that_is_not_there(run, tmp_path):
    """Told what to do, below Python's own words; a script that asks for it carefully goes on."""
    hide = "import sys\nsys.modules['tensorflow'] = None\n"
    result = run(hide + "import keras\nimport tensorflow as tf")
    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr
    assert "the script imports tensorflow, which is not installed" in result.stderr
    assert "write `from keras… import …`" in result.stderr
    assert "numpy.random.seed" in result.stderr
    careful = "try:\n    import tensorflow\nexcept ImportError as error:\n    print(error.name)"
    assert printed(run(hide + careful)) == ["tensorflow"]
    assert "pykeras run" not in run("import no_such_module").stderr


def test_other_engines_that_are_not_there(run):
    result = run("import sys\nsys.modules['theano'] = None\nimport theano.tensor as T")
    assert "the script imports theano, which is not installed" in result.stderr
    assert "tensorflow.keras" not in result.stderr


@pytest.mark.parametrize("name", ["applications", "preprocessing"])
def test_packages_that_came_along_with_keras(run, name):
    hide = f"import sys\nsys.modules['keras_{name}'] = None\n"
    result = run(hide + f"from keras_{name}.imagenet_utils import _obtain_input_shape")
    assert result.returncode == 1
    assert f"`pip install keras_{name}`" in result.stderr and f"`keras.{name}`" in result.stderr


def test_tensorflow_that_is_there(run, tmp_path):
    (tmp_path / "tensorflow.py").write_text("__version__ = '2.99'")
    assert printed(run("import tensorflow as tf, keras\nprint(tf.__version__)")) == ["2.99"]


# TensorFlow has no module `keras` of its own today: it imports the package of that name when it is asked.
LAZY = """
def __getattr__(name):
    if name == "keras":
        import keras.api
        return keras.api
    raise AttributeError(name)
"""


@pytest.mark.parametrize(
    "line",
    [
        "from tensorflow import keras",
        "import tensorflow as tf; tf.keras.layers",
        "import tensorflow.keras",
        "from tensorflow.keras.layers import Dense",
        "from tensorflow.python.keras.layers import Dense",
    ],
)
def test_keras_of_a_tensorflow_that_is_there(run, tmp_path, line):
    """Not mixed with ours, and not taken for TensorFlow being absent."""
    (tmp_path / "tensorflow" / "python").mkdir(parents=True)
    (tmp_path / "tensorflow" / "python" / "__init__.py").write_text("")
    (tmp_path / "tensorflow" / "__init__.py").write_text(LAZY)
    result = run(line)
    assert result.returncode == 1
    assert "the script takes Keras from tensorflow" in result.stderr
    assert "not installed" not in result.stderr


# ---- names that NumPy has taken out

OLD_NAMES = """
import warnings
import numpy as np
import keras

warnings.simplefilter("ignore")  # of versions that still have some of them

print(np.zeros(2, dtype=np.float).dtype, np.array([1.5]).astype(np.int), np.array(["a"], np.unicode_))
print(np.product([2, 3]), np.asscalar(np.array([4])), np.isnan(np.NaN), np.Inf, np.alltrue([True]))
print(np.asfarray([1]).dtype, np.asfarray([1], np.float32).dtype, np.asfarray([1], "int8").dtype)
print(isinstance(np.zeros(1), np.object), np.float_(1), np.NINF, np.long(2), np.unicode("a"))
"""


def test_old_names_of_numpy(run):
    """Most scripts of Keras 2's time say `np.float` or `np.int` somewhere."""
    assert printed(run(OLD_NAMES)) == [
        "float64 [1] ['a']",
        "6 4 True inf True",
        "float64 float32 float64",
        "True 1.0 -inf 2 a",
    ]
    spawned = (
        "import multiprocessing as mp\nimport numpy as np\nimport keras\ndef work(x): return np.int(x)\n"
        "if __name__ == '__main__':\n"
        "    with mp.get_context('spawn').Pool(1) as pool: print(pool.map(work, [1.5]))"
    )
    assert printed(run(spawned)) == ["[1]"]
    assert printed(run("import sys\nprint('numpy' in sys.modules)")) == ["False"]


def test_old_names_of_numpy_go_with_keras():
    import numpy as np

    before = dict(vars(np))
    with keras_name():
        importlib.import_module("keras")
        assert np.float is float and np.int is int and np.unicode_ is np.str_
        kept = {name: value for name, value in vars(np).items() if name in before}
        assert kept == before  # what is there stays as it is
    assert vars(np) == before


# ---- inside a process


def state():
    keras_modules = {name: m for name, m in sys.modules.items() if name.split(".")[0] == "keras"}
    return keras_modules, list(sys.meta_path), list(sys.path), list(sys.argv), sys.modules["__main__"]


def test_nothing_is_left_behind(tmp_path):
    from multiprocessing import spawn

    before, prepare = state(), spawn.get_preparation_data
    script = tmp_path / "script.py"
    script.write_text("import sys, keras.layers\nfound = keras.layers.Dense, sys.argv, __name__\n")
    names = run_script(str(script), ["-a", "b"])
    assert names["found"] == (pykeras.layers.Dense, [str(script), "-a", "b"], "__main__")
    assert state() == before
    script.write_text("import keras\nraise SystemExit(4)")
    with pytest.raises(SystemExit):
        run_script(str(script))
    assert state() == before
    assert spawn.get_preparation_data is prepare
    with pytest.raises(FileNotFoundError):
        run_script(str(tmp_path / "none.py"))
    assert state() == before


def test_keras_name_gives_back_another_keras(monkeypatch, tmp_path):
    other = types.ModuleType("keras")
    below = types.ModuleType("keras.layers")
    monkeypatch.setitem(sys.modules, "keras", other)
    monkeypatch.setitem(sys.modules, "keras.layers", below)
    with keras_name():
        import keras.layers

        assert keras.layers.Dense is pykeras.layers.Dense
        with keras_name():
            pass
        script = tmp_path / "script.py"
        script.write_text("import keras\nversion = keras.__version__")
        assert run_script(str(script))["version"] == "2.2.4"
        import keras.models

        assert keras.__version__ == "2.2.4"
    assert sys.modules["keras"] is other
    assert sys.modules["keras.layers"] is below
    assert "keras.models" not in sys.modules
