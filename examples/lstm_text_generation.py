"""Writes in the manner of Nietzsche, letter by letter, after reading him.

An LSTM sees 40 letters and guesses the next. After every epoch a callback lets it write, more carefully or
more boldly.

Run: python examples/lstm_text_generation.py [--fast]
"""

import sys

import numpy as np

from pykeras.callbacks import LambdaCallback
from pykeras.layers import LSTM, Activation, Dense
from pykeras.models import Sequential
from pykeras.optimizers import RMSprop
from pykeras.utils.data_utils import get_file

fast = "--fast" in sys.argv
letters, units, epochs, written = (30000, 64, 2, 60) if fast else (None, 128, 60, 400)
SEEN, STEP = 40, 3

path = get_file("nietzsche.txt", origin="https://s3.amazonaws.com/text-datasets/nietzsche.txt")
with open(path, encoding="utf-8") as file:
    text = file.read().lower()[:letters]
alphabet = sorted(set(text))
number = {letter: i for i, letter in enumerate(alphabet)}
print(f"{len(text)} letters, {len(alphabet)} different ones")

codes = np.array([number[letter] for letter in text])
starts = np.arange(0, len(text) - SEEN, STEP)
one_hot = np.eye(len(alphabet), dtype=bool)
x = one_hot[codes[starts[:, np.newaxis] + np.arange(SEEN)]]  # (windows, SEEN, letters)
y = one_hot[codes[starts + SEEN]]  # (windows, letters)

model = Sequential()
model.add(LSTM(units, input_shape=(SEEN, len(alphabet))))
model.add(Dense(len(alphabet)))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01))


def choose(probabilities, boldness):
    """A letter drawn from the probabilities, sharpened (below 1) or flattened (above 1)."""
    logits = np.log(probabilities.astype("float64") + 1e-12) / boldness
    weights = np.exp(logits - logits.max())
    return np.random.choice(len(weights), p=weights / weights.sum())


def write(epoch, _):
    """Goes on from a random place of the text."""
    start = np.random.randint(len(text) - SEEN)
    for boldness in (0.2, 0.5, 1.0, 1.2):
        window = text[start : start + SEEN]
        print(f"\n--- epoch {epoch + 1}, boldness {boldness}, after {window!r}:")
        for _ in range(written):
            seen = np.zeros((1, SEEN, len(alphabet)))
            seen[0, np.arange(SEEN), [number[letter] for letter in window]] = 1
            letter = alphabet[choose(model.predict(seen, verbose=0)[0], boldness)]
            window = window[1:] + letter
            sys.stdout.write(letter)
            sys.stdout.flush()
        print()


history = model.fit(
    x,
    y,
    batch_size=128,
    epochs=epochs,
    verbose=2 if fast else 1,
    callbacks=[LambdaCallback(on_epoch_end=write)],
)
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
