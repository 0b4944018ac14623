"""The same digit or not? One network describes both pictures, and close descriptions mean the same digit.

The contrastive loss (Hadsell, Chopra and LeCun, 2006) pulls pairs of one digit together and pushes others
apart until their distance is 1.

Run: python examples/mnist_siamese.py [--fast]
"""

import sys

import numpy as np

from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import Dense, Dropout, Flatten, Input, Lambda
from pykeras.models import Model
from pykeras.optimizers import RMSprop

fast = "--fast" in sys.argv
digits, tests, epochs = (4000, 1000, 2) if fast else (60000, 10000, 20)


def distance(vectors):
    """Euclidean distance between two batches of vectors: (samples, 1)."""
    a, b = vectors
    squares = K.sum(K.square(a - b), axis=1, keepdims=True)
    return K.sqrt(K.maximum(squares, K.epsilon()))


def distance_shape(shapes):
    return (shapes[0][0], 1)


def contrastive_loss(same, apart):
    margin = 1
    return K.mean(same * K.square(apart) + (1 - same) * K.square(K.maximum(margin - apart, 0)))


def told_right(same, apart):
    """Share of the pairs whose distance is on the right side of one half."""
    return K.mean(K.equal(same, K.cast(apart < 0.5, same.dtype)))


def make_pairs(x, y):
    """Pairs of neighbours of one digit (label 1) and pairs with another digit (label 0), in turn."""
    random = np.random.RandomState(0)
    places = [np.flatnonzero(y == digit) for digit in range(10)]
    each = min(len(place) for place in places) - 1
    pairs, labels = [], []
    for digit in range(10):
        for i in range(each):
            other = (digit + random.randint(1, 10)) % 10
            here, following, elsewhere = places[digit][i], places[digit][i + 1], places[other][i]
            pairs += [(x[here], x[following]), (x[here], x[elsewhere])]
            labels += [1, 0]
    return np.array(pairs), np.array(labels)


def describer(shape):
    picture = Input(shape=shape)
    x = Flatten()(picture)
    for last in (False, False, True):
        x = Dense(128, activation="relu")(x)
        if not last:
            x = Dropout(0.1)(x)
    return Model(picture, x)


(x_train, y_train), (x_test, y_test) = mnist.load_data()
pairs_train, same_train = make_pairs(x_train[:digits].astype("float32") / 255, y_train[:digits])
pairs_test, same_test = make_pairs(x_test[:tests].astype("float32") / 255, y_test[:tests])

describe = describer((28, 28))
left, right = Input(shape=(28, 28)), Input(shape=(28, 28))
apart = Lambda(distance, output_shape=distance_shape)([describe(left), describe(right)])
model = Model([left, right], apart)
model.compile(loss=contrastive_loss, optimizer=RMSprop(), metrics=[told_right])
model.fit(
    [pairs_train[:, 0], pairs_train[:, 1]],
    same_train,
    batch_size=128,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=([pairs_test[:, 0], pairs_test[:, 1]], same_test),
)

for name, pairs, same in (("training", pairs_train, same_train), ("test", pairs_test, same_test)):
    guess = model.predict([pairs[:, 0], pairs[:, 1]])
    print(f"{name} accuracy: {np.mean((guess.ravel() < 0.5) == same):.4f}")
