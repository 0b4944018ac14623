"""The backend: the functions of `keras.backend` on this package's own engine."""

from __future__ import annotations

import os as _os

from . import common as common
from . import engine as engine
from .common import backend as backend
from .common import cast_to_floatx as cast_to_floatx
from .common import epsilon as epsilon
from .common import floatx as floatx
from .common import image_data_format as image_data_format
from .common import image_dim_ordering as image_dim_ordering
from .common import keras_dir as _find_keras_dir
from .common import normalize_data_format as normalize_data_format
from .common import set_epsilon as set_epsilon
from .common import set_floatx as set_floatx
from .common import set_image_data_format as set_image_data_format
from .common import set_image_dim_ordering as set_image_dim_ordering
from .control import *  # noqa: F403
from .control import tf as tf
from .conv import *  # noqa: F403
from .ctc import *  # noqa: F403
from .engine import Tensor as Tensor
from .engine import Update as Update
from .engine import Variable as Variable
from .engine import clear_session as clear_session
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

_BACKEND = common.backend()
_keras_dir = _find_keras_dir()
_keras_base_dir = _os.path.dirname(_keras_dir)
_config_path = _os.path.join(_keras_dir, "keras.json")

from . import tensorflow_backend as tensorflow_backend  # noqa: E402
