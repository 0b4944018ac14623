"""LSTM and GRU over whole sequences, time first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import In, OpCase

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "none": lambda x: x,
    "softsign": lambda x: x / (1 + abs(x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "exp": np.exp,
}


def lstm(
    xp: Any,
    u: Any,
    h: Any,
    c: Any,
    mask: Any = None,
    act="tanh",
    rec_act="hard_sigmoid",
    reverse=False,
    **_: Any,
) -> tuple[np.ndarray, ...]:
    """Outputs, last c, c of all steps, gates i f g o."""
    f_act, f_rec = ACTIVATIONS[act], ACTIVATIONS[rec_act]
    hs, cs, gates = np.zeros((len(xp), *h.shape)), np.zeros((len(xp), *h.shape)), np.zeros(xp.shape)
    for t in range(len(xp))[:: -1 if reverse else 1]:
        i, f, g, o = np.split(xp[t] + h @ u, 4, axis=1)
        i, f, g, o = f_rec(i), f_rec(f), f_act(g), f_rec(o)
        new_c = f * c + i * g
        on = np.ones((len(h), 1), bool) if mask is None else mask[t][:, None]
        h, c = np.where(on, o * f_act(new_c), h), np.where(on, new_c, c)
        hs[t], cs[t], gates[t] = h, c, np.concatenate([i, f, g, o], 1)
    return hs, c, cs, gates


def gru(
    xp: Any, u: Any, h: Any, *rest: Any, act="tanh", rec_act="hard_sigmoid", reverse=False, reset_after=False,
    masked=False, **_: Any,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Outputs; gates z r g, and with reset_after the recurrent part of g."""
    f_act, f_rec = ACTIVATIONS[act], ACTIVATIONS[rec_act]
    bias = rest[0] if reset_after else 0
    mask = rest[-1] if masked else None
    n = h.shape[1]
    hs, gates = np.zeros((len(xp), *h.shape)), []
    for t in range(len(xp))[:: -1 if reverse else 1]:
        x, p = xp[t], h @ u + bias
        z, r = f_rec(x[:, :n] + p[:, :n]), f_rec(x[:, n : 2 * n] + p[:, n : 2 * n])
        inner = r * p[:, 2 * n :] if reset_after else (r * h) @ u[:, 2 * n :]
        g = f_act(x[:, 2 * n :] + inner)
        new = z * h + (1 - z) * g
        h = new if mask is None else np.where(mask[t][:, None], new, h)
        hs[t] = h
        gates.append(np.concatenate([z, r, g, *([p[:, 2 * n :]] if reset_after else [])], 1))
    return hs, np.stack(gates[:: -1 if reverse else 1])


def _numeric(f: Callable[..., float], arrays: list[np.ndarray], which: range) -> tuple[np.ndarray, ...]:
    """Derivatives of a number by four-point differences: good to about 1e-10."""
    out = []
    for k in which:
        grad = np.zeros(arrays[k].shape)
        for at in np.ndindex(*grad.shape):
            ends = {}
            for step in (-2, -1, 1, 2):
                moved = [a.copy() if i == k else a for i, a in enumerate(arrays)]
                moved[k][at] += step * 1e-3
                ends[step] = f(*moved)
            grad[at] = (ends[-2] - 8 * ends[-1] + 8 * ends[1] - ends[2]) / 12e-3
        out.append(grad)
    return tuple(out)


def lstm_grad(
    dh: Any, dc: Any, xp: Any, u: Any, h0: Any, c0: Any, *rest: Any, **attrs: Any
) -> tuple[np.ndarray, ...]:
    mask = rest[-1:] if attrs.get("masked") else ()

    def loss(*x: Any) -> float:
        y = lstm(*x, *mask, **attrs)
        return float((y[0] * dh).sum() + (y[1] * dc).sum())

    return _numeric(loss, [xp, u, h0, c0], range(4))


def gru_grad(dh: Any, xp: Any, u: Any, h0: Any, *rest: Any, **attrs: Any) -> tuple[np.ndarray, ...]:
    bias = rest[:1] if attrs.get("reset_after") else ()
    mask = rest[-1:] if attrs.get("masked") else ()
    arrays = [xp, u, h0, *bias]
    return _numeric(lambda *x: float((gru(*x, *mask, **attrs)[0] * dh).sum()), arrays, range(len(arrays)))


def _coin(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape) > 0.4


def _cases() -> list[OpCase]:
    cases = []
    t, n = 3, 2
    for masked, reverse in ((False, False), (True, True)):
        mask = [In((t, None), "bool", _coin)] if masked else []
        attrs = {"rec_act": "sigmoid", "masked": masked, "reverse": reverse}
        label = f"{'masked' if masked else ''}{'-reverse' if reverse else ''}"
        state = In((None, n))
        inputs = [In((t, None, 4 * n)), In((n, 4 * n)), state, state]
        cases.append(OpCase("lstm", lstm, [*inputs, *mask], attrs, label, tol=5e-6, of=(0, 1)))

        def saved(k: int, grads: int, f: Any, attrs: dict[str, Any] = attrs, masked: bool = masked) -> Any:
            """The k-th output of the forward op, whose inputs follow the `grads` gradients."""

            def derive(arrays: list[np.ndarray]) -> np.ndarray:
                forward = [a.astype("float64") for a in arrays[grads:] if a.dtype != bool]
                count = 4 if f is lstm else 3 + attrs.get("reset_after", False)
                mask = [a for a in arrays if a.dtype == bool]
                return f(*forward[:count], *mask, **attrs)[k]

            return derive

        # The mask must be there when what depends on it is derived: these cases are not masked.
        if not masked:
            cases.append(
                OpCase(
                    "lstm_grad",
                    lstm_grad,
                    [
                        In((t, None, n)),
                        state,
                        *inputs,
                        In((t, None, n), derive=saved(0, 2, lstm)),
                        In((t, None, n), derive=saved(2, 2, lstm)),
                        In((t, None, 4 * n), derive=saved(3, 2, lstm)),
                    ],
                    attrs,
                    label,
                    tol=5e-6,
                    tol64=1e-8,
                    wrt=(0, 1),
                    second=False,
                )
            )
        for after in (False, True):
            g_attrs = {**attrs, "reset_after": after}
            g_inputs = [In((t, None, 3 * n)), In((n, 3 * n)), state, *([In((3 * n,))] if after else [])]
            g_label = label + ("-after" if after else "")
            cases.append(OpCase("gru", gru, [*g_inputs, *mask], g_attrs, g_label, tol=5e-6, of=(0,)))
            if not masked:
                cases.append(
                    OpCase(
                        "gru_grad",
                        gru_grad,
                        [
                            In((t, None, n)),
                            *g_inputs,
                            In((t, None, n), derive=saved(0, 1, gru, g_attrs)),
                            In((t, None, (4 if after else 3) * n), derive=saved(1, 1, gru, g_attrs)),
                        ],
                        g_attrs,
                        g_label,
                        tol=5e-6,
                        tol64=1e-8,
                        wrt=(0,),
                        second=False,
                    )
                )
    return cases


CASES = _cases()
