"""The same network on channels_last and channels_first pictures, side by side in one process.

    python benchmarks/layout.py [--rounds N] [--seconds S] [--threads N]

A channels_first model is computed channels_last between transposes at its edges, so it should cost little
more. The two take turns in short rounds; a row shows the median of the rounds and the median of the ratios of
pairs, above 1 where channels_first is slower.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import duration, processor


def classic(layers: Any, shape: tuple[int, ...], axis: int) -> list[Any]:
    """The MNIST network of the examples, without dropout."""
    return [
        layers.Conv2D(32, 3, activation="relu", input_shape=shape),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


def deep(layers: Any, shape: tuple[int, ...], axis: int) -> list[Any]:
    """Three stages of convolution, batch normalization and relu; a global average."""
    stack: list[Any] = []
    first: dict[str, Any] = {"input_shape": shape}
    for filters in (32, 64, 128):
        for _ in range(2):
            stack.append(layers.Conv2D(filters, 3, padding="same", use_bias=False, **first))
            stack += [layers.BatchNormalization(axis=axis), layers.Activation("relu")]
            first = {}
        stack.append(layers.MaxPooling2D())
    return [*stack, layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")]


def separable(layers: Any, shape: tuple[int, ...], axis: int) -> list[Any]:
    """Separable convolutions, padding, up-sampling and an average pooling."""
    return [
        layers.SeparableConv2D(32, 3, padding="same", activation="relu", input_shape=shape),
        layers.AveragePooling2D(),
        layers.ZeroPadding2D(),
        layers.SeparableConv2D(64, 3, activation="relu"),
        layers.UpSampling2D(),
        layers.Conv2D(10, 1),
        layers.GlobalMaxPooling2D(),
        layers.Dense(10, activation="softmax"),
    ]


CASES = {
    "classic": (classic, (28, 28, 1), 128),
    "deep": (deep, (32, 32, 3), 32),
    "separable": (separable, (32, 32, 3), 32),
}


def make(build: Any, shape: tuple[int, ...], data_format: str) -> Any:
    """A compiled model for one layout."""
    from pykeras import backend as K
    from pykeras import layers
    from pykeras.models import Sequential

    K.set_image_data_format(data_format)
    first = data_format == "channels_first"
    turned = (shape[-1], *shape[:-1]) if first else shape
    model = Sequential(build(layers, turned, 1 if first else -1))
    model.compile("sgd", "categorical_crossentropy")
    return model


def per_call(call: Callable[[], Any], seconds: float) -> float:
    """Seconds of one call, the median over a round."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def calls(model: Any, x: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], Any]]:
    """What is timed."""
    return {
        "predict": lambda: model.predict_on_batch(x),
        "train": lambda: model.train_on_batch(x, y),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.3, help="per layout and round")
    parser.add_argument("--threads", type=int, default=0, help="0: the engine's own choice")
    options = parser.parse_args()
    if options.threads:
        os.environ["PYKERAS_NUM_THREADS"] = str(options.threads)
    import pykeras

    print(f"- {date.today()}, {processor()}, {os.cpu_count()} logical cores")
    print(f"- pykeras {pykeras.__version__}, numpy {np.__version__}, python {platform.python_version()}")
    print(f"- threads: {options.threads or 'own choice'}; medians of {options.rounds} alternating rounds\n")
    print("| model | call | batch | channels_last | channels_first | ratio | (range) |")
    print("|---|---|---:|---:|---:|---:|---|")
    random = np.random.RandomState(0)
    for name, (build, shape, batch) in CASES.items():
        x = random.rand(batch, *shape).astype("float32")
        y = np.eye(10, dtype="float32")[random.randint(10, size=batch)]
        last = make(build, shape, "channels_last")
        first = make(build, shape, "channels_first")
        last_calls = calls(last, x, y)
        first_calls = calls(first, np.ascontiguousarray(np.moveaxis(x, -1, 1)), y)
        for what in last_calls:
            pairs = []
            for turn in range(options.rounds + 1):
                both = [last_calls[what], first_calls[what]]
                order = both if turn % 2 else both[::-1]
                times = [per_call(call, options.seconds) for call in order]
                pairs.append(times if turn % 2 else times[::-1])
            pairs = pairs[1:]  # the first round warms up
            ratios = [b / a for a, b in pairs]
            a, b = (duration(statistics.median(column)) for column in zip(*pairs))
            ratio = statistics.median(ratios)
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(
                f"| {name} | {what} | {batch} | {a} | {b} | **{ratio:.2f}** | {spread} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
