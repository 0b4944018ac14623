"""Sums as text: the network reads "235+61" character by character and writes "296".

One LSTM reads the question, its last output is repeated for every character of the answer, and another
LSTM writes. Questions are read from right to left, which helps (Sutskever et al., arXiv:1409.3215).

Run: python examples/addition_rnn.py [--fast]
"""

import sys

import numpy as np

from pykeras.layers import LSTM, Activation, Dense, RepeatVector, TimeDistributed
from pykeras.models import Sequential

fast = "--fast" in sys.argv
digits, questions, units, rounds = (2, 5000, 64, 6) if fast else (3, 50000, 128, 200)
ALPHABET = "0123456789+ "
READ, WRITE = 2 * digits + 1, digits + 1


def encode(texts, length):
    """One-hot codes of the texts, padded with spaces: (texts, length, characters)."""
    codes = np.array([[ALPHABET.index(character) for character in text.ljust(length)] for text in texts])
    return codes[..., np.newaxis] == np.arange(len(ALPHABET))


def decode(codes):
    return "".join(ALPHABET[code] for code in codes)


random = np.random.RandomState(1)
seen = set()
while len(seen) < questions:
    # So that short numbers are not rare, the number of digits is drawn first.
    a, b = (random.randint(10 ** random.randint(1, digits + 1)) for _ in range(2))
    seen.add((a, b))
pairs = sorted(seen)
random.shuffle(pairs)
x = encode([f"{a}+{b}".ljust(READ)[::-1] for a, b in pairs], READ)
y = encode([str(a + b) for a, b in pairs], WRITE)
cut = len(x) - len(x) // 10
x_train, x_val, y_train, y_val = x[:cut], x[cut:], y[:cut], y[cut:]
print("questions", x_train.shape, "answers", y_train.shape)

model = Sequential()
model.add(LSTM(units, input_shape=(READ, len(ALPHABET))))
model.add(RepeatVector(WRITE))
model.add(LSTM(units, return_sequences=True))
model.add(TimeDistributed(Dense(len(ALPHABET))))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()

losses = []
for number in range(1, rounds + 1):
    print(f"\nround {number}")
    history = model.fit(
        x_train, y_train, batch_size=128, epochs=1, verbose=2 if fast else 1, validation_data=(x_val, y_val)
    )
    losses.append(history.history["val_loss"][0])
    for i in random.randint(len(x_val), size=5):
        question = decode(x_val[i].argmax(-1))[::-1].strip()
        right = decode(y_val[i].argmax(-1))
        guess = decode(model.predict_classes(x_val[i : i + 1], verbose=0)[0])
        print(f"  {question:>7} = {guess} {'(right)' if guess == right else f'(no, {right.strip()})'}")

print(f"first loss: {losses[0]:.4f}")
print(f"last loss: {losses[-1]:.4f}")
