"""One engine in one process: answers requests on standard input, a JSON object per line, a line each.

    {"do": "start", "threads": 2}                          → {"versions": {…}, "threads": 2}
    {"do": "build", "case": "mlp", "weights": "file.npz"}  → {"parameters": 1441}  the file is written or read
    {"do": "check", "batch": 8, "steps": 5}                → {"predictions": […], "losses": […]}
    {"do": "time", "call": "predict", "batch": 1, "seconds": 0.3}  → {"times": […seconds…]}
    {"do": "memory"}                                       → {"start_mb": …, "peak_mb": …}

The engine's own output goes to standard error, so that it cannot mix with the answers.
"""

import importlib
import json
import os
import resource
import sys
import time
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from models import CASES, Case


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Worker:
    """Holds one engine and one model.

    Args:
        engine: 'pykeras' or 'tf_keras', the package to import.
    """

    def __init__(self, engine: str):
        self.engine = engine
        self.keras: ModuleType
        self.tensorflow: Any = None
        self.lean: Any = None
        self.case: Case
        self.model: Any = None
        self.start_mb = 0.0

    def start(self, threads: int) -> dict[str, Any]:
        """Import the engine and fix its number of threads (0: its own choice)."""
        if self.engine == "tf_keras":
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            self.tensorflow = tensorflow = importlib.import_module("tensorflow")
            if threads:
                tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
                tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
            self.keras = importlib.import_module("tf_keras")
            versions = {"tf_keras": self.keras.__version__, "tensorflow": tensorflow.__version__}
        else:
            self.keras = importlib.import_module("pykeras")
            for module in ("layers", "models", "optimizers"):
                importlib.import_module("pykeras." + module)
            engine = importlib.import_module("pykeras.backend.engine")
            if threads:
                engine.set_num_threads(threads)
            threads = engine.get_num_threads()
            versions = {"pykeras": self.keras.__version__}
        versions["numpy"] = np.__version__
        versions["python"] = sys.version.split()[0]
        self.start_mb = peak_mb()
        return {"versions": versions, "threads": threads}

    def build(self, case: str, weights: str) -> dict[str, Any]:
        """Build a model; the first engine writes its initial weights, the second takes them over."""
        for module in ("recurrent", "examples", "volumes"):
            CASES.update(importlib.import_module(module).CASES)
        self.case = CASES[case]
        name = "learning_rate" if self.engine == "tf_keras" else "lr"
        self.model = self.case.build(self.keras, {name: self.case.learning_rate})
        if self.tensorflow:
            model = self.model
            self.lean = self.tensorflow.function(lambda x: model(x, training=False))
        if os.path.exists(weights):
            with np.load(weights) as stored:
                self.model.set_weights([stored[f"arr_{i}"] for i in range(len(stored.files))])
        else:
            np.savez(weights, *self.model.get_weights())
        return {"parameters": int(self.model.count_params())}

    def data(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """The same batch in both engines."""
        return self.case.data(np.random.RandomState(batch), batch)

    def check(self, batch: int, steps: int) -> dict[str, Any]:
        """Predict, then train a few steps if chance plays no part: both engines must agree on the numbers."""
        x, y = self.data(batch)
        predictions = np.asarray(self.model.predict_on_batch(x), dtype=float)
        losses = []
        if self.case.deterministic:
            losses = [float(np.ravel(self.model.train_on_batch(x, y))[0]) for _ in range(steps)]
        return {"predictions": predictions.ravel().tolist(), "losses": losses}

    def time(self, call: str, batch: int, seconds: float) -> dict[str, Any]:
        """Time single calls for about so long; two calls before that warm the caches up.

        Args:
            call: 'predict' or 'train', on one batch; 'lean' is the shortest way to predict: in TensorFlow
                a `tf.function` around the model, in pykeras nothing but `predict_on_batch`.
            batch: rows.
            seconds: for how long.
        """
        x, y = self.data(batch)
        model = self.model
        lean = call == "lean" and self.lean is not None
        times = []
        warm = 2
        end = time.perf_counter() + seconds
        while True:
            before = time.perf_counter()
            if lean:
                self.lean(x).numpy()
            elif call == "train":
                model.train_on_batch(x, y)
            else:
                np.asarray(model.predict_on_batch(x))
            after = time.perf_counter()
            if warm:
                warm -= 1
                end = after + seconds
                continue
            times.append(after - before)
            if after > end and len(times) >= 3:
                return {"times": times}

    def memory(self) -> dict[str, Any]:
        """Peak memory after the import and now."""
        return {"start_mb": self.start_mb, "peak_mb": peak_mb()}


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # reported to the driver, which decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
