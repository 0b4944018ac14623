"""Draws a model's graph of layers as SVG, without any foreign program.

Source: what keras/utils/vis_utils.py (2.1.6) shows; the drawing is our own.
"""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from ._graph_layout import Layout, Point, Route, lay_out
from ._model_graph import LayerBox, inner_model, layer_boxes

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONO = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
TEXT, SMALL, LINE, PAD, MARGIN = 13.0, 11.0, 17.0, 10.0, 16.0
DIRECTIONS = ("TB", "BT", "LR", "RL")

_CONV, _RECURRENT = ("#e0edfd", "#4b86c8"), ("#efe3fb", "#9560c4")
# Families of layers by the module of their class: (fill, border).
_COLOURS = {
    "input_layer": ("#eef0f3", "#8a93a0"),
    "core": ("#fff3d1", "#c79a2b"),
    "embeddings": ("#e9e7fb", "#7a6fd0"),
    "convolutional": _CONV,
    "conv": _CONV,
    "conv_depthwise": _CONV,
    "local": _CONV,
    "convolutional_recurrent": _RECURRENT,
    "recurrent": _RECURRENT,
    "rnn_base": _RECURRENT,
    "cudnn_recurrent": _RECURRENT,
    "pooling": ("#dcf3ef", "#3f9d8e"),
    "normalization": ("#e8f5de", "#73a548"),
    "noise": ("#e8f5de", "#73a548"),
    "merge": ("#fde6ea", "#cf6679"),
    "advanced_activations": ("#fdebdc", "#cf8446"),
}
_OTHER = ("#f7f7f7", "#8a93a0")
# Layers of `core` that hold no weights look like what they do.
_BY_CLASS = {
    "Activation": "advanced_activations",
    "Dropout": "noise",
    "SpatialDropout1D": "noise",
    "SpatialDropout2D": "noise",
    "SpatialDropout3D": "noise",
    "Flatten": "",
    "Reshape": "",
    "Permute": "",
    "RepeatVector": "",
    "Masking": "",
    "Lambda": "",
}
_NARROW, _WIDE = set("ijlftrI.,:;'|!()[]{}/ "), set("mwMW@%")


class _Options(NamedTuple):
    """What to show, as for `draw_model`."""

    show_shapes: bool
    show_layer_names: bool
    rankdir: str
    expand_nested: bool


class _Picture:
    """A box with text, or a frame around the picture of an inner model: its size and how to draw it."""

    def __init__(self, box: LayerBox, options: _Options) -> None:
        self.box = box
        self.rows: list[tuple[str, str]] = []
        if options.show_shapes:
            self.rows = [("input:", box.input_shapes), ("output:", box.output_shapes)]
        self.label = box.label if options.show_layer_names else box.kind
        width = _text_width(self.label, TEXT)
        for _, value in self.rows:
            width = max(width, _text_width("output: ", SMALL) + _mono_width(value))
        self.width = width + 2 * PAD
        self.head = LINE + PAD + LINE * len(self.rows) + (PAD / 2 if self.rows else 0)
        self.height = self.head
        self.inner: _Graph | None = None
        inside = inner_model(box.layer) if options.expand_nested else None
        if inside is not None:
            self.inner = _Graph(inside, options)
            self.width = max(self.width, self.inner.width + 2 * PAD)
            self.head += PAD / 2
            self.height = self.head + self.inner.height + PAD

    def draw(self, out: list[str], x: float, y: float) -> None:
        """Appends the elements of a picture whose upper left corner is (x, y)."""
        fill, border = _colours(self.box.layer)
        middle = x + self.width / 2
        out.append(f'<g class="layer"><title>{escape(self.box.description)}</title>')
        frame = ' stroke-dasharray="5 3"' if self.inner else ""
        out.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{self.width:.1f}" height="{self.height:.1f}" rx="5" '
            f'fill="{"#fbfbfd" if self.inner else fill}" stroke="{border}"{frame}/>'
        )
        line = y + PAD / 2 + LINE * 0.75
        out.append(f'<text x="{middle:.1f}" y="{line:.1f}" class="name">{escape(self.label)}</text>')
        if self.rows:
            rule = y + LINE + PAD
            out.append(
                f'<path d="M{x:.1f} {rule:.1f}H{x + self.width:.1f}" stroke="{border}" opacity="0.5"/>'
            )
        left = x + PAD
        for number, (key, value) in enumerate(self.rows):
            line = y + LINE + PAD * 1.25 + LINE * (number + 0.72)
            out.append(f'<text x="{left:.1f}" y="{line:.1f}" class="key">{key}</text>')
            at = left + _text_width("output: ", SMALL)
            out.append(f'<text x="{at:.1f}" y="{line:.1f}" class="shape">{escape(value)}</text>')
        if self.inner:
            self.inner.draw(out, middle - self.inner.width / 2, y + self.head)
        out.append("</g>")


