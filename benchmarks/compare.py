"""The same models in pykeras and in tf_keras, side by side: time of a prediction, of a training step, memory.

Each engine runs in a process of its own; the two take turns in short rounds, the first place alternating, so
that a change of the machine's speed meets both. Usage: see README.md in this folder.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from typing import Any

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from models import CASES  # noqa: E402

ENGINES = ("pykeras", "tf_keras")


class EngineError(Exception):
    """An engine could not do what was asked for."""


class Engine:
    """A worker process, asked through JSON lines.

    Args:
        name: 'pykeras' or 'tf_keras'.
        python: the interpreter that has the engine installed.
        verbose: let the engine's own messages through.
    """

    def __init__(self, name: str, python: str, verbose: bool):
        self.name = name
        environment = dict(os.environ)
        if name == "tf_keras":
            environment["PYTHONPATH"] = ""  # the other engine's dependencies are none of its business
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if verbose else subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises:
            EngineError: the worker reports an error or has died.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(f"{self.name}: the worker died during '{do}'; run with --verbose to see why")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(f"{self.name}, {do}: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def three_digits(value: float) -> str:
    """Write a number with at least three digits, without an exponent."""
    return f"{value:.{max(0, 3 - len(str(int(value))))}f}"


def duration(seconds: float) -> str:
    """Write a time with three digits and a fitting unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{three_digits(seconds * factor)} {unit}"
    return f"{three_digits(seconds * 1e6)} µs"


def relative_difference(a: list[float], b: list[float]) -> float:
    """Largest difference of two lists of numbers, as a share of the largest number."""
    x, y = np.asarray(a), np.asarray(b)
    return float(np.abs(x - y).max() / max(np.abs(y).max(), 1e-30))


def processor() -> str:
    """Name of the CPU."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def run_case(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Compare one model.

    Args:
        name: key of `models.CASES`.
        options: the command line.

    Returns:
        rows of the time table, differences of the numbers, memory, versions.
    """
    case = CASES[name]
    pythons = {"pykeras": options.python, "tf_keras": options.tf_python}
    names = [engine for engine in ENGINES if engine in options.engines]
    engines = {engine: Engine(engine, pythons[engine], options.verbose) for engine in names}
    result: dict[str, Any] = {"case": name, "versions": {}, "threads": {}, "rows": [], "memory": {}}
    try:
        with tempfile.TemporaryDirectory() as folder:
            checks = []
            for engine_name, engine in engines.items():
                started = engine.ask("start", threads=options.threads)
                result["versions"].update(started["versions"])
                result["threads"][engine_name] = started["threads"]
                built = engine.ask("build", case=name, weights=os.path.join(folder, "weights.npz"))
                result["parameters"] = built["parameters"]
                checks.append(engine.ask("check", batch=8, steps=5))
        if len(checks) == 2:
            a, b = checks
            result["prediction_difference"] = relative_difference(a["predictions"], b["predictions"])
            if case.deterministic:
                result["loss_difference"] = relative_difference(a["losses"], b["losses"])
        calls = [("predict", batch) for batch in case.predict_batches]
        calls.insert(1, ("lean", case.predict_batches[0]))
        calls += [("train", batch) for batch in case.train_batches]
        for call, batch in calls:
            medians: dict[str, list[float]] = {engine: [] for engine in names}
            for round_ in range(options.rounds):
                for engine_name in names if round_ % 2 == 0 else names[::-1]:
                    request = {"call": call, "batch": batch, "seconds": options.seconds}
                    times = engines[engine_name].ask("time", **request)["times"]
                    medians[engine_name].append(statistics.median(times))
            result["rows"].append({"call": call, "batch": batch, "medians": medians})
            print(f"  {name} {call} {batch}: " + describe(medians), flush=True)
        for engine_name, engine in engines.items():
            result["memory"][engine_name] = engine.ask("memory")
    finally:
        for engine in engines.values():
            engine.close()
    return result


