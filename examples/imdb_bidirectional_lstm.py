"""Film reviews, good or bad, read forwards and backwards by two LSTMs.

Run: python examples/imdb_bidirectional_lstm.py [--fast]
"""

import sys

import numpy as np

from pykeras.datasets import imdb
from pykeras.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from pykeras.models import Sequential
from pykeras.preprocessing import sequence

fast = "--fast" in sys.argv
words, length, units, reviews, epochs = (2000, 40, 16, 3000, 2) if fast else (20000, 100, 64, 25000, 4)

(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train, x_test = (sequence.pad_sequences(x[:reviews], maxlen=length) for x in (x_train, x_test))
y_train, y_test = np.array(y_train[:reviews]), np.array(y_test[:reviews])

model = Sequential()
model.add(Embedding(words, 2 * units, input_length=length))
model.add(Bidirectional(LSTM(units)))
model.add(Dropout(0.5))
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_data=[x_test, y_test]
)
print(f"test accuracy: {history.history['val_acc'][-1]:.4f}")
