"""The functions under the path from which older scripts import them."""

from __future__ import annotations

import builtins as _builtins
from typing import Any

from . import reduction as _reduction
from .common import *  # noqa: F403
from .control import *  # noqa: F403
from .control import tf as tf
from .conv import *  # noqa: F403
from .ctc import *  # noqa: F403
from .engine import Tensor as _Tensor
from .engine import clear_session as clear_session
from .engine import to_tensor as _convert
from .linalg import *  # noqa: F403
from .loops import *  # noqa: F403
from .movement import *  # noqa: F403
from .names import get_uid as get_uid
from .names import name_scope as name_scope
from .names import reset_uids as reset_uids
from .nn import *  # noqa: F403
from .pointwise import *  # noqa: F403
from .random import *  # noqa: F403
from .reduction import *  # noqa: F403
from .sparse import *  # noqa: F403
from .variables import *  # noqa: F403

_SESSION = None


def py_all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Python's own `all` of an iterable; of a tensor, what `K.all` gives."""
    if isinstance(x, _Tensor) or axis is not None:
        return _reduction.all(x, axis, keepdims)
    return _builtins.all(x)


def py_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Python's own `sum` of an iterable; of a tensor, what `K.sum` gives."""
    if isinstance(x, _Tensor) or axis is not None:
        return _reduction.sum(x, axis, keepdims)
    return _builtins.sum(x)


def _to_tensor(x: Any, dtype: str) -> Any:
    """Returns x as a tensor of the given type."""
    return _convert(x, dtype)


def _get_available_gpus() -> list[str]:
    """Returns the names of the usable GPUs."""
    from . import engine

    return [name for name in engine.devices() if name.startswith("cuda")]
