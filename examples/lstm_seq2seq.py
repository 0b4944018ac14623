"""Translation letter by letter: one LSTM reads English, its last states start another that writes French.

In training the writer sees the right letters and has to guess the next ("teacher forcing"). For
translating, the same layers are put together differently: a model that turns a sentence into states, and
one that makes one step with given states. Sutskever et al., arXiv:1409.3215; Cho et al., arXiv:1406.1078.

The data are lines of English, tab, French; get fra-eng.zip from http://www.manythings.org/anki. With
--fast, sentences from a small grammar stand in for them. The trained model is written to s2s.h5, which
lstm_seq2seq_restore.py reads.

Run: python examples/lstm_seq2seq.py [--fast | --data fra-eng/fra.txt]
"""

import argparse
import os

import numpy as np
from phrases import make_pairs, read_pairs

from pykeras.layers import LSTM, Dense, Input
from pykeras.models import Model

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="sentences of a small grammar, a small network")
parser.add_argument("--data", default="fra-eng/fra.txt", help="lines of English, tab, French")
options = parser.parse_args()
if not options.fast and not os.path.exists(options.data):
    parser.error(f"there is no {options.data}: get the sentences (see above), or try --fast")
units, epochs, samples = (64, 25, 400) if options.fast else (256, 100, 10000)

if options.fast:
    pairs = make_pairs()
    np.random.RandomState(0).shuffle(pairs)
    pairs = pairs[:samples]
else:
    pairs = read_pairs(options.data, samples)
# A tab begins a French sentence, a line feed ends it.
english = [source for source, _ in pairs]
french = [f"\t{target}\n" for _, target in pairs]
letters_in, letters_out = (sorted(set("".join(texts))) for texts in (english, french))
number_in, number_out = ({c: i for i, c in enumerate(letters)} for letters in (letters_in, letters_out))
steps_in, steps_out = (max(map(len, texts)) for texts in (english, french))
print(
    f"{len(pairs)} pairs, {len(letters_in)} and {len(letters_out)} letters, "
    f"up to {steps_in} and {steps_out} steps"
)

encoder_data = np.zeros((len(pairs), steps_in, len(letters_in)), "float32")
decoder_data = np.zeros((len(pairs), steps_out, len(letters_out)), "float32")
decoder_target = np.zeros((len(pairs), steps_out, len(letters_out)), "float32")
for i, (source, target) in enumerate(zip(english, french)):
    for t, letter in enumerate(source):
        encoder_data[i, t, number_in[letter]] = 1
    for t, letter in enumerate(target):
        decoder_data[i, t, number_out[letter]] = 1
        if t > 0:  # the target is one step ahead of what the decoder sees
            decoder_target[i, t - 1, number_out[letter]] = 1

encoder_inputs = Input(shape=(None, len(letters_in)))
encoder = LSTM(units, return_state=True)
_, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]

decoder_inputs = Input(shape=(None, len(letters_out)))
decoder_lstm = LSTM(units, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(len(letters_out), activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)

model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
history = model.fit(
    [encoder_data, decoder_data],
    decoder_target,
    batch_size=16 if options.fast else 64,
    epochs=epochs,
    verbose=2 if options.fast else 1,
    validation_split=0.2,
)
model.save("s2s.h5")

# For translating: the sentence to states, then letter after letter.
encoder_model = Model(encoder_inputs, encoder_states)
state_inputs = [Input(shape=(units,)), Input(shape=(units,))]
step_outputs, h, c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
decoder_model = Model([decoder_inputs, *state_inputs], [decoder_dense(step_outputs), h, c])


def translate(sentence):
    """The likeliest letter at each step, until the line feed; `sentence`: one-hot (1, steps, letters)."""
    states = encoder_model.predict(sentence)
    letter = "\t"
    written = ""
    while len(written) < steps_out:
        seen = np.zeros((1, 1, len(letters_out)))
        seen[0, 0, number_out[letter]] = 1
        probabilities, *states = decoder_model.predict([seen, *states])
        letter = letters_out[int(np.argmax(probabilities[0, -1]))]
        if letter == "\n":
            break
        written += letter
    return written


for i in range(10):
    print(f"{english[i]!r} -> {translate(encoder_data[i : i + 1])!r} (right: {french[i].strip()!r})")
print(f"first loss: {history.history['val_loss'][0]:.4f}")
print(f"last loss: {history.history['val_loss'][-1]:.4f}")
