"""Networks of the examples in pykeras and tf_keras, with the protocol of compare.py.

    python benchmarks/examples.py [case …] [options of compare.py]

Cases: irnn (SimpleRNN of 100 units over 784 pixels, batch 32), resnet20 (cifar10_resnet.py, version 1 with
n = 3, batch 32), hierarchical (LSTMs over rows and columns, batch 32), fasttext (an average of 400 word
vectors, batch 32), conv_lstm (four layers of 40 filters over 15 pictures, batch 4).
"""

import os
import sys
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models
from recurrent import GATES

Rate = dict[str, float]


def finish(keras: ModuleType, rate: Rate, model: Any, loss: str = "categorical_crossentropy") -> Any:
    """Compiles the model with Adam."""
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(**rate))
    return model


def irnn(keras: ModuleType, rate: Rate) -> Any:
    """mnist_irnn.py: 784 steps of one pixel."""
    layers = keras.layers
    first = layers.SimpleRNN(
        100,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
        recurrent_initializer=keras.initializers.Identity(gain=1.0),
        activation="relu",
        input_shape=(784, 1),
    )
    model = keras.models.Sequential([first, layers.Dense(10, activation="softmax")])
    return finish(keras, rate, model)


def resnet20(keras: ModuleType, rate: Rate) -> Any:
    """cifar10_resnet.py, version 1, n = 3."""
    layers = keras.layers

    def conv(x: Any, filters: int, size: int = 3, strides: int = 1, normalize: bool = True) -> Any:
        penalty = keras.regularizers.l2(1e-4)
        x = layers.Conv2D(
            filters,
            size,
            strides=strides,
            padding="same",
            kernel_initializer="he_normal",
            kernel_regularizer=penalty,
        )(x)
        return layers.BatchNormalization()(x) if normalize else x

    picture = layers.Input((32, 32, 3))
    x = layers.Activation("relu")(conv(picture, 16))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = conv(layers.Activation("relu")(conv(x, filters, strides=strides)), filters)
            if strides == 2:
                x = conv(x, filters, size=1, strides=2, normalize=False)
            x = layers.Activation("relu")(layers.add([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return finish(keras, rate, keras.models.Model(picture, layers.Dense(10, activation="softmax")(x)))


def hierarchical(keras: ModuleType, rate: Rate) -> Any:
    """mnist_hierarchical_rnn.py: an LSTM over each row, an LSTM over the rows."""
    layers = keras.layers
    picture = layers.Input((28, 28, 1))
    x = layers.TimeDistributed(layers.LSTM(128, **GATES))(picture)
    x = layers.LSTM(128, **GATES)(x)
    return finish(keras, rate, keras.models.Model(picture, layers.Dense(10, activation="softmax")(x)))


def fasttext(keras: ModuleType, rate: Rate) -> Any:
    """imdb_fasttext.py: an average of word vectors."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Embedding(20000, 50, input_length=400),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return finish(keras, rate, model, "binary_crossentropy")


def conv_lstm(keras: ModuleType, rate: Rate) -> Any:
    """conv_lstm.py: four layers on films of 15 pictures."""
    layers = keras.layers
    model = keras.models.Sequential()
    for number in range(4):
        shape = {} if number else {"input_shape": (15, 40, 40, 1)}
        model.add(layers.ConvLSTM2D(40, 3, padding="same", return_sequences=True, **GATES, **shape))
        model.add(layers.BatchNormalization())
    model.add(layers.Conv3D(1, 3, activation="sigmoid", padding="same"))
    return finish(keras, rate, model, "binary_crossentropy")


def pixels(shape: tuple[int, ...]) -> Any:
    """Random pictures and one of ten classes."""

    def make(random: np.random.RandomState, n: int) -> models.Arrays:
        x = random.uniform(size=(n, *shape)).astype("float32")
        return x, np.eye(10, dtype="float32")[random.randint(10, size=n)]

    return make


def reviews(random: np.random.RandomState, n: int) -> models.Arrays:
    """400 word numbers, rare words rarer, and a yes or no."""
    x = np.minimum(random.zipf(1.3, size=(n, 400)), 19999).astype("int32")
    return x, random.randint(2, size=(n, 1)).astype("float32")


def films(random: np.random.RandomState, n: int) -> models.Arrays:
    """Films of random dots."""
    x = (random.uniform(size=(n, 15, 40, 40, 1)) < 0.1).astype("float32")
    return x, x


CASES = {
    "irnn": models.Case(irnn, pixels((784, 1)), 1e-6, (32,), (32,), False),
    "resnet20": models.Case(resnet20, pixels((32, 32, 3)), 0.001, (1, 32), (32,), False),
    "hierarchical": models.Case(hierarchical, pixels((28, 28, 1)), 0.001, (32,), (32,), False),
    "fasttext": models.Case(fasttext, reviews, 0.001, (32,), (32,), False),
    "conv_lstm": models.Case(conv_lstm, films, 0.001, (1,), (4,), False),
}


def main() -> int:
    """Run these cases instead of those of compare.py."""
    import compare  # not for the workers, which import the cases

    models.CASES.clear()
    models.CASES.update(CASES)
    return compare.main()


if __name__ == "__main__":
    sys.exit(main())
