"""Loads the weight files of `make_applications.py --files FOLDER` into pykeras and compares outputs.

    python tests/golden/check_application_files.py FOLDER [CASE …]

Run by hand, because the files of all models take 1.5 GB. Returns the number of models that fail.
"""

import sys
from pathlib import Path

import numpy as np
from application_weights import CASES, CLASSES, pictures

import pykeras.applications as applications
from pykeras.layers import Input

GOLDEN = Path(__file__).parent / "applications.npz"


def main(folder, cases):
    failures = 0
    for case in cases or CASES:
        name, size, arguments = CASES[case]
        path = Path(folder) / f"{case}.h5"
        model = getattr(applications, name)(
            weights=str(path), input_tensor=Input((size, size, 3)), classes=CLASSES, **arguments
        )
        with np.load(GOLDEN) as golden:
            wanted = golden[f"{case}_top"]
        error = np.abs(model.predict(pictures(size)) - wanted).max() / wanted.max()
        print(f"{case:20} {path.stat().st_size / 1e6:8.1f} MB   largest relative difference {error:.1e}")
        failures += not error <= 1e-4
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
