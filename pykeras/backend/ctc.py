"""Connectionist temporal classification: loss for labels that are not aligned in time, and decoding.

Source: the public behaviour of keras/backend/tensorflow_backend.py (2.1.6); Graves et al. (2006).
"""

from __future__ import annotations

from typing import Any

from .common import epsilon
from .engine import Tensor, op, op_all, to_tensor
from .names import FLOAT_DTYPES, TensorShape
from .sparse import first_of_rows

__all__ = ["ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse"]


def _whole(x: Any) -> Tensor:
    """x as whole numbers: labels and lengths are often fed as floats."""
    x = to_tensor(x)
    return x if x.dtype in ("int32", "int64") else op("cast", x, dtype="int32")


def _lengths(x: Any) -> Tensor:
    """Lengths of shape (samples, 1) or (samples,) as whole numbers of shape (samples,)."""
    x = _whole(x)
    return op("squeeze", x, axis=1) if len(x.shape) == 2 else x


def _logarithms(y_pred: Any) -> Tensor:
    y_pred = to_tensor(y_pred)
    if y_pred.dtype not in FLOAT_DTYPES or len(y_pred.shape) != 3:
        raise ValueError(
            "Predictions for CTC must be a float tensor of shape (samples, time, classes), not "
            f"{y_pred.dtype} {tuple(y_pred.shape)}."
        )
    return op("log", y_pred + epsilon())


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Tensor:
    """Returns labels as a sparse tensor, without what is behind each row's own.

    Args:
        labels: tensor of shape (samples, max labels).
        label_lengths: number of labels of each sample, shape (samples,).
    Returns: sparse tensor of the labels' shape and type; `K.to_dense` gives zeros behind the labels.
    """
    return first_of_rows(to_tensor(labels), _lengths(label_lengths))


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """Returns the CTC loss of each sample: −log of the probability of its labels, however spread over time.

    The last class is the blank. Labels that do not fit into the frames (equal neighbours need a blank
    between) have the loss inf and no gradient. There are no second derivatives.

    Args:
        y_true: labels, shape (samples, max labels); what is behind a sample's labels does not count.
        y_pred: probabilities, as softmax gives, of shape (samples, time, classes).
        input_length: number of time steps of each sample, shape (samples, 1).
        label_length: number of labels of each sample, shape (samples, 1).
    Returns: tensor of shape (samples, 1), of y_pred's type.
    Raises: ValueError for shapes that do not fit; when it is evaluated, for lengths beyond the arrays and
        for labels that are no class or the blank.

    Example:
        As the layer of a model whose loss is `{"ctc": lambda y_true, y_pred: y_pred}`:
        `Lambda(lambda t: K.ctc_batch_cost(*t), (1,), name="ctc")([labels, y_pred, frames, lengths])`
    """
    log_probs = op("log_softmax", _logarithms(y_pred), axis=-1)
    loss = op("ctc_loss", log_probs, _whole(y_true), _lengths(input_length), _lengths(label_length))
    return op("expand_dims", loss, axis=1)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Finds the labels that predictions say. The last class is the blank.

    Inside a graph the label tensors have as many columns as there are time steps. As results of `K.function`
    and `K.eval` they are cut after the longest row; as outputs of a layer they are not, so that a model's
    batches fit together.

    Args:
        y_pred: probabilities, as softmax gives, of shape (samples, time, classes).
        input_length: number of time steps of each sample, shape (samples,).
        greedy: take the best class of each time step; otherwise search for the best label sequences.
        beam_width: how many beginnings the search keeps; not for `greedy`.
        top_paths: how many sequences the search returns, best first; not for `greedy`.
    Returns: list of int64 tensors of labels, of shape (samples, longest), −1 behind the last label: one for
        `greedy`, otherwise `top_paths`. And their log probabilities, shape (samples, top_paths); for `greedy`
        minus the sum of the greatest log probabilities, shape (samples, 1).
    Raises: ValueError for shapes that do not fit, or more paths than the beam is wide.

    Example:
        `labels = K.get_value(K.ctc_decode(y_pred, np.full(len(y_pred), y_pred.shape[1]))[0][0])`
    """
    logs = _logarithms(y_pred)
    lengths = _lengths(input_length)
    if greedy:
        *decoded, scores = op_all("ctc_greedy", logs, lengths)
    else:
        log_probs = op("log_softmax", logs, axis=-1)
        *decoded, scores = op_all(
            "ctc_beam_search", log_probs, lengths, width=int(beam_width), paths=int(top_paths)
        )
    for labels in decoded:
        labels._cut = True
        labels.shape = TensorShape((labels.shape[0], None))
    return decoded, scores
