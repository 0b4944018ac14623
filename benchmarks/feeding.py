"""What it costs to feed a model: from memory, from HDF5 files, from generators; and gathering shuffled rows.

python -P benchmarks/feeding.py            all tables
python -P benchmarks/feeding.py gather     one of them: files, generators, errors, gather
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _kernels import foreign_cpus, machine, median, seconds

from pykeras._cython.rows import gather_rows
from pykeras.layers import Dense, Dropout
from pykeras.models import Sequential
from pykeras.utils import HDF5Matrix, Sequence

ROWS, COLUMNS, CLASSES, BATCH = 60000, 784, 10, 128


def mlp(*hidden: int, dropout: float = 0.0) -> Sequential:
    """A stack of dense layers for rows of 784 numbers, compiled."""
    model = Sequential()
    for i, n in enumerate(hidden):
        model.add(Dense(n, activation="relu", **({"input_shape": (COLUMNS,)} if i == 0 else {})))
        if dropout:
            model.add(Dropout(dropout))
    model.add(Dense(CLASSES, activation="softmax"))
    model.compile("rmsprop", "categorical_crossentropy")
    return model


MODELS: dict[str, Callable[[], Sequential]] = {
    "784-512-512-10, dropout (mnist_mlp)": lambda: mlp(512, 512, dropout=0.2),
    "784-128-10": lambda: mlp(128),
    "784-32-10": lambda: mlp(32),
}


def turns(calls: list[Callable[[], Any]], rounds: int) -> tuple[list[list[float]], list[list[float]], float]:
    """Times long calls, one of each per round.

    Returns:
        for each call the seconds by the clock, the seconds of CPU time (all threads), and how many CPUs other
        processes kept busy meanwhile.
    """
    times: list[list[float]] = [[] for _ in calls]
    cpu: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    _, mark = foreign_cpus()
    for _ in range(rounds):
        for i, call in enumerate(calls):
            start, start_cpu = time.perf_counter(), time.process_time()
            call()
            times[i].append(time.perf_counter() - start)
            cpu[i].append(time.process_time() - start_cpu)
    return times, cpu, foreign_cpus(mark)[0]


def files(folder: str) -> None:
    """An epoch over an MNIST-sized data set: from memory, and from HDF5 files of several layouts."""
    random = np.random.RandomState(0)
    x = random.rand(ROWS, COLUMNS).astype("float32")
    y = np.eye(CLASSES, dtype="float32")[random.randint(0, CLASSES, ROWS)]
    path = os.path.join(folder, "data.h5")
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = x, y
        file.create_dataset("chunks", data=x, chunks=(BATCH, COLUMNS))
        file.create_dataset(
            "gzip", data=(x * 255).astype("uint8"), chunks=(BATCH, COLUMNS), compression="gzip"
        )
    print(f"\n## Files\n\nOne epoch of {ROWS} rows, batch {BATCH}, shuffle='batch'. Speed as a share of the")
    print("speed from memory, by the clock and, in brackets, by the CPU time of all threads (which others on")
    print("the machine disturb less, and which counts reading ahead as if it were never beside anything).\n")
    with h5py.File(path, "r") as file:
        sources: dict[str, tuple[Any, Any]] = {
            "memory": (x, y),
            "HDF5": (file["x"], file["y"]),
            "HDF5Matrix": (HDF5Matrix(path, "x"), HDF5Matrix(path, "y")),
            "in chunks": (file["chunks"], file["y"]),
            "gzip, uint8": (file["gzip"], file["y"]),
        }
        print("| model | µs per step from memory | " + " | ".join(list(sources)[1:]) + " | others' CPUs |")
        print("|---" * (len(sources) + 2) + "|")
        for name, make in MODELS.items():
            model = make()
            calls = [
                lambda a=a, b=b, model=model: model.fit(a, b, BATCH, shuffle="batch", verbose=0)
                for a, b in sources.values()
            ]
            times, cpu, others = turns(calls, 7)
            step = median(times[0]) / -(-ROWS // BATCH) * 1e6
            cells = [f"{share(times, i):.0%} ({share(cpu, i):.0%})" for i in range(1, len(calls))]
            print(f"| {name} | {step:.0f} | " + " | ".join(cells) + f" | {others:.1f} |", flush=True)


def share(times: list[list[float]], i: int) -> float:
    """Speed of call i as a share of the speed of the first, round by round; the median."""
    return statistics.median(first / this for first, this in zip(times[0], times[i]))


class Batches(Sequence):
    """The same small batch, again and again."""

    def __init__(self, batch: Any, length: int) -> None:
        self.batch, self.length = batch, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.batch


def generators(folder: str) -> None:
    """What a step costs beside the computation: batches that cost nothing, a model that costs little."""
    batch = np.ones((32, COLUMNS), "float32"), np.ones((32, CLASSES), "float32")
    model = mlp(32)

    def endless() -> Iterator[Any]:
        while True:
            yield batch

    def loop() -> None:
        for _ in range(STEPS):
            model.train_on_batch(*batch)

    STEPS = 500
    sequence = Batches(batch, STEPS)
    cases: dict[str, Callable[[], Any]] = {"`train_on_batch` in a loop": loop}
    for workers in (0, 1, 4):
        how: dict[str, Any] = {"verbose": 0, "workers": workers}
        cases[f"generator, workers={workers}"] = lambda how=how: model.fit_generator(endless(), STEPS, **how)
        cases[f"Sequence, workers={workers}"] = lambda how=how: model.fit_generator(sequence, **how)
    small = np.ones((STEPS, COLUMNS), "float32"), np.ones((STEPS, CLASSES), "float32")
    cases["`fit` with batch 1"] = lambda: model.fit(*small, 1, verbose=0)
    times, cpu, others = turns(list(cases.values()), 9)
    print(f"\n## Generators\n\n{STEPS} steps of a 784-32-10 model, batch 32, without work in the generator;")
    print(f"others kept {others:.1f} CPUs busy.\n\n| | µs per step | CPU time |\n|---|---|---|")
    for name, row, used in zip(cases, times, cpu):
        print(f"| {name} | {median(row) / STEPS * 1e6:.0f} | {median(used) / STEPS * 1e6:.0f} |")


class Failing(Batches):
    """Raises at the fourth batch; the one after it takes long, whoever makes it."""

    def __getitem__(self, index: int) -> Any:
        if index == 3:
            raise LookupError(repr(time.time()))
        if index == 4:
            time.sleep(20)
        return super().__getitem__(index)


def errors(folder: str) -> None:
    """How long an exception of a worker takes to reach the caller of `fit_generator`."""
    model = mlp(32)
    data = Failing((np.ones((32, COLUMNS), "float32"), np.ones((32, CLASSES), "float32")), 20)
    print(
        "\n## Errors\n\nFrom the `raise` in a worker to the caller of `fit_generator`, while the next batch"
    )
    print("and one for the validation are stuck for 20 s (each gets 0.2 s to end); the longest of 5.\n")
    print("| | ms |\n|---|---|")
    ways = {"the caller's thread": (0, False), "1 thread": (1, False), "4 threads": (4, False)}
    for name, (workers, processes) in {**ways, "3 processes": (3, True)}.items():
        times = []
        for _ in range(5):
            try:
                model.fit_generator(
                    data,
                    verbose=0,
                    shuffle=False,
                    validation_data=data,
                    workers=workers,
                    use_multiprocessing=processes,
                )
            except LookupError as error:
                times.append(time.time() - float(error.args[0]))
        print(f"| {name} | {max(times) * 1e3:.1f} |", flush=True)


def gather(folder: str) -> None:
    """Shuffled rows: `take` of NumPy beside our own loop, which `fit` uses for rows of 1 KB and more."""
    print("\n## Gathering the rows of a shuffled batch\n\nµs per batch; every batch has other rows.\n")
    print("| rows | bytes per row | arrays | x[rows] | take | gather_rows | take ÷ gather_rows |")
    print("|---|---|---|---|---|---|---|")
    cases = [(32, 16, 1), (128, 256, 1), (32, 1024, 1), (32, 3136, 1), (128, 3136, 1), (128, 3136, 3)]
    for rows, size, arrays in [*cases, (32, 12288, 2), (32, 602112, 1)]:
        n = min(60000, (256 << 20) // size // arrays)
        data = [np.ones((n, size // 4), "float32") for _ in range(arrays)]
        orders = itertools.cycle([np.random.permutation(n)[:rows] for _ in range(300)])

        def all_arrays(how: Any, data: Any = data, orders: Any = orders) -> Callable[[], Any]:
            def call() -> None:
                order = next(orders)
                for x in data:
                    how(x, order)

            return call

        ways = [lambda x, r: x[r], lambda x, r: x.take(r, axis=0), gather_rows]
        times, quiet = seconds([all_arrays(how) for how in ways], rounds=5)
        middle = [median(row) * 1e6 for row in times]
        cells = " | ".join(f"{t:.1f}" for t in middle)
        print(
            f"| {rows} | {size} | {arrays} | {cells} | {middle[1] / middle[2]:.2f}{'' if quiet else ' ~'} |"
        )
    print("\nA row that ends in ~ was disturbed by other processes.")


if __name__ == "__main__":
    tables = {"files": files, "generators": generators, "errors": errors, "gather": gather}
    print(f"# Feeding\n\n{machine()[:-1]}, h5py {h5py.__version__}.")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or tables:
            tables[name](folder)