class _Graph:
    """The picture of one model: boxes, edges, and where they are."""

    def __init__(self, model: Any, options: _Options) -> None:
        boxes, edges = layer_boxes(model)
        self.rankdir = options.rankdir
        self.pictures = [_Picture(box, options) for box in boxes]
        self.sideways = self.rankdir in ("LR", "RL")
        sizes = [(p.height, p.width) if self.sideways else (p.width, p.height) for p in self.pictures]
        self.layout: Layout = lay_out(sizes, edges)
        self.loops = 28.0 if any(route.back for route in self.layout.routes) else 0.0
        across, along = self.layout.across + self.loops, self.layout.along
        self.width, self.height = (along, across) if self.sideways else (across, along)

    def _turn(self, point: Point) -> Point:
        """(across, along) as (x, y), or turned as the direction wants it."""
        across, along = point
        if self.rankdir in ("BT", "RL"):
            along = self.layout.along - along
        return (along, across) if self.sideways else (across, along)

    def draw(self, out: list[str], x: float, y: float) -> None:
        """Appends the elements of the picture whose upper left corner is (x, y)."""
        for route in self.layout.routes:
            out.append(f'<path class="edge" d="{self._path(route, x, y)}"/>')
        for picture, centre in zip(self.pictures, self.layout.centres):
            cx, cy = self._turn(centre)
            picture.draw(out, x + cx - picture.width / 2, y + cy - picture.height / 2)

    def _path(self, route: Route, x: float, y: float) -> str:
        def at(*points: Point) -> str:
            return " ".join(f"{x + px:.1f} {y + py:.1f}" for px, py in map(self._turn, points))

        if route.back:  # around the side, from the end of one box to the beginning of the other
            begin, end = (self._side(box) for box in (route.source, route.target))
            far = max(begin[0], end[0]) + 28
            if route.source == route.target:
                begin, end = (begin[0], begin[1] + 6), (end[0], end[1] - 6)
            return f"M{at(begin)}C{at((far, begin[1]), (far, end[1]), end)}"
        path = f"M{at(route.begin)}"
        if abs(route.points[0][1] - route.begin[1]) > 0.5:  # the box is smaller than its rank
            path += f"L{at(route.points[0])}"
        for a, b in zip(route.points[::2], route.points[1::2]):
            if a != route.points[0]:
                path += f"L{at(a)}"
            middle = (a[1] + b[1]) / 2
            path += f"C{at((a[0], middle), (b[0], middle), b)}"
        if abs(route.points[-1][1] - route.end[1]) > 0.5:
            path += f"L{at(route.end)}"
        return path

    def _side(self, box: int) -> Point:
        across, along = self.layout.centres[box]
        picture = self.pictures[box]
        return across + (picture.height if self.sideways else picture.width) / 2, along


def draw_model(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
) -> str:
    """Draws a model.

    Args:
        model: a built model.
        show_shapes: write input and output shapes into the boxes.
        show_layer_names: write names, not only classes.
        rankdir: direction of the edges: 'TB' (downwards), 'LR' (to the right), 'BT' or 'RL'.
        expand_nested: draw what is in models that are layers of the model.

    Returns:
        an SVG document.
    """
    graph = _Graph(model, _Options(show_shapes, show_layer_names, rankdir, expand_nested))
    width, height = graph.width + 2 * MARGIN, graph.height + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<title>{escape(model.name)}</title>",
        "<style>",
        f".name{{font:{TEXT:.0f}px {FONT};text-anchor:middle;fill:#1f2430}}",
        f".key{{font:{SMALL:.0f}px {FONT};fill:#5b6472}}",
        f".shape{{font:{SMALL:.0f}px {MONO};fill:#1f2430}}",
        ".edge{fill:none;stroke:#5b6472;stroke-width:1.2;marker-end:url(#arrow)}",
        "</style>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 1L10 5L0 9z" fill="#5b6472"/></marker></defs>',
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#ffffff"/>',
    ]
    graph.draw(out, MARGIN, MARGIN)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _colours(layer: Any) -> tuple[str, str]:
    """Fill and border of a layer's box; those of an own class are of its nearest base class."""
    inside = getattr(layer, "layer", None)
    if inside is not None and type(layer).__module__.endswith("wrappers"):
        return _colours(inside)
    for kind in type(layer).__mro__:
        family = _BY_CLASS.get(kind.__name__, kind.__module__.rpartition(".")[2].lstrip("_"))
        if family in _COLOURS:
            return _COLOURS[family]
        if family == "":
            break
    return _OTHER


def _text_width(text: str, size: float) -> float:
    """Width of a text in a usual sans-serif type, on the safe side: no type is at hand to measure it."""
    return size * sum(map(_character_width, text))


def _character_width(c: str) -> float:
    """Width of a character in ems; those of East Asian scripts are as wide as high."""
    if ord(c) > 0x10FF and unicodedata.east_asian_width(c) in "WF":
        return 1.0
    return 0.36 if c in _NARROW else 0.95 if c in _WIDE else 0.76 if c.isupper() else 0.62


def _mono_width(text: str) -> float:
    return 0.64 * SMALL * len(text)
