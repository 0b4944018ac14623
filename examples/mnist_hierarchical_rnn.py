"""A digit read line by line: one LSTM describes each row of pixels, another reads the rows (Li et al.,
arXiv:1506.01057).

Run: python examples/mnist_hierarchical_rnn.py [--fast]
"""

import sys

import pykeras
from pykeras.datasets import mnist
from pykeras.layers import LSTM, Dense, Input, TimeDistributed
from pykeras.models import Model

fast = "--fast" in sys.argv
digits, tests, units, batch, epochs = (3000, 1000, 32, 32, 2) if fast else (60000, 10000, 128, 32, 5)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (
    x.reshape(-1, 28, 28, 1).astype("float32") / 255 for x in (x_train[:digits], x_test[:tests])
)
y_train, y_test = (pykeras.utils.to_categorical(y, 10) for y in (y_train[:digits], y_test[:tests]))

picture = Input(shape=x_train.shape[1:])  # rows, columns, 1
rows = TimeDistributed(LSTM(units))(picture)  # rows, units
whole = LSTM(units)(rows)
digit = Dense(10, activation="softmax")(whole)
model = Model(picture, digit)
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(
    x_train,
    y_train,
    batch_size=batch,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=(x_test, y_test),
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
