"""Nothing hangs: at exit, after Ctrl-C, with slow or stuck generators, in a thousand epochs (15.3)."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from feeding import data

import pykeras

START = """
import os, signal, threading, time
from feeding import data
from pykeras.utils import GeneratorEnqueuer, OrderedEnqueuer

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may run where it is ignored

def stuck():
    yield from data.endless(limit=1)
    os.write(1, b"stuck\\n")
    time.sleep(1000)
    yield

class Stuck(data.Numbered):
    def __getitem__(self, index):
        if index:
            os.write(1, b"stuck\\n")
            time.sleep(1000)
        return super().__getitem__(index)

"""


def environment() -> dict[str, str]:
    """Where scripts find this package and the data of the tests."""
    paths = [str(Path(pykeras.__file__).parent.parent), str(Path(data.__file__).parent.parent)]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def start(tmp_path: Path, code: str) -> subprocess.Popen[str]:
    """Starts a script in a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(START + code)
    return subprocess.Popen(
        [sys.executable, str(script)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Waits for the end; a process that hangs fails the test."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"it hangs: {process.communicate()}")
    return process.returncode, out, err


@pytest.mark.parametrize(
    "code",
    [
        "e = GeneratorEnqueuer(data.endless()); e.start(2); next(e.get()); print('done')",
        "e = OrderedEnqueuer(data.Numbered()); e.start(2); next(e.get()); print('done')",
        "e = GeneratorEnqueuer(stuck()); e.start(2); next(e.get()); print('done')",
        "e = OrderedEnqueuer(Stuck()); e.start(2); next(e.get()); print('done')",
        """
if __name__ == '__main__':
    e = OrderedEnqueuer(data.Numbered(), True); e.start(2); next(e.get()); print('done')""",
        """
if __name__ == '__main__':
    e = OrderedEnqueuer(Stuck(), True); e.start(2); next(e.get()); print('done')""",
    ],
)
def test_exit_with_workers_at_work(code, tmp_path):
    status, out, err = finish(start(tmp_path, code))
    assert status == 0 and "done" in out and err == ""


@pytest.mark.parametrize(
    "code",
    [
        "data.model().fit_generator(stuck(), 2, verbose=0)",
        "data.model().fit_generator(Stuck(), verbose=0, shuffle=False, workers=2)",
        "data.model().fit_generator(Stuck(), verbose=0, workers=0)",
        """
if __name__ == '__main__':
    data.model().fit_generator(Stuck(), verbose=0, workers=2, use_multiprocessing=True)""",
    ],
)
def test_ctrl_c(code, tmp_path):
    process = start(tmp_path, code)
    assert process.stdout.readline() == "stuck\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows cannot hold signals back")
def test_ctrl_c_does_not_reach_processes_that_start(tmp_path):
    """The terminal sends it to all of them: without a word from any, the parent decides."""
    code = """
if __name__ == '__main__':
    e = OrderedEnqueuer(data.Numbered(), True)
    e.start(2)
    print(*[process._process.pid for process in e._processes], flush=True)
    print(len(data.numbers(e.get(), 4)))
    e.stop()"""
    process = start(tmp_path, code)
    workers = [int(word) for word in process.stdout.readline().split()]
    for _ in range(100):  # all the time while they import what they need
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGINT)
        time.sleep(0.01)
        if process.poll() is not None:
            break
    assert finish(process) == (0, "4\n", "")


def test_ctrl_c_while_training(tmp_path):
    code = "os.write(1, b'stuck\\n'); data.model().fit_generator(data.endless(), 10**9, verbose=0, workers=2)"
    process = start(tmp_path, code)
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == -signal.SIGINT and err.rstrip().endswith("KeyboardInterrupt")


def test_a_script_without_a_main_guard_is_told(tmp_path):
    code = "e = OrderedEnqueuer(data.Numbered(), True); e.start(); next(e.get())"
    status, _, err = finish(start(tmp_path, code))
    assert status == 1
    assert "a script must do its work below `if __name__ == '__main__':`" in err


UNGUARDED = """
from multiprocessing import parent_process

class Here(data.Numbered):
    def __getitem__(self, index):
        os.write(1, b"here\\n" if parent_process() is None else b"there\\n")
        return super().__getitem__(index)

def train():
    print("training", flush=True)
    data.model().fit_generator(Here(4), verbose=0, workers=2, use_multiprocessing=True)

"""


