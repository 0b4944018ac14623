"""The name of `pykeras.losses` in Keras 1."""

from .losses import *  # noqa: F403
from .losses import deserialize_keras_object, serialize_keras_object  # noqa: F401
