from typing import Any

import numpy as np
import numpy.typing as npt

def take_rows(x: npt.NDArray[Any], indices: npt.ArrayLike) -> npt.NDArray[Any]: ...
