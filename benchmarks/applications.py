"""The published architectures in pykeras and in tf_keras: building one, its first prediction, later ones.

Every model is built in a process of its own, at its default size and with random weights; the engines take
turns. Usage: see README.md in this folder.
"""

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from typing import Any

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from compare import ENGINES, duration, processor, three_digits  # noqa: E402

# name → size of the pictures
MODELS = {
    "MobileNet": 224,
    "MobileNetV2": 224,
    "NASNetMobile": 224,
    "DenseNet121": 224,
    "DenseNet169": 224,
    "DenseNet201": 224,
    "ResNet50": 224,
    "InceptionV3": 299,
    "Xception": 299,
    "InceptionResNetV2": 299,
    "VGG16": 224,
    "VGG19": 224,
    "NASNetLarge": 331,
}
STEPS = ("build", "first", "later", "processor")


def measure(engine: str, name: str, repeats: int) -> dict[str, Any]:
    """In a worker: seconds of each step, largest resident memory in MB, version of the engine."""
    size = MODELS[name]
    picture = np.random.RandomState(0).rand(1, size, size, 3).astype("float32")
    keras = importlib.import_module(engine)
    cls = getattr(importlib.import_module(f"{engine}.applications"), name)
    # what importing and the first layer cost is not the model's matter
    keras.models.Sequential([keras.layers.Dense(1, input_shape=(1,))]).predict_on_batch(np.zeros((1, 1)))
    start = time.perf_counter()
    model = cls(weights=None, input_shape=(size, size, 3))
    built = time.perf_counter()
    model.predict_on_batch(picture)
    times = {"build": built - start, "first": time.perf_counter() - built}
    later, work = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        model.predict_on_batch(picture)
        later.append(time.perf_counter() - start)
        work.append(time.process_time() - busy)
    times |= {"later": statistics.median(later), "processor": statistics.median(work)}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    versions = {engine: keras.__version__, "numpy": np.__version__}
    return {**times, "memory": memory, "versions": versions}


def run_worker(engine: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measures in a fresh process.

    Raises:
        RuntimeError: the process failed.
    """
    python = options.tf_python if engine == "tf_keras" else options.python
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if engine == "tf_keras":
        environment["PYTHONPATH"] = ""  # the other engine's dependencies are none of its business
    command = [python, os.path.abspath(__file__), "--worker", engine, name, "--repeats", str(options.repeats)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{engine}, {name}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def row(name: str, results: dict[str, list[dict[str, Any]]]) -> str:
    """One line of the table."""
    cells = [name]
    for step in STEPS:
        middle = {engine: statistics.median(r[step] for r in rounds) for engine, rounds in results.items()}
        cells += [duration(middle[engine]) for engine in ENGINES]
        cells.append(f"**{three_digits(middle['tf_keras'] / middle['pykeras'])}**")
    cells += [f"{max(r['memory'] for r in results[engine]):.0f}" for engine in ENGINES]
    return "| " + " | ".join(cells) + " |"


def report(rows: list[str], versions: dict[str, str], options: argparse.Namespace) -> str:
    """Writes the table as Markdown."""
    head = "| model " + "".join(f"| {step}: pykeras | tf_keras | ratio " for step in STEPS)
    lines = [
        "# Applications: pykeras beside tf_keras",
        "",
        f"- {date.today().isoformat()}, {processor()}, {os.cpu_count()} logical cores",
        "- " + ", ".join(f"{key} {value}" for key, value in sorted(versions.items())),
        "- threads: each engine's own choice; batch 1, default size, random weights",
        f"- medians of {options.rounds} processes per engine in turns; later: median of {options.repeats}",
        "  calls of `predict_on_batch` after the first; ratio = tf_keras / pykeras;",
        "  processor: what all threads of a later call compute, which other programs hardly disturb;",
        "  memory: largest resident size in MB, the engine included",
        "",
        head + "| memory: pykeras | tf_keras |",
        "|---|" + "---:|" * 14,
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Parse the command line, measure, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", metavar="model", help=f"of {', '.join(MODELS)} (all)")
    parser.add_argument("--python", default=sys.executable, help="interpreter with pykeras (this one)")
    parser.add_argument("--tf-python", default=sys.executable, help="interpreter with tf_keras (this one)")
    parser.add_argument("--rounds", type=int, default=3, help="processes per engine and model")
    parser.add_argument("--repeats", type=int, default=15, help="later predictions per process")
    parser.add_argument("--write", metavar="FILE", help="keep the table, e.g. results/applications.md")
    parser.add_argument("--worker", nargs=2, metavar=("ENGINE", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(*options.worker, options.repeats)))
        return 0
    unknown = [name for name in options.models if name not in MODELS]
    if unknown:
        parser.error(f"unknown model {', '.join(unknown)}; there are {', '.join(MODELS)}")
    rows, versions = [], {}
    for name in options.models or MODELS:
        results: dict[str, list[dict[str, Any]]] = {engine: [] for engine in ENGINES}
        for number in range(options.rounds):
            for engine in ENGINES if number % 2 == 0 else ENGINES[::-1]:
                results[engine].append(run_worker(engine, name, options))
                versions |= results[engine][-1]["versions"]
        rows.append(row(name, results))
        print(rows[-1], flush=True)
    text = report(rows, versions, options)
    print("\n" + text)
    if options.write:
        with open(options.write, "w") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
