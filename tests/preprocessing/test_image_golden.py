"""Seeded pictures, the same as those of Keras 2.1.6 (golden/preprocessing.npz; BEHAVIOURS 14.2 to 14.9)."""

from pathlib import Path

import image_cases
import numpy as np
import pytest

from pykeras.preprocessing import image

GOLDEN = Path(__file__).parent.parent / "golden" / "preprocessing.npz"
ITEMS = {
    "everything": "14.2, 14.3",
    "bright": "14.4",
    "whole_pixels": "14.3",
    "many_pixels": "14.3",
    "listed": "14.3",
    "samplewise": "14.4",
    "featurewise": "14.4",
    "whitened": "14.4, 14.5",
    "augmented_fit": "14.5",
    "no_seed": "14.7",
    "by_number": "14.7",
    "functions": "14.1, 14.9",
}


@pytest.mark.filterwarnings("ignore:This ImageDataGenerator specifies")
@pytest.mark.parametrize(
    "name", [pytest.param(n, id=f"{n}-item{ITEMS.get(n, '14.2')}") for n in image_cases.CASES]
)
def test_pictures_of_keras(name):
    with np.load(GOLDEN) as archive:
        wanted = [archive[f"{name}/{i}"] for i in range(sum(k.startswith(f"{name}/") for k in archive.files))]
    got = image_cases.run(image, image_cases.CASES[name])
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        if a.dtype.kind == "f":
            scale = np.abs(b).max() + 1e-6
            np.testing.assert_allclose(
                a / scale, b / scale, rtol=0, atol=3e-5 if name == "whitened" else 3e-6
            )
        else:
            np.testing.assert_array_equal(a, b)
