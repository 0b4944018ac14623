"""ReLU with dropout against SELU with alpha dropout on the newswires (Klambauer et al., arXiv:1706.02515).

Both are six hidden layers deep. SELU normalizes itself and learns faster here; whether it ends better
depends on the data.

Run: python examples/reuters_mlp_relu_vs_selu.py [--fast]
"""

import sys

import numpy as np

import pykeras
from pykeras.datasets import reuters
from pykeras.layers import Activation, AlphaDropout, Dense, Dropout
from pykeras.models import Sequential
from pykeras.preprocessing.text import Tokenizer

fast = "--fast" in sys.argv
words, newswires, epochs = (500, 3000, 6) if fast else (1000, None, 40)

COMMON = {"depth": 6, "units": 16, "classes": 46, "optimizer": "sgd", "words": words}
RELU = {"dropout": Dropout, "rate": 0.5, "activation": "relu", "initializer": "glorot_uniform"}
SELU = {"dropout": AlphaDropout, "rate": 0.1, "activation": "selu", "initializer": "lecun_normal"}


def network(depth, units, classes, optimizer, words, dropout, rate, activation, initializer):
    """A stack of `depth` blocks of Dense, activation and dropout (its layer class), then a softmax."""
    model = Sequential()
    for block in range(depth):
        shape = {"input_shape": (words,)} if block == 0 else {}
        model.add(Dense(units, kernel_initializer=initializer, **shape))
        model.add(Activation(activation))
        model.add(dropout(rate))
    model.add(Dense(classes))
    model.add(Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


(x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=words, test_split=0.2)
tokenizer = Tokenizer(num_words=words)
x_train, x_test = (tokenizer.sequences_to_matrix(x, mode="binary") for x in (x_train[:newswires], x_test))
y_train, y_test = (pykeras.utils.to_categorical(y, 46) for y in (y_train[:newswires], y_test))

for name, choices in (("relu", RELU), ("selu", SELU)):
    print(f"\n{name}")
    model = network(**COMMON, **choices)
    history = model.fit(
        x_train, y_train, batch_size=16, epochs=epochs, verbose=2 if fast else 1, validation_split=0.1
    ).history
    loss, accuracy = model.evaluate(x_test, y_test, batch_size=16, verbose=0)
    print(f"{name} first val_loss: {history['val_loss'][0]:.4f}")
    print(f"{name} last val_loss: {history['val_loss'][-1]:.4f}")
    print(f"{name} best val_acc: {np.max(history['val_acc']):.4f}")
    print(f"{name} test accuracy: {accuracy:.4f}")
