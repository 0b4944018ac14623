"""Film reviews, good or bad: a convolution over the words, its largest answers, a dense layer.

Run: python examples/imdb_cnn.py [--fast]
"""

import sys

from pykeras.datasets import imdb
from pykeras.layers import Activation, Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D
from pykeras.models import Sequential
from pykeras.preprocessing import sequence

fast = "--fast" in sys.argv
words, length, reviews, epochs = (5000, 80, 2000, 3) if fast else (5000, 400, 25000, 2)

(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train, x_test = (sequence.pad_sequences(x[:reviews], maxlen=length) for x in (x_train, x_test))
y_train, y_test = y_train[:reviews], y_test[:reviews]

model = Sequential()
model.add(Embedding(words, 50, input_length=length))
model.add(Dropout(0.2))
model.add(Conv1D(250, 3, padding="valid", activation="relu", strides=1))
model.add(GlobalMaxPooling1D())
model.add(Dense(250))
model.add(Dropout(0.2))
model.add(Activation("relu"))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {accuracy:.4f}")
