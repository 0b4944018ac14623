"""Residual networks on CIFAR-10, version 1 (He et al., arXiv:1512.03385) and version 2 (arXiv:1603.05027).

    n   depth v1   accuracy by the papers   depth v2   accuracy by the papers
    3   20         91.25                    29
    9   56         93.03                    83
    18  110        93.39                    164        94.54

The data are those of keras.datasets.cifar10, or an .npz file with x_train (n, 32, 32, 3) uint8, y_train,
x_test, y_test.

Run: python examples/cifar10_resnet.py [--fast] [--version 2] [--n 3] [--data pictures.npz]
"""

import argparse
import os

import numpy as np

import pykeras
from pykeras.callbacks import LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from pykeras.datasets import cifar10
from pykeras.layers import Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Flatten, Input
from pykeras.models import Model
from pykeras.optimizers import Adam
from pykeras.preprocessing.image import ImageDataGenerator
from pykeras.regularizers import l2

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="600 pictures, the smallest network")
parser.add_argument("--version", type=int, default=1, choices=(1, 2))
parser.add_argument("--n", type=int, help="blocks in each of the three stages; 3 unless --fast")
parser.add_argument("--epochs", type=int)
parser.add_argument("--data", help="an .npz file instead of the published data set")
parser.add_argument("--as-they-are", action="store_true", help="do not change the pictures at random")
options = parser.parse_args()
pictures, tests, epochs = (600, 200, 2) if options.fast else (50000, 10000, 200)
epochs = options.epochs or epochs
blocks = options.n or (1 if options.fast else 3)
BATCH, CLASSES = 32, 10


def schedule(epoch):
    """A thousandth at first, then a tenth of it after 80, 120 and 160 epochs, and half of that after 180."""
    rate = 1e-3
    for start, factor in ((180, 0.5e-3), (160, 1e-3), (120, 1e-2), (80, 1e-1)):
        if epoch > start:
            rate *= factor
            break
    print("learning rate:", rate)
    return rate


def conv(x, filters, size=3, strides=1, normalize=True, activate=True, before=False):
    """Convolution, normalization, activation; with `before`, the convolution comes last."""
    layer = Conv2D(
        filters,
        kernel_size=size,
        strides=strides,
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=l2(1e-4),
    )
    if not before:
        x = layer(x)
    if normalize:
        x = BatchNormalization()(x)
    if activate:
        x = Activation("relu")(x)
    return layer(x) if before else x


def resnet_v1(shape, blocks):
    """6 · blocks + 2 layers: stages of 16, 32 and 64 filters, blocks of two convolutions."""
    picture = Input(shape=shape)
    x = conv(picture, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            y = conv(conv(x, filters, strides=strides), filters, activate=False)
            if strides == 2:  # the shortcut has to fit the new shape
                x = conv(x, filters, size=1, strides=2, normalize=False, activate=False)
            x = Activation("relu")(pykeras.layers.add([x, y]))
    return picture, x


def resnet_v2(shape, blocks):
    """9 · blocks + 2 layers: normalize and activate before convolving; blocks with a bottleneck."""
    picture = Input(shape=shape)
    x = conv(picture, 16)
    for stage, (inner, outer) in enumerate(((16, 64), (64, 128), (128, 256))):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            untouched = stage == 0 and block == 0  # normalized and activated already
            y = conv(
                x,
                inner,
                size=1,
                strides=strides,
                normalize=not untouched,
                activate=not untouched,
                before=True,
            )
            y = conv(y, inner, before=True)
            y = conv(y, outer, size=1, before=True)
            if block == 0:
                x = conv(x, outer, size=1, strides=strides, normalize=False, activate=False)
            x = pykeras.layers.add([x, y])
    return picture, Activation("relu")(BatchNormalization()(x))


if options.data:
    with np.load(options.data) as data:
        (x_train, y_train), (x_test, y_test) = ((data[f"x_{p}"], data[f"y_{p}"]) for p in ("train", "test"))
else:
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train, x_test = (x.astype("float32") / 255 for x in (x_train[:pictures], x_test[:tests]))
mean = np.mean(x_train, axis=0)
x_train -= mean
x_test -= mean
y_train, y_test = (pykeras.utils.to_categorical(y, CLASSES) for y in (y_train[:pictures], y_test[:tests]))

picture, features = (resnet_v1 if options.version == 1 else resnet_v2)(x_train.shape[1:], blocks)
pooled = Flatten()(AveragePooling2D(pool_size=8)(features))
outputs = Dense(CLASSES, activation="softmax", kernel_initializer="he_normal")(pooled)
model = Model(inputs=picture, outputs=outputs)
model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=schedule(0)), metrics=["accuracy"])
if not options.fast:
    model.summary()
depth = blocks * (6 if options.version == 1 else 9) + 2
print(f"ResNet{depth}v{options.version}")

os.makedirs("saved_models", exist_ok=True)
name = f"cifar10_ResNet{depth}v{options.version}_model.{{epoch:03d}}.h5"
callbacks = [
    ModelCheckpoint(os.path.join("saved_models", name), monitor="val_acc", verbose=1, save_best_only=True),
    ReduceLROnPlateau(factor=np.sqrt(0.1), cooldown=0, patience=5, min_lr=0.5e-6),
    LearningRateScheduler(schedule),
]
verbose = 2 if options.fast else 1
if options.as_they_are:
    history = model.fit(
        x_train,
        y_train,
        batch_size=BATCH,
        epochs=epochs,
        verbose=verbose,
        validation_data=(x_test, y_test),
        shuffle=True,
        callbacks=callbacks,
    )
else:
    changed = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
    changed.fit(x_train)
    history = model.fit_generator(
        changed.flow(x_train, y_train, batch_size=BATCH),
        validation_data=(x_test, y_test),
        epochs=epochs,
        verbose=verbose,
        workers=4,
        callbacks=callbacks,
    )

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
