"""The next picture of a film, guessed by a stack of convolutional LSTMs: squares that move.

The film is made here: 3 to 7 squares, each with its own size and direction; half of the films have a
little noise, so that the network does not insist on exact values. Trained on pairs of films, the second
one frame later.

Run: python examples/conv_lstm.py [--fast]
"""

import sys

import numpy as np

from pykeras.layers import BatchNormalization, Conv3D, ConvLSTM2D
from pykeras.models import Sequential

fast = "--fast" in sys.argv
films, frames, side, filters, depth, epochs = (40, 6, 16, 8, 2, 4) if fast else (1200, 15, 40, 40, 4, 300)


def make_films(number, seed=0):
    """Films and the same one frame later: two arrays (number, frames, side, side, 1)."""
    random = np.random.RandomState(seed)
    margin = side // 2
    noisy = np.zeros((number, frames, side + 2 * margin, side + 2 * margin, 1))
    shifted = np.zeros_like(noisy)
    for i in range(number):
        for _ in range(random.randint(3, 8)):
            place = margin + random.randint(side, size=2)
            step = random.randint(-1, 2, size=2)
            radius = random.randint(1, 1 + max(2, side // 13))
            add_noise = random.randint(2)
            for t in range(frames + 1):
                (top, left), (bottom, right) = place + t * step - radius, place + t * step + radius
                if t < frames:
                    noisy[i, t, top:bottom, left:right] += 1
                    if add_noise:
                        sign = (-1) ** random.randint(2)
                        noisy[i, t, top - 1 : bottom + 1, left - 1 : right + 1] += 0.1 * sign
                if t > 0:
                    shifted[i, t - 1, top:bottom, left:right] += 1
    inside = slice(margin, margin + side)
    return (np.clip(x[:, :, inside, inside], 0, 1) for x in (noisy, shifted))


model = Sequential()
for number in range(depth):
    shape = {} if number else {"input_shape": (None, side, side, 1)}
    model.add(ConvLSTM2D(filters, kernel_size=(3, 3), padding="same", return_sequences=True, **shape))
    model.add(BatchNormalization())
model.add(Conv3D(1, kernel_size=(3, 3, 3), activation="sigmoid", padding="same", data_format="channels_last"))
model.compile(loss="binary_crossentropy", optimizer="adadelta")
model.summary()

now, later = make_films(films)
keep = films - max(4, films // 6)  # films that are not trained on
history = model.fit(
    now[:keep], later[:keep], batch_size=10, epochs=epochs, verbose=2 if fast else 1, validation_split=0.05
)

# The beginning of an unknown film, then frame after frame as the network thinks it goes on.
seen = frames // 2
track = now[keep, :seen]
for _ in range(frames - seen):
    guess = model.predict(track[np.newaxis])  # (1, frames so far, side, side, 1)
    track = np.concatenate([track, guess[0, -1:]])
print("film with guessed frames:", track.shape)
print(f"error of the guessed frames: {np.mean((track[seen:] - now[keep, seen:]) ** 2):.4f}")
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
