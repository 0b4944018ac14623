from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def write_rows(
    out: npt.NDArray[np.number[Any]], sequences: Sequence[Any], pad_front: bool, cut_front: bool
) -> None: ...
