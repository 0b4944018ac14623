"""What was learned on the digits 0 to 4 helps with 5 to 9.

The network is two lists of layers: convolutions that describe a picture, dense layers that name it. After
a first training on the small digits the convolutions are frozen and only the naming is trained on the
large ones.

Run: python examples/mnist_transfer_cnn.py [--fast]
"""

import sys
from time import perf_counter

from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential
from pykeras.utils import to_categorical

fast = "--fast" in sys.argv
digits, tests, epochs = (4000, 1000, 1) if fast else (60000, 10000, 5)
shape = (1, 28, 28) if K.image_data_format() == "channels_first" else (28, 28, 1)


def train(model, train_set, test_set):
    """Compiles the model as it is now (so that `trainable` counts), trains it, returns the test accuracy."""
    (x_train, y_train), (x_test, y_test) = (
        (x.reshape(-1, *shape).astype("float32") / 255, to_categorical(y, 5))
        for x, y in (train_set, test_set)
    )
    model.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
    start = perf_counter()
    model.fit(
        x_train,
        y_train,
        batch_size=128,
        epochs=epochs,
        verbose=2 if fast else 1,
        validation_data=(x_test, y_test),
    )
    print(f"{perf_counter() - start:.1f} s of training")
    return model.evaluate(x_test, y_test, verbose=0)[1]


def halves(x, y):
    """The pictures of the digits below 5 and those from 5 on, each with labels from 0."""
    return (x[y < 5], y[y < 5]), (x[y >= 5], y[y >= 5] - 5)


(x_train, y_train), (x_test, y_test) = mnist.load_data()
small_train, large_train = halves(x_train[:digits], y_train[:digits])
small_test, large_test = halves(x_test[:tests], y_test[:tests])

describe = [
    Conv2D(32, 3, padding="valid", input_shape=shape),
    Activation("relu"),
    Conv2D(32, 3),
    Activation("relu"),
    MaxPooling2D(pool_size=2),
    Dropout(0.25),
    Flatten(),
]
name = [Dense(128), Activation("relu"), Dropout(0.5), Dense(5), Activation("softmax")]
model = Sequential(describe + name)

accuracy = train(model, small_train, small_test)
print(f"test accuracy 0 to 4: {accuracy:.4f}")

for layer in describe:
    layer.trainable = False
frozen = describe[0].get_weights()
accuracy = train(model, large_train, large_test)
assert (describe[0].get_weights()[0] == frozen[0]).all(), "frozen layers must stay as they are"
print(f"test accuracy 5 to 9: {accuracy:.4f}")
