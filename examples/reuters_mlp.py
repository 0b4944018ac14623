"""Which of 46 subjects is a newswire about? A bag of words and two dense layers.

Run: python examples/reuters_mlp.py [--fast]
"""

import sys

import numpy as np

import pykeras
from pykeras.datasets import reuters
from pykeras.layers import Activation, Dense, Dropout
from pykeras.models import Sequential
from pykeras.preprocessing.text import Tokenizer

fast = "--fast" in sys.argv
words, epochs = (500, 3) if fast else (1000, 5)

(x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=words, test_split=0.2)
classes = int(np.max(y_train)) + 1
print(f"{len(x_train)} newswires to learn from, {len(x_test)} to be tested on, {classes} subjects")

# One column a word: 1 where the newswire holds it.
tokenizer = Tokenizer(num_words=words)
x_train, x_test = (tokenizer.sequences_to_matrix(x, mode="binary") for x in (x_train, x_test))
y_train, y_test = (pykeras.utils.to_categorical(y, classes) for y in (y_train, y_test))

model = Sequential()
model.add(Dense(512, input_shape=(words,)))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(classes))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_split=0.1)

loss, accuracy = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
