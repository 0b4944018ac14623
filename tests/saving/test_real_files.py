"""Models that other people trained and published, in all dialects, against what their own Keras computes."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.models import load_model, model_from_json, model_from_yaml
from pykeras.saving import dialects, keras1

pytest.importorskip("h5py")

MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models"
MANIFEST = MODELS / "manifest.json"
ENTRIES = json.loads(MANIFEST.read_text()) if MANIFEST.is_file() else []
TINY = sorted(path.stem for path in (MODELS / "mlperf_tiny").glob("*.h5"))

pytestmark = pytest.mark.skipif(not ENTRIES, reason="the real files are not there (../shared/models)")

# Functions of Lambda layers, read off the files, by the layers' names.


def class_mae(y_true, y_pred):
    """The metric that F-CRNN's authors passed: how many speakers the guess is off."""
    return K.mean(K.abs(K.cast(K.argmax(y_pred), K.floatx()) - K.cast(K.argmax(y_true), K.floatx())))


# What a file needs besides the package, and its users pass as `custom_objects`.
CUSTOM = {
    "pnnl.deep_scoreMS1__siamese.h5": {"lambda": lambda x: abs(x[0] - x[1])},
    "faroit.CountNet__models-F-CRNN.h5": {"class_mae": class_mae},
}

MODEL_CLASSES = {"Functional", "Merge", "Model", "Sequential"}


def short(entry):
    return entry["file"].rsplit("__", 1)[-1].removesuffix(".h5")


def need_layers(entry):
    """Skips a file whose layers this package does not have yet."""
    names = {keras1.CLASSES.get(name, name) for name in entry["layers"]} - MODEL_CLASSES
    missing = sorted(name for name in names if dialects.layer_class(name) is None)
    if missing:
        pytest.skip(f"needs layers that do not exist here yet: {', '.join(missing)}")


def load(entry):
    path = MODELS / "files" / entry["file"]
    custom = CUSTOM.get(entry["file"])
    if entry["full"]:
        return load_model(path, custom_objects=custom, compile=False)
    architecture = MODELS / "files" / entry["arch"][0]
    read = model_from_json if architecture.suffix == ".json" else model_from_yaml
    model = read(architecture.read_text(), custom_objects=custom)
    model.load_weights(path)
    return model


# Its logits are as large as 4267, so float32 itself is 3e-5 away from what float64 gives, on both sides.
COARSE = {
    "maxpumperla.betago__model_zoo-100_epochs_cnn_weights.k1.2.2.npz": 1e-4,
    # sigmoids of -24: probabilities of 3e-11
    "uci-cbcl.FactorNet__models-TAF1-GENCODE_Unique35_DGF-final_model.k1.2.2.npz": 5e-5,
}


def check(model, golden, left_out=None):
    with np.load(golden) as file:
        keys = [k for k in file.files if re.fullmatch(r"[xy]\d+", k)]
        keys.sort(key=lambda k: (k[0], int(k[1:])))
        inputs = [file[k] for k in keys if k[0] == "x"]
        outputs = {int(k[1:]): file[k] for k in keys if k[0] == "y"}
    got = model.predict(inputs if len(inputs) > 1 else inputs[0])
    got = got if isinstance(got, list) else [got]
    assert len(got) >= len(outputs)
    tolerance = COARSE.get(golden.name, 1e-5)
    for i, wanted in outputs.items():
        if i in (left_out or []):
            continue
        assert got[i].shape == wanted.shape
        assert np.abs(got[i] - wanted).max() <= tolerance * np.abs(wanted).max(), i


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e["golden"]], ids=short)
def test_outputs(entry):
    need_layers(entry)
    model = load(entry)
    for golden in entry["golden"]:
        check(model, MODELS / "golden" / golden["npz"], golden["nondeterministic"])


@pytest.mark.parametrize("name", TINY)
def test_mlperf_tiny(name):
    model = load_model(MODELS / "mlperf_tiny" / f"{name}.h5", compile=False)
    check(model, MODELS / "mlperf_tiny" / f"{name}.golden.npz")


# Keras 1 kept an optimizer's slots per gate of an LSTM; a mismatch only warns (3.2.6).
STATE_PER_GATE = {"faroit.CountNet__models-F-CRNN.h5"}
COMPILED = [e for e in ENTRIES if e["full"] and e["optimizer"] and not e["unknown"]]


@pytest.mark.parametrize("entry", COMPILED, ids=short)
def test_compiled_as_it_was(entry):
    """The optimizer comes back with its state; nothing but unknown metrics may be missing."""
    need_layers(entry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="The file's metrics (precision|recall)")
        if entry["file"] in STATE_PER_GATE:
            warnings.filterwarnings("ignore", message="Error in loading the saved optimizer state")
        model = load_model(MODELS / "files" / entry["file"], CUSTOM.get(entry["file"]))
    assert type(model.optimizer).__name__ == entry["optimizer"].rsplit(">", 1)[-1]
    assert model.loss is not None


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e["unknown"]], ids=short)
def test_unknown_classes_are_named(entry):
    with pytest.raises(ValueError, match=r"Unknown layer: .*custom_objects") as caught:
        load_model(MODELS / "files" / entry["file"])
    assert all(name in str(caught.value) for name in entry["unknown"])


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e["full"] and e["golden"]][:12], ids=short)
def test_saved_again(entry, tmp_path):
    """What was read from another dialect is written in ours, and reads as the same model."""
    need_layers(entry)
    model = load(entry)
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", CUSTOM.get(entry["file"]), compile=False)
    assert again.get_config() == model.get_config()
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), model.get_weights()))
