"""Two recurrent branches answer questions about short stories (bAbI, Weston et al., arXiv:1502.05698).

One branch reads the story, word by word; the other the question. What the question says is repeated for
every word of the story and added to it, and an LSTM reads both.

The archive comes through get_file. With --fast, invented stories of the same format stand in for it, only
with the sentences that matter.

Run: python examples/babi_rnn.py [--fast]
"""

import sys

import numpy as np
from babi_stories import ORIGIN, from_archive, invented

import pykeras
from pykeras import layers
from pykeras.layers import recurrent
from pykeras.models import Model
from pykeras.preprocessing.sequence import pad_sequences
from pykeras.utils.data_utils import get_file

RNN = recurrent.LSTM
fast = "--fast" in sys.argv
units, batch, epochs = (32, 32, 20) if fast else (50, 32, 40)

if fast:
    train = invented(1000, seed=1, only_supporting=True)
    test = invented(100, seed=2, only_supporting=True)
else:
    path = get_file("babi-tasks-v1-2.tar.gz", origin=ORIGIN)
    task = "tasks_1-20_v1-2/en-10k/qa2_two-supporting-facts_{}.txt"
    train, test = (from_archive(path, task.format(part)) for part in ("train", "test"))

vocabulary = sorted(
    {word for story, question, answer in train + test for word in (*story, *question, answer)}
)
number = {word: i for i, word in enumerate(vocabulary, 1)}  # 0 fills up short texts
words = len(vocabulary) + 1
story_length = max(len(story) for story, _, _ in train + test)
question_length = max(len(question) for _, question, _ in train + test)
print(f"{len(train)} questions with {words - 1} words; the longest story has {story_length}")


def vectorize(data):
    """Stories and questions as word numbers, answers one-hot."""
    stories = [[number[word] for word in story] for story, _, _ in data]
    questions = [[number[word] for word in question] for _, question, _ in data]
    answers = np.eye(words)[[number[answer] for _, _, answer in data]]
    return (
        pad_sequences(stories, maxlen=story_length),
        pad_sequences(questions, maxlen=question_length),
        answers,
    )


x, xq, y = vectorize(train)
tx, txq, ty = vectorize(test)

sentence = layers.Input(shape=(story_length,), dtype="int32")
encoded_sentence = layers.Dropout(0.3)(layers.Embedding(words, units)(sentence))

question = layers.Input(shape=(question_length,), dtype="int32")
encoded_question = layers.Dropout(0.3)(layers.Embedding(words, units)(question))
encoded_question = RNN(units)(encoded_question)
encoded_question = layers.RepeatVector(story_length)(encoded_question)

merged = layers.add([encoded_sentence, encoded_question])
merged = layers.Dropout(0.3)(RNN(units)(merged))
answer = layers.Dense(words, activation="softmax")(merged)

model = Model([sentence, question], answer)
model.compile(
    optimizer=pykeras.optimizers.Adam(lr=0.003 if fast else 0.001),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit([x, xq], y, batch_size=batch, epochs=epochs, verbose=2 if fast else 1, validation_split=0.05)
loss, accuracy = model.evaluate([tx, txq], ty, batch_size=batch, verbose=0)
print(f"test loss: {loss:.4f}")
print(f"test accuracy: {accuracy:.4f}")
