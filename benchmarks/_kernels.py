"""What the kernel benchmarks share: one op in a function that copies nothing, and times in short rounds."""

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from pykeras import _core

Call = Callable[[], Any]


def op_call(
    name: str, inputs: list[np.ndarray], attrs: dict[str, Any]
) -> tuple[Call, Callable[[], np.ndarray]]:
    """A call that runs one op on the arrays and keeps its result in a variable, and one that reads it.

    Args:
        name: the engine's op.
        inputs: its inputs; they are read where they are, and anew each time.
        attrs: its attributes.
    """
    values = [_core.placeholder(list(x.shape), str(x.dtype), f"x{i}") for i, x in enumerate(inputs)]
    (out,) = _core.op(name, values, attrs, "benchmark")
    result = _core.Variable(list(out.shape), out.dtype, "result")
    result.set(np.zeros(out.shape, out.dtype))
    function = _core.Function(values, [], [(result, out)], "benchmark")
    return lambda: function(inputs), result.get


def foreign_cpus(since: tuple[float, float, float] | None = None) -> tuple[float, tuple[float, float, float]]:
    """How many CPUs other processes have kept busy since the mark given, and a new mark; 0 where unknown."""
    busy = 0.0
    try:
        with open("/proc/stat") as lines:
            user, nice, system, _, _, irq, softirq, *_ = map(int, next(lines).split()[1:])
        busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        pass
    mark = (time.perf_counter(), busy, time.process_time())
    if since is None or busy == 0.0:
        return 0.0, mark
    wall, all_busy, own = (now - then for now, then in zip(mark, since))
    return max(0.0, (all_busy - own) / wall), mark


def seconds(calls: list[Call], rounds: int = 3, patience: float = 20.0) -> tuple[list[list[float]], bool]:
    """Times every run of each call.

    The calls take turns in rounds of a tenth of a second, after a pause in which the threads of the one
    before go to sleep. A round in which other processes were busy is repeated, until patience is at an end.

    Args:
        calls: what to time.
        rounds: undisturbed rounds wanted of each call.
        patience: seconds until disturbed ones are taken as well.

    Returns:
        for each call the seconds of its runs, and whether all rounds were undisturbed.
    """
    for call in calls:
        call()
        call()
    times: list[list[float]] = [[] for _ in calls]
    counts = [0] * len(calls)
    give_up, quiet = time.perf_counter() + patience, True
    while min(counts) < rounds:
        for i, call in enumerate(calls):
            if counts[i] == rounds:
                continue
            time.sleep(0.2)  # OpenBLAS threads spin for a while after their work
            kept: list[float] = []
            _, mark = foreign_cpus()
            end = time.perf_counter() + 0.1
            while time.perf_counter() < end or len(kept) < 3:
                start = time.perf_counter()
                call()
                kept.append(time.perf_counter() - start)
            disturbed = foreign_cpus(mark)[0] > 0.12
            if disturbed and time.perf_counter() < give_up:
                time.sleep(0.2)
                continue
            quiet = quiet and not disturbed
            times[i] += kept
            counts[i] += 1
    return times, quiet


def median(times: list[float]) -> float:
    """The median, in seconds."""
    return statistics.median(times)


def machine() -> str:
    """Date, machine and versions in a line."""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    return (
        f"{date.today()}, {cpu}, {os.cpu_count()} CPUs, instruction set {_core.isa()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}."
    )


def header(title: str) -> str:
    """Title, date, machine and versions, and what the columns mean, as the first lines of a table."""
    return (
        f"# {title}\n\n{machine()}\n"
        "Shares are of the multiply-add peak measured in the same process on as many threads: the first\n"
        "by the median of many runs, the second ('best') by the fastest one. A row that ends in ~ was\n"
        "disturbed by other processes.\n"
    )


def run_threads(script: str, threads: list[int], arguments: list[str]) -> None:
    """Runs `script --worker` once per number of threads.

    Each in a process of its own, because NumPy's BLAS reads its number at import.
    """
    for n in threads:
        environment = dict(os.environ)
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYKERAS_NUM_THREADS"):
            environment[name] = str(n)
        subprocess.run([sys.executable, script, "--worker", str(n), *arguments], env=environment, check=True)
