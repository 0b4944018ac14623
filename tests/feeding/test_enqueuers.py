"""Enqueuers on their own: order, ends, errors, processes (15.3)."""

import itertools
import threading
import time
import traceback

import numpy as np
import pytest
from feeding import data

from pykeras.utils import GeneratorEnqueuer, OrderedEnqueuer, data_utils


def take(enqueuer, count=None, workers=1, size=10):
    enqueuer.start(workers, size)
    try:
        return data.numbers(enqueuer.get(), count)
    finally:
        enqueuer.stop()


def no_threads_left():
    return not [t for t in threading.enumerate() if t.name.startswith("pykeras-")]


# ---- Sequences


@pytest.mark.parametrize("workers", [1, 4])
def test_order_is_kept_whoever_is_quicker(workers):  # 15.3
    found = take(OrderedEnqueuer(data.Numbered(delay=0.002)), 14, workers)
    assert found == [*range(6), *range(6), 0, 1]
    assert no_threads_left()


def test_on_epoch_end_after_every_pass():  # 15.3
    sequence = data.Growing(3)
    assert take(OrderedEnqueuer(sequence), 7, workers=2) == [0, 1, 2, 100, 101, 102, 200]
    assert sequence.passes == 2


def test_a_pass_is_over_when_its_last_batch_is_taken():  # 15.3
    sequence = data.Growing(3)
    enqueuer = OrderedEnqueuer(sequence)
    enqueuer.start(max_queue_size=50)
    batches = enqueuer.get()
    for _ in range(2):
        next(batches)
    time.sleep(0.05)
    assert sequence.passes == 0
    next(batches)
    enqueuer.stop()
    assert sequence.passes == 1


def test_a_pass_is_over_even_if_stop_follows_at_once():  # 15.3
    sequence = data.Growing(2)
    for number in range(200):
        found = take(OrderedEnqueuer(sequence), 2, workers=1 + number % 3)
        assert found == [100 * number, 100 * number + 1] and sequence.passes == number + 1


def test_shuffle_follows_numpy_seed():  # 15.3
    def run():
        np.random.seed(3)
        return take(OrderedEnqueuer(data.Numbered(20), shuffle=True), 60, workers=3)

    first = run()
    passes = [first[i : i + 20] for i in (0, 20, 40)]
    assert all(sorted(p) == list(range(20)) for p in passes)
    assert passes[0] != passes[1] != list(range(20))
    assert run() == first


def test_queue_size_bounds_what_waits():
    made = []

    class Counted(data.Numbered):
        def __getitem__(self, index):
            made.append(index)
            return super().__getitem__(index)

    enqueuer = OrderedEnqueuer(Counted(100))
    enqueuer.start(workers=2, max_queue_size=3)
    time.sleep(0.1)
    assert len(made) == 3
    next(enqueuer.get())
    time.sleep(0.1)
    assert len(made) == 4
    enqueuer.stop()


