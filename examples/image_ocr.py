"""Reads words in pictures: convolutions look, recurrent layers read from both sides, the CTC loss finds the
alignment.

The network does not know where a letter stands: it says for every step along the picture which letter, or
none, and the CTC loss (Graves et al., 2006) sums over all ways to read the text from that. As the loss
needs lengths too, it is computed inside the model, by a Lambda layer with four inputs.

The pictures are drawn while training goes on, by an object that is a generator and a callback at once: it
begins with short words in clean pictures and makes them harder from epoch to epoch. In a second phase the
weights are loaded into a model for wider pictures, and training goes on with longer texts.

Needs Pillow. Words come from a list, one a line; without one, letters are put together at random.

Run: python examples/image_ocr.py [--fast] [--words list.txt]
"""

import argparse
import itertools
import os
import random

import numpy as np
from letters import ALPHABET, distance, draw, make_words, read_words

import pykeras
from pykeras import backend as K
from pykeras.layers import (
    GRU,
    Activation,
    Conv2D,
    Dense,
    Input,
    Lambda,
    MaxPooling2D,
    Reshape,
    add,
    concatenate,
)
from pykeras.models import Model
from pykeras.optimizers import SGD

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="small pictures, words of two or three letters")
parser.add_argument("--words", help="a list of words, one a line")
options = parser.parse_args()
HEIGHT, LONGEST, BATCH = (16, 3, 16) if options.fast else (64, 16, 32)
filters, dense, units = (16, 32, 64) if options.fast else (16, 32, 512)
pictures, minibatches = (640, 32) if options.fast else (16000, 500)
POOL, SKIPPED = 2, 2  # the first outputs of the recurrent layers are of no use
letters = ALPHABET[:5] if options.fast else ALPHABET
first_phase, second_phase, rough_from = (5, 7, 6) if options.fast else (20, 25, 3)  # epochs
BLANK = len(letters)  # the class that stands for "no letter"


class Pictures(pykeras.callbacks.Callback):
    """Draws the batches, and makes them harder as training goes on.

    Args:
        width: of the pictures, in pixels.
        downsampled: how many pixels make one step.
        count: pictures in an epoch; a fifth of them is for validation.
    """

    def __init__(self, width, downsampled, count):
        super().__init__()
        self.width = width
        self.steps = width // downsampled - SKIPPED
        self.count, self.cut = count, count - count // 5
        self.source = random.Random(5)
        self.at = {"train": 0, "val": 0}
        self.rough = False

    def choose_words(self, longest):
        if options.words:
            words = read_words(options.words, longest)
            self.words = [self.source.choice(words) for _ in range(self.count)]
        else:
            self.words = make_words(self.count, longest, letters.strip(), self.source)

    def batch(self, words):
        """Inputs by name, and zeros: the loss comes out of the model already."""
        labels = np.full((len(words), LONGEST), -1.0)
        for i, word in enumerate(words):
            labels[i, : len(word)] = [letters.index(letter) for letter in word]
        inputs = {
            "the_input": np.stack(
                [draw(word, self.width, HEIGHT, self.rough, self.source) for word in words]
            ),
            "the_labels": labels,
            "input_length": np.full((len(words), 1), self.steps),
            "label_length": np.array([[len(word)] for word in words]),
            "source_str": words,  # for the callback that shows results; not an input
        }
        return inputs, {"ctc": np.zeros(len(words))}

    def batches(self, part):
        first, last = (0, self.cut) if part == "train" else (self.cut, self.count)
        while True:
            start = first + self.at[part]
            self.at[part] = self.at[part] + BATCH if start + 2 * BATCH <= last else 0
            yield self.batch(self.words[start : start + BATCH])

    def next_train(self):
        return self.batches("train")

    def next_val(self):
        return self.batches("val")

    def on_train_begin(self, logs=None):
        self.choose_words(min(4, LONGEST))

    def on_epoch_begin(self, epoch, logs=None):
        # Called before the next batch is drawn.
        if epoch >= rough_from:
            self.rough = True
        if not options.fast and epoch == 9:
            self.choose_words(8)
        if not options.fast and epoch >= 21:
            self.choose_words(LONGEST)


def read(test_function, pictures):
    """The likeliest class of every step, repetitions taken as one, blanks left out."""
    texts = []
    for steps in test_function([pictures])[0][:, SKIPPED:]:
        classes = [key for key, _ in itertools.groupby(np.argmax(steps, axis=-1))]
        texts.append("".join(letters[c] for c in classes if c != BLANK))
    return texts


