"""Dense layers and dropout on MNIST: about 98 % after some epochs.

Needs `mnist.npz` with the arrays x_train, y_train, x_test, y_test; its path is the first argument.
"""

import sys

import numpy as np

from pykeras.layers import Dense, Dropout
from pykeras.models import Sequential
from pykeras.optimizers import RMSprop
from pykeras.utils import to_categorical

with np.load(sys.argv[1] if len(sys.argv) > 1 else "mnist.npz") as data:
    x_train, x_test = (data[name].reshape(-1, 784).astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = (to_categorical(data[name], 10) for name in ("y_train", "y_test"))

model = Sequential()
model.add(Dense(512, activation="relu", input_shape=(784,)))
model.add(Dropout(0.2))
model.add(Dense(512, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer=RMSprop(), metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=128, epochs=5, validation_data=(x_test, y_test))
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss {loss:.4f}, accuracy {accuracy:.4f}")
