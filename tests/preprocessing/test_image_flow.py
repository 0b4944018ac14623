"""Batches of images from arrays (BEHAVIOURS 14.6, 14.7), their seeds, threads and processes."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import Dense, Flatten
from pykeras.models import Sequential
from pykeras.preprocessing.image import ImageDataGenerator, Iterator, NumpyArrayIterator, load_img
from pykeras.utils import OrderedEnqueuer, Sequence

X = np.random.RandomState(0).uniform(0, 255, (10, 6, 5, 3)).astype("float32")
Y = np.arange(10)


def squared(x):
    """A user's function at module level, so that worker processes find it."""
    return x**2


def noisy(x):
    return x + np.random.uniform(0, 9)


def test_14_7_batches():
    flow = ImageDataGenerator().flow(X, Y, batch_size=4, shuffle=False)
    assert isinstance(flow, Sequence)
    assert isinstance(flow, NumpyArrayIterator)
    assert len(flow) == 3  # rounded up
    assert iter(flow) is flow  # for ever
    sizes = []
    for x, y in flow:
        np.testing.assert_array_equal(x, X[y])
        assert x.dtype == np.float32
        sizes.append(len(y))
        if len(sizes) == 7:
            break
    assert sizes == [4, 4, 2, 4, 4, 2, 4]  # the last batch is smaller
    np.testing.assert_array_equal(flow[2][1], [8, 9])
    assert ImageDataGenerator().flow(X).batch_size == 32
    np.testing.assert_array_equal(next(ImageDataGenerator().flow(X, shuffle=False)), X)  # x alone


def test_14_7_shuffled_anew_in_each_epoch():
    np.random.seed(1)
    flow = ImageDataGenerator().flow(X, Y, batch_size=4)
    epochs = [np.concatenate([next(flow)[1] for _ in range(3)]) for _ in range(3)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), Y)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    items = [np.concatenate([flow[i][1] for i in range(3)])]
    flow.on_epoch_end()
    items.append(np.concatenate([flow[i][1] for i in range(3)]))
    assert len({tuple(epoch) for epoch in items}) == 2


def test_14_7_seed_plus_batches_seen():
    flow = ImageDataGenerator(rotation_range=20).flow(X, Y, batch_size=4, seed=30)
    generator = ImageDataGenerator(rotation_range=20)
    np.random.seed(30)
    order = np.random.permutation(10)
    for batch in range(5):
        np.random.seed(30 + batch)
        if batch == 3:
            order = np.random.permutation(10)
        elif batch == 0:
            np.random.permutation(10)
        at = batch % 3 * 4
        want = [generator.random_transform(X[i]) for i in order[at : at + 4]]
        x, y = next(flow)
        np.testing.assert_array_equal(y, order[at : at + 4])
        np.testing.assert_array_equal(x, want)
    assert flow.total_batches_seen == 5
    flow.reset()
    np.testing.assert_array_equal(next(flow)[0].shape, (4, 6, 5, 3))
    assert flow.batch_index == 1


def test_14_6_validation_comes_first():
    generator = ImageDataGenerator(validation_split=0.25)
    validation = generator.flow(X, Y, shuffle=False, subset="validation", sample_weight=Y * 2)
    training = generator.flow(X, Y, shuffle=False, subset="training")
    np.testing.assert_array_equal(next(validation)[1], [0, 1])
    np.testing.assert_array_equal(next(validation)[2], [0, 2])
    np.testing.assert_array_equal(next(training)[1], np.arange(2, 10))
    assert len(next(generator.flow(X, subset="validation"))) == 2  # without targets
    with pytest.raises(ValueError, match='Invalid subset name: test; expected "training" or "validation"'):
        generator.flow(X, Y, subset="test")
    with pytest.raises(ValueError, match=r"ImageDataGenerator\(validation_split=0.2\)"):
        ImageDataGenerator().flow(X, Y, subset="validation")
    with pytest.raises(ValueError, match="there are no images"):
        ImageDataGenerator(validation_split=0.05).flow(X, Y, subset="validation")[0]


def test_more_inputs_and_weights():
    flow = ImageDataGenerator().flow((X, [Y * 3, Y * 5]), Y, shuffle=False, batch_size=4, sample_weight=Y / 2)
    (x, three, five), y, weights = flow[1]
    np.testing.assert_array_equal(x, X[4:8])
    for got, times in [(three, 3), (five, 5), (y, 1), (weights, 0.5)]:
        np.testing.assert_array_equal(got, np.arange(4, 8) * times)
    _, extra = next(ImageDataGenerator().flow([X, Y], shuffle=False))
    np.testing.assert_array_equal(extra, Y)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes(dtype):
    generator = ImageDataGenerator(rotation_range=20, brightness_range=(0.5, 1), rescale=1 / 255, dtype=dtype)
    x = next(generator.flow(X.astype("uint8"), seed=1, shuffle=False))
    assert x.dtype == dtype
    want = ImageDataGenerator(rotation_range=20, brightness_range=(0.5, 1), rescale=1 / 255)
    want = next(want.flow(X.astype("uint8"), seed=1, shuffle=False))
    np.testing.assert_allclose(x, want, atol=0.006)


