"""Film reviews, good or bad, by the average of their word vectors (Joulin et al., arXiv:1607.01759).

`NGRAMS = 2` takes pairs of neighbouring words as additional words.

Run: python examples/imdb_fasttext.py [--fast]
"""

import sys

from pykeras.datasets import imdb
from pykeras.layers import Dense, Embedding, GlobalAveragePooling1D
from pykeras.models import Sequential
from pykeras.preprocessing import sequence

NGRAMS = 1
fast = "--fast" in sys.argv
words, length, reviews, epochs = (5000, 100, 4000, 4) if fast else (20000, 400, 25000, 5)


def pairs_of(review, n):
    """The n-grams of a review (a list of word numbers), as tuples."""
    return zip(*(review[i:] for i in range(n)))


def number_ngrams(reviews, n, first):
    """`{n-gram: number}` for all n-grams with 2 to n words, counted from `first`."""
    found = sorted(
        {gram for review in reviews for size in range(2, n + 1) for gram in pairs_of(review, size)}
    )
    return {gram: number for number, gram in enumerate(found, first)}


def with_ngrams(reviews, n, numbers):
    """The reviews, each followed by the numbers of the n-grams that are known."""
    return [
        list(review)
        + [numbers[g] for size in range(2, n + 1) for g in pairs_of(review, size) if g in numbers]
        for review in reviews
    ]


(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train, y_train, x_test, y_test = (part[:reviews] for part in (x_train, y_train, x_test, y_test))
if NGRAMS > 1:
    numbers = number_ngrams(x_train, NGRAMS, first=words)
    words += len(numbers)
    x_train, x_test = (with_ngrams(x, NGRAMS, numbers) for x in (x_train, x_test))
x_train, x_test = (sequence.pad_sequences(x, maxlen=length) for x in (x_train, x_test))
print("shape of the training set:", x_train.shape)

model = Sequential()
model.add(Embedding(words, 50, input_length=length))  # (reviews, length, 50)
model.add(GlobalAveragePooling1D())  # (reviews, 50)
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=2 if fast else 1, validation_data=(x_test, y_test)
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {accuracy:.4f}")
