"""Connectionist temporal classification. The oracles add up every single path, frame by frame."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from . import In, OpCase, integers


def collapsed(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """What a path says: repetitions count once, blanks not at all."""
    return tuple(c for c, before in zip(path, (-1, *path)) if c not in (blank, before))


def likelihoods(line: np.ndarray) -> dict[tuple[int, ...], tuple[float, np.ndarray]]:
    """For each label sequence of one sample (frames, classes): its probability, and each class's in it."""
    frames, classes = line.shape
    found: dict[tuple[int, ...], tuple[float, np.ndarray]] = {}
    for path in itertools.product(range(classes), repeat=frames):
        p = float(np.exp(sum(line[t, c] for t, c in enumerate(path))))
        total, shares = found.get(collapsed(path, classes - 1), (0.0, np.zeros(line.shape)))
        shares[range(frames), path] += p
        found[collapsed(path, classes - 1)] = total + p, shares
    return found


def samples(x: np.ndarray, labels: np.ndarray, input_length: np.ndarray, label_length: np.ndarray) -> Any:
    for b, n in enumerate(input_length):
        found = likelihoods(x[b, :n])
        yield found.get(tuple(labels[b, : label_length[b]]), (0.0, np.zeros((int(n), x.shape[2]))))


def loss(*inputs: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.array([-np.log(total) for total, _ in samples(*inputs)], "float64")


def loss_grad(g: np.ndarray, x: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    out = np.zeros(x.shape)
    for b, (total, shares) in enumerate(samples(x, *rest)):
        if total:
            out[b, : len(shares)] = -g[b] * shares / total
    return out


def padded(sequences: list[tuple[int, ...]], steps: int) -> np.ndarray:
    return np.array([s + (-1,) * (steps - len(s)) for s in sequences]).reshape(-1, steps)


def greedy(x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    best = [tuple(line[:n].argmax(-1)) for line, n in zip(x, lengths)]
    score = [[-line[:n].max(-1).sum()] for line, n in zip(x, lengths)]
    return padded([collapsed(b, x.shape[2] - 1) for b in best], x.shape[1]), np.reshape(score, (-1, 1))


def beam_search(x: np.ndarray, lengths: np.ndarray, width: int, paths: int) -> tuple[np.ndarray, ...]:
    """Right for a beam that holds all sequences there are."""
    chosen: list[list[tuple[int, ...]]] = [[] for _ in range(paths)]
    scores = np.full((len(x), paths), -np.inf)
    for b, n in enumerate(lengths):
        found = sorted(likelihoods(x[b, :n]).items(), key=lambda item: -item[1][0])[:paths]
        for k in range(paths):
            chosen[k].append(found[k][0] if k < len(found) else ())
            if k < len(found):
                scores[b, k] = np.log(found[k][1][0])
    return (*(padded(c, x.shape[1]) for c in chosen), scores)


def pruned(x: np.ndarray, lengths: np.ndarray, width: int, paths: int) -> tuple[np.ndarray, ...]:
    """A beam of any width: the sequences kept after each frame, with (ends with blank, ends with its label).

    The best are lengthened first; one that has lost its place when its beginning's turn comes is not.
    """
    chosen: list[list[tuple[int, ...]]] = [[] for _ in range(paths)]
    scores = np.full((len(x), paths), -np.inf)
    blank = x.shape[2] - 1
    for b, n in enumerate(lengths):
        beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
        for p in np.exp(x[b, :n]):
            following = {}
            for s, pair in beam.items():
                before = beam.get(s[:-1], (0.0, 0.0)) if s else (0.0, 0.0)
                come = before[0] if s[-2:-1] == s[-1:] else sum(before)
                following[s] = sum(pair) * p[blank], (pair[1] + come) * p[s[-1]] if s else 0.0
            lapsed = set()
            for s, pair in beam.items():
                for c in range(blank) if s not in lapsed else ():
                    longer = (*s, c)
                    if longer in beam:
                        lapsed |= {longer} - set(following)
                        continue
                    following[longer] = 0.0, (pair[0] if s[-1:] == (c,) else sum(pair)) * p[c]
                    if len(following) > width:
                        del following[min(following, key=lambda k: sum(following[k]))]
            beam = dict(sorted(following.items(), key=lambda item: -sum(item[1])))
        for k, s in enumerate(list(beam)[:paths]):
            chosen[k].append(s)
            scores[b, k] = np.log(sum(beam[s]))
    return (*(padded(c, x.shape[1]) for c in chosen), scores)


def log_probs(steps: int, classes: int) -> In:
    """Logarithms of probabilities, with great differences."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        x = rng.normal(0.0, 2.0, shape)
        x -= x.max(-1, keepdims=True)
        return x - np.log(np.exp(x).sum(-1, keepdims=True))

    return In((None, steps, classes), domain=draw)


def lengths(low: int, high: int, dtype: str = "int32") -> In:
    return In((None,), dtype, integers(low, high + 1))


LOSSES = [  # time, classes, labels (low, width, high), input and label lengths (from, to)
    ("ordinary", 5, 4, integers(0, 3), 3, (4, 5), (1, 2)),
    ("repeated", 6, 3, integers(0, 1), 3, (5, 6), (1, 3)),
    ("impossible", 4, 3, integers(0, 2), 4, (0, 4), (2, 4)),
    ("empty", 4, 3, integers(0, 2), 2, (0, 4), (0, 0)),
    ("no labels", 3, 2, integers(0, 1), 0, (3, 3), (0, 0)),
    ("only blank", 3, 1, integers(-1, 0), 2, (0, 3), (0, 0)),
]

CASES = [
    *[
        OpCase(
            name,
            ref,
            [
                *([In((None,))] if name == "ctc_loss_grad" else []),
                log_probs(steps, classes),
                In((None, width), d, domain),
                lengths(*frames, dtype=d),
                lengths(*counts, dtype=d),
            ],
            label=f"{label} {d}",
            # an infinite loss has no finite differences; the gradient has no derivative
            grad=name == "ctc_loss" and label in ("ordinary", "repeated", "empty"),
            second=False,
        )
        for name, ref in (("ctc_loss", loss), ("ctc_loss_grad", loss_grad))
        for label, steps, classes, domain, width, frames, counts in LOSSES
        for d in ("int32", "int64")
    ],
    *[
        OpCase("ctc_greedy", greedy, [log_probs(6, 4), lengths(0, 6, dtype=d)], label=d)
        for d in ("int32", "int64")
    ],
    *[
        OpCase(
            "ctc_beam_search",
            beam_search,
            [log_probs(4, 3), lengths(0, 4, dtype=d)],
            {"width": 40, "paths": paths},
            label=f"all {paths} {d}",
        )
        for d in ("int32", "int64")
        for paths in (1, 3, 9)
    ],
    *[
        OpCase(
            "ctc_beam_search",
            pruned,
            [log_probs(20, 5), lengths(12, 20)],
            {"width": width, "paths": paths},
            label=f"{paths} of {width}",
        )
        for width, paths in ((1, 1), (2, 2), (3, 2), (5, 1), (7, 4), (12, 2))
    ],
]