@pytest.mark.parametrize(
    ("work", "processes"),
    [
        ("train()", False),
        ("for _ in range(1):\n    train()", False),
        ("if os.name:\n    train()", False),
        ("if __name__ == '__main__':\n    train()", True),
        ("if os.name:\n    if '__main__' == __name__ and train:\n        train()", True),
        ("if __name__ == '__main__':\n    t = threading.Thread(target=train); t.start(); t.join()", True),
    ],
)
def test_scripts_of_the_days_of_fork_run(work, processes, tmp_path):
    """Where a spawned process would do the script's work once more, threads make the batches."""
    status, out, err = finish(start(tmp_path, UNGUARDED + work))
    assert status == 0, err
    words = out.split()
    assert words.count("training") == 1
    assert words.count("there" if processes else "here") == 4 and len(words) == 5
    assert ("in spite of `use_multiprocessing=True`: each process imports the script" in err) != processes


def test_classes_of_the_prompt_are_used_in_threads(tmp_path):
    code = START + UNGUARDED + "train()"
    run = subprocess.run(
        [sys.executable], input=code, cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert run.returncode == 0 and run.stdout.split().count("here") == 4
    assert "Here is used in a script without a file (or at the prompt)" in run.stderr


def test_an_error_does_not_wait_for_slow_workers(tmp_path):
    code = """
def late():
    yield from data.endless(limit=2)
    time.sleep(1000)
class Fails(data.Callback):
    def on_batch_end(self, batch, logs=None):
        raise LookupError('of a callback')
data.model().fit_generator(late(), 5, verbose=0, callbacks=[Fails()])
"""
    status, _, err = finish(start(tmp_path, code))
    assert status == 1 and err.rstrip().endswith("LookupError: of a callback")


@pytest.mark.parametrize("processes", [False, True])
def test_an_error_of_a_worker_does_not_wait_for_the_others(processes, tmp_path):
    """They sleep for a quarter of an hour; the measured time is in benchmarks/results/feeding.md."""
    code = f"""
class Fails(Stuck):
    def __getitem__(self, index):
        if index == 1:
            raise LookupError('of a worker')
        return super().__getitem__(index)
if __name__ == '__main__':
    data.model().fit_generator(
        Fails(), verbose=0, shuffle=False, workers=3, use_multiprocessing={processes})
"""
    status, _, err = finish(start(tmp_path, code))
    assert status == 1 and err.rstrip().endswith("LookupError: of a worker")
    assert "raise LookupError('of a worker')" in err  # with the worker's traceback


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_workers_that_cannot_all_be_started(error, monkeypatch):
    """Ctrl-C in the middle, or no more threads from the system: those that run are stopped."""
    start, started = threading.Thread.start, []

    def limited(thread):
        if thread.name.startswith("pykeras-"):
            started.append(thread)
            if len(started) == 3:
                raise error("the third")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    for batches in (data.Numbered(), data.endless()):
        started.clear()
        with pytest.raises(error, match="the third"):
            data.model().fit_generator(batches, 6, verbose=0, workers=4)
        assert not any(thread.is_alive() for thread in started)


def test_a_slow_generator():
    def slow():
        for batch in data.endless():
            time.sleep(0.02)
            yield batch

    history = data.model().fit_generator(slow(), 5, 2, verbose=0, workers=4)
    assert len(history.epoch) == 2


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_a_thousand_epochs(workers):
    before = threading.active_count()
    history = data.model().fit_generator(
        data.Growing(2), epochs=1000, verbose=0, workers=workers, max_queue_size=2
    )
    assert len(history.epoch) == 1000
    history = data.model().fit_generator(data.endless(), 2, 1000, verbose=0, workers=workers)
    assert len(history.epoch) == 1000
    assert threading.active_count() == before


def test_many_short_runs():
    before = threading.active_count()
    net = data.model()
    batches = data.endless()
    for _ in range(200):
        net.fit_generator(batches, 1, verbose=0, workers=2, validation_data=data.Numbered(1))
    assert threading.active_count() == before


def test_a_thousand_epochs_in_processes():
    history = data.model().fit_generator(
        data.Growing(3), epochs=1000, verbose=0, workers=2, use_multiprocessing=True
    )
    assert len(history.epoch) == 1000
