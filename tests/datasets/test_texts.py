"""IMDB, Reuters and Boston housing (17.7, 19.4): small files against a plain loop, and the real ones."""

import json

import numpy as np
import pytest

from pykeras.datasets import boston_housing, imdb, reuters

REVIEWS = [[1, 14, 3, 90, 2], [5], [7, 7, 8, 120, 33, 2, 1], [2, 3], [], [40, 41, 42, 43]]


def ragged(lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


@pytest.fixture
def files(tmp_path):
    train, test = ragged(REVIEWS), ragged([r[::-1] for r in REVIEWS[:4]])
    labels = np.arange(6)
    np.savez(tmp_path / "imdb.npz", x_train=train, y_train=labels, x_test=test, y_test=labels[:4] + 10)
    np.savez(tmp_path / "reuters.npz", x=train, y=labels)
    return tmp_path


def plainly(texts, labels, num_words, skip_top, maxlen, start_char, oov_char, index_from):
    """What load_data does to shuffled texts, one number after the other."""
    result = []
    for text, label in zip(texts, labels):
        if start_char is not None:
            text = [start_char] + [w + index_from for w in text]
        elif index_from:
            text = [w + index_from for w in text]
        if maxlen and len(text) >= maxlen:  # strictly shorter ones are kept
            continue
        if oov_char is None:
            text = [w for w in text if skip_top <= w < num_words]
        else:
            text = [w if skip_top <= w < num_words else oov_char for w in text]
        result.append((text, label))
    return result


SETTINGS = [
    {},
    {"num_words": 40},
    {"num_words": 40, "skip_top": 6},
    {"num_words": 12, "oov_char": None},
    {"maxlen": 6},
    {"start_char": None},
    {"start_char": None, "index_from": 0},
    {"start_char": None, "index_from": None},
    {"start_char": 99, "index_from": 10, "oov_char": 98, "seed": 5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_imdb(files, settings):  # 17.7
    full = {"num_words": None, "skip_top": 0, "maxlen": None, "start_char": 1, "oov_char": 2, "index_from": 3}
    full |= {key: value for key, value in settings.items() if key != "seed"}
    (x_train, y_train), (x_test, y_test) = imdb.load_data(str(files / "imdb.npz"), **settings)
    no_limits = {"num_words": 10**6, "skip_top": 0}
    generator = np.random.RandomState(settings.get("seed", 113))
    orders = [np.arange(6), np.arange(4)]
    for order in orders:
        generator.shuffle(order)
    train = [REVIEWS[i] for i in orders[0]]
    test = [REVIEWS[i][::-1] for i in orders[1]]
    if full["num_words"] is None:
        kept = [*plainly(train, train, **full | no_limits), *plainly(test, test, **full | no_limits)]
        full["num_words"] = max(w for text, _ in kept for w in text)
    assert x_train.dtype == x_test.dtype == object
    assert list(zip(x_train, y_train)) == plainly(train, orders[0], **full)
    assert list(zip(x_test, y_test)) == plainly(test, orders[1] + 10, **full)
    assert all(type(w) is int for x in x_train for w in x)


def test_the_word_with_the_largest_index_is_lost(files):  # 17.7: num_words=None takes it as the limit
    (x_train, _), (x_test, _) = imdb.load_data(str(files / "imdb.npz"))
    assert not any(123 in x for x in [*x_train, *x_test])
    (x_train, _), _ = imdb.load_data(str(files / "imdb.npz"), num_words=124)
    assert any(123 in x for x in x_train)


@pytest.mark.parametrize("split", [0.2, 0.5, 0.0])
def test_reuters(files, split):  # 17.7
    (x_train, y_train), (x_test, y_test) = reuters.load_data(
        str(files / "reuters.npz"), num_words=50, skip_top=5, test_split=split
    )
    order = np.arange(6)
    np.random.RandomState(113).shuffle(order)
    wanted = plainly([REVIEWS[i] for i in order], order, 50, 5, None, 1, 2, 3)
    cut = int(6 * (1 - split))
    assert list(zip(x_train, y_train)) == wanted[:cut]
    assert list(zip(x_test, y_test)) == wanted[cut:]


def test_reuters_splits_that_are_none(files):
    path = str(files / "reuters.npz")
    assert [len(part[0]) for part in reuters.load_data(path, test_split=1)] == [0, 6]
    for split in (-0.5, 1.5):
        with pytest.raises(ValueError, match="`test_split` must be from 0 to 1"):
            reuters.load_data(path, test_split=split)


def test_the_shuffle_of_others_is_left_alone(files):
    np.random.seed(3)
    wanted = np.random.rand()
    np.random.seed(3)
    imdb.load_data(str(files / "imdb.npz"))
    reuters.load_data(str(files / "reuters.npz"))
    assert np.random.rand() == wanted


@pytest.mark.parametrize("module", [imdb, reuters])
def test_old_and_wrong_keywords(files, module):  # 19.4: imdb.load_data(nb_words=)
    path = str(files / f"{module.__name__.rsplit('.', 1)[-1]}.npz")
    with pytest.warns(
        UserWarning, match="The `nb_words` argument in `load_data` has been renamed `num_words`"
    ):
        old = module.load_data(path, nb_words=30)
    new = module.load_data(path, num_words=30)
    assert [a.tolist() for part in old for a in part] == [a.tolist() for part in new for a in part]
    with pytest.raises(TypeError, match=r"Unrecognized keyword arguments: {'wordz': 3}"):
        module.load_data(path, wordz=3)
    with pytest.raises(ValueError, match=r"shorter than maxlen=1, no sequence was kept\. Increase maxlen"):
        module.load_data(path, maxlen=1)


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(tmp_path, module):  # 17.7: without the offset
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"the": 1, "naïve": 2}))
    assert module.get_word_index(str(path)) == {"the": 1, "naïve": 2}
    for text in ('{"the": 1', '["the"]'):
        path.write_text(text)
        with pytest.raises(ValueError, match="is broken or another one than expected"):
            module.get_word_index(str(path))


