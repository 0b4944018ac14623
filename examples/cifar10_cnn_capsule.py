"""Capsules on CIFAR-10 (Sabour, Frosst and Hinton, arXiv:1710.09829): vectors vote for vectors.

The layer here lets all input capsules share their weights, so pictures may have any size. The length of an
output capsule says whether its class is present; the margin loss works on these lengths.

The data are those of keras.datasets.cifar10, or an .npz file with x_train (n, 32, 32, 3) uint8, y_train,
x_test, y_test.

Run: python examples/cifar10_cnn_capsule.py [--fast] [--data pictures.npz]
"""

import argparse

import numpy as np

from pykeras import activations, utils
from pykeras import backend as K
from pykeras.datasets import cifar10
from pykeras.layers import *
from pykeras.models import Model
from pykeras.preprocessing.image import ImageDataGenerator

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="500 pictures, a small network")
parser.add_argument("--data", help="an .npz file instead of the published data set")
options = parser.parse_args()
pictures, tests, width, epochs = (500, 200, 16, 3) if options.fast else (50000, 10000, 64, 100)
CLASSES = 10


def squash(x, axis=-1):
    """Keeps the direction; lengths go from 0 to 1, and only long vectors come near 1."""
    squares = K.sum(K.square(x), axis, keepdims=True) + K.epsilon()
    return x * K.sqrt(squares) / (0.5 + squares)


def softmax(x, axis=-1):
    """Softmax along any axis, from its parts."""
    powers = K.exp(x - K.max(x, axis=axis, keepdims=True))
    return powers / K.sum(powers, axis=axis, keepdims=True)


def margin_loss(y_true, y_pred):
    """Lengths of present classes above 0.9, of others below 0.1."""
    margin, weight = 0.1, 0.5
    present = y_true * K.square(K.relu(1 - margin - y_pred))
    absent = (1 - y_true) * K.square(K.relu(y_pred - margin))
    return K.sum(present + weight * absent, axis=-1)


class Capsule(Layer):
    """Capsules (batch, number, dimension) from capsules, by routing with agreement.

    Args:
        num_capsule: how many come out.
        dim_capsule: their dimension.
        routings: rounds of voting.
        share_weights: one matrix for all input capsules, or one for each.
        activation: of the outputs; 'squash' is the one above.
    """

    def __init__(
        self, num_capsule, dim_capsule, routings=3, share_weights=True, activation="squash", **kwargs
    ):
        super().__init__(**kwargs)
        self.num_capsule = num_capsule
        self.dim_capsule = dim_capsule
        self.routings = routings
        self.share_weights = share_weights
        self.activation = squash if activation == "squash" else activations.get(activation)

    def build(self, input_shape):
        in_number, in_dim = input_shape[-2:]
        self.kernel = self.add_weight(
            name="capsule_kernel",
            shape=(1 if self.share_weights else in_number, in_dim, self.num_capsule * self.dim_capsule),
            initializer="glorot_uniform",
            trainable=True,
        )

    def call(self, inputs):
        if self.share_weights:
            votes = K.conv1d(inputs, self.kernel)
        else:
            votes = K.local_conv1d(inputs, self.kernel, [1], [1])
        batch, number = K.shape(inputs)[0], K.shape(inputs)[1]
        votes = K.reshape(votes, (batch, number, self.num_capsule, self.dim_capsule))
        votes = K.permute_dimensions(votes, (0, 2, 1, 3))  # (batch, out, in, dimension)
        logits = K.zeros_like(votes[:, :, :, 0])  # (batch, out, in)
        for round_ in range(self.routings):
            shares = softmax(logits, 1)  # how each input divides its vote among the outputs
            outputs = self.activation(K.batch_dot(shares, votes, [2, 2]))  # (batch, out, dimension)
            if round_ < self.routings - 1:
                logits += K.batch_dot(outputs, votes, [2, 3])  # those who agree count more next time
        return outputs

    def compute_output_shape(self, input_shape):
        return (None, self.num_capsule, self.dim_capsule)


if options.data:
    with np.load(options.data) as data:
        (x_train, y_train), (x_test, y_test) = ((data[f"x_{p}"], data[f"y_{p}"]) for p in ("train", "test"))
else:
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train, x_test = (x.astype("float32") / 255 for x in (x_train[:pictures], x_test[:tests]))
y_train, y_test = (utils.to_categorical(y, CLASSES) for y in (y_train[:pictures], y_test[:tests]))

picture = Input(shape=(None, None, 3))
x = picture
for block, filters in enumerate((width, 2 * width)):
    x = Conv2D(filters, (3, 3), activation="relu")(x)
    x = Conv2D(filters, (3, 3), activation="relu")(x)
    if block == 0:
        x = AveragePooling2D((2, 2))(x)
x = Reshape((-1, 2 * width))(x)  # every place is a capsule
capsules = Capsule(CLASSES, 16, 3, True)(x)
lengths = Lambda(lambda z: K.sqrt(K.sum(K.square(z), 2)), output_shape=(CLASSES,))(capsules)
model = Model(inputs=picture, outputs=lengths)
model.compile(loss=margin_loss, optimizer="adam", metrics=["accuracy"])
model.summary()

changed = ImageDataGenerator(
    width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True, fill_mode="nearest"
)
changed.fit(x_train)
history = model.fit_generator(
    changed.flow(x_train, y_train, batch_size=32 if options.fast else 128),
    epochs=epochs,
    verbose=2 if options.fast else 1,
    validation_data=(x_test, y_test),
    workers=4,
)
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
print(f"test accuracy: {history.history['val_acc'][-1]:.4f}")
