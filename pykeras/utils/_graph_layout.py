"""Places boxes and edges of a directed graph in ranks, so that edges flow one way and rarely cross.

The method is Sugiyama's: break cycles, give every box a rank, order the boxes of each rank by the mean place
of their neighbours, then move them to where edges become straight. Directions are called *along* (with the
edges) and *across*; the caller decides which of them is down.

Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures",
    1981; the last step solves, per rank, the least-squares placement by pooling adjacent violators.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]

_ORDER_SWEEPS = 24
_PLACE_SWEEPS = 16
# How hard edges pull: those between two bends hardest, which makes long edges straight.
_PULL = {0: 1.0, 1: 2.0, 2: 8.0}


@dataclass
class Route:
    """One edge of the picture.

    Attributes:
        source, target: numbers of the boxes.
        begin, end: (across, along) at the edges of the two boxes.
        points: (across, along) in pairs: where it leaves a rank, where it enters the next one, and so on.
        back: it runs against the flow (a layer that is fed with what comes out of it).
    """

    source: int
    target: int
    begin: Point = (0.0, 0.0)
    end: Point = (0.0, 0.0)
    points: list[Point] = field(default_factory=list)
    back: bool = False


@dataclass
class Layout:
    """Where everything goes.

    Attributes:
        centres: per box, (across, along) of its centre.
        routes: per edge, in the given order.
        across, along: size of the whole.
    """

    centres: list[Point]
    routes: list[Route]
    across: float
    along: float


@dataclass
class _Item:
    """A box, or (box < 0) the place where a long edge passes a rank."""

    box: int
    across: float
    rank: int
    before: list[_Item] = field(default_factory=list, repr=False)
    behind: list[_Item] = field(default_factory=list, repr=False)
    order: int = 0
    x: float = 0.0


def lay_out(
    sizes: Sequence[Point],
    edges: Sequence[tuple[int, int]],
    gap_across: float = 24.0,
    gap_along: float = 34.0,
) -> Layout:
    """Finds a place for everything.

    Args:
        sizes: per box, its size (across, along).
        edges: pairs (source, target) of box numbers; repeated ones are drawn side by side.
        gap_across: distance between the boxes of a rank.
        gap_along: least distance between ranks.

    Returns:
        `Layout`, starting at (0, 0).
    """
    forward = _without_cycles(len(sizes), edges)
    ranks = _ranks(len(sizes), [edge for edge, good in zip(edges, forward) if good])
    boxes = [_Item(i, sizes[i][0], ranks[i]) for i in range(len(sizes))]
    chains = [_chain(boxes[u], boxes[v]) if good else [] for (u, v), good in zip(edges, forward)]
    rows: list[list[_Item]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for item in boxes:
        rows[item.rank].append(item)
    for chain in chains:
        for item in chain[1:-1]:
            rows[item.rank].append(item)

    _order(rows)
    _place(rows, gap_across)
    for _ in range(3):
        _straighten(rows, gap_across)
    _line_up(rows)
    left = min((item.x - item.across / 2 for row in rows for item in row), default=0.0)
    for row in rows:
        for item in row:
            item.x -= left
    across = max((item.x + item.across / 2 for row in rows for item in row), default=0.0)

    tops, bottoms, along = _rank_bounds(rows, sizes, gap_along)
    centres = [(item.x, (tops[item.rank] + bottoms[item.rank]) / 2) for item in boxes]
    routes = []
    for (u, v), good, chain in zip(edges, forward, chains):
        route = Route(u, v, back=not good)
        if good:
            for a, b in pairwise(chain):
                route.points += [(a.x, bottoms[a.rank]), (b.x, tops[b.rank])]
        routes.append(route)
    _spread_ends(routes, sizes, centres)
    return Layout(centres, routes, across, along)


# ---- ranks


def _without_cycles(n: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Says of each edge whether it can be kept when those that close a cycle go."""
    behind: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for number, (u, v) in enumerate(edges):
        behind[u].append((v, number))
    fed = {v for u, v in edges if u != v}
    keep = [True] * len(edges)
    state = [0] * n  # 1: on the path that is being walked, 2: done
    for start in sorted(range(n), key=lambda i: i in fed):
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(behind[start]))]
        while path:
            u, rest = path[-1]
            for v, number in rest:
                if state[v] == 1:
                    keep[number] = False
                elif state[v] == 0:
                    state[v] = 1
                    path.append((v, iter(behind[v])))
                    break
            else:
                state[u] = 2
                path.pop()
    return keep


