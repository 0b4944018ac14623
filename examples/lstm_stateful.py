"""A stateful LSTM remembers from batch to batch, a stateless one only within a sample.

The series is noise; what is to be predicted is its moving average over two steps, and the network sees one
step at a time. Without state it cannot know the value before. Both are trained on the same samples, in
order.

Run: python examples/lstm_stateful.py [--fast]
"""

import sys

import numpy as np

from pykeras.layers import LSTM, Dense
from pykeras.models import Sequential

fast = "--fast" in sys.argv
length, epochs, units = (600, 12, 20) if fast else (1000, 10, 20)
WINDOW = 2  # steps in the average
AHEAD = 1  # steps that the network sees in a sample

noise = np.random.uniform(-0.1, 0.1, length + WINDOW - 1)
average = np.convolve(noise, np.full(WINDOW, 1 / WINDOW), mode="valid")  # (length,)
series = noise[WINDOW - 1 :]

# Sample i holds the steps i - AHEAD + 1 to i; the target is the average at step i.
x = np.stack([series[i : i + AHEAD] for i in range(length - AHEAD + 1)])[..., np.newaxis]
y = average[AHEAD - 1 :, np.newaxis]
cut = int(0.8 * len(x))
x_train, x_test, y_train, y_test = x[:cut], x[cut:], y[:cut], y[cut:]
print("input", x_train.shape, "target", y_train.shape)


def network(stateful):
    model = Sequential()
    model.add(LSTM(units, input_shape=(AHEAD, 1), batch_size=1, stateful=stateful))
    model.add(Dense(1))
    model.compile(loss="mse", optimizer="adam")
    return model


print("stateful")
remembering = network(stateful=True)
for _ in range(epochs):
    remembering.fit(
        x_train,
        y_train,
        batch_size=1,
        epochs=1,
        verbose=2,
        validation_data=(x_test, y_test),
        shuffle=False,
    )
    # The next epoch begins with the first sample again: what was before it is forgotten.
    remembering.reset_states()
remembering.predict(x_train, batch_size=1)  # the state at the end of the training part
with_state = remembering.predict(x_test, batch_size=1)

print("stateless")
forgetful = network(stateful=False)
forgetful.fit(
    x_train, y_train, batch_size=1, epochs=epochs, verbose=2, validation_data=(x_test, y_test), shuffle=False
)
without_state = forgetful.predict(x_test, batch_size=1)

for name, guess in (("stateful", with_state), ("stateless", without_state)):
    print(f"{name} error: {np.sqrt(np.mean((guess - y_test) ** 2)):.5f}")
