"""A trained network grows wider or deeper and goes on from where it was (Chen, Goodfellow and Shlens,
arXiv:1511.05641).

Wider: units are copied, and what they send on is divided among the copies. Deeper: a layer that begins as
the identity is put in. For comparison new units begin with noise, and a new layer with the usual random
weights.

Run: python examples/mnist_net2net.py [--fast]
"""

import sys

import numpy as np

import pykeras
from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from pykeras.models import Sequential
from pykeras.optimizers import SGD

fast = "--fast" in sys.argv
digits, tests, width, epochs = (2000, 1000, 16, 1) if fast else (60000, 10000, 64, 3)
first = K.image_data_format() == "channels_first"
shape = (1, 28, 28) if first else (28, 28, 1)


def network(wide=width, deeper=None):
    """The teacher, or a student.

    Args:
        wide: filters of the first convolution and units of the first dense layer.
        deeper: None, or how a convolution and a dense layer more begin: "identity" or "random".
    """
    model = Sequential()
    model.add(Conv2D(wide, 3, input_shape=shape, padding="same", name="conv1"))
    model.add(MaxPooling2D(2, name="pool1"))
    model.add(Conv2D(width, 3, padding="same", name="conv2"))
    if deeper:
        weights = [identity_kernel(width), np.zeros(width)] if deeper == "identity" else None
        model.add(Conv2D(width, 3, padding="same", name="conv2-deeper", weights=weights))
    model.add(MaxPooling2D(2, name="pool2"))
    model.add(Flatten(name="flatten"))
    model.add(Dense(wide, activation="relu", name="fc1"))
    if deeper:
        # After a ReLU nothing is negative, so the identity with another ReLU changes nothing.
        start = "identity" if deeper == "identity" else "glorot_uniform"
        model.add(Dense(wide, activation="relu", kernel_initializer=start, name="fc1-deeper"))
    model.add(Dense(10, activation="softmax", name="fc2"))
    return model


def identity_kernel(filters):
    """A 3×3 convolution that gives back its input."""
    kernel = np.zeros((3, 3, filters, filters))
    kernel[1, 1] = np.eye(filters)
    return kernel


def widen(kernel, bias, following, width, copy):
    """Wider weights of a layer and of the one that follows it.

    Args:
        kernel: (…, inputs, units), of a convolution or a dense layer. bias: (units,).
        following: kernel of the next layer: (…, units, outputs).
        width: new number of units.
        copy: whether new units are copies of old ones (else small random numbers).
    """
    units = kernel.shape[-1]
    added = width - units
    if copy:
        source = np.random.randint(units, size=added)
        share = 1 / (1 + np.bincount(source, minlength=units))
        new_kernel = np.concatenate([kernel, kernel[..., source]], axis=-1)
        new_bias = np.concatenate([bias, bias[source]])
        shared = following * share[:, np.newaxis]
        # Copies that are bit for bit alike would learn alike for ever.
        noise = np.random.normal(0, 0.05 * following.std(), shared[..., source, :].shape)
        new_following = np.concatenate([shared, shared[..., source, :] + noise], axis=-2)
    else:
        new_kernel = np.concatenate([kernel, np.random.normal(0, 0.1, (*kernel.shape[:-1], added))], axis=-1)
        new_bias = np.concatenate([bias, np.zeros(added)])
        rows = (*following.shape[:-2], added, following.shape[-1])
        new_following = np.concatenate([following, np.random.normal(0, 0.1, rows)], axis=-2)
    return new_kernel, new_bias, new_following


def train(name, model, lr):
    model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=lr, momentum=0.9), metrics=["accuracy"])
    before = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"\n{name}: accuracy before training {before:.4f}")
    history = model.fit(
        x_train, y_train, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
    )
    print(f"{name} begins: {before:.4f}")
    print(f"{name} ends: {history.history['val_acc'][-1]:.4f}")


def take_over(student, teacher, except_for=()):
    for layer in teacher.layers:
        if layer.name not in except_for:
            student.get_layer(name=layer.name).set_weights(layer.get_weights())


def wider_student(copy):
    student = network(wide=2 * width)
    take_over(student, teacher, except_for=("conv1", "conv2", "fc1", "fc2"))
    for name, following in (("conv1", "conv2"), ("fc1", "fc2")):
        kernel, bias = teacher.get_layer(name).get_weights()
        next_kernel, next_bias = teacher.get_layer(following).get_weights()
        kernel, bias, next_kernel = widen(kernel, bias, next_kernel, 2 * width, copy)
        student.get_layer(name).set_weights([kernel, bias])
        student.get_layer(following).set_weights([next_kernel, next_bias])
    return student


def deeper_student(start):
    student = network(deeper=start)
    take_over(student, teacher)
    return student


(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, *shape).astype("float32") / 255 for x in (x_train[:digits], x_test[:tests]))
y_train, y_test = (pykeras.utils.to_categorical(y) for y in (y_train[:digits], y_test[:tests]))

teacher = network()
train("teacher", teacher, lr=0.01)
train("wider, random padding", wider_student(copy=False), lr=0.001)
train("wider, Net2Net", wider_student(copy=True), lr=0.001)
train("deeper, random layers", deeper_student("random"), lr=0.001)
train("deeper, Net2Net", deeper_student("identity"), lr=0.001)
