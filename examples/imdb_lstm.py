"""Film reviews, good or bad, read word by word by an LSTM with dropout inside.

The set is small for an LSTM: simpler models do as well (imdb_fasttext.py). The choice of optimizer and
batch size matters more than the size of the network.

Run: python examples/imdb_lstm.py [--fast]
"""

import sys

from pykeras.datasets import imdb
from pykeras.layers import LSTM, Dense, Embedding
from pykeras.models import Sequential
from pykeras.preprocessing import sequence

fast = "--fast" in sys.argv
words, length, units, reviews, epochs = (2000, 40, 32, 3000, 2) if fast else (20000, 80, 128, 25000, 15)

(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train, x_test = (sequence.pad_sequences(x[:reviews], maxlen=length) for x in (x_train, x_test))
y_train, y_test = y_train[:reviews], y_test[:reviews]
print("shapes:", x_train.shape, x_test.shape)

model = Sequential()
model.add(Embedding(words, units))
model.add(LSTM(units, dropout=0.2, recurrent_dropout=0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
