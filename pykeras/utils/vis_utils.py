"""Pictures of models: SVG drawn here, other formats through pydot and Graphviz.

Source: the public behaviour of keras/utils/vis_utils.py (2.1.6, with 2.3's `expand_nested` and `dpi`).
"""

from __future__ import annotations

import os
from typing import Any

from ._model_graph import inner_model, layer_boxes
from ._model_svg import DIRECTIONS, draw_model

__all__ = ["model_to_dot", "plot_model"]


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
) -> None:
    """Draws the layers of a model into a file.

    Args:
        model: a built model.
        to_file: the file. Its ending says the format: '.svg' needs no other program; '.png', '.pdf' and the
            other formats of Graphviz need pydot and Graphviz.
        show_shapes: write input and output shapes into the boxes.
        show_layer_names: write the layers' names, not only their classes.
        rankdir: direction of the edges: 'TB' (downwards), 'LR' (to the right), 'BT' or 'RL'.
        expand_nested: draw what is in models that are layers of the model.
        dpi: dots per inch, for formats made of dots.

    Raises:
        ValueError: the model has no graph (yet), or there is no such direction.
        ImportError: pydot is needed and not installed.
        OSError: Graphviz is needed and not installed or does not know the format, or the file cannot be
            written.

    Example:
        >>> plot_model(model, to_file='model.svg', show_shapes=True)  # doctest: +SKIP
    """
    _check_direction(rankdir)
    path = os.fsdecode(to_file)
    form = os.path.splitext(path)[1][1:].lower() or "png"
    if form == "svg":
        text = draw_model(model, show_shapes, show_layer_names, rankdir, expand_nested)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    _import_pydot(form)
    if form != "dot":
        _check_graphviz(form)
    dot = model_to_dot(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi)
    try:
        dot.write(path, format="raw" if form == "dot" else form)
    except AssertionError as error:  # what pydot makes of Graphviz's complaints
        raise OSError(f"Graphviz could not draw {path!r} as {form}: {error}") from error


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
) -> Any:
    """Describes the layers of a model for Graphviz.

    Args:
        model: a built model.
        show_shapes, show_layer_names, rankdir, expand_nested, dpi: as for `plot_model`.
        subgraph: return a cluster, to be put into another graph, instead of a graph.

    Returns:
        `pydot.Dot` (or `pydot.Cluster`); its nodes are called by the `id` of their layers.

    Raises:
        ValueError: the model has no graph (yet), or there is no such direction.
        ImportError: pydot is not installed.
    """
    _check_direction(rankdir)
    pydot = _import_pydot()
    if subgraph:
        dot = pydot.Cluster(graph_name=model.name, style="dashed", label=_quoted(model.name), labeljust="l")
    else:
        dot = pydot.Dot(graph_type="digraph", rankdir=rankdir, concentrate="true", dpi=str(dpi))
        dot.set_node_defaults(shape="record")
    boxes, edges = layer_boxes(model)
    ends: list[tuple[str, str]] = []  # per layer: where edges to it end, where those from it begin
    for box in boxes:
        inside = inner_model(box.layer) if expand_nested else None
        if inside is not None:
            dot.add_subgraph(model_to_dot(inside, show_shapes, show_layer_names, rankdir, True, dpi, True))
            ends.append((str(id(inside.input_layers[0])), str(id(inside.output_layers[0]))))
            continue
        label = _escaped(box.label if show_layer_names else box.kind)
        if show_shapes:
            # a record: what stands in braces runs the other way, so words and shapes form a table
            shapes = f"{{{_escaped(box.input_shapes)}|{_escaped(box.output_shapes)}}}"
            label = f"{label}|{{input:|output:}}|{shapes}"
        name = str(id(box.layer))
        dot.add_node(pydot.Node(name, label=_quoted(label)))
        ends.append((name, name))
    for source, target in edges:
        dot.add_edge(pydot.Edge(ends[source][1], ends[target][0]))
    return dot


def _quoted(text: str) -> str:
    """A text that pydot takes as it is."""
    return '"' + text.replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """A text whose characters mean nothing in a record label."""
    for character in "\\{}|<>":
        text = text.replace(character, "\\" + character)
    return text


def _check_direction(rankdir: str) -> None:
    if rankdir not in DIRECTIONS:
        raise ValueError(f"`rankdir` must be one of {', '.join(DIRECTIONS)}. Received: {rankdir!r}")


def _import_pydot(form: str = "png") -> Any:
    try:
        import pydot
    except ImportError as error:
        raise ImportError(
            f"Drawing a model as {form} requires pydot and Graphviz: `pip install pydot`, and Graphviz from "
            "your system's packages. `plot_model(model, to_file='model.svg')` needs neither."
        ) from error
    return pydot


def _check_graphviz(form: str) -> None:
    import shutil

    if shutil.which("dot") is None:
        raise OSError(
            f"Drawing a model as {form} requires Graphviz, whose program `dot` is not on the path: install "
            "it from your system's packages. `plot_model(model, to_file='model.svg')` needs no other program."
        )
