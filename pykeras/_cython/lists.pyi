from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

def split_pickle(pickle: bytes, start: int) -> tuple[bytes, Numbers, Numbers] | None: ...
def take_lists(words: Numbers, lengths: Numbers, order: Numbers) -> tuple[Numbers, Numbers]: ...
def make_lists(words: Numbers, lengths: Numbers) -> npt.NDArray[Any]: ...
