"""Small Sequences, iterators and models; in a module of their own, so that processes can import them."""

import os
import threading
import time

import numpy as np

from pykeras.callbacks import Callback
from pykeras.layers import Dense
from pykeras.models import Sequential
from pykeras.utils import Sequence

__all__ = ["Callback"]  # for scripts


class Numbered(Sequence):
    """Batch i is filled with the number i; later batches may be quicker than earlier ones."""

    def __init__(self, length=6, size=2, delay=0.0):
        self.length, self.size, self.delay = length, size, delay
        self.passes = 0

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        time.sleep(self.delay * (self.length - index))
        x = np.full((self.size, 3), float(index), "float32")
        return x, x.sum(axis=1)


class Growing(Numbered):
    """Every pass gives higher numbers."""

    def __getitem__(self, index):
        return super().__getitem__(index + 100 * self.passes)

    def on_epoch_end(self):
        self.passes += 1


class Failing(Numbered):
    """Fails at batch 3."""

    def __getitem__(self, index):
        if index == 3:
            raise LookupError("there is no batch number three")
        return super().__getitem__(index)


class Unsendable(Exception):
    """An exception that does not survive pickling."""

    def __init__(self, one, two):
        super().__init__(one)


class FailingBadly(Numbered):
    def __getitem__(self, index):
        raise Unsendable("nobody will see me", 2)


class Dying(Numbered):
    """Its process is gone, as if killed."""

    def __getitem__(self, index):
        os._exit(7)


class Locked(Numbered):
    """Cannot be sent to another process."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class Random(Numbered):
    def __getitem__(self, index):
        return np.random.rand(2, 3), np.full(2, float(os.getpid()))


class Counter:
    """An iterator that can be sent to other processes."""

    def __init__(self, stop):
        self.i, self.stop = 0, stop

    def __iter__(self):
        return self

    def __next__(self):
        if self.i >= self.stop:
            raise StopIteration
        self.i += 1
        return np.full((2, 3), float(self.i)), np.zeros(2)


class Sums(Sequence):
    """Arrays cut into batches; the last one is smaller."""

    def __init__(self, n=20, size=8):
        self.x = np.random.RandomState(5).rand(n, 3).astype("float32")
        self.y = self.x.sum(axis=1) + 1
        self.size = size

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], self.y[rows]


class Exhausted(Numbered):
    """Reads from an iterator that is too short."""

    def __getitem__(self, index):
        if index > 2:
            next(iter(()))
        return super().__getitem__(index)


def numbers(batches, count=None):
    """The numbers that batches of `Numbered` hold."""
    found = []
    for x, *_ in batches:
        found.append(int(x[0, 0]))
        if len(found) == count:
            break
    return found


def endless(size=4, seed=0, limit=None):
    """A generator of random batches whose target is the sum of the inputs, plus 1."""
    random = np.random.RandomState(seed)
    made = 0
    while limit is None or made < limit:
        made += 1
        x = random.rand(size, 3).astype("float32")
        yield x, x.sum(axis=1) + 1


def model(metrics=("mae",)):
    net = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
    net.compile("sgd", "mse", metrics=list(metrics))
    return net
