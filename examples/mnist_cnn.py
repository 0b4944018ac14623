"""Convolutions on MNIST: the best weights are kept in a file and read back.

Works with both image data formats (`image_data_format` in keras.json).

Run: python examples/mnist_cnn.py [--fast]
"""

import sys

import pykeras
from pykeras import backend as K
from pykeras.callbacks import EarlyStopping, ModelCheckpoint
from pykeras.datasets import mnist
from pykeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential, load_model

fast = "--fast" in sys.argv
digits, epochs = (4000, 2) if fast else (60000, 12)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train = x_train[:digits], y_train[:digits]
if fast:
    x_test, y_test = x_test[:1000], y_test[:1000]
shape = (1, 28, 28) if K.image_data_format() == "channels_first" else (28, 28, 1)
x_train, x_test = (x.reshape(-1, *shape).astype("float32") / 255 for x in (x_train, x_test))
y_train, y_test = (pykeras.utils.to_categorical(y, 10) for y in (y_train, y_test))

model = Sequential(
    [
        Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=shape),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Dropout(0.25),
        Flatten(),
        Dense(128, activation="relu"),
        Dropout(0.5),
        Dense(10, activation="softmax"),
    ]
)
model.compile(
    loss=pykeras.losses.categorical_crossentropy,
    optimizer=pykeras.optimizers.Adadelta(),
    metrics=["accuracy"],
)

keep_best = ModelCheckpoint("mnist_cnn.h5", monitor="val_acc", save_best_only=True, verbose=1)
stop = EarlyStopping(monitor="val_loss", patience=2)
model.fit(
    x_train,
    y_train,
    batch_size=128,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_split=0.1,
    callbacks=[keep_best, stop],
)

best = load_model("mnist_cnn.h5")
loss, accuracy = best.evaluate(x_test, y_test, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
