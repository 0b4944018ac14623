"""The functions under the path from which older scripts import them."""

from __future__ import annotations

import builtins as _builtins
from typing import Any

from .common import *  # noqa: F403
from .control import *  # noqa: F403
from .control import tf as tf
from .conv import *  # noqa: F403
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
from .variables import *  # noqa: F403

py_all = _builtins.all
py_sum = _builtins.sum

_SESSION = None


def _to_tensor(x: Any, dtype: str) -> Any:
    """Returns x as a tensor of the given type."""
    return _convert(x, dtype)


def _get_available_gpus() -> list[str]:
    """Returns the names of the usable GPUs."""
    from . import engine

    return [name for name in engine.devices() if name.startswith("cuda")]
