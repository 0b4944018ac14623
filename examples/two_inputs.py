"""The functional interface: a picture and a question about it go in, two answers come out.

The picture is a handwritten digit, the question a number from 0 to 9: is the digit larger than that one,
and what digit is it? Both answers share the layers that look at the picture.

Run: python examples/two_inputs.py [--fast]
"""

import sys

import numpy as np

from pykeras.datasets import digits
from pykeras.layers import Conv2D, Dense, Embedding, Flatten, Input, concatenate
from pykeras.models import Model

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (x[..., np.newaxis].astype("float32") / 16 for x in (x_train, x_test))
np.random.seed(7)
q_train, q_test = (np.random.randint(10, size=(len(y), 1)) for y in (y_train, y_test))
larger_train, larger_test = (
    (y[:, np.newaxis] > q).astype("float32") for y, q in ((y_train, q_train), (y_test, q_test))
)

picture = Input(shape=(8, 8, 1), name="picture")
question = Input(shape=(1,), dtype="int32", name="question")

seen = Conv2D(32, (3, 3), activation="relu")(picture)
seen = Conv2D(32, (3, 3), activation="relu")(seen)
seen = Dense(64, activation="relu")(Flatten()(seen))
digit = Dense(10, activation="softmax", name="digit")(seen)
asked = Flatten()(Embedding(10, 8)(question))
both = Dense(64, activation="relu")(concatenate([seen, asked]))
larger = Dense(1, activation="sigmoid", name="larger")(both)

model = Model(inputs=[picture, question], outputs=[larger, digit])
model.compile(
    optimizer="adam",
    loss={"larger": "binary_crossentropy", "digit": "sparse_categorical_crossentropy"},
    loss_weights={"larger": 1.0, "digit": 0.5},
    metrics=["accuracy"],
)
model.summary()
model.fit(
    {"picture": x_train, "question": q_train},
    {"larger": larger_train, "digit": y_train},
    batch_size=32,
    epochs=8 if "--fast" in sys.argv else 15,
    verbose=2,
)
results = model.evaluate([x_test, q_test], [larger_test, y_test], verbose=0)
for name, value in zip(model.metrics_names, results):
    print(f"{name}: {value:.3f}")

# A part of the network is a model of its own: what the second convolution sees.
features = Model(picture, model.layers[2].output)
print("features of one picture:", features.predict(x_test[:1]).shape)
