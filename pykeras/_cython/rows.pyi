import numpy as np
import numpy.typing as npt

def gather_rows(x: npt.NDArray[np.generic], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.generic]: ...
