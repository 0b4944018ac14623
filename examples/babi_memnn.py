"""A memory network answers questions about short stories (Sukhbaatar et al., arXiv:1503.08895).

Every word of the story is described twice: once to be compared with the question, once as what is to be
remembered. The comparison says how much each memory counts; an LSTM reads what comes of it.

The archive comes through get_file. With --fast, invented stories of the same format stand in for it.

Run: python examples/babi_memnn.py [--fast]
"""

import sys

import numpy as np
from babi_stories import ORIGIN, from_archive, invented

from pykeras.layers import LSTM, Activation, Dense, Dropout, Embedding, Input, Permute, add, concatenate, dot
from pykeras.models import Model, Sequential
from pykeras.preprocessing.sequence import pad_sequences
from pykeras.utils.data_utils import get_file

fast = "--fast" in sys.argv
SIZE, epochs = 64, 20 if fast else 120

if fast:
    train, test = invented(500, seed=1), invented(100, seed=2)
else:
    path = get_file("babi-tasks-v1-2.tar.gz", origin=ORIGIN)
    task = "tasks_1-20_v1-2/en-10k/qa1_single-supporting-fact_{}.txt"
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
    """Stories, questions and answers as word numbers."""
    stories = [[number[word] for word in story] for story, _, _ in data]
    questions = [[number[word] for word in question] for _, question, _ in data]
    answers = np.array([number[answer] for _, _, answer in data])
    return (
        pad_sequences(stories, maxlen=story_length),
        pad_sequences(questions, maxlen=question_length),
        answers,
    )


stories_train, questions_train, answers_train = vectorize(train)
stories_test, questions_test, answers_test = vectorize(test)


def embedder(size, **shape):
    """A small model of its own: word numbers to vectors, some of them dropped."""
    model = Sequential()
    model.add(Embedding(words, size, **shape))
    model.add(Dropout(0.3))
    return model


story = Input((story_length,))
question = Input((question_length,))
to_compare = embedder(SIZE)(story)  # (samples, story_length, SIZE)
to_remember = embedder(question_length)(story)  # (samples, story_length, question_length)
asked = embedder(SIZE, input_length=question_length)(question)  # (samples, question_length, SIZE)

match = Activation("softmax")(
    dot([to_compare, asked], axes=(2, 2))
)  # (samples, story_length, question_length)
response = Permute((2, 1))(add([match, to_remember]))  # (samples, question_length, story_length)
answer = LSTM(32)(concatenate([response, asked]))
answer = Dropout(0.3)(answer)
answer = Activation("softmax")(Dense(words)(answer))

model = Model([story, question], answer)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    [stories_train, questions_train],
    answers_train,
    batch_size=32,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=([stories_test, questions_test], answers_test),
)
print(f"first loss: {history.history['loss'][0]:.4f}")
print(f"last loss: {history.history['loss'][-1]:.4f}")
print(f"test accuracy: {history.history['val_acc'][-1]:.4f}")
