"""What importing pykeras costs beyond importing numpy: medians of fresh processes that take turns.

Prints a line per statement. The aim is at most 100 ms above numpy.
"""

import statistics
import subprocess
import sys

STATEMENTS = (
    "import pykeras",
    "import pykeras.models, pykeras.layers, pykeras.optimizers, pykeras.callbacks",
)
ROUNDS = 9
PROBE = "import time, numpy; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def main() -> int:
    """Measure and print; the exit status is 1 if the aim is missed."""
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(ROUNDS):
        for statement in STATEMENTS:
            output = subprocess.run(
                [sys.executable, "-c", PROBE.format(statement)], check=True, capture_output=True, text=True
            )
            if output.stderr or len(output.stdout.splitlines()) != 1:
                print(f"not silent: {statement}\n{output.stdout}{output.stderr}")
                return 1
            times[statement].append(float(output.stdout))
    for statement, values in times.items():
        middle = statistics.median(values)
        print(
            f"{middle * 1e3:7.1f} ms above numpy"
            f" ({min(values) * 1e3:.1f} to {max(values) * 1e3:.1f}): {statement}"
        )
    # The quickest of the rounds decides: it is what a busy machine disturbs least.
    return int(max(min(values) for values in times.values()) > 0.1)


if __name__ == "__main__":
    sys.exit(main())
