"""A convolutional network on CIFAR-10, with or without pictures changed at random.

The data are those of keras.datasets.cifar10, or an .npz file with x_train (n, 32, 32, 3) uint8, y_train,
x_test, y_test.

Run: python examples/cifar10_cnn.py [--fast] [--data pictures.npz]
"""

import argparse
import os

import numpy as np

import pykeras
from pykeras.datasets import cifar10
from pykeras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential
from pykeras.preprocessing.image import ImageDataGenerator

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="1,000 pictures, a small network")
parser.add_argument("--data", help="an .npz file instead of the published data set")
parser.add_argument("--as-they-are", action="store_true", help="do not change the pictures at random")
options = parser.parse_args()
pictures, tests, width, epochs = (1000, 500, 16, 3) if options.fast else (50000, 10000, 32, 100)
BATCH, CLASSES = 32, 10
folder = os.path.join(os.getcwd(), "saved_models")

if options.data:
    with np.load(options.data) as data:
        (x_train, y_train), (x_test, y_test) = ((data[f"x_{p}"], data[f"y_{p}"]) for p in ("train", "test"))
else:
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train, x_test = (x.astype("float32") / 255 for x in (x_train[:pictures], x_test[:tests]))
y_train, y_test = (pykeras.utils.to_categorical(y, CLASSES) for y in (y_train[:pictures], y_test[:tests]))
print("shapes:", x_train.shape, x_test.shape)

model = Sequential()
for block, filters in enumerate((width, 2 * width)):
    shape = {"input_shape": x_train.shape[1:]} if block == 0 else {}
    model.add(Conv2D(filters, (3, 3), padding="same", **shape))
    model.add(Activation("relu"))
    model.add(Conv2D(filters, (3, 3)))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(16 * width))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(CLASSES))
model.add(Activation("softmax"))

optimizer = pykeras.optimizers.rmsprop(lr=0.001 if options.fast else 0.0001, decay=1e-6)
model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])

verbose = 2 if options.fast else 1
if options.as_they_are:
    model.fit(
        x_train, y_train, batch_size=BATCH, epochs=epochs, verbose=verbose, validation_data=(x_test, y_test)
    )
else:
    changed = ImageDataGenerator(
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        rotation_range=0,
        width_shift_range=0.1,  # share of the width
        height_shift_range=0.1,
        horizontal_flip=True,
        vertical_flip=False,
    )
    changed.fit(x_train)  # needed for the featurewise options only
    model.fit_generator(
        changed.flow(x_train, y_train, batch_size=BATCH),
        epochs=epochs,
        verbose=verbose,
        validation_data=(x_test, y_test),
        workers=4,
    )

os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "cifar10_cnn.h5")
model.save(path)
print("model in", path)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