def test_channels_first():
    settings = {
        "rotation_range": 30,
        "horizontal_flip": True,
        "channel_shift_range": 20,
        "brightness_range": (0.5, 1),
    }
    last = ImageDataGenerator(**settings).flow(X, seed=3)
    first = ImageDataGenerator(data_format="channels_first", **settings).flow(X.transpose(0, 3, 1, 2), seed=3)
    np.testing.assert_array_equal(next(first).transpose(0, 2, 3, 1), next(last))


@pytest.mark.parametrize("function", [None, squared, noisy])
@pytest.mark.parametrize("shuffle", [False, True])
def test_14_7_threads_change_nothing(function, shuffle):
    """Four threads give the seeded batches of one, even if the user's function draws numbers."""

    def epochs(workers):
        generator = ImageDataGenerator(rotation_range=20, vertical_flip=True, preprocessing_function=function)
        np.random.seed(4)
        flow = generator.flow(X, Y, batch_size=3, seed=11)
        enqueuer = OrderedEnqueuer(flow, shuffle=shuffle)
        enqueuer.start(workers=workers)
        batches = enqueuer.get()
        made = [next(batches) for _ in range(8)]
        enqueuer.stop()
        return made

    for a, b in zip(epochs(1), epochs(4)):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_14_7_threads_without_an_enqueuer():
    flow = ImageDataGenerator(rotation_range=20).flow(X, Y, batch_size=1, seed=2)
    with ThreadPoolExecutor(8) as pool:
        seen = [future.result()[1][0] for future in [pool.submit(next, flow) for _ in range(30)]]
    assert sorted(seen) == sorted([*Y] * 3)  # each epoch has each image once
    single = ImageDataGenerator(rotation_range=20).flow(X, Y, batch_size=1, seed=2)
    assert sorted(seen[:10]) == sorted(next(single)[1][0] for _ in range(10))


def test_two_seeded_flows_in_two_threads():
    """Pictures and masks: each has the generator to itself while it draws."""
    generator = ImageDataGenerator(rotation_range=40, zoom_range=0.3)
    alone = generator.flow(X, batch_size=2, seed=5)
    want = [next(alone) for _ in range(40)]
    flows = [generator.flow(X, batch_size=2, seed=5) for _ in range(4)]
    results = [[] for _ in flows]

    def read(flow, result):
        result.extend(next(flow) for _ in range(40))

    threads = [threading.Thread(target=read, args=pair) for pair in zip(flows, results)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(np.concatenate(result), np.concatenate(want))


def test_worker_processes_have_the_same_order_and_own_seeds():
    flow = ImageDataGenerator(rotation_range=20, preprocessing_function=squared).flow(
        X, Y, batch_size=4, seed=9
    )
    first, second = (pickle.loads(pickle.dumps(flow)) for _ in range(2))
    np.testing.assert_array_equal(first[1][0], second[1][0])
    in_turn = ImageDataGenerator(rotation_range=20, preprocessing_function=squared).flow(
        X, Y, batch_size=4, seed=9
    )
    in_turn.index_array = flow.index_array
    for i in range(3):
        np.testing.assert_array_equal(in_turn[i][0], second[i][0])  # as if read one after the other
    together = np.concatenate([copy[i][1] for copy, i in [(first, 0), (second, 1), (first, 2)]])
    np.testing.assert_array_equal(np.sort(together), Y)
    flow.on_epoch_end()
    in_turn.on_epoch_end()
    in_turn.index_array = flow.index_array
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(flow))[1][0], [in_turn[i] for i in range(2)][1][0]
    )


def test_14_7_processes_change_nothing():
    """A seed gives the same batches for any number of worker processes; unshuffled, those of threads."""

    def epochs(workers, shuffle, state, use_multiprocessing=True):
        np.random.seed(state)
        flow = ImageDataGenerator(rotation_range=20).flow(X, Y, batch_size=3, seed=11, shuffle=shuffle)
        enqueuer = OrderedEnqueuer(flow, use_multiprocessing=use_multiprocessing)
        enqueuer.start(workers=workers)
        batches = enqueuer.get()
        made = [next(batches) for _ in range(6)]
        enqueuer.stop()
        return made

    for a, b in zip(epochs(1, True, 4), epochs(2, True, 5)):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    for a, b in zip(epochs(2, False, 4), epochs(2, False, 5, use_multiprocessing=False)):
        np.testing.assert_array_equal(a[0], b[0])


