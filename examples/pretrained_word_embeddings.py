"""What are these postings about? Words described by vectors that were learned elsewhere and stay as they are.

Needs two archives, by hand: GloVe vectors (glove.6B.100d.txt from
http://nlp.stanford.edu/data/glove.6B.zip) and the 20 newsgroups
(http://www.cs.cmu.edu/afs/cs.cmu.edu/project/theo-20/www/data/news20.html), one folder a group, one file a
posting. With --fast, small stand-ins of the same formats are written into a temporary folder: invented
postings, and vectors in which words of one subject lie close together.

Run: python examples/pretrained_word_embeddings.py [--fast | --glove FILE --postings FOLDER]
"""

import argparse
import os
import random
import tempfile

import numpy as np

from pykeras.layers import Conv1D, Dense, Embedding, GlobalMaxPooling1D, Input, MaxPooling1D
from pykeras.models import Model
from pykeras.preprocessing.sequence import pad_sequences
from pykeras.preprocessing.text import Tokenizer
from pykeras.utils import to_categorical

parser = argparse.ArgumentParser()
parser.add_argument("--fast", action="store_true", help="small stand-ins for the data")
parser.add_argument("--glove", default="glove.6B/glove.6B.100d.txt")
parser.add_argument("--postings", default="20_newsgroup")
options = parser.parse_args()
for path in [] if options.fast else [options.glove, options.postings]:
    if not os.path.exists(path):
        parser.error(f"there is no {path}: get the two archives (see above), or try --fast")
length, words, size, epochs = (150, 500, 20, 4) if options.fast else (1000, 20000, 100, 10)
kernel, pool = (3, 3) if options.fast else (5, 5)
VALIDATION = 0.2

SUBJECTS = {
    "sci.space": "orbit moon rocket launch shuttle satellite mars crew telescope gravity",
    "rec.autos": "engine tyre brake wheel gear dealer mileage clutch fuel bumper",
    "rec.sport.hockey": "puck goalie ice stick team season penalty coach league score",
    "sci.med": "doctor patient dose fever symptom disease clinic blood drug therapy",
}
COMMON = (
    "the a of and to is was that for with on it not this have from they but what more time people".split()
)


def write_stand_ins(folder):
    """Writes postings and vectors in the published formats; returns the two paths."""
    draw = random.Random(0)
    postings = os.path.join(folder, "postings")
    for subject, special in SUBJECTS.items():
        os.makedirs(os.path.join(postings, subject))
        for number in range(100):
            text = [draw.choice(special.split() if draw.random() < 0.1 else COMMON) for _ in range(120)]
            with open(os.path.join(postings, subject, str(10000 + number)), "w", encoding="latin-1") as file:
                file.write(f"Subject: question {number}\nLines: 12\n\n{' '.join(text)}\n")
    vectors = os.path.join(folder, "vectors.txt")
    random_vectors = np.random.RandomState(0)
    with open(vectors, "w", encoding="utf-8") as file:
        for special in (*SUBJECTS.values(), *COMMON):
            centre = random_vectors.normal(0, 1, size)
            for word in special.split():
                vector = centre + random_vectors.normal(0, 0.2, size)
                file.write(f"{word} {' '.join(f'{value:.4f}' for value in vector)}\n")
    return postings, vectors


if options.fast:
    folder = tempfile.TemporaryDirectory()
    options.postings, options.glove = write_stand_ins(folder.name)

vectors = {}
with open(options.glove, encoding="utf-8") as file:
    for line in file:
        word, *values = line.split()
        vectors[word] = np.array(values, "float32")
print(f"{len(vectors)} word vectors")

texts, labels, groups = [], [], sorted(os.listdir(options.postings))
for label, group in enumerate(groups):
    for name in sorted(os.listdir(os.path.join(options.postings, group))):
        if name.isdigit():
            with open(os.path.join(options.postings, group, name), encoding="latin-1") as file:
                text = file.read()
            texts.append(text[max(0, text.find("\n\n")) :])  # without the header, which gives the group away
            labels.append(label)
print(f"{len(texts)} postings in {len(groups)} groups")

tokenizer = Tokenizer(num_words=words)
tokenizer.fit_on_texts(texts)
data = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=length)
labels = to_categorical(np.array(labels))
order = np.random.RandomState(0).permutation(len(data))
cut = len(data) - int(VALIDATION * len(data))
train, val = order[:cut], order[cut:]

# Row i holds the vector of word number i; words without a vector get zeros.
rows = min(words, len(tokenizer.word_index) + 1)
matrix = np.zeros((rows, size))
for word, i in tokenizer.word_index.items():
    if i < rows and word in vectors:
        matrix[i] = vectors[word]

described = Embedding(rows, size, weights=[matrix], input_length=length, trainable=False)
posting = Input(shape=(length,), dtype="int32")
x = described(posting)
for _ in range(2):
    x = Conv1D(128, kernel, activation="relu")(x)
    x = MaxPooling1D(pool)(x)
x = Conv1D(128, kernel, activation="relu")(x)
x = GlobalMaxPooling1D()(x)
x = Dense(128, activation="relu")(x)
model = Model(posting, Dense(len(groups), activation="softmax")(x))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
history = model.fit(
    data[train],
    labels[train],
    batch_size=32 if options.fast else 128,
    epochs=epochs,
    verbose=2 if options.fast else 1,
    validation_data=(data[val], labels[val]),
)
assert np.array_equal(described.get_weights()[0], matrix.astype("float32")), (
    "the vectors must stay as they are"
)
print(f"validation accuracy: {history.history['val_acc'][-1]:.4f}")
