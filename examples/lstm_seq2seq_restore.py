"""Translates with the model that lstm_seq2seq.py has saved: the two smaller models are cut out of the loaded
one.

Give the same data and options as there, so that the letters get the same numbers.

Run: python examples/lstm_seq2seq_restore.py [--fast | --data fra-eng/fra.txt]
"""

import argparse
import os

import numpy as np
from phrases import make_pairs, read_pairs

from pykeras.layers import Input
from pykeras.models import Model, load_model

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="sentences of a small grammar")
parser.add_argument("--data", default="fra-eng/fra.txt", help="lines of English, tab, French")
parser.add_argument("--model", default="s2s.h5", help="the file that lstm_seq2seq.py wrote")
options = parser.parse_args()
for path in [options.model] if options.fast else [options.model, options.data]:
    if not os.path.exists(path):
        parser.error(f"there is no {path}: run lstm_seq2seq.py first, with the same options")

if options.fast:
    pairs = make_pairs()
    np.random.RandomState(0).shuffle(pairs)
    pairs = pairs[:400]
else:
    pairs = read_pairs(options.data, 10000)
english = [source for source, _ in pairs]
french = [f"\t{target}\n" for _, target in pairs]
letters_in, letters_out = (sorted(set("".join(texts))) for texts in (english, french))
number_in, number_out = ({c: i for i, c in enumerate(letters)} for letters in (letters_in, letters_out))
steps_in, steps_out = (max(map(len, texts)) for texts in (english, french))

model = load_model(options.model)
# The order of the layers is that of the graph: two inputs, encoder, decoder, dense layer.
encoder_inputs = model.input[0]
_, state_h, state_c = model.layers[2].output
encoder_model = Model(encoder_inputs, [state_h, state_c])

decoder_inputs = model.input[1]
decoder_lstm, decoder_dense = model.layers[3], model.layers[4]
state_inputs = [
    Input(shape=(decoder_lstm.units,), name="first_state"),
    Input(shape=(decoder_lstm.units,), name="second_state"),
]
outputs, h, c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
decoder_model = Model([decoder_inputs, *state_inputs], [decoder_dense(outputs), h, c])


def one_hot(text, numbers, steps):
    code = np.zeros((1, steps, len(numbers)), "float32")
    code[0, np.arange(len(text)), [numbers[letter] for letter in text]] = 1
    return code


def translate(sentence):
    states = encoder_model.predict(one_hot(sentence, number_in, steps_in))
    letter = "\t"
    written = ""
    while len(written) < steps_out:
        probabilities, *states = decoder_model.predict([one_hot(letter, number_out, 1), *states])
        letter = letters_out[int(np.argmax(probabilities[0, -1]))]
        if letter == "\n":
            break
        written += letter
    return written


for i in range(10):
    print(f"{english[i]!r} -> {translate(english[i])!r} (right: {french[i].strip()!r})")