def test_own_subclasses():
    class Own(ImageDataGenerator):
        def random_transform(self, x, seed=None):
            return x + np.random.randint(1, 5)

    np.random.seed(0)
    x = next(Own().flow(X, shuffle=False))
    np.random.seed(0)
    np.testing.assert_array_equal(x, [image + np.random.randint(1, 5) for image in X])

    class Scaled(ImageDataGenerator):
        def standardize(self, x):
            return super().standardize(x) / 2

    np.testing.assert_array_equal(next(Scaled(rescale=0.5).flow(X, shuffle=False)), X / 4)

    class Numbers(Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array

    numbers = Numbers(5, 2, False, None)
    assert [next(numbers).tolist() for _ in range(4)] == [[0, 1], [2, 3], [4], [0, 1]]
    assert numbers[2].tolist() == [4]

    class Batches(NumpyArrayIterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return self.x[index_array] * 2

        def __getitem__(self, index):
            return super().__getitem__(index) + 1

    batches = Batches(X, None, ImageDataGenerator(), batch_size=10)
    enqueuer = OrderedEnqueuer(batches)
    enqueuer.start()
    np.testing.assert_array_equal(next(enqueuer.get()), X * 2 + 1)
    enqueuer.stop()

    class Old(NumpyArrayIterator):  # as scripts for Keras 2.0 wrote it
        def next(self):
            with self.lock:
                index_array = next(self.index_generator)
            return self.y[index_array]

    assert next(Old(X, Y, ImageDataGenerator(), batch_size=3)).tolist() == [0, 1, 2]


def test_saved_pictures(tmp_path):
    flow = ImageDataGenerator().flow(X, batch_size=4, shuffle=False, save_to_dir=tmp_path, save_prefix="cat")
    next(flow)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rsplit("_", 1)[0] for name in names] == [f"cat_{i}" for i in range(4)]
    picture = np.asarray(load_img(tmp_path / names[2]), "float32")
    np.testing.assert_array_equal(picture, np.floor(X[2] / X[2].max() * np.float32(255)))
    flow = ImageDataGenerator().flow(X, save_to_dir=tmp_path, save_format="jpeg")
    next(flow)
    assert len(list(tmp_path.glob("_*.jpeg"))) == 10
    with pytest.raises(FileNotFoundError, match="`save_to_dir` must be an existing folder"):
        ImageDataGenerator().flow(X, save_to_dir=tmp_path / "none")


def test_fit_generator_with_four_workers():
    np.random.seed(3)
    model = Sequential([Flatten(input_shape=(6, 5, 3)), Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    generator = ImageDataGenerator(rotation_range=10, samplewise_center=True, rescale=1 / 255)
    history = model.fit_generator(
        generator.flow(X, Y, batch_size=4, seed=1),
        epochs=2,
        verbose=0,
        workers=4,
        validation_data=generator.flow(X, Y, batch_size=5, shuffle=False),
    )
    assert np.isfinite(history.history["val_loss"]).all()
    predicted = model.predict_generator(ImageDataGenerator().flow(X, shuffle=False, batch_size=3))
    np.testing.assert_allclose(predicted, model.predict(X), rtol=1e-5)


def test_errors():
    generator = ImageDataGenerator()
    with pytest.raises(ValueError, match=r"should have rank 4. You passed an array with shape \(6, 5, 3\)"):
        generator.flow(X[0])
    with pytest.raises(
        ValueError, match=r"`y` should have the same length. Found: x.shape = \(10, 6, 5, 3\)"
    ):
        generator.flow(X, Y[1:])
    with pytest.raises(ValueError, match=r"same length. Found: x.shape = \(3,\), y.shape = \(10,\)"):
        generator.flow((X, Y, Y), Y)
    with pytest.raises(
        ValueError, match=r"or a pair of images and further inputs. Received a tuple of 3 with"
    ):
        generator.flow((X, Y, Y))
    with pytest.raises(ValueError, match=r"must be images of one size.*shapes \(6, 5, 3\), \(5, 5, 3\)"):
        generator.flow([X[0], X[1, 1:]])
    with pytest.raises(ValueError, match="`sample_weight` should have the same length"):
        generator.flow(X, Y, sample_weight=Y[1:])
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        generator.flow(X, Y, batch_size=0)
    with pytest.warns(UserWarning, match=r"NumpyArrayIterator is set to use .*\(2 channels\)"):
        generator.flow(X[..., :2])
    with pytest.raises(ValueError, match="Asked to retrieve element 1, but the Sequence has length 1"):
        generator.flow(X)[1]
    with pytest.raises(ValueError, match="There are no images"):
        next(generator.flow(X[:0]))
    with pytest.raises(NotImplementedError, match="_get_batches_of_transformed_samples"):
        next(Iterator(3, 1, False, None))
    assert K.image_data_format() == generator.flow(X).data_format
