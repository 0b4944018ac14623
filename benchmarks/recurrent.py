"""Recurrent models in pykeras and tf_keras, with the protocol of compare.py.

    python benchmarks/recurrent.py [case …] [options of compare.py]

Cases: imdb (an LSTM of 128 units over 80 words, batch 32), imdb_dropout (the same with dropout and
recurrent_dropout of 0.2), characters (an LSTM of 128 units over 40 one-hot characters, batch 128), gru_stack
(two bidirectional GRUs of 64 units over 50 steps, batch 32).
"""

import os
import sys
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models

Rate = dict[str, float]

# What Keras 2.1.6 meant by an LSTM or GRU; tf_keras has other defaults.
GATES = {"recurrent_activation": "hard_sigmoid"}


def imdb(keras: ModuleType, rate: Rate, drop: float = 0.0) -> Any:
    """Sentiment of a review: 80 words of a vocabulary of 20,000."""
    model = keras.models.Sequential()
    model.add(keras.layers.Embedding(20000, 128, input_length=80))
    more = {"dropout": drop, "recurrent_dropout": drop, "implementation": 1} if drop else {}
    model.add(keras.layers.LSTM(128, **GATES, **more))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(**rate), metrics=["accuracy"])
    return model


def imdb_dropout(keras: ModuleType, rate: Rate) -> Any:
    """The same as the example of Keras trains it: a mask for every gate, on the inputs and on the state."""
    return imdb(keras, rate, drop=0.2)


def characters(keras: ModuleType, rate: Rate) -> Any:
    """The next of 57 characters, after 40."""
    model = keras.models.Sequential()
    model.add(keras.layers.LSTM(128, input_shape=(40, 57), **GATES))
    model.add(keras.layers.Dense(57, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(**rate))
    return model


def gru_stack(keras: ModuleType, rate: Rate) -> Any:
    """Two bidirectional GRUs on 50 steps of 32 features."""
    model = keras.models.Sequential()
    layers = keras.layers
    gru = {"reset_after": False, **GATES}
    first = layers.GRU(64, return_sequences=True, **gru)
    model.add(layers.Bidirectional(first, input_shape=(50, 32)))
    model.add(layers.Bidirectional(layers.GRU(64, **gru)))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(**rate))
    return model


def words(random: np.random.RandomState, n: int) -> models.Arrays:
    """80 word numbers, rare words rarer, and a yes or no."""
    x = np.minimum(random.zipf(1.3, size=(n, 80)), 19999).astype("int32")
    return x, random.randint(2, size=(n, 1)).astype("float32")


def letters(random: np.random.RandomState, n: int) -> models.Arrays:
    """40 characters and the next one, one-hot."""
    eye = np.eye(57, dtype="float32")
    return eye[random.randint(57, size=(n, 40))], eye[random.randint(57, size=n)]


def signals(random: np.random.RandomState, n: int) -> models.Arrays:
    """50 steps of 32 features and one of ten classes."""
    x = random.randn(n, 50, 32).astype("float32")
    return x, np.eye(10, dtype="float32")[random.randint(10, size=n)]


CASES = {
    "imdb": models.Case(imdb, words, 0.001, (1, 32), (32,), True),
    "imdb_dropout": models.Case(imdb_dropout, words, 0.001, (32,), (32,), False),
    "characters": models.Case(characters, letters, 0.01, (1, 128), (128,), True),
    "gru_stack": models.Case(gru_stack, signals, 0.001, (1, 32), (32,), True),
}


def main() -> int:
    """Run these cases instead of those of compare.py."""
    import compare  # not for the workers, which import the cases

    models.CASES.clear()
    models.CASES.update(CASES)
    return compare.main()


if __name__ == "__main__":
    sys.exit(main())
