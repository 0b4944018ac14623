"""Checks and conversions of the data given to a model, and the rows of one batch.

Source: the public behaviour of keras/engine/training.py (2.1.6) and keras/engine/training_utils.py (2.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from .. import losses
from .._cython.rows import gather_rows
from ..utils._h5matrix import RowRange
from ..utils._sequence import is_sequence
from ..utils._warn import warn
from ..utils.namespaces import held_by

Arrays = list[Any]
is_sparse = K.engine.is_scipy_sparse

_ZERO_STRIDE = (0,)
_units: dict[str, np.ndarray] = {}

# Bytes of a row from which our own loop beats `take` (benchmarks/feeding.py).
_LONG_ROW = 1024


# ---------------------------------------------------------------------------------- rows of a batch


def slice_arrays(arrays: Arrays, start: Any, stop: int | None = None) -> Arrays:
    """Takes the rows of one batch. The one place where training data is gathered.

    Args:
        arrays: list of arrays (HDF5 data sets, SciPy sparse matrices) and Nones.
        start: first row; or, without `stop`, the int64 array of the rows to gather.
        stop: row after the last.

    Returns:
        list of arrays: views for a range of rows of an array in memory, copies otherwise.
    """
    if stop is not None:
        rows = slice(start, stop)
        return [
            None
            if x is None
            else unit_weights(stop - start)
            if type(x) is np.ndarray and x.strides == _ZERO_STRIDE and x[0] == 1
            else x[rows]
            for x in arrays
        ]
    return [None if x is None else _gather(x, start) for x in arrays]


def row_range(x: Any, start: int, stop: int) -> Any:
    """Returns some rows of an array as a view; those of a file are not read yet."""
    if isinstance(x, np.ndarray) or is_sparse(x):
        return x[start:stop]
    return RowRange(x, start, stop)


def _gather(x: Any, rows: np.ndarray) -> Any:
    if type(x) is np.ndarray:
        if x.strides == _ZERO_STRIDE and x[0] == 1:
            return unit_weights(len(rows))
        if x.ndim > 1 and x.strides[0] >= _LONG_ROW and x.flags.c_contiguous:
            return gather_rows(x, rows)
        return x.take(rows, axis=0)
    if is_sparse(x):
        return x[rows]
    try:
        return x[rows.tolist()]  # HDF5 data sets want sorted lists
    except (TypeError, ValueError) as error:
        raise TypeError(
            'TypeError while preparing batch. If using HDF5 input data, pass shuffle="batch".'
        ) from error


def unit_weights(n: int) -> np.ndarray:
    """Returns a shared array of `n` ones, of type floatx; not to be written to."""
    dtype = K.floatx()
    ones = _units.get(dtype)
    if ones is None or len(ones) < n:
        ones = _units[dtype] = np.ones(max(n, 256), dtype=dtype)
    return ones[:n]


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Returns (first row, row after the last) of each batch; the last may be smaller."""
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """Permutes whole batches by NumPy's global generator; an incomplete last one stays last."""
    whole = len(index_array) // batch_size * batch_size
    batches = index_array[:whole].reshape((-1, batch_size))
    np.random.shuffle(batches)
    return np.append(batches.reshape(-1), index_array[whole:])


# ---------------------------------------------------------------------------------- arrays by names


