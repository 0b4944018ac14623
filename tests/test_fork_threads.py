"""One model used by many: threads that predict at the same time, and processes made by fork."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pykeras
from pykeras.layers import BatchNormalization, Conv2D, Dense, Flatten
from pykeras.models import Sequential
from pykeras.utils import GeneratorEnqueuer

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def model() -> Sequential:
    model = Sequential()
    model.add(Conv2D(8, (3, 3), activation="relu", input_shape=(12, 12, 3)))
    model.add(BatchNormalization())
    model.add(Flatten())
    model.add(Dense(200, activation="tanh"))
    model.add(Dense(5, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd")
    return model


def pictures(n: int) -> np.ndarray:
    return np.random.RandomState(n).rand(n, 12, 12, 3).astype("float32")


def in_threads(work: Callable[[int], None], n: int) -> None:
    """Run `work(i)` in n threads that start together; raise what the first failing one raised."""
    start, errors = threading.Barrier(n), []

    def run(i: int) -> None:
        try:
            start.wait(timeout=30)
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if errors:
        raise errors[0]


def in_child(work: Callable[[], bool], seconds: float = 60) -> None:
    """Run `work` in a forked child and check that it says True before the time is up."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def test_predictions_in_threads(model):
    """Same bits as alone, with several batch sizes at once, the first calls included."""
    sizes = [1, 7, 32, 64]
    results: dict[int, list[np.ndarray]] = {i: [] for i in range(8)}

    def work(i: int) -> None:
        x = pictures(sizes[i % len(sizes)])
        for _ in range(20):
            results[i].append(model.predict(x, batch_size=16))

    in_threads(work, len(results))
    for i, predictions in results.items():
        alone = model.predict(pictures(sizes[i % len(sizes)]), batch_size=16)
        for prediction in predictions:
            np.testing.assert_array_equal(prediction, alone)


def test_one_model_per_thread(model):
    """Building, training and predicting in threads gives what it gives alone."""
    weights = model.get_weights()
    x, y = pictures(16), np.eye(5)[np.arange(16) % 5]

    def train() -> list[np.ndarray]:
        own = Sequential.from_config(model.get_config())
        own.set_weights(weights)
        own.compile(loss="categorical_crossentropy", optimizer="sgd")
        for _ in range(5):
            own.train_on_batch(x, y)
        return own.get_weights()

    alone = train()
    results: dict[int, list[np.ndarray]] = {}
    in_threads(lambda i: results.__setitem__(i, train()), 4)
    for trained in results.values():
        for a, b in zip(trained, alone, strict=True):
            np.testing.assert_array_equal(a, b)


def test_prediction_after_fork(model):
    """The child of a process whose thread pool is at work predicts the same."""
    x = pictures(64)
    before = model.predict(x)
    for _ in range(3):
        in_child(lambda: np.array_equal(model.predict(x), before))
    np.testing.assert_array_equal(model.predict(x), before)


def test_first_prediction_in_the_child(model):
    """Fork before the model was used: the parent's state stays its own."""
    x = pictures(32)
    in_child(lambda: bool(np.isfinite(model.predict(x)).all()))
    assert np.isfinite(model.predict(x)).all()


def test_training_after_fork(model):
    """A child trains its own copy; the parent's weights stay as they were."""
    x, y = pictures(32), np.eye(5)[np.arange(32) % 5]
    model.predict(x)
    weights = model.get_weights()

    def train() -> bool:
        losses = [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(10)]
        return losses[-1] < losses[0]

    in_child(train)
    for a, b in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_fork_while_another_thread_predicts(model):
    """A lock that another thread holds at the moment of the fork must not hang the child."""
    x = pictures(64)
    before = model.predict(x)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            model.predict(x)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(5):
            in_child(lambda: np.array_equal(model.predict(x), before), seconds=30)
    finally:
        stop.set()
        thread.join()


def test_fork_while_another_thread_trains(model):
    """The child finds free locks and whole weights, though its parent was amid a training step."""
    x, y = pictures(64), np.eye(5)[np.arange(64) % 5]
    model.train_on_batch(x, y)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            model.train_on_batch(x, y)
            model.set_weights(model.get_weights())

    def train() -> bool:
        state = model.get_weights()
        return all(np.isfinite(w).all() for w in state) and np.isfinite(model.train_on_batch(x, y))

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            in_child(train, seconds=30)
    finally:
        stop.set()
        thread.join()


def test_fork_while_thread_pools_come_and_go():
    """A thread that drops the old pool and the process that forks must not wait for each other."""
    code = """
import os, threading, time
import numpy as np
from pykeras import _core

x = h = _core.placeholder((4, 8), "float32", "x")
for _ in range(60):  # plans that take a while to make
    w = _core.constant(np.eye(8, dtype="float32"))
    (h,) = _core.op("matmul", [h, w], {}, "")
    (h,) = _core.op("tanh", [h], {}, "")
f = _core.Function([x], [h], [], "f")
stop = threading.Event()

def busy():
    while not stop.is_set():
        f([[[1.0] * 8] * 4])

thread = threading.Thread(target=busy)
thread.start()
for k in range(40):
    _core.set_num_threads(1 + k % 2)
    time.sleep(k % 8 * 0.0002)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
stop.set()
thread.join()
"""
    folder = Path(pykeras.__file__).parent.parent
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=folder, timeout=60, check=True)


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="Windows cannot fork")
def test_fork_while_a_worker_draws_random_numbers():
    """NumPy's global generator has a lock, which a child would find taken: a callback may fork any time."""

    def draws():
        while True:
            np.random.rand(200_000)
            yield np.ones((1, 2)), np.ones((1, 1))

    enqueuer = GeneratorEnqueuer(draws())
    enqueuer.start()
    batches = enqueuer.get()
    for _ in range(20):
        for _ in range(3):
            next(batches)
        in_child(lambda: 0 <= np.random.rand() < 1, seconds=20)
    enqueuer.stop()
