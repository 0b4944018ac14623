"""Writes preprocessing.npz: pictures that Keras 2.1.6 itself makes, seeded.

    pip install numpy scipy pillow six
    pip download --no-deps keras==2.1.6
    python tests/golden/make_preprocessing.py Keras-2.1.6-py2.py3-none-any.whl

Only keras/preprocessing/image.py is taken from the wheel, and run as it is; what it imports of Keras (three
settings and an empty base class) is put in its place. The settings of each case are in tests/image_cases.py.
"""

import sys
import types
import warnings
import zipfile
from pathlib import Path

import numpy as np
import scipy.ndimage

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import image_cases  # noqa: E402


def keras_image_module(wheel: str) -> types.ModuleType:
    """Returns Keras's module, run from the wheel."""
    backend = types.ModuleType("keras.backend")
    backend.floatx = lambda: "float32"
    backend.epsilon = lambda: 1e-7
    backend.image_data_format = lambda: image_cases.data_format
    data_utils = types.ModuleType("keras.utils.data_utils")
    data_utils.Sequence = object
    for name in ("keras", "keras.utils", "keras.preprocessing"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules |= {"keras.backend": backend, "keras.utils.data_utils": data_utils}
    sys.modules["keras"].backend = backend
    if not hasattr(scipy.ndimage, "interpolation"):  # the old name of a part of it
        scipy.ndimage.interpolation = scipy.ndimage
    module = types.ModuleType("keras.preprocessing.image")
    module.__package__ = "keras.preprocessing"
    source = zipfile.ZipFile(wheel).read("keras/preprocessing/image.py")
    exec(compile(source, "image.py", "exec"), module.__dict__)
    return module


def main() -> None:
    """Runs every case."""
    warnings.simplefilter("ignore")
    keras = keras_image_module(sys.argv[1])
    arrays = {}
    for name, case in image_cases.CASES.items():
        for number, array in enumerate(image_cases.run(keras, case)):
            arrays[f"{name}/{number}"] = array
    np.savez_compressed(HERE / "preprocessing.npz", **arrays)
    print(f"{len(image_cases.CASES)} cases, {(HERE / 'preprocessing.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main()
