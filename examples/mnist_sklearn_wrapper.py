"""Hyper-parameters of a network found by scikit-learn's grid search.

`KerasClassifier` takes a function that builds the model; the parameters of that function and those of
`fit` can be searched together. Needs scikit-learn.

Run: python examples/mnist_sklearn_wrapper.py [--fast]
"""

import sys

from sklearn.model_selection import GridSearchCV

from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential
from pykeras.utils import to_categorical
from pykeras.wrappers.scikit_learn import KerasClassifier

fast = "--fast" in sys.argv
digits, tests = (1500, 500) if fast else (60000, 10000)
shape = (1, 28, 28) if K.image_data_format() == "channels_first" else (28, 28, 1)


def make_model(dense_sizes, filters, kernel_size, pool_size):
    """Two convolutions, pooling, and dense layers of the given sizes."""
    model = Sequential()
    model.add(Conv2D(filters, kernel_size, padding="valid", input_shape=shape))
    model.add(Activation("relu"))
    model.add(Conv2D(filters, kernel_size))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=pool_size))
    model.add(Dropout(0.25))
    model.add(Flatten())
    for size in dense_sizes:
        model.add(Dense(size))
        model.add(Activation("relu"))
    model.add(Dropout(0.5))
    model.add(Dense(10))
    model.add(Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
    return model


(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, *shape).astype("float32") / 255 for x in (x_train[:digits], x_test[:tests]))
y_train, y_test = to_categorical(y_train[:digits], 10), to_categorical(y_test[:tests], 10)

classifier = KerasClassifier(make_model, batch_size=32)
choices = {
    "dense_sizes": [[32], [64, 64]],
    # epochs belongs to fit, the others to make_model
    "epochs": [1, 2] if fast else [3, 6],
    "filters": [8],
    "kernel_size": [3],
    "pool_size": [2],
}
search = GridSearchCV(classifier, choices, scoring="neg_log_loss", n_jobs=1, cv=2 if fast else 3)
search.fit(x_train, y_train.argmax(axis=1), verbose=0 if fast else 1)
print("the best parameters are", search.best_params_)

# The wrapper around the best model keeps it under `model`.
best = search.best_estimator_.model
values = best.evaluate(
    x_test, y_test if best.output_shape[-1] == y_test.shape[-1] else y_test.argmax(1), verbose=0
)
for name, value in zip(best.metrics_names, values):
    print(f"test {name}: {value:.4f}")
