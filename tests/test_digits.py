"""The data set in the package and the main job, from the pictures to the saved files."""

import numpy as np
import pytest
from png_reader import read_png

from pykeras.__main__ import main
from pykeras.datasets import digits
from pykeras.models import load_model


def test_data():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1442, 8, 8), (1442,))
    assert (x_test.shape, y_test.shape) == ((355, 8, 8), (355,))
    assert {a.dtype.name for a in (x_train, y_train, x_test, y_test)} == {"uint8"}
    assert (int(x_train.min()), int(x_train.max())) == (0, 16)
    assert set(np.bincount(y_test)) == {34, 35, 36}
    assert np.bincount(y_train).sum() + np.bincount(y_test).sum() == 1797


def test_same_split_every_time():
    first, second = digits.load_data(), digits.load_data()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_missing_file():
    with pytest.raises(OSError, match=r"nowhere\.npz"):
        digits.load_data("nowhere.npz")


def test_main_job(tmp_path, capsys):
    assert main(["digits", "--epochs", "8", "--folder", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    accuracy = float(output.split("Validation accuracy: ")[1].split()[0])
    assert accuracy >= 0.97
    assert "Train on 1442 samples, validate on 355 samples" in output
    assert "Epoch 8/8" in output
    assert "1442/1442 [==============================]" in output

    _, (x_test, y_test) = digits.load_data()
    model = load_model(str(tmp_path / "digits.h5"))
    predicted = model.predict(x_test[..., np.newaxis] / 16).argmax(axis=1)
    assert np.mean(predicted == y_test) == pytest.approx(accuracy, abs=1e-4)

    picture = read_png(tmp_path / "digits.png")
    assert picture.shape == (760, 1280, 3)
    assert (picture == 255).all(axis=2).mean() > 0.5  # mostly paper
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50  # with something on it


def test_main_job_into_a_missing_folder(tmp_path):
    with pytest.raises(OSError):
        main(["digits", "--epochs", "1", "--quiet", "--folder", str(tmp_path / "missing")])


def test_main_job_notices_a_bad_file(tmp_path, monkeypatch):
    from pykeras.demo import digits as job

    def load_another(path):
        model = job.build_model()
        model.compile(loss="mse", optimizer="sgd")
        return model

    monkeypatch.setattr(job, "load_model", load_another)
    with pytest.raises(RuntimeError, match=r"digits\.h5 does not predict"):
        job.run(epochs=1, folder=tmp_path, verbose=0)


def test_no_command(capsys):
    assert main([]) == 2
    assert "usage: python -m pykeras" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["unknown"], ["digits", "--epochs", "many"]])
def test_wrong_command_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: python -m pykeras" in capsys.readouterr().err