def describe(medians: dict[str, list[float]]) -> str:
    """One line about one row, for the terminal."""
    parts = [f"{engine} {duration(statistics.median(times))}" for engine, times in medians.items()]
    if len(medians) == 2:
        parts.append(f"ratio {three_digits(ratio(medians)[0])}")
    return ", ".join(parts)


def ratio(medians: dict[str, list[float]]) -> tuple[float, float, float]:
    """tf_keras's time over pykeras's, pair by pair: median, smallest and largest of the rounds."""
    pairs = [b / a for a, b in zip(medians["pykeras"], medians["tf_keras"], strict=True)]
    return statistics.median(pairs), min(pairs), max(pairs)


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Write the tables as Markdown."""
    versions = {key: value for result in results for key, value in result["versions"].items()}
    threads = results[0]["threads"]
    text = ["# pykeras beside tf_keras", ""]
    text.append(f"- {date.today().isoformat()}, {processor()}, {os.cpu_count()} logical cores")
    text.append("- " + ", ".join(f"{key} {value}" for key, value in sorted(versions.items())))
    text.append("- threads: " + ", ".join(f"{k} {v or 'own choice'}" for k, v in threads.items()))
    text.append(f"- medians of {options.rounds} alternating rounds of {options.seconds} s; one call each of")
    text.append(
        "  `predict_on_batch` or `train_on_batch` (lean: in tf_keras a `tf.function` around the model);"
        "\n  ratio = tf_keras / pykeras, above 1 pykeras is faster"
    )
    text += ["", "| model | call | batch | pykeras | tf_keras | ratio | (range) |"]
    text += ["|---|---|---:|---:|---:|---:|---|"]
    for result in results:
        for row in result["rows"]:
            medians = row["medians"]
            cells = [duration(statistics.median(medians[e])) if e in medians else "" for e in ENGINES]
            if len(medians) == 2:
                middle, low, high = ratio(medians)
                cells += [f"**{three_digits(middle)}**", f"{three_digits(low)} to {three_digits(high)}"]
            else:
                cells += ["", ""]
            text.append(f"| {result['case']} | {row['call']} | {row['batch']} | " + " | ".join(cells) + " |")
    text += [
        "",
        "Memory: largest resident size of the process after importing the engine, and at the end.",
        "",
    ]
    text += ["| model | parameters | pykeras | tf_keras | predictions differ by | losses differ by |"]
    text += ["|---|---:|---:|---:|---:|---:|"]
    for result in results:
        cells = [f"{result['parameters']:,}"]
        for engine in ENGINES:
            memory = result["memory"].get(engine)
            cells.append(f"{memory['start_mb']:.0f}, {memory['peak_mb']:.0f} MB" if memory else "")
        for key in ("prediction_difference", "loss_difference"):
            cells.append(f"{result[key]:.1e}" if key in result else "")
        text.append(f"| {result['case']} | " + " | ".join(cells) + " |")
    text += [
        "",
        "Differences are shares of the largest number; losses of five steps, where no dropout plays a part.",
    ]
    return "\n".join(text) + "\n"


def main() -> int:
    """Parse the command line, run the cases, print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)} (all)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--python", default=sys.executable, help="interpreter with pykeras (this one)")
    parser.add_argument("--tf-python", default=sys.executable, help="interpreter with tf_keras (this one)")
    parser.add_argument("--threads", type=int, default=0, help="of each engine; 0: its own choice")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="per engine and round")
    parser.add_argument("--write", metavar="FILE", help="keep the tables, e.g. results/NAME.md")
    parser.add_argument("--verbose", action="store_true", help="show the engines' own messages")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; there are {', '.join(CASES)}")
    results = []
    for name in options.cases or CASES:
        try:
            results.append(run_case(name, options))
        except EngineError as error:
            print(f"  {name}: {error}", file=sys.stderr)
    if not results:
        return 1
    text = report(results, options)
    print("\n" + text)
    if options.write:
        with open(options.write, "w") as file:
            file.write(text)
    return 0 if len(results) == len(options.cases or CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
