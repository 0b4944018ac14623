"""A layer of one's own: the antirectifier keeps what ReLU throws away.

Each sample is centred and scaled to length 1; then the positive and the negative part are put side by
side, so nothing is lost and the output is twice as wide. On MNIST it trains about as well as a network of
twice its width with ReLU.

Run: python examples/antirectifier.py [--fast]
"""

import sys

import pykeras
from pykeras import backend as K
from pykeras import layers
from pykeras.datasets import mnist

fast = "--fast" in sys.argv
digits, epochs = (6000, 2) if fast else (60000, 40)


class Antirectifier(layers.Layer):
    """(samples, features) to (samples, 2 · features); no weights."""

    def compute_output_shape(self, input_shape):
        assert len(input_shape) == 2, "only for 2D inputs"
        return (input_shape[0], 2 * input_shape[1])

    def call(self, inputs):
        inputs -= K.mean(inputs, axis=1, keepdims=True)
        inputs = K.l2_normalize(inputs, axis=1)
        return K.concatenate([K.relu(inputs), K.relu(-inputs)], axis=1)


(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train[:digits], x_test))
y_train, y_test = (pykeras.utils.to_categorical(y, 10) for y in (y_train[:digits], y_test))

model = pykeras.models.Sequential(
    [
        layers.Dense(256, input_shape=(784,)),
        Antirectifier(),
        layers.Dropout(0.1),
        layers.Dense(256),
        Antirectifier(),
        layers.Dropout(0.1),
        layers.Dense(10),
        layers.Activation("softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(
    x_train,
    y_train,
    batch_size=128,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=(x_test, y_test),
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {accuracy:.4f}")
