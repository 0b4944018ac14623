"""A plain recurrent network that reads a digit pixel by pixel, 784 steps (Le, Jaitly and Hinton,
arXiv:1504.00941).

What makes so long a memory possible: recurrent weights that begin as the identity, and ReLU. It needs
patience.

Run: python examples/mnist_irnn.py [--fast]
"""

import sys

import pykeras
from pykeras import initializers
from pykeras.datasets import mnist
from pykeras.layers import Activation, Dense, SimpleRNN
from pykeras.models import Sequential
from pykeras.optimizers import RMSprop

fast = "--fast" in sys.argv
digits, tests, units, epochs, rate = (2000, 500, 50, 20, 1e-3) if fast else (60000, 10000, 100, 200, 1e-6)
every = 4 if fast else 1  # every fourth row and column only: 49 steps, which are learned in seconds

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x[:, ::every, ::every] for x in (x_train[:digits], x_test[:tests]))
x_train, x_test = (x.reshape(len(x), -1, 1).astype("float32") / 255 for x in (x_train, x_test))
y_train, y_test = (pykeras.utils.to_categorical(y, 10) for y in (y_train[:digits], y_test[:tests]))
print("shapes:", x_train.shape, x_test.shape)

model = Sequential()
model.add(
    SimpleRNN(
        units,
        kernel_initializer=initializers.RandomNormal(stddev=0.001),
        recurrent_initializer=initializers.Identity(gain=1.0),
        activation="relu",
        input_shape=x_train.shape[1:],
    )
)
model.add(Dense(10))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=rate), metrics=["accuracy"])
history = model.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
print(f"test accuracy: {accuracy:.4f}")
