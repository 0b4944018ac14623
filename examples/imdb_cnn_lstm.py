"""Film reviews, good or bad: a convolution shortens the review before an LSTM reads it.

Run: python examples/imdb_cnn_lstm.py [--fast]
"""

import sys

from pykeras.datasets import imdb
from pykeras.layers import LSTM, Activation, Conv1D, Dense, Dropout, Embedding, MaxPooling1D
from pykeras.models import Sequential
from pykeras.preprocessing import sequence

fast = "--fast" in sys.argv
words, length, units, reviews, epochs = (2000, 60, 32, 3000, 2) if fast else (20000, 100, 70, 25000, 2)

(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train, x_test = (sequence.pad_sequences(x[:reviews], maxlen=length) for x in (x_train, x_test))
y_train, y_test = y_train[:reviews], y_test[:reviews]

model = Sequential()
model.add(Embedding(words, 128, input_length=length))
model.add(Dropout(0.25))
model.add(Conv1D(64, 5, padding="valid", activation="relu", strides=1))
model.add(MaxPooling1D(pool_size=4))
model.add(LSTM(units))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    x_train, y_train, batch_size=30, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=30, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
