"""Callbacks of `fit`: objects whose hooks are called as training goes on."""

from ..utils.namespaces import held_by, public_names
from .base import BaseLogger, Callback, CallbackList, History, LambdaCallback, TerminateOnNaN
from .control import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from .progress import CSVLogger, ProgbarLogger
from .remote import RemoteMonitor
from .tensorboard import TensorBoard

__all__ = [
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "TensorBoard",
    "TerminateOnNaN",
]


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
