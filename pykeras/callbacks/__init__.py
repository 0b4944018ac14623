"""Callbacks of `fit`: objects whose hooks are called as training goes on."""

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
