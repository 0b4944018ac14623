"""Dense layers and dropout on MNIST.

Run: python examples/mnist_mlp.py [--fast]
"""

import sys

from pykeras.datasets import mnist
from pykeras.layers import Dense, Dropout
from pykeras.models import Sequential
from pykeras.optimizers import RMSprop
from pykeras.utils import to_categorical

fast = "--fast" in sys.argv
digits, epochs = (6000, 2) if fast else (60000, 20)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train[:digits], x_test))
y_train, y_test = to_categorical(y_train[:digits], 10), to_categorical(y_test, 10)

model = Sequential()
model.add(Dense(512, activation="relu", input_shape=(784,)))
model.add(Dropout(0.2))
model.add(Dense(512, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer=RMSprop(), metrics=["accuracy"])
model.fit(
    x_train,
    y_train,
    batch_size=128,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=(x_test, y_test),
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