class Counted(data.Numbered):
    """Notes what was asked for."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.made = []

    def __getitem__(self, index):
        self.made.append(index)
        return super().__getitem__(index)


def counted(n):
    """A Sequence and a generator of n batches, each with the list of what was made so far."""
    sequence, numbers = Counted(n), []

    def generator():
        for i in range(n):
            numbers.append(i)
            yield np.full((1, 1), i), None

    return [(OrderedEnqueuer(sequence), sequence.made), (GeneratorEnqueuer(generator()), numbers)]


@pytest.mark.parametrize("kind", [0, 1])
def test_places_are_given_back_a_few_at_a_time_but_not_to_a_reader_that_waits(kind):
    enqueuer, made = counted(100)[kind]
    enqueuer.start(workers=2, max_queue_size=9)
    batches = enqueuer.get()

    def settled(count):
        for _ in range(500):
            if len(made) == count:
                break
            time.sleep(0.01)
        time.sleep(0.02)
        return len(made) == count

    assert settled(9)
    for taken, wanted in [(1, 9), (2, 9), (3, 12), (4, 12), (5, 12), (6, 15)]:
        next(batches)
        assert settled(wanted), taken
    enqueuer.stop()


@pytest.mark.parametrize("kind", [0, 1])
def test_each_batch_by_a_reader_of_its_own(kind):
    enqueuer, _ = counted(60)[kind]
    enqueuer.start(workers=2, max_queue_size=12)
    assert [data.numbers(enqueuer.get(), 1)[0] for _ in range(60)] == list(range(60))
    enqueuer.stop()


@pytest.mark.parametrize("kind", [0, 1])
def test_several_readers_at_once_get_every_batch_once(kind):
    enqueuer, _ = counted(300)[kind]
    enqueuer.batches_wanted = 300
    enqueuer.start(workers=3, max_queue_size=6)
    found = [[] for _ in range(4)]
    readers = [threading.Thread(target=lambda f=f: f.extend(data.numbers(enqueuer.get()))) for f in found]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)
    assert not any(reader.is_alive() for reader in readers)
    assert sorted(itertools.chain(*found)) == list(range(300))
    enqueuer.stop()


def test_all_workers_are_busy_while_the_reader_waits():
    together = threading.Barrier(9, timeout=30)

    class Together(data.Numbered):
        def __getitem__(self, index):
            together.wait()
            return super().__getitem__(index)

    assert take(OrderedEnqueuer(Together(90)), 90, workers=9, size=9) == list(range(90))


def test_running_and_starting_twice():
    enqueuer = OrderedEnqueuer(data.Numbered())
    assert not enqueuer.is_running()
    enqueuer.stop()  # nothing to do
    enqueuer.start()
    assert enqueuer.is_running()
    with pytest.raises(RuntimeError, match="running already"):
        enqueuer.start()
    enqueuer.stop()
    assert not enqueuer.is_running()
    assert take(enqueuer, 2) == [0, 1]


def test_stop_ends_the_batches_of_a_waiting_reader():
    enough = threading.Event()

    class Stuck(data.Numbered):
        def __getitem__(self, index):
            enough.wait(30)

    enqueuer = OrderedEnqueuer(Stuck())
    enqueuer.start()
    found = []
    reader = threading.Thread(target=lambda: found.append(list(enqueuer.get())))
    reader.start()
    time.sleep(0.05)
    enqueuer.stop(timeout=0.05)
    reader.join(5)
    assert found == [[]]
    enough.set()


def test_length_zero():
    with pytest.raises(ValueError, match="Numbered has no batches: its length is 0"):
        OrderedEnqueuer(data.Numbered(0)).start()


def test_shared_registry():
    data_utils.init_pool({-1: data.Numbered()})
    assert data_utils.get_index(-1, 4)[0][0, 0] == 4


# ---- generators


@pytest.mark.parametrize("workers", [1, 3])
def test_a_generator_keeps_its_order_and_ends(workers):  # 15.3, 22.12 (PEP 479)
    source = ((np.full((1, 1), i), None) for i in range(50))
    assert take(GeneratorEnqueuer(source), workers=workers, size=4) == list(range(50))
    assert no_threads_left()


def test_two_enqueuers_share_one_generator():
    def slow():
        for i in itertools.count():
            time.sleep(0.001)
            yield np.full((1, 1), i), None

    source = slow()
    first, second = GeneratorEnqueuer(source), GeneratorEnqueuer(source)
    first.start(2)
    second.start(2)
    found = [data.numbers(e.get(), 20) for e in (first, second)]
    first.stop()
    second.stop()
    assert not set(found[0]) & set(found[1])
    assert all(numbers == sorted(numbers) for numbers in found)


def test_no_more_is_drawn_than_is_wanted():
    source = data.endless(limit=9)
    enqueuer = GeneratorEnqueuer(source)
    enqueuer.batches_wanted = 4
    enqueuer.start(workers=3)
    assert len(list(enqueuer.get())) == 4
    enqueuer.stop()
    assert len(list(source)) == 5


# ---- errors


@pytest.mark.parametrize("processes", [False, True])
def test_error_of_a_worker_comes_in_its_place_with_its_traceback(processes):  # 15.3
    enqueuer = OrderedEnqueuer(data.Failing(), use_multiprocessing=processes)
    enqueuer.start(workers=2)
    batches = enqueuer.get()
    assert data.numbers(batches, 3) == [0, 1, 2]
    with pytest.raises(LookupError, match="no batch number three") as caught:
        next(batches)
    text = "".join(traceback.format_exception(caught.value))
    assert "data.py" in text and 'raise LookupError("there is no batch number three")' in text
    assert not enqueuer.is_running() and no_threads_left()


@pytest.mark.parametrize("processes", [False, True])
def test_error_of_a_generator(processes):
    source = data.Counter(5)
    source.stop = "five"  # cannot be compared with a number
    enqueuer = GeneratorEnqueuer(source, use_multiprocessing=processes)
    enqueuer.start(workers=1)
    with pytest.raises(TypeError, match="not supported between instances") as caught:
        next(enqueuer.get())
    assert "__next__" in "".join(traceback.format_exception(caught.value))


def test_error_in_on_epoch_end():
    class Broken(data.Numbered):
        def on_epoch_end(self):
            raise ArithmeticError("no next epoch")

    enqueuer = OrderedEnqueuer(Broken(2))
    enqueuer.start()
    batches = enqueuer.get()
    assert data.numbers(batches, 2) == [0, 1]
    with pytest.raises(ArithmeticError, match="no next epoch"):
        next(batches)


@pytest.mark.parametrize(
    ("enqueuer", "message"),
    [
        (OrderedEnqueuer(data.Locked(), True), "Locked cannot be pickled.*Use threads"),
        (GeneratorEnqueuer(data.endless(), True), "generator cannot be pickled.*keras.utils.Sequence"),
    ],
)
def test_what_cannot_be_sent(enqueuer, message):
    with pytest.raises(TypeError, match=message):
        enqueuer.start()
    assert not enqueuer.is_running()


# ---- processes


def test_processes_keep_order_and_see_epoch_ends():
    found = take(OrderedEnqueuer(data.Growing(3), use_multiprocessing=True), 8, workers=2)
    assert found == [0, 1, 2, 100, 101, 102, 200, 201]


def test_random_numbers_do_not_depend_on_the_worker():
    def run(workers):
        np.random.seed(8)
        enqueuer = OrderedEnqueuer(data.Random(), use_multiprocessing=True)
        enqueuer.start(workers)
        batches = list(itertools.islice(enqueuer.get(), 6))
        enqueuer.stop()
        return np.array([x for x, _ in batches]), {float(y[0]) for _, y in batches}

    one, _ = run(1)
    two, processes = run(2)
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one)) == one.size
    assert 1 <= len(processes) <= 2


def test_every_process_has_a_copy_of_an_iterator():
    found = take(GeneratorEnqueuer(data.Counter(4), True), workers=2)
    assert sorted(found) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_process_that_dies():
    enqueuer = OrderedEnqueuer(data.Dying(), use_multiprocessing=True)
    enqueuer.start()
    with pytest.raises(RuntimeError, match=r"exit code 7\).*if __name__ == '__main__':"):
        next(enqueuer.get())


def test_an_exception_that_cannot_be_sent():
    enqueuer = OrderedEnqueuer(data.FailingBadly(), use_multiprocessing=True)
    enqueuer.start()
    with pytest.raises(RuntimeError, match="A worker process failed") as caught:
        next(enqueuer.get())
    assert "nobody will see me" in str(caught.value.__cause__)
