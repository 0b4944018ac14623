"""Models as bytes, for `pickle` and `copy.deepcopy`.

Source: the public behaviour of pickled models in Keras 2.2.4.
"""

from __future__ import annotations

import io
from typing import Any


def to_bytes(model: Any) -> bytes:
    """Returns what `model.save` would write to a file."""
    import h5py

    from .. import saving  # saving stands above the engine

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as f:
        saving.save_model(model, f)
    return buffer.getvalue()


def from_bytes(data: bytes) -> Any:
    """Returns the model that `to_bytes` stored; custom classes must be in the global registry of names."""
    import h5py

    from .. import saving

    with h5py.File(io.BytesIO(data), "r") as f:
        return saving.load_model(f, compile="training_config" in f.attrs)
