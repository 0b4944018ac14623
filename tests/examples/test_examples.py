"""Every script of examples/ runs with --fast on real data and learns something sensible.

By turns the scripts run as they are, or as scripts of Keras 2, with `import keras`, through `python -m
pykeras run`; with `-m slow` each runs the other way too.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pykeras
from pykeras import applications

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HELPERS = {"babi_stories", "letters", "phrases", "vision"}  # modules that several scripts share

Results = dict[str, float]


def falls(results: Results) -> bool:
    """The last loss is clearly below the first."""
    return results["last loss"] < 0.95 * results["first loss"]


def accuracy_above(bound: float) -> Callable[[Results], bool]:
    return lambda results: results["test accuracy"] > bound


CIFAR = ["--data", "{data}/datasets/cifar10_6k.npz"]
SQUEEZENET = [
    "--network",
    "SqueezeNet",
    "--weights",
    "{data}/weights/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
]
PHOTOS = "{data}/images/photos/"

# Script: its further arguments, and what its results must satisfy. Chance is 0.1 for digits and CIFAR-10,
# 0.5 for reviews.
CASES: dict[str, tuple[list[str], Callable[[Results], bool]]] = {
    "addition_rnn": ([], falls),
    "antirectifier": ([], accuracy_above(0.8)),
    "babi_memnn": ([], falls),
    "babi_rnn": ([], accuracy_above(0.5)),
    "cifar10_cnn": (CIFAR, accuracy_above(0.15)),
    "cifar10_cnn_capsule": (CIFAR, falls),
    "cifar10_resnet": (CIFAR, falls),
    "conv_filter_visualization": (
        SQUEEZENET,
        lambda r: r["mean at the end"] > 2 * r["mean at the start"] > 0,
    ),
    "conv_lstm": ([], falls),
    "deep_dream": (
        [PHOTOS + "chelsea.png", "dream.png", *SQUEEZENET],
        lambda r: r["loss at the end"] > 2 * r["loss at the start"],
    ),
    "image_ocr": (
        [],
        # the weights of the first phase are there in the second
        lambda r: r["mistakes a letter"] < 0.5 and r["loss with wider pictures"] < 0.5 * r["first loss"],
    ),
    "imdb_bidirectional_lstm": ([], accuracy_above(0.6)),
    "imdb_cnn": ([], accuracy_above(0.6)),
    "imdb_cnn_lstm": ([], accuracy_above(0.6)),
    "imdb_fasttext": ([], accuracy_above(0.7)),
    "imdb_lstm": ([], accuracy_above(0.6)),
    "lstm_seq2seq": ([], falls),
    "lstm_stateful": ([], lambda r: r["stateful error"] < 0.8 * r["stateless error"]),
    "lstm_text_generation": ([], falls),
    "mnist_acgan": ([], lambda r: r["last digit loss"] < 0.9 * r["first digit loss"]),
    "mnist_cnn": ([], accuracy_above(0.5)),
    "mnist_denoising_autoencoder": (
        [],
        lambda r: r["error of the cleaned digits"] < 0.5 * r["error of the noisy digits"],
    ),
    "mnist_hierarchical_rnn": ([], accuracy_above(0.3)),
    "mnist_irnn": ([], falls),
    "mnist_mlp": ([], accuracy_above(0.8)),
    "mnist_net2net": (
        [],
        # what was learned is still there, and the identity changes nothing
        lambda r: (
            r["deeper, Net2Net begins"] == pytest.approx(r["teacher ends"], abs=0.002)
            and r["wider, Net2Net begins"] > r["teacher ends"] - 0.05
            and r["deeper, random layers begins"] < r["teacher ends"] - 0.2
        ),
    ),
    "mnist_siamese": ([], accuracy_above(0.7)),
    "mnist_sklearn_wrapper": ([], lambda r: r["test acc"] > 0.3),
    "mnist_swwae": ([], falls),
    "mnist_transfer_cnn": (
        [],
        lambda r: r["test accuracy 0 to 4"] > 0.8 and r["test accuracy 5 to 9"] > 0.6,
    ),
    "neural_doodle": (
        ["--photo", PHOTOS + "flower.jpg", "--output", "doodle", *SQUEEZENET],
        lambda r: r["loss at the end"] < 0.8 * r["loss at the start"],
    ),
    "neural_style_transfer": (
        [PHOTOS + "chelsea.png", PHOTOS + "flower.jpg", "style", *SQUEEZENET],
        lambda r: r["loss at the end"] < 0.5 * r["loss at the start"],
    ),
    "pretrained_word_embeddings": ([], lambda r: r["validation accuracy"] > 0.35),
    "reuters_mlp": ([], accuracy_above(0.65)),
    "reuters_mlp_relu_vs_selu": (
        [],
        lambda r: r["selu last val_loss"] < r["selu first val_loss"] and r["selu test accuracy"] > 0.35,
    ),
    "two_inputs": ([], lambda r: r["larger_acc"] > 0.8 and r["digit_acc"] > 0.8),
    "variational_autoencoder": ([], falls),
    "variational_autoencoder_deconv": ([], falls),
}


# The networks that these scripts use by default, here with random weights in a file of the published form.
PUBLISHED = {
    "conv_filter_visualization": ("VGG16", []),
    "deep_dream": ("InceptionV3", [PHOTOS + "chelsea.png", "dream.png"]),
    "neural_doodle": ("VGG19", ["--photo", PHOTOS + "flower.jpg", "--output", "doodle"]),
    "neural_style_transfer": ("VGG19", [PHOTOS + "chelsea.png", PHOTOS + "flower.jpg", "style"]),
}


# Both ways start with the same random numbers; nothing else is done for the script.
PLAIN = """
import os, runpy, sys, numpy
numpy.random.seed(1)
del sys.argv[0]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
AS_KERAS = """
import sys, numpy
from pykeras.__main__ import main
numpy.random.seed(1)
sys.exit(main(["run", *sys.argv[1:]]))
"""