def test_boston_housing(tmp_path):  # 17.7
    x, y = np.random.rand(10, 13), np.arange(10.0)
    np.savez(tmp_path / "b.npz", x=x, y=y)
    order = np.arange(10)
    np.random.RandomState(7).shuffle(order)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(str(tmp_path / "b.npz"), 0.3, seed=7)
    assert np.array_equal(np.concatenate([y_train, y_test]), order) and len(y_train) == 7
    assert np.array_equal(np.concatenate([x_train, x_test]), x[order])
    with pytest.raises(ValueError, match="`test_split` must be at least 0 and less than 1"):
        boston_housing.load_data(str(tmp_path / "b.npz"), test_split=1)


def test_published_files(shared_folder, monkeypatch):
    """The published hashes (17.7) are those of the real files, found through KERAS_HOME without a network."""
    monkeypatch.setenv("KERAS_HOME", str(shared_folder / "data"))
    for module in (imdb, reuters, boston_housing):
        monkeypatch.setattr(module, "_ORIGIN", "file:///no/such/file")
    index = imdb.get_word_index()
    assert (len(index), index["the"]) == (88584, 1)
    assert (len(reuters.get_word_index()), reuters.get_word_index()["the"]) == (30979, 1)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    assert x_train.shape == (404, 13) and x_test.shape == (102, 13) and y_test.shape == (102,)
    assert np.allclose(y_train[:3], [15.2, 42.3, 50.0])
    (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=1000)
    assert (len(x_train), len(x_test), y_train.max()) == (8982, 2246, 45)
    assert x_train[0][:12] == [1, 2, 2, 8, 43, 10, 447, 5, 25, 207, 270, 5]
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=5000)
    assert (len(x_train), len(x_test), y_train.sum(), y_test.sum()) == (25000, 25000, 12500, 12500)
    assert x_train[0][:8] == [1, 14, 22, 16, 43, 530, 973, 1622]
    words = {rank + 3: word for word, rank in index.items()}
    assert [words.get(w) for w in x_train[0][1:6]] == ["this", "film", "was", "just", "brilliant"]
