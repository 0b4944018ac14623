"""Convolutions on MNIST: about 99 % after a few epochs, the best weights kept.

Needs `mnist.npz` with the arrays x_train, y_train, x_test, y_test; its path is the first argument.
"""

import sys

import numpy as np

from pykeras.callbacks import EarlyStopping, ModelCheckpoint
from pykeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential, load_model
from pykeras.optimizers import Adadelta
from pykeras.utils import to_categorical

with np.load(sys.argv[1] if len(sys.argv) > 1 else "mnist.npz") as data:
    x_train, x_test = (data[name][..., np.newaxis].astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = (to_categorical(data[name], 10) for name in ("y_train", "y_test"))

model = Sequential(
    [
        Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Dropout(0.25),
        Flatten(),
        Dense(128, activation="relu"),
        Dropout(0.5),
        Dense(10, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer=Adadelta(lr=1.0), metrics=["accuracy"])

keep_best = ModelCheckpoint("mnist_cnn.h5", monitor="val_acc", save_best_only=True, verbose=1)
stop = EarlyStopping(monitor="val_loss", patience=2)
model.fit(x_train, y_train, batch_size=128, epochs=4, validation_split=0.1, callbacks=[keep_best, stop])

best = load_model("mnist_cnn.h5")
loss, accuracy = best.evaluate(x_test, y_test, verbose=0)
print(f"Test loss {loss:.4f}, accuracy {accuracy:.4f}")
