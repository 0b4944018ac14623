"""A small convolutional network with batch normalization on colour pictures of 32×32, mirrored at random.

Needs an `.npz` file with x_train (n, 32, 32, 3) uint8, y_train, x_test, y_test; its path comes first.
"""

import sys

import numpy as np

from pykeras.callbacks import LearningRateScheduler
from pykeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from pykeras.models import Sequential
from pykeras.optimizers import Adam
from pykeras.regularizers import l2
from pykeras.utils import to_categorical

EPOCHS = 12

with np.load(sys.argv[1] if len(sys.argv) > 1 else "cifar10.npz") as data:
    x_train, x_test = (data[name].astype("float32") / 127.5 - 1 for name in ("x_train", "x_test"))
    y_train, y_test = (to_categorical(data[name], 10) for name in ("y_train", "y_test"))
x_train = np.concatenate([x_train, x_train[:, :, ::-1]])
y_train = np.concatenate([y_train, y_train])

model = Sequential()
first = {"input_shape": (32, 32, 3)}
for filters in (32, 64, 128):
    for _ in range(2):
        model.add(
            Conv2D(filters, (3, 3), padding="same", kernel_regularizer=l2(1e-4), use_bias=False, **first)
        )
        model.add(BatchNormalization())
        model.add(Activation("relu"))
        first = {}
    model.add(MaxPooling2D())
    model.add(Dropout(0.2))
model.add(GlobalAveragePooling2D())
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(), metrics=["accuracy"])


def cosine(epoch):
    """Learning rate from 0.002 down to almost nothing along half a cosine."""
    return float(0.001 * (1 + np.cos(np.pi * epoch / EPOCHS)) + 1e-5)


model.fit(
    x_train,
    y_train,
    batch_size=64,
    epochs=EPOCHS,
    validation_data=(x_test, y_test),
    callbacks=[LearningRateScheduler(cosine)],
)