def standardize_input_data(
    data: Any,
    names: list[str],
    shapes: list[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> Arrays:
    """Brings what the user gave into one array per name, and compares the shapes.

    Args:
        data: array, list of arrays, dict name → array, pandas DataFrame, list of numbers, or None.
        names: names of the inputs or outputs.
        shapes: expected shapes (None: any); None in a place stands for any size.
        check_batch_axis: whether to compare the batch axis too.
        exception_prefix: 'input' or 'target', for the messages.

    Returns:
        list of arrays; vectors become columns.

    Raises:
        ValueError: missing data, a wrong number of arrays, a wrong rank or shape, or no numbers.
    """
    if not names:
        if data is not None and hasattr(data, "__len__") and len(data):
            raise ValueError(
                f"Error when checking model {exception_prefix}: expected no data, but got: {data}"
            )
        return []
    if data is None:
        return [None] * len(names)

    arrays = [_column(_as_array(x)) for x in _by_name(data, names)]
    if len(arrays) != len(names):
        arrays = _wrong_number(data, arrays, names, exception_prefix)
    for name, x in zip(names, arrays):
        _check_numeric(name, x, exception_prefix)
    for name, x, shape in zip(names, arrays, shapes or ()):
        if shape is not None and x is not None:
            _check_shape(name, x, shape, check_batch_axis, exception_prefix)
    return arrays


def _by_name(data: Any, names: list[str]) -> list[Any]:
    if isinstance(data, dict):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(f'No data provided for "{missing[0]}". Need data for each key in: {names}')
        return [data[name] for name in names]
    if isinstance(data, (list, tuple)):
        if len(data) and isinstance(data[0], (list, tuple)):
            return [np.asarray(x) for x in data]
        if len(names) == 1 and len(data) and isinstance(data[0], (int, float, np.number)):
            return [np.asarray(data)]
        return list(data)
    return [data]


def _as_array(x: Any) -> Any:
    if type(x) is np.ndarray or x is None:
        return x
    if type(x).__name__ in ("DataFrame", "Series") and hasattr(x, "values"):  # pandas, not imported here
        return x.values
    # not every format of SciPy has rows that can be taken
    return x.tocsr() if is_sparse(x) and x.format != "csr" else x


def _column(x: Any) -> Any:
    if x is not None and len(getattr(x, "shape", ())) == 1:
        return np.expand_dims(x, 1)
    return x


def _wrong_number(data: Any, arrays: Arrays, names: list[str], prefix: str) -> Arrays:
    if arrays and hasattr(arrays[0], "shape"):
        raise ValueError(
            f"Error when checking model {prefix}: the list of Numpy arrays that you are passing to your "
            f"model is not the size the model expected. Expected to see {len(names)} array(s), but "
            f"instead got the following list of {len(arrays)} arrays: {str(data)[:200]}..."
        )
    if len(names) > 1:
        raise ValueError(
            f"Error when checking model {prefix}: you are passing a list as input to your model, but the "
            f"model expects a list of {len(names)} Numpy arrays instead. The list you passed was: "
            f"{str(data)[:200]}"
        )
    return [_column(np.asarray(data))]


def _refuse_batches(x: Any) -> None:
    if hasattr(x, "__next__") or is_sequence(x):
        raise TypeError(
            f"{type(x).__name__} makes batches: give it to `fit_generator`, `evaluate_generator` or "
            "`predict_generator`."
        )


def validation_parts(data: Any) -> tuple[Any, Any, Any] | None:
    """Takes the `validation_data` of `fit` apart.

    Args:
        data: (x, y) or (x, y, sample_weight); None or an empty one for no validation.

    Returns:
        (x, y, sample_weight or None); None for no validation.

    Raises:
        TypeError: a generator or Sequence.
        ValueError: anything else.
    """
    if data is None or (isinstance(data, (tuple, list)) and not data):
        return None
    _refuse_batches(data)
    if not isinstance(data, (tuple, list)):
        raise ValueError(
            "`validation_data` should be a tuple `(val_x, val_y, val_sample_weight)` or `(val_x, val_y)`. "
            f"Found: {str(data)[:200]}"
        )
    if len(data) not in (2, 3):
        raise ValueError(
            f"When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
            f"val_sample_weights) items, however it contains {len(data)} items"
        )
    x, y, weights = (*data, None)[:3]
    return x, y, weights


def _check_numeric(name: str, x: Any, prefix: str) -> None:
    if x is None or is_sparse(x) or K.is_tensor(x):
        return
    if not hasattr(x, "shape"):
        _refuse_batches(x)
        raise TypeError(
            f"Error when checking model {prefix}: data should be a Numpy array, or list/dict of Numpy "
            f"arrays. Found: {str(x)[:200]}..."
        )
    kind = np.dtype(x.dtype).kind
    if kind not in "fiub":
        hint = " (rows of different lengths?)" if kind == "O" else ""
        raise ValueError(
            f"Error when checking {prefix or 'input'}: expected {name} to hold real numbers, but got "
            f"array with dtype {x.dtype}{hint}"
        )


def _check_shape(name: str, x: Any, shape: Any, check_batch_axis: bool, prefix: str) -> None:
    found = tuple(x.shape)
    if len(found) != len(shape):
        raise ValueError(
            f"Error when checking {prefix}: expected {name} to have {len(shape)} dimensions, but got "
            f"array with shape {found}"
        )
    first = 0 if check_batch_axis else 1
    wanted, found = tuple(shape)[first:], found[first:]
    if any(size is not None and n is not None and size != n for size, n in zip(wanted, found)):
        raise ValueError(
            f"Error when checking {prefix}: expected {name} to have shape {wanted} but got array with shape "
            f"{found}"
        )


# ------------------------------------------------------------------------------ lengths and targets


def check_array_lengths(inputs: Arrays, targets: Arrays, weights: Arrays) -> None:
    """Raises ValueError if the arrays have different numbers of samples."""

    def lengths(arrays: Arrays) -> set[int]:
        return {int(x.shape[0]) for x in arrays or () if x is not None and not K.is_tensor(x)}

    n_x, n_y, n_w = lengths(inputs), lengths(targets), lengths(weights)
    if len(n_x) > 1:
        raise ValueError(
            f"All input arrays (x) should have the same number of samples. Got array shapes: "
            f"{[x.shape for x in inputs]}"
        )
    if len(n_y) > 1:
        raise ValueError(
            f"All target arrays (y) should have the same number of samples. Got array shapes: "
            f"{[y.shape for y in targets if y is not None]}"
        )
    if n_x and n_y and n_x != n_y:
        raise ValueError(
            f"Input arrays should have the same number of samples as target arrays. Found {n_x.pop()} input "
            f"samples and {n_y.pop()} target samples."
        )
    if len(n_w) > 1:
        raise ValueError(
            f"All sample_weight arrays should have the same number of samples. Got array shapes: "
            f"{[w.shape for w in weights]}"
        )
    if n_y and n_w and n_y != n_w:
        raise ValueError(
            f"Sample_weight arrays should have the same number of samples as target arrays. Got {n_y.pop()} "
            f"input samples and {n_w.pop()} target samples."
        )


def check_loss_and_target_compatibility(
    targets: Arrays, loss_fns: list[Any], output_shapes: list[Any]
) -> None:
    """Finds targets that a loss cannot mean.

    Raises:
        ValueError: one column for categorical_crossentropy, or another shape than the output's for an
            elementwise loss.
    """
    elementwise = (
        losses.mean_squared_error,
        losses.binary_crossentropy,
        losses.categorical_crossentropy,
    )
    for y, loss, shape in zip(targets, loss_fns, output_shapes):
        if y is None or loss is None or K.is_tensor(y):
            continue
        if loss is losses.categorical_crossentropy and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss "
                "`categorical_crossentropy`. `categorical_crossentropy` expects targets to be binary "
                "matrices (1s and 0s) of shape (samples, classes). If your targets are integer classes, "
                "turn them into such matrices:\n\n    from keras.utils import to_categorical\n    "
                "y_binary = to_categorical(y_int)\n\nor use the loss function "
                "`sparse_categorical_crossentropy`, which does expect integer targets."
            )
        if loss in elementwise and shape is not None:
            if any(n is not None and n != m for n, m in zip(shape[1:], y.shape[1:])):
                raise ValueError(
                    f"A target array with shape {y.shape} was passed for an output of shape {shape} "
                    f"while using as loss `{loss.__name__}`. This loss expects targets to have the same "
                    "shape as the output."
                )


# ------------------------------------------------------------------------------------------ weights


def weights_by_output(weights: Any, output_names: list[str], kind: str) -> list[Any]:
    """Brings `sample_weight` or `class_weight` into one entry per output.

    Args:
        weights: None, one entry, a list, or a dict by output name.
        output_names: names of the outputs.
        kind: 'sample_weight' or 'class_weight', for the messages.

    Raises:
        ValueError: a list of another length.
        TypeError: several outputs and neither list nor dict.
    """
    if weights is None or (hasattr(weights, "__len__") and len(weights) == 0):
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(weights, list) and len(weights) == 1 and not np.isscalar(weights[0]):
            return weights
        if isinstance(weights, dict) and output_names[0] in weights:
            return [weights[output_names[0]]]
        return [weights]
    if isinstance(weights, list):
        if len(weights) != len(output_names):
            raise ValueError(
                f"Provided `{kind}` was a list of {len(weights)} elements, but the model has "
                f"{len(output_names)} outputs. You should provide one `{kind}` array per model output."
            )
        return weights
    if isinstance(weights, dict):
        return [weights.get(name) for name in output_names]
    raise TypeError(
        f"The model has multiple outputs, so `{kind}` should be either a list or a dict. Provided "
        f"`{kind}` type not understood: {weights}"
    )


def standardize_weights(
    y: Any, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> np.ndarray:
    """Returns the weights of the samples (or time steps) of one target array.

    Args:
        y: targets, (samples, …).
        sample_weight: (samples,), or (samples, steps) in the temporal mode; or None.
        class_weight: dict class → weight, used if there is no sample_weight.
        sample_weight_mode: None or 'temporal'.

    Raises:
        ValueError: shapes that do not go together, or a class without weight.
    """
    if sample_weight is not None:
        sample_weight = np.asarray(_as_array(sample_weight))
        if class_weight is not None:
            warn(
                "Found both `sample_weight` and `class_weight`: `class_weight` argument will be ignored.",
            )
    if sample_weight_mode is not None:
        if sample_weight_mode != "temporal":
            raise ValueError(f'sample_weight_mode should be None or "temporal". Found: {sample_weight_mode}')
        if y.ndim < 3:
            raise ValueError(
                f"Found a sample_weight array for an input with shape {y.shape}. Timestep-wise sample "
                "weighting "
                f'(use of sample_weight_mode="temporal") is restricted to outputs that are at least 3D, i.e. '
                f"that have a time dimension."
            )
        if sample_weight is not None and sample_weight.ndim != 2:
            raise ValueError(
                f"Found a sample_weight array with shape {sample_weight.shape}. In order to use "
                "timestep-wise sample weighting, you should pass a 2D sample_weight array."
            )
    elif sample_weight is not None and sample_weight.ndim != 1:
        raise ValueError(
            f"Found a sample_weight array with shape {sample_weight.shape}. In order to use "
            "timestep-wise sample "
            'weights, you should specify sample_weight_mode="temporal" in compile(). If you just mean '
            "to use sample-wise weights, make sure your sample_weight array is 1D."
        )
    if sample_weight is not None:
        if sample_weight.ndim > 1 and tuple(y.shape[1 : sample_weight.ndim]) != sample_weight.shape[1:]:
            raise ValueError(
                f"Found a sample_weight array with shape {sample_weight.shape} for an input with shape "
                f"{y.shape}. sample_weight cannot be broadcast."
            )
        return sample_weight
    if isinstance(class_weight, dict):
        return _weights_of_classes(y, class_weight)
    if class_weight is not None:
        warn(
            f"`class_weight` should be a dict from classes to weights; {class_weight!r} has no effect.",
        )
    # no memory: every element is the same one
    shape = y.shape[:1] if sample_weight_mode is None else y.shape[:2]
    return np.broadcast_to(np.ones((), dtype=K.floatx()), shape)


def _weights_of_classes(y: Any, class_weight: dict[Any, float]) -> np.ndarray:
    if len(y.shape) > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    y = np.asarray(y)
    classes = np.argmax(y, axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    present, inverse = np.unique(classes, return_inverse=True)
    lost = [c.item() for c in present if c.item() not in class_weight]
    if lost:
        raise ValueError(
            f"`class_weight` must contain all classes in the data. The classes {set(lost)} exist in the "
            "data but not in `class_weight`."
        )
    return np.asarray([class_weight[c.item()] for c in present], dtype=K.floatx())[inverse.reshape(-1)]


def check_num_samples(
    arrays: Arrays, batch_size: int | None, steps: int | None, steps_name: str = "steps"
) -> int | None:
    """Returns the number of samples; None if the number of steps is given instead.

    Raises:
        ValueError: both or neither are known.
    """
    if steps is not None:
        if batch_size is not None:
            raise ValueError(f"If {steps_name} is set, the `batch_size` must be None.")
        return None
    for x in arrays or ():
        if hasattr(x, "shape") and not K.is_tensor(x):
            return int(x.shape[0])
    raise ValueError(
        f"Either the input data should have a defined shape, or {steps_name} should be specified."
    )


# What scripts also import from here.
__getattr__ = held_by(__name__)
