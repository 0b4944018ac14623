"""The main job: train a small CNN on handwritten digits, save it, load it, predict, draw what came of it."""

import os

import numpy as np

from pykeras.callbacks import Callback
from pykeras.datasets import digits
from pykeras.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential, load_model
from pykeras.optimizers import Adam
from pykeras.utils import to_categorical

from . import figure

NUM_CLASSES = 10


def build_model() -> Sequential:
    """Build and compile the network: two convolutions, pooling, two dense layers; 8×8 grey pictures in."""
    model = Sequential()
    model.add(Conv2D(32, (3, 3), padding="same", use_bias=False, input_shape=(8, 8, 1)))
    model.add(BatchNormalization(momentum=0.9))
    model.add(Activation("relu"))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))
    model.add(Flatten())
    model.add(Dense(128, activation="relu"))
    model.add(Dropout(0.5))
    model.add(Dense(NUM_CLASSES, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.002), metrics=["accuracy"])
    return model


def run(
    epochs: int = 20,
    batch_size: int = 32,
    folder: str | os.PathLike = ".",
    seed: int = 1,
    verbose: int = 1,
    callbacks: list[Callback] | None = None,
) -> float:
    """Run the whole job.

    Args:
        epochs: passes over the 1,442 training pictures.
        batch_size: pictures per step.
        folder: where `digits.h5` and `digits.png` are written.
        seed: makes the run reproducible.
        verbose: 1 progress bar, 2 one line per epoch, 0 silent; as in `fit`.
        callbacks: passed on to `fit`.

    Returns:
        the accuracy on the test pictures, 0 to 1.

    Raises:
        OSError: a file cannot be written.
        RuntimeError: the model read back from the file predicts something else.
    """
    np.random.seed(seed)

    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train = x_train[..., np.newaxis].astype("float32") / 16
    x_test = x_test[..., np.newaxis].astype("float32") / 16

    model = build_model()
    if verbose:
        model.summary()
    history = model.fit(
        x_train,
        to_categorical(y_train, NUM_CLASSES),
        batch_size=batch_size,
        epochs=epochs,
        verbose=verbose,
        callbacks=callbacks,
        validation_data=(x_test, to_categorical(y_test, NUM_CLASSES)),
    )

    model_path = os.path.join(folder, "digits.h5")
    model.save(model_path)
    restored = load_model(model_path)
    probabilities = model.predict(x_test)
    if not np.array_equal(restored.predict(x_test), probabilities):
        raise RuntimeError(f"the model read from {model_path} does not predict what the saved one did")

    picture_path = os.path.join(folder, "digits.png")
    figure.draw(picture_path, history.history, x_test[..., 0], y_test, probabilities)

    accuracy = float(np.mean(probabilities.argmax(axis=1) == y_test))
    if verbose:
        print(f"Validation accuracy: {accuracy:.4f}")
        print(f"Saved, loaded back, predictions equal: {model_path}")
        print(f"Learning curve and predictions: {picture_path}")
    return accuracy
