"""Loops over sequences. The Python function for a step is called once; what it builds runs for every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import engine
from .engine import Tensor, op, to_tensor

__all__ = ["foldl", "foldr", "map_fn", "rnn"]

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, Sequence[Tensor]]]


def rnn(
    step_function: Step,
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Runs a step for each time of a sequence.

    Args:
        step_function: gets the input of one time, of shape (samples, …), and the list of states followed by
            the constants; returns the output and the list of new states.
        inputs: tensor of shape (samples, time, …).
        initial_states: list of tensors.
        go_backwards: begin with the last time; the outputs come in the order of processing.
        mask: bool tensor of shape (samples, time) or (samples, time, 1). Where it is false, the states stay
            and the first state replaces the output. (With `unroll` the last output does, at first zeros.)
        constants: list of tensors that every step gets.
        unroll: build each step separately, for a known number of times.
        input_length: accepted for other backends' sake.
    Returns: the last output (samples, …), all outputs (samples, time, …), and the list of last states.
    Raises: ValueError for inputs with less than 2 axes, unknown time with `unroll`, or a mask without states.
    """
    inputs = to_tensor(inputs)
    rank = len(inputs.shape)
    if rank < 2:
        raise ValueError(f"Input should be at least 2D: (samples, time, …), not {tuple(inputs.shape)}.")
    states = [to_tensor(s) for s in initial_states]
    fixed = [to_tensor(c) for c in constants or []]
    if mask is not None:
        mask = to_tensor(mask)
        if mask.dtype != "bool":
            mask = op("cast", mask, dtype="bool")
        if len(mask.shape) == 2:
            mask = op("expand_dims", mask, axis=2)
    if unroll:
        return _unrolled(step_function, inputs, states, go_backwards, mask, fixed)
    if mask is not None and not states:
        raise ValueError(
            "No initial states provided: with a mask, the first state stands for the last output."
        )

    same = False  # whether the output is the first state

    def body(carry: list[Tensor], elements: list[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        nonlocal same
        output, following = step_function(elements[0], [*carry, *fixed])
        same = len(following) > 0 and output is following[0]
        if len(following) != len(carry):
            raise ValueError(f"The step returned {len(following)} states instead of {len(carry)}.")
        if mask is not None:
            here = elements[1]
            following = [_where(here, new, old) for new, old in zip(following, carry)]
            output = following[0] if same else _where(here, output, carry[0])
        return following, [output]

    sequences = [_swapped(inputs)] if mask is None else [_swapped(inputs), _swapped(mask)]
    last, (outputs,) = engine.scan(body, states, sequences, reverse=go_backwards)
    last_output = last[0] if same else outputs[0 if go_backwards else -1]
    if go_backwards:
        outputs = op("reverse", outputs, axes=[0])
    return last_output, _swapped(outputs), last


def _swapped(x: Tensor) -> Tensor:
    """x with its first two axes exchanged."""
    return op("transpose", x, perm=[1, 0, *range(2, len(x.shape))])


def _where(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """new where the mask (samples, 1) is true, elsewhere old."""
    for _ in range(len(new.shape) - len(mask.shape)):
        mask = op("expand_dims", mask, axis=len(mask.shape))
    return op("select", mask, new, old)


def _unrolled(
    step_function: Step,
    inputs: Tensor,
    states: list[Tensor],
    go_backwards: bool,
    mask: Tensor | None,
    constants: list[Tensor],
) -> tuple[Tensor, Tensor, list[Tensor]]:
    n = inputs.shape[1]
    if not n:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    outputs: list[Tensor] = []
    for time in reversed(range(n)) if go_backwards else range(n):
        output, following = step_function(inputs[:, time], [*states, *constants])
        if mask is not None:
            here = mask[:, time]
            before = outputs[-1] if outputs else op("fill_like", output, value=0.0, dtype=output.dtype)
            output = _where(here, output, before)
            following = [_where(here, new, old) for new, old in zip(following, states)]
        states = list(following)
        outputs.append(output)
    stacked = op("concat", *[op("expand_dims", o, axis=1) for o in outputs], axis=1)
    return outputs[-1], stacked, states


def _parts(elems: Any) -> tuple[list[Tensor], bool]:
    """The sequences, and whether there are several."""
    if isinstance(elems, (list, tuple)):
        return [to_tensor(e) for e in elems], True
    return [to_tensor(elems)], False


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Applies a function to each element along the first axis.

    Args:
        fn: gets one element (a list of them, if `elems` is a list); returns a tensor, or a list of tensors.
        elems: tensor, or list of tensors of equal first size.
        name, dtype: accepted; the results' types follow from `fn`.
    Returns: the results stacked along the first axis: a tensor, or a list of them.
    """
    sequences, several = _parts(elems)
    single = True

    def body(_: list[Tensor], elements: list[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        nonlocal single
        result = fn(elements if several else elements[0])
        single = not isinstance(result, (list, tuple))
        return [], [to_tensor(r) for r in ([result] if single else result)]

    _, results = engine.scan(body, [], sequences)
    return results[0] if single else results


def _fold(fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool) -> Tensor:
    sequences, several = _parts(elems)
    if initializer is None:
        start = [s[-1] if reverse else s[0] for s in sequences]
        initial = start[0]
        sequences = [s[:-1] if reverse else s[1:] for s in sequences]
    else:
        initial = to_tensor(initializer, sequences[0].dtype)

    def body(carry: list[Tensor], elements: list[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        return [to_tensor(fn(carry[0], elements if several else elements[0]), carry[0].dtype)], []

    last, _ = engine.scan(body, [initial], sequences, reverse=reverse)
    return last[0]


def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Tensor:
    """Reduces the first axis from the first element to the last.

    Args:
        fn: gets what was computed so far and one element; returns a tensor of the same shape as the former.
        elems: tensor, or list of tensors of equal first size.
        initializer: what to begin with; None means the first element.
        name: accepted.
    """
    return _fold(fn, elems, initializer, reverse=False)


def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Tensor:
    """Like `foldl`, from the last element to the first."""
    return _fold(fn, elems, initializer, reverse=True)