def write_keras_scripts(folder: Path) -> None:
    """Writes all examples into the folder as Keras 2 scripts: they import keras."""
    for file in EXAMPLES.glob("*.py"):
        (folder / file.name).write_text(re.sub(r"\bpykeras\b", "keras", file.read_text("utf-8")), "utf-8")


def run(name: str, arguments: list[str], data: Path, folder: Path, as_keras: bool) -> tuple[str, Results]:
    """Runs one script in a folder of its own; returns what it printed, and the values among that."""
    source = EXAMPLES
    if as_keras:
        source = folder / "scripts"
        source.mkdir()
        write_keras_scripts(source)
    command = [sys.executable, "-c", AS_KERAS if as_keras else PLAIN, str(source / f"{name}.py"), "--fast"]
    command += [argument.format(data=data) for argument in arguments]
    environment = dict(os.environ, KERAS_HOME=str(data), PYTHONPATH=str(Path(pykeras.__file__).parents[1]))
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    values = re.findall(r"^([^:\n]+): ([-+.\de]+)$", done.stdout, re.MULTILINE)
    return done.stdout, {key: float(value) for key, value in values}


def ways() -> list[pytest.param]:
    """All scripts in both forms; the second form of each is slow."""
    params = []
    for number, name in enumerate(sorted(CASES)):
        for as_keras in (False, True):
            marks = [] if as_keras == bool(number % 2) else [pytest.mark.slow]
            way = "keras" if as_keras else "pykeras"
            params.append(pytest.param(name, as_keras, marks=marks, id=f"{name}-{way}"))
    return params


@pytest.mark.parametrize(("name", "as_keras"), ways())
def test_runs_and_learns(name, as_keras, shared_folder, tmp_path):
    arguments, sensible = CASES[name]
    output, results = run(name, arguments, shared_folder / "data", tmp_path, as_keras)
    assert results, output[-2000:]
    assert sensible(results), results


def published(name: str) -> pytest.param:
    costly = name in ("conv_filter_visualization", "neural_doodle")
    return pytest.param(name, marks=[pytest.mark.slow] if costly else [])


@pytest.mark.parametrize("name", [published(name) for name in PUBLISHED])
def test_with_the_network_it_is_made_for(name, shared_folder, tmp_path):
    network, arguments = PUBLISHED[name]
    model = getattr(applications, network)(include_top=False, weights=None)
    model.save_weights(str(tmp_path / "weights.h5"))
    arguments = [*arguments, "--weights", "weights.h5"]
    _, results = run(name, arguments, shared_folder / "data", tmp_path, as_keras=False)
    before, after = (value for key, value in results.items() if key.endswith(("at the start", "at the end")))
    if name.startswith("neural"):
        assert after < 0.5 * before
    else:  # these go uphill
        assert after > 1.2 * before > 0


def test_doodle_of_scribbles(shared_folder, tmp_path):
    """Regions from two scribbles, and a picture that the result shall be like."""
    for name, at in (("a.png", slice(0, 20)), ("b.png", slice(20, 40))):
        scribble = np.full((40, 40, 3), 255, "uint8")
        scribble[:, at] = (200, 30, 30)
        Image.fromarray(scribble).save(tmp_path / name)
    arguments = CASES["neural_doodle"][0] + [
        "--labels",
        "2",
        "--style-mask",
        "a.png",
        "--target-mask",
        "b.png",
    ]
    arguments += ["--content", PHOTOS + "chelsea.png"]
    _, results = run("neural_doodle", arguments, shared_folder / "data", tmp_path, as_keras=False)
    assert results["loss at the end"] < 0.5 * results["loss at the start"]
    assert Image.open(tmp_path / "doodle_at_iteration_1.png").height == 64


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("lstm_seq2seq", "fra-eng/fra.txt"),
        ("lstm_seq2seq_restore", "s2s.h5"),
        ("pretrained_word_embeddings", "glove.6B/glove.6B.100d.txt"),
    ],
)
def test_data_to_be_got_by_hand(tmp_path, name, missing):
    """Without them the script says what is missing, before it does anything else."""
    environment = dict(os.environ, PYTHONPATH=str(Path(pykeras.__file__).parents[1]))
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: there is no {missing}: " in done.stderr


def test_every_script_is_tested_and_listed():
    scripts = {file.stem for file in EXAMPLES.glob("*.py")} - HELPERS
    assert scripts == set(CASES) | {"lstm_seq2seq_restore"}
    listed = set(re.findall(r"`(\w+)\.py`", (EXAMPLES / "README.md").read_text()))
    assert listed == scripts | HELPERS


def test_restored_translator_says_the_same(shared_folder, tmp_path):
    """lstm_seq2seq_restore.py with the file that lstm_seq2seq.py writes."""
    data = shared_folder / "data"
    sentences = []
    for name in ("lstm_seq2seq", "lstm_seq2seq_restore"):
        output, _ = run(name, [], data, tmp_path, as_keras=False)
        sentences.append([line for line in output.splitlines() if " -> " in line])
    assert len(sentences[0]) == 10
    assert sentences[0] == sentences[1]