def _ranks(n: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Ranks from 0, each box as late as what it feeds allows; what is not connected comes first."""
    behind: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    before: list[list[int]] = [[] for _ in range(n)]
    for u, v in edges:
        behind[u].append(v)
        before[v].append(u)
        waiting[u] += 1
    height = [0] * n  # longest way to an end
    ready = [i for i in range(n) if not waiting[i]]
    while ready:
        v = ready.pop()
        for u in before[v]:
            height[u] = max(height[u], height[v] + 1)
            waiting[u] -= 1
            if not waiting[u]:
                ready.append(u)
    top = max(height, default=0)
    return [top - h if behind[i] or before[i] else 0 for i, h in enumerate(height)]


def _chain(start: _Item, end: _Item) -> list[_Item]:
    """Connects two boxes through a passing place in every rank between them."""
    chain = [start, *(_Item(-1, 6.0, rank) for rank in range(start.rank + 1, end.rank)), end]
    for a, b in pairwise(chain):
        a.behind.append(b)
        b.before.append(a)
    return chain


# ---- order within ranks


def _order(rows: list[list[_Item]]) -> None:
    """Sorts every rank so that few edges cross."""
    _number(rows)
    best, kept = _crossings(rows), [list(row) for row in rows]
    for sweep in range(_ORDER_SWEEPS):
        if best == 0:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            for item in row:
                near = item.before if down else item.behind
                item.x = sum(other.order for other in near) / len(near) if near else float(item.order)
            # of equals, the later one first in every second pair of sweeps: a way out of dead ends
            row.sort(key=lambda item: (item.x, -item.order if sweep % 4 > 1 else item.order))
            for place, item in enumerate(row):
                item.order = place
        found = _crossings(rows)
        if found < best:
            best, kept = found, [list(row) for row in rows]
    rows[:] = kept
    _number(rows)


def _number(rows: list[list[_Item]]) -> None:
    for row in rows:
        for place, item in enumerate(row):
            item.order = place


def _crossings(rows: list[list[_Item]]) -> int:
    """Number of pairs of edges that cross between neighbouring ranks."""
    total = 0
    for row in rows:
        seen: list[int] = []
        for item in row:
            ends = sorted(other.order for other in item.behind)
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return total


# ---- places within ranks


def _place(rows: list[list[_Item]], gap: float) -> None:
    """Moves the boxes across, in their order, until the edges are as straight as they can be."""
    for row in rows:
        x = 0.0
        for item in row:
            item.x = x + item.across / 2
            x += item.across + gap
        for item in row:
            item.x -= (x - gap) / 2
    for sweep in range(_PLACE_SWEEPS):
        last = sweep >= _PLACE_SWEEPS - 4
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted, weights = [], []
            middle = sum(item.x for item in row) / len(row)
            for item in row:
                near = item.before + item.behind if last else item.before if sweep % 2 == 0 else item.behind
                pulls = [_PULL[(item.box < 0) + (other.box < 0)] for other in near]
                weight = sum(pulls)
                rest = item.x if item.before or item.behind else middle
                wanted.append(sum(p * o.x for p, o in zip(pulls, near)) / weight if near else rest)
                weights.append(weight if near else 0.01)
            for item, x in zip(row, _nearest(wanted, weights, [item.across for item in row], gap)):
                item.x = x


def _nearest(wanted: list[float], weights: list[float], widths: list[float], gap: float) -> list[float]:
    """Places next to each other, `gap` apart, with the least weighted squared distance to the wanted ones."""
    offsets, at = [], 0.0
    for i, width in enumerate(widths):
        at += width / 2 + (widths[i - 1] / 2 + gap if i else -width / 2)
        offsets.append(at)
    blocks: list[list[float]] = []  # [place, weight, number of boxes] of groups that touch
    for target, weight, offset in zip(wanted, weights, offsets):
        blocks.append([target - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            x, w, n = blocks.pop()
            y, v, m = blocks[-1]
            blocks[-1] = [(x * w + y * v) / (w + v), w + v, n + m]
    places = [x for x, _, n in blocks for _ in range(int(n))]
    return [x + offset for x, offset in zip(places, offsets)]


def _straighten(rows: list[list[_Item]], gap: float) -> None:
    """Puts what follows each other without a branch onto one line, as far as the neighbours leave room."""
    for row in rows:
        for first in row:
            if len(first.before) == 1 and len(first.before[0].behind) == 1:
                continue  # not the first of its line
            line, low, high = [first], *_room(first, rows, gap)
            while len(line[-1].behind) == 1 and len(line[-1].behind[0].before) == 1:
                item = line[-1].behind[0]
                left, right = _room(item, rows, gap)
                if max(low, left) > min(high, right):
                    _align(line, low, high)
                    line, low, high = [item], left, right
                else:
                    line, low, high = [*line, item], max(low, left), min(high, right)
            _align(line, low, high)


def _line_up(rows: list[list[_Item]]) -> None:
    """Puts all that is alone in its rank on one line, and what lies between around it: no drift to a side."""
    first = 0
    while first < len(rows):
        last = first
        if len(rows[first]) == 1:
            rows[first][0].x = 0.0
        else:
            while last + 1 < len(rows) and len(rows[last + 1]) > 1:
                last += 1
            near = [item.x for item in rows[first - 1][0].behind] if first else []
            near += [item.x for item in rows[last + 1][0].before] if last + 1 < len(rows) else []
            near = near or [item.x for row in rows[first : last + 1] for item in row]
            middle = sum(near) / len(near)
            for row in rows[first : last + 1]:
                for item in row:
                    item.x -= middle
        first = last + 1


def _room(item: _Item, rows: list[list[_Item]], gap: float) -> Point:
    """How far to both sides an item can move before it comes too near to its neighbours."""
    row = rows[item.rank]
    low, high = float("-inf"), float("inf")
    if item.order:
        other = row[item.order - 1]
        low = other.x + (other.across + item.across) / 2 + gap
    if item.order + 1 < len(row):
        other = row[item.order + 1]
        high = other.x - (other.across + item.across) / 2 - gap
    return min(low, item.x), max(high, item.x)  # touching boxes miss the gap by a rounding error


def _align(line: list[_Item], low: float, high: float) -> None:
    place = min(max(sum(item.x for item in line) / len(line), low), high)
    for item in line:
        item.x = place


# ---- along


def _rank_bounds(
    rows: list[list[_Item]], sizes: Sequence[Point], gap: float
) -> tuple[list[float], list[float], float]:
    """Begin and end of every rank, and the end of all; edges that go far across get more room."""
    tops, bottoms, at = [], [], 0.0
    for row in rows:
        tops.append(at)
        at += max((sizes[item.box][1] for item in row if item.box >= 0), default=0.0)
        bottoms.append(at)
        far = max((abs(item.x - other.x) for item in row for other in item.behind), default=0.0)
        at += gap + min(60.0, far / 10)
    return tops, bottoms, bottoms[-1] if bottoms else 0.0


def _spread_ends(routes: list[Route], sizes: Sequence[Point], centres: list[Point]) -> None:
    """Lets the edges of one box begin and end side by side, in the order in which they come."""
    for at_target in (False, True):
        groups: dict[int, list[Route]] = {}
        for route in routes:
            if not route.back:
                groups.setdefault(route.target if at_target else route.source, []).append(route)
        for box, group in groups.items():
            width, height = sizes[box]
            x, y = centres[box]
            group.sort(key=lambda route: route.points[-2 if at_target else 1])
            step = min(14.0, (width - 16.0) / len(group))
            for place, route in enumerate(group):
                port = x + (place - (len(group) - 1) / 2) * step
                if at_target:
                    route.points[-1] = (port, route.points[-1][1])
                    route.end = (port, y - height / 2)
                else:
                    route.points[0] = (port, route.points[0][1])
                    route.begin = (port, y + height / 2)
