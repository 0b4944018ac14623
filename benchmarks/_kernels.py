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


def seconds(calls: list[Call], budget: float, threads: int, cpu_time: bool) -> list[list[float]]:
    """Times every run of each call; the calls take turns, so that a slow spell of the machine meets all.

    Args:
        calls: what to time.
        budget: seconds of wall time for each call.
        threads: how many the calls use.
        cpu_time: count the CPU time of the process, divided by `threads`, instead of wall time.

    Returns:
        for each call the seconds of its runs.
    """
    clock = (lambda: time.process_time() / threads) if cpu_time else time.perf_counter
    for call in calls:
        call()
        call()
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + budget * len(calls)
    while time.perf_counter() < end or len(times[0]) < 5:
        for call, kept in zip(calls, times):
            start = clock()
            call()
            kept.append(clock() - start)
    return times


def median(times: list[float]) -> float:
    """The median, in seconds."""
    return statistics.median(times)


def header(title: str, cpu_time: bool) -> str:
    """Date, machine and versions, and what the columns mean, as the first lines of a table."""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    clock = (
        "The machine was busy: times are CPU time of the process over the number of threads.\n"
        "That leaves out waiting for a CPU; with several threads it is only a hint.\n"
        if cpu_time
        else "Times are wall time.\n"
    )
    return (
        f"# {title}\n\n{date.today()}, {cpu}, {os.cpu_count()} CPUs, instruction set {_core.isa()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}.\n"
        f"{clock}"
        "Shares are of the multiply-add peak measured in the same process on as many threads: the first\n"
        "by the median of many runs, the second ('best') by the fastest one.\n"
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