class Reader(pykeras.callbacks.Callback):
    """After each epoch: keeps the weights, reads some validation words and counts the mistakes."""

    def __init__(self, name, test_function, batches):
        super().__init__()
        self.folder = os.path.join("image_ocr", name)
        self.test_function, self.batches = test_function, batches
        self.mistakes = None
        os.makedirs(self.folder, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        self.model.save_weights(os.path.join(self.folder, f"weights{epoch:02d}.h5"))
        wrong = total = 0
        for inputs, _ in itertools.islice(self.batches, 4):
            found = read(self.test_function, inputs["the_input"])
            wrong += sum(distance(a, b) for a, b in zip(found, inputs["source_str"]))
            total += sum(len(text) for text in inputs["source_str"])
        self.mistakes = wrong / total
        shown = ", ".join(f"{b}={a}" for a, b in list(zip(found, inputs["source_str"]))[:5])
        print(f"epoch {epoch}: {self.mistakes:.2f} mistakes a letter ({shown})")


def ctc(arguments):
    """The CTC loss of every sample: (samples, 1)."""
    y_pred, labels, input_length, label_length = arguments
    return K.ctc_batch_cost(labels, y_pred[:, SKIPPED:, :], input_length, label_length)


def train(name, start_epoch, stop_epoch, width):
    if K.image_data_format() == "channels_first":
        raise ValueError("the pictures are drawn with channels last")
    drawn = Pictures(width, POOL**2, pictures)

    picture = Input(name="the_input", shape=(width, HEIGHT, 1), dtype="float32")
    x = picture
    for number in (1, 2):
        x = Conv2D(
            filters,
            (3, 3),
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        x = MaxPooling2D(pool_size=(POOL, POOL), name=f"max{number}")(x)
    x = Reshape((width // POOL**2, HEIGHT // POOL**2 * filters), name="reshape")(x)
    x = Dense(dense, activation="relu", name="dense1")(x)

    def gru(x, number, backwards):
        return GRU(
            units,
            return_sequences=True,
            go_backwards=backwards,
            kernel_initializer="he_normal",
            name=f"gru{number}{'_b' if backwards else ''}",
        )(x)

    x = add([gru(x, 1, False), gru(x, 1, True)])
    x = concatenate([gru(x, 2, False), gru(x, 2, True)])
    x = Dense(len(letters) + 1, kernel_initializer="he_normal", name="dense2")(x)
    y_pred = Activation("softmax", name="softmax")(x)
    Model(inputs=picture, outputs=y_pred).summary()

    labels = Input(name="the_labels", shape=[LONGEST], dtype="float32")
    input_length = Input(name="input_length", shape=[1], dtype="int64")
    label_length = Input(name="label_length", shape=[1], dtype="int64")
    loss_out = Lambda(ctc, output_shape=(1,), name="ctc")([y_pred, labels, input_length, label_length])
    model = Model(inputs=[picture, labels, input_length, label_length], outputs=loss_out)
    # The loss is the output; what is called loss only hands it on.
    model.compile(
        loss={"ctc": lambda y_true, y_pred: y_pred},
        optimizer=SGD(lr=0.02, decay=1e-6, momentum=0.9, nesterov=True, clipnorm=5),
    )
    if start_epoch > 0:
        model.load_weights(os.path.join("image_ocr", name, f"weights{start_epoch - 1:02d}.h5"))

    reader = Reader(name, K.function([picture], [y_pred]), drawn.next_val())
    history = model.fit_generator(
        generator=drawn.next_train(),
        steps_per_epoch=minibatches,
        epochs=stop_epoch,
        verbose=2 if options.fast else 1,
        validation_data=drawn.next_val(),
        validation_steps=max(1, minibatches // 5),
        callbacks=[reader, drawn],
        initial_epoch=start_epoch,
    )
    return history.history["loss"], reader.mistakes


losses, mistakes = train("words", 0, first_phase, 32 if options.fast else 128)
print(f"first loss: {losses[0]:.4f}")
print(f"last loss: {losses[-1]:.4f}")
print(f"mistakes a letter: {mistakes:.4f}")
# The second phase: wider pictures, the weights of the first.
wider, _ = train("words", first_phase, second_phase, 48 if options.fast else 512)
print(f"loss with wider pictures: {wider[0]:.4f}")
