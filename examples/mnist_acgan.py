"""A generator that draws the digit it is told to, and a judge that says whether a picture is real and which
digit it shows.

An auxiliary-classifier GAN (Odena et al., arXiv:1610.09585) in three models: the generator (noise and
digit to picture), the discriminator (picture to real-or-not and digit), and both in a row with the
discriminator frozen, to train the generator. Weights are written after every epoch, and
`acgan_<epoch>.png` (with Pillow).

Run: python examples/mnist_acgan.py [--fast]
"""

import sys
from collections import defaultdict

import numpy as np

from pykeras.datasets import mnist
from pykeras.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    LeakyReLU,
    Reshape,
    multiply,
)
from pykeras.models import Model, Sequential
from pykeras.optimizers import Adam
from pykeras.utils.generic_utils import Progbar

fast = "--fast" in sys.argv
digits, tests, width, epochs = (2000, 300, 8, 2) if fast else (60000, 10000, 32, 100)
BATCH, LATENT, CLASSES, RATE = 100, 100, 10, 0.001 if fast else 0.0002


def build_generator():
    grow = Sequential(name="grow")
    grow.add(Dense(3 * 3 * 12 * width, input_dim=LATENT, activation="relu"))
    grow.add(Reshape((3, 3, 12 * width)))
    grow.add(
        Conv2DTranspose(
            6 * width, 5, strides=1, padding="valid", activation="relu", kernel_initializer="glorot_normal"
        )
    )  # 7×7
    grow.add(BatchNormalization())
    grow.add(
        Conv2DTranspose(
            3 * width, 5, strides=2, padding="same", activation="relu", kernel_initializer="glorot_normal"
        )
    )  # 14×14
    grow.add(BatchNormalization())
    grow.add(
        Conv2DTranspose(
            1, 5, strides=2, padding="same", activation="tanh", kernel_initializer="glorot_normal"
        )
    )  # 28×28

    noise = Input(shape=(LATENT,))
    digit = Input(shape=(1,), dtype="int32")
    direction = Flatten()(Embedding(CLASSES, LATENT, embeddings_initializer="glorot_normal")(digit))
    return Model([noise, digit], grow(multiply([noise, direction])), name="generator")


def build_discriminator():
    look = Sequential(name="look")
    for number, (filters, stride) in enumerate([(1, 2), (2, 1), (4, 2), (8, 1)]):
        shape = {} if number else {"input_shape": (28, 28, 1)}
        look.add(Conv2D(filters * width, 3, padding="same", strides=stride, **shape))
        look.add(LeakyReLU(0.2))
        look.add(Dropout(0.3))
    look.add(Flatten())

    picture = Input(shape=(28, 28, 1))
    features = look(picture)
    real = Dense(1, activation="sigmoid", name="generation")(features)
    digit = Dense(CLASSES, activation="softmax", name="auxiliary")(features)
    return Model(picture, [real, digit], name="discriminator")


LOSSES = ["binary_crossentropy", "sparse_categorical_crossentropy"]
discriminator = build_discriminator()
discriminator.compile(optimizer=Adam(lr=RATE, beta_1=0.5), loss=LOSSES)
discriminator.summary()

generator = build_generator()
noise = Input(shape=(LATENT,))
digit = Input(shape=(1,), dtype="int32")
discriminator.trainable = False  # for the combined model only: the discriminator was compiled before
real, named = discriminator(generator([noise, digit]))
combined = Model([noise, digit], [real, named])
combined.compile(optimizer=Adam(lr=RATE, beta_1=0.5), loss=LOSSES)
combined.summary()

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (
    (x[..., np.newaxis].astype("float32") - 127.5) / 127.5 for x in (x_train[:digits], x_test[:tests])
)
y_train, y_test = y_train[:digits], y_test[:tests]


def invent(count):
    """Noise and digits for the generator: (count, LATENT) and (count, 1)."""
    return np.random.uniform(-1, 1, (count, LATENT)), np.random.randint(CLASSES, size=(count, 1))


losses = defaultdict(list)
for epoch in range(1, epochs + 1):
    print(f"epoch {epoch} of {epochs}")
    order = np.random.permutation(len(x_train))
    steps = len(x_train) // BATCH
    progress = Progbar(target=steps, verbose=0 if fast else 1)
    for_discriminator, for_generator = [], []
    for step in range(steps):
        batch = order[step * BATCH : (step + 1) * BATCH]
        fake_noise, fake_digits = invent(len(batch))
        fakes = generator.predict([fake_noise, fake_digits], verbose=0)
        pictures = np.concatenate([x_train[batch], fakes])
        # Not quite 1 for real ones: a judge that is never certain teaches better.
        is_real = np.array([0.95] * len(batch) + [0] * len(batch))
        shown = np.concatenate([y_train[batch], fake_digits.ravel()])
        # The digit of a fake says nothing about digits: weight 0, and 2 for the others to make up for it.
        weights = [np.ones(2 * len(batch)), np.array([2.0] * len(batch) + [0.0] * len(batch))]
        for_discriminator.append(
            discriminator.train_on_batch(pictures, [is_real, shown], sample_weight=weights)
        )

        trick_noise, trick_digits = invent(2 * len(batch))
        for_generator.append(
            combined.train_on_batch(
                [trick_noise, trick_digits], [np.full(2 * len(batch), 0.95), trick_digits]
            )
        )
        progress.update(step + 1)

    fake_noise, fake_digits = invent(len(x_test))
    fakes = generator.predict([fake_noise, fake_digits], verbose=0)
    judged = discriminator.evaluate(
        np.concatenate([x_test, fakes]),
        [np.array([1] * len(x_test) + [0] * len(fakes)), np.concatenate([y_test, fake_digits.ravel()])],
        verbose=0,
    )
    trick_noise, trick_digits = invent(2 * len(x_test))
    fooled = combined.evaluate(
        [trick_noise, trick_digits], [np.ones(len(trick_noise)), trick_digits], verbose=0
    )
    row = "{:<24s}" + 3 * " {:>10}"
    print(row.format("", *discriminator.metrics_names))
    for name, values in (
        ("generator, training", np.mean(for_generator, axis=0)),
        ("generator, test", fooled),
        ("discriminator, training", np.mean(for_discriminator, axis=0)),
        ("discriminator, test", judged),
    ):
        print(row.format(name, *(f"{value:.3f}" for value in values)))
        losses[name].append(values)

    generator.save_weights(f"acgan_generator_{epoch:03d}.h5", True)
    discriminator.save_weights(f"acgan_discriminator_{epoch:03d}.h5", True)
    some_noise = np.tile(np.random.uniform(-1, 1, (10, LATENT)), (CLASSES, 1))
    some_digits = np.repeat(np.arange(CLASSES), 10).reshape(-1, 1)
    sheet = generator.predict([some_noise, some_digits], verbose=0).reshape(CLASSES, 10, 28, 28)
    try:
        from PIL import Image
    except ImportError:
        continue
    sheet = sheet.swapaxes(1, 2).reshape(CLASSES * 28, 280)
    Image.fromarray(np.uint8(sheet * 127.5 + 127.5)).save(f"acgan_{epoch:03d}.png")

print(f"first digit loss: {losses['discriminator, training'][0][2]:.4f}")
print(f"last digit loss: {losses['discriminator, training'][-1][2]:.4f}")
