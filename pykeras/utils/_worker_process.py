"""A process that makes batches: what runs in it, and the handle by which the parent asks it.

Processes are spawned, not forked: a forked child would inherit locks that other threads hold and threads that
no longer run.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6), which uses a pool of forked processes.
"""

from __future__ import annotations

import ast
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import random
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np


class WorkerTraceback(Exception):
    """Carries the traceback of a worker process as text: the cause of the exception that the caller sees."""

    def __str__(self) -> str:
        return "\n" + "".join(map(str, self.args))


class NotSendable(TypeError):
    """Data that cannot be sent to other processes."""


def why_not(source: Any) -> str | None:
    """Tells what stands against making batches in other processes, as far as it can be told beforehand.

    Args:
        source: the generator or Sequence.

    Returns:
        a sentence; None if nothing is known.
    """
    main = sys.modules["__main__"]
    path: Any = getattr(main, "__file__", None)
    specification = getattr(main, "__spec__", None)
    if isinstance(source, types.GeneratorType):
        return (
            "the generator of a generator function cannot be sent to other processes. A "
            "`keras.utils.Sequence` can."
        )
    if specification is not None and specification.name.endswith("__main__"):
        return None  # other processes do not import such a main module
    if not os.path.isfile(path or ""):
        if path is None and type(source).__module__ != "__main__":
            return None
        return (
            f"{type(source).__name__} is used in a script without a file (or at the prompt), which other "
            "processes cannot import. Put it into a file."
        )
    if _would_run_again(main, path):
        return (
            "each process imports the script, and would do its work once more. Put the work below "
            "`if __name__ == '__main__':`."
        )
    return None


def _would_run_again(main: Any, path: str) -> bool:
    """Whether a spawned process, which imports the main module, will come to where we are now."""
    line: int | None = None
    frame: types.FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals is main.__dict__ and frame.f_code.co_name == "<module>":
            line = frame.f_lineno
        frame = frame.f_back
    if line is None:  # a thread, or the main module is done
        return False
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return False
    return not any(
        node.lineno <= line <= (node.end_lineno or 0) and "'__name__'" in ast.dump(node.test)
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
    )


def pickled(source: Any) -> bytes:
    """Returns a generator or Sequence as bytes for other processes.

    Args:
        source: the object.

    Raises:
        NotSendable: it cannot be pickled; the message says what to do.
    """
    try:
        return bytes(ForkingPickler.dumps(source))
    except Exception as error:
        raise NotSendable(
            "use_multiprocessing=True needs data that can be sent to other processes, and "
            f"{type(source).__name__} cannot be pickled: {error}. Use threads (use_multiprocessing=False) or "
            "a `keras.utils.Sequence` that is defined at the top level of a module and opens files, locks "
            "and generators only when a batch is read."
        ) from error


class WorkerProcess:
    """A spawned process that holds a copy of a generator or Sequence.

    The process is started at once; `load` sends it the data. It ends with its parent.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _no_ctrl_c():
            self._process.start()
        theirs.close()

    def load(self, payload: bytes) -> None:
        """Sends (or replaces) the object that batches are read from; `payload` comes from `pickled`."""
        self._ask("load", payload)

    def item(self, index: int, seed: int) -> Any:
        """Returns batch `index` of a Sequence; NumPy's and Python's generators are seeded before."""
        return self._ask("item", (index, seed))

    def seed(self, seed: int) -> None:
        """Seeds NumPy's and Python's random numbers in the process."""
        self._ask("seed", seed)

    def next(self) -> Any:
        """Returns the next batch of a generator; raises StopIteration at its end."""
        return self._ask("next", None)

    def terminate(self) -> None:
        """Ends the process whatever it does; another thread that waits for its answer gets an error."""
        self._process.terminate()

    def join(self, timeout: float) -> None:
        """Waits until the process is gone."""
        self._process.join(timeout)
        if self._process.is_alive():  # it ignores the polite signal
            self._process.kill()
            self._process.join(timeout)

    def _ask(self, what: str, value: Any) -> Any:
        try:
            self._connection.send((what, value))
            multiprocessing.connection.wait([self._connection, self._process.sentinel])
            if not self._connection.poll():
                raise EOFError
            kind, answer, text = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            raise RuntimeError(
                f"A worker process ended without giving its batch (exit code {self._process.exitcode}). With "
                "use_multiprocessing=True a script must do its work below `if __name__ == '__main__':`, "
                "because every worker imports it anew; a negative code is a signal, as when memory runs out."
            ) from error
        if kind == "end":
            raise StopIteration
        if kind == "error":
            failure = pickle.loads(answer) if answer is not None else RuntimeError("A worker process failed.")
            raise failure from WorkerTraceback(text)
        return answer


@contextlib.contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """Processes that start here hear no Ctrl-C, not even while they import: it is the parent's business."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # it would be started, too, and lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Any) -> None:
    """Answers requests until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where `_no_ctrl_c` can do nothing
    source: Any = None
    while True:
        try:
            what, value = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[str, Any, str] = ("ok", None, "")
            if what == "load":
                source = _unpickled(value)
            elif what == "seed":
                _seed(value)
            elif what == "item":
                index, seed = value
                _seed(seed)
                answer = ("ok", source[index], "")
            else:
                answer = ("ok", next(source), "")
            message = ForkingPickler.dumps(answer)
        except StopIteration:
            message = ForkingPickler.dumps(("end", None, ""))
        except BaseException as error:
            message = ForkingPickler.dumps(("error", _portable(error), traceback.format_exc()))
        try:
            connection.send_bytes(message)
        except OSError:
            return


def _unpickled(payload: bytes) -> Any:
    try:
        source = pickle.loads(payload)
    except AttributeError as error:
        raise RuntimeError(
            f"A worker process cannot find the class of the data ({error}). With use_multiprocessing=True it "
            "must be defined in a file that can be imported, not in a notebook or at the prompt; or use "
            "threads (use_multiprocessing=False)."
        ) from error
    return source if hasattr(source, "__getitem__") else iter(source)


def _seed(seed: int) -> None:
    np.random.seed(seed)
    random.seed(seed)


def _portable(error: BaseException) -> bytes | None:
    """Returns the exception as bytes, None if it does not survive the journey."""
    try:
        payload = pickle.dumps(error)
        pickle.loads(payload)
    except Exception:
        return None
    return payload
