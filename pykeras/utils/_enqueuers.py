"""Enqueuers: workers that read batches ahead of the training loop, in threads or processes.

Three rules keep them from hanging. Threads are daemons and wait only for things that `stop` wakes. Whoever
waits for a batch gets the worker's exception in its place. `stop` waits for a worker that is still making a
batch, but not for ever.

Everything is handed over in `queue.SimpleQueue`s, which cost a fraction of Python's conditions. To wake a
thread costs more than many a batch, so workers that wait for places in a full queue get a few at a time.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import queue
import threading
import time
import weakref
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._sequence import Sequence
from ._worker_process import WorkerProcess, pickled

# How long `stop` waits for workers that are in the middle of a batch, in seconds.
_PATIENCE = 5.0

# Workers draw from NumPy's global generator. A fork in the middle of that would leave its lock taken in the
# child for ever, so a fork waits until the lock is free.
if hasattr(os, "register_at_fork"):
    _numpys_lock = np.random.mtrand.get_bit_generator().lock
    os.register_at_fork(
        before=_numpys_lock.acquire,
        after_in_parent=_numpys_lock.release,
        after_in_child=_numpys_lock.release,
    )

# uid → Sequence, for `get_index`
_shared_sequences: dict[int, Any] = {}
_uids = itertools.count()

# Where a reader finds its batch: (batch, None), (None, exception), or None if it was dropped.
_Slot = queue.SimpleQueue

# generator → lock: two enqueuers may read the same one, for training and for validation
_generator_locks: weakref.WeakKeyDictionary[Any, threading.Lock] = weakref.WeakKeyDictionary()


def init_pool(seqs: dict[int, Any]) -> None:
    """Makes Sequences known to `get_index` in this process.

    Args:
        seqs: dict uid → Sequence.
    """
    _shared_sequences.update(seqs)


def get_index(uid: int, i: int) -> Any:
    """Returns batch `i` of the Sequence that an enqueuer (or `init_pool`) registered as `uid`."""
    return _shared_sequences[uid][i]


class SequenceEnqueuer:
    """Base class: reads batches ahead and hands them over in a queue.

    Example:
        >>> enqueuer = OrderedEnqueuer(sequence)
        >>> enqueuer.start(workers=4, max_queue_size=8)
        >>> batches = enqueuer.get()
        >>> x, y = next(batches)
        >>> enqueuer.stop()
    """

    # how many batches will be asked for in all; None: nobody knows, read on for ever
    batches_wanted: int | None = None

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.stop_signal: threading.Event | None = None
        self.max_queue_size = 0
        # an entry for each batch that may be made; those of batches that were taken wait in `_vacant`
        self._places: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._vacant: deque[None] = deque()
        self._threads: list[threading.Thread] = []

    @abstractmethod
    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Starts the workers.

        Args:
            workers: number of threads or processes.
            max_queue_size: number of batches that may wait.
        """
        raise NotImplementedError

    @abstractmethod
    def get(self) -> Iterator[Any]:
        """Yields batches; a worker's exception is raised here."""
        raise NotImplementedError

    def is_running(self) -> bool:
        """Whether the workers are at work."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def stop(self, timeout: float | None = None) -> None:
        """Stops the workers and drops the batches that wait.

        Args:
            timeout: how long to wait for batches that are being made, in seconds; None: a few seconds. A
                worker that takes longer is left alone; what it makes is dropped.
        """
        if self.stop_signal is None:
            return
        self.stop_signal.set()
        self._interrupt()
        while True:
            try:
                self.queue.get_nowait()
            except queue.Empty:
                break
        self.queue.put(None)  # wakes a reader
        for _ in self._threads:
            self._places.put(None)
        until = time.monotonic() + (_PATIENCE if timeout is None else timeout)
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))
        self._threads = []

    def _interrupt(self) -> None:
        """Breaks off what workers do, where that is possible."""

    def _open(self, max_queue_size: int) -> threading.Event:
        if self.is_running():
            raise RuntimeError("The enqueuer is running already; call its `stop` first.")
        self.queue = queue.SimpleQueue()
        self.max_queue_size = max(1, max_queue_size)
        self._places = queue.SimpleQueue()
        self._vacant = deque([None] * self.max_queue_size)
        self._give_places()
        self.stop_signal = threading.Event()
        return self.stop_signal

    def _leave_place(self, waiting: bool) -> None:
        """Gives back the place of a batch that was taken: soon, or now if no other is `waiting`."""
        self._vacant.append(None)
        if not waiting or len(self._vacant) >= self.max_queue_size // 3:
            self._give_places()

    def _give_places(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._places.put(self._vacant.pop())

    def _spawn_thread(self, target: Callable[..., None], *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True, name=f"pykeras-{target.__name__}")
        self._threads.append(thread)
        thread.start()
        return thread


class OrderedEnqueuer(SequenceEnqueuer):
    """Reads a `Sequence` with several workers and keeps the order of its batches.

    Args:
        sequence: a `Sequence`.
        use_multiprocessing: processes instead of threads. The Sequence is sent to them once, and again after
            every epoch if it has an `on_epoch_end`. The random numbers of a batch are seeded for that batch:
            they do not depend on which worker makes it.
        shuffle: a new order of the batches for every pass, drawn from NumPy's global generator.

    Raises:
        TypeError: in `start`, the Sequence cannot be sent to other processes.
        ValueError: in `start`, it has no batches.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__()
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.shuffle = shuffle
        self.workers = 0
        self.uid = next(_uids)
        self.run_thread: threading.Thread | None = None
        self._processes: list[WorkerProcess] = []
        self._ordered: set[_Slot] = set()  # those of batches that nobody has got yet
        self._payload = b""
        self._version = 0

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Starts the workers.

        Args:
            workers: number of threads or processes.
            max_queue_size: number of batches that may wait.
        """
        if len(self.sequence) < 1:
            raise ValueError(f"{type(self.sequence).__name__} has no batches: its length is 0.")
        if self.use_multiprocessing:
            self._payload = pickled(self.sequence)
        stopped = self._open(max_queue_size)
        self.workers = max(1, workers)
        self._ordered = set()
        # Drawn here, in the caller's thread: threads that share NumPy's generator would make runs differ.
        seed = int(np.random.randint(2**31)) if self.shuffle or self.use_multiprocessing else 0
        self._send_sequence()
        self._processes = [WorkerProcess() for _ in range(self.workers * bool(self.use_multiprocessing))]
        orders, lock = self._orders(stopped, seed), threading.Lock()
        for number in range(self.workers):
            process = self._processes[number] if self._processes else None
            self.run_thread = self._spawn_thread(self._run, stopped, orders, lock, process)

    def get(self) -> Iterator[Any]:
        """Yields the batches in order; a worker's exception is raised in the place of its batch.

        A StopIteration, of an iterator that the Sequence reads from, ends the batches.
        """
        while True:
            slot = self.queue.get()
            if slot is None:
                self.queue.put(None)  # for other readers
                return
            if slot.empty():  # every worker may be needed
                self._give_places()
            result = slot.get()
            if result is None:  # cancelled
                return
            batch, error = result
            if error is not None:
                self.stop(timeout=0.2)
                if isinstance(error, StopIteration):
                    return
                raise error
            self._ordered.discard(slot)
            self._leave_place(not self.queue.empty())
            del result
            yield batch

    def stop(self, timeout: float | None = None) -> None:
        """Stops the workers and drops the batches that wait; see `SequenceEnqueuer.stop`."""
        super().stop(timeout)
        for process in self._processes:
            process.join(1.0)
        self._processes = []
        _shared_sequences.pop(self.uid, None)

    def _interrupt(self) -> None:
        for process in self._processes:
            process.terminate()
        for slot in list(self._ordered):
            slot.put(None)  # wakes whoever waits for it

    def _orders(
        self, stopped: threading.Event, seed: int
    ) -> Iterator[tuple[Callable[[], Any], tuple[int, int]]]:
        """Yields what is to be made, pass after pass: how, and for processes (index, seed)."""
        generator = np.random.RandomState(seed)
        left = self.batches_wanted
        # A Sequence that draws random numbers may do so in the order of the batches, whatever the threads do.
        prepare = None if self.use_multiprocessing else getattr(self.sequence, "_prepare_item", None)
        while left is None or left > 0:
            order = np.arange(len(self.sequence))
            if self.shuffle:
                generator.shuffle(order)
            indices = order[:left].tolist()
            for index, number in zip(indices, generator.randint(2**31, size=len(indices)).tolist()):
                if stopped.is_set():
                    return
                make = prepare(index) if prepare else functools.partial(get_index, self.uid, index)
                yield make, (index, number)
            if left is not None:
                left -= len(order)
            if (left is not None and left < 0) or not self._wait_queue(stopped):
                return
            self.sequence.on_epoch_end()
            self._send_sequence(again=left != 0)

    def _wait_queue(self, stopped: threading.Event) -> bool:
        """Waits until every batch of the pass has been taken; False if it was broken off."""
        held = 0
        while self._ordered and not stopped.is_set():
            self._places.get()  # a batch was taken (or `stop` wants to wake us)
            held += 1
        self._vacant.extend([None] * held)
        self._give_places()
        return not self._ordered

    def _send_sequence(self, again: bool = False) -> None:
        """Publishes the Sequence as it is now."""
        init_pool({self.uid: self.sequence})
        changes = type(self.sequence).on_epoch_end is not Sequence.on_epoch_end
        if again and self.use_multiprocessing and changes:
            self._payload = pickled(self.sequence)
            self._version += 1

    def _run(
        self,
        stopped: threading.Event,
        orders: Iterator[Any],
        lock: threading.Lock,
        process: WorkerProcess | None,
    ) -> None:
        """One worker: takes an order when there is a place, makes the batch, itself or by its process."""
        waiting, places, ordered = self.queue, self._places, self._ordered
        loaded = -1
        while True:
            with lock:
                places.get()
                slot: _Slot[Any] = _Slot()
                try:
                    order = next(orders, None)
                except BaseException as error:  # of the user's __len__ or on_epoch_end
                    slot.put((None, error))
                    waiting.put(slot)
                    return
                if order is None:
                    waiting.put(None)
                    return
                ordered.add(slot)
                waiting.put(slot)
            if stopped.is_set():  # `stop` may have missed this one
                slot.put(None)
                return
            make, (index, seed) = order
            try:
                if process is None:
                    batch = make()
                else:
                    if loaded != self._version:
                        loaded = self._version
                        process.load(self._payload)
                    batch = process.item(index, seed)
            except BaseException as error:
                slot.put((None, error))
            else:
                slot.put((batch, None))
                del batch  # or it would live until the next one
            del slot, order, make


class GeneratorEnqueuer(SequenceEnqueuer):
    """Reads a generator ahead.

    Args:
        generator: yields batches. With threads only one of them is inside it at a time, and the order stays.
        use_multiprocessing: processes instead of threads. Each gets a copy of the iterator, which must be
            picklable, so data may come more than once; a generator function's generator cannot be sent.
        wait_time: not used, nothing is polled.
        seed: seeds the random numbers of process i with seed + i; None: drawn from NumPy's generator.

    Raises:
        TypeError: in `start`, the generator cannot be sent to other processes.
    """

    def __init__(
        self,
        generator: Any,
        use_multiprocessing: bool = False,
        wait_time: float = 0.05,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.wait_time = wait_time
        self.seed = seed
        self.genlock = _lock_of(generator)
        self._use_multiprocessing = use_multiprocessing
        self._processes: list[WorkerProcess] = []
        self._numbers: Iterator[int] = iter(())  # one for each batch that may still be drawn
        self._working = 0
        self._count_lock = threading.Lock()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Starts the workers.

        Args:
            workers: number of threads or processes.
            max_queue_size: number of batches that may wait.
        """
        payload = pickled(self.generator) if self._use_multiprocessing else b""
        stopped = self._open(max_queue_size)
        workers = max(1, workers)
        self._numbers = itertools.count() if self.batches_wanted is None else iter(range(self.batches_wanted))
        self._working = workers
        if not self._use_multiprocessing:
            draw = iter(self.generator).__next__
            for _ in range(workers):
                self._spawn_thread(self._data_generator_task, stopped, draw, self.genlock)
            return
        seed = int(np.random.randint(2**31)) if self.seed is None else self.seed
        self._processes = [WorkerProcess() for _ in range(workers)]
        for number, process in enumerate(self._processes):
            draw = _first_loads(process, payload, seed + number)
            self._spawn_thread(self._data_generator_task, stopped, draw, threading.Lock())

    def get(self) -> Iterator[Any]:
        """Yields the batches; ends when the generator does. A worker's exception is raised here."""
        while True:
            item = self.queue.get()
            if item is None:
                self.queue.put(None)  # for other readers
                return
            batch, error = item
            if error is not None:
                self.stop(timeout=0.2)
                raise error
            self._leave_place(not self.queue.empty())
            del item
            yield batch

    def stop(self, timeout: float | None = None) -> None:
        """Stops the workers and drops the batches that wait; see `SequenceEnqueuer.stop`."""
        super().stop(timeout)
        for process in self._processes:
            process.join(1.0)
        self._processes = []

    def _interrupt(self) -> None:
        for process in self._processes:
            process.terminate()

    def _data_generator_task(self, stopped: threading.Event, draw: Callable[[], Any], lock: Any) -> None:
        """One worker: draws batches until the generator ends or enough have been drawn."""
        waiting, places = self.queue, self._places
        while True:
            places.get()
            # A generator cannot be entered twice; and what is put inside the lock keeps its order.
            with lock:
                if stopped.is_set() or next(self._numbers, None) is None:
                    break
                try:
                    item: Any = (draw(), None)
                except StopIteration:
                    if not self._use_multiprocessing:  # the other threads need not try
                        self._numbers = iter(())
                    break
                except BaseException as error:
                    item = (None, error)
                if not stopped.is_set():
                    waiting.put(item)
                if item[1] is not None:
                    return
                del item
        with self._count_lock:
            self._working -= 1
            last = self._working == 0
        places.put(None)  # for the others to see the end, too
        if last and not stopped.is_set():
            waiting.put(None)


def _lock_of(generator: Any) -> Any:
    try:
        return _generator_locks.setdefault(generator, threading.Lock())
    except TypeError:  # no weak references, or not hashable
        return threading.Lock()


def _first_loads(process: WorkerProcess, payload: bytes, seed: int) -> Callable[[], Any]:
    """Returns `process.next`, with the data sent before the first call (in the thread that calls)."""
    pending = [payload]

    def draw() -> Any:
        if pending:
            process.load(pending.pop())
            process.seed(seed % 2**32)
        return process.next()

    return draw
