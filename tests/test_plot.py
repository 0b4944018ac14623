"""Pictures of models (15.5 of the list of behaviours): what stands in them, and where."""

import os
import random
import re
import sys
import types
from xml.etree import ElementTree

import numpy as np
import pytest

from pykeras import layers as L
from pykeras.models import Model, Sequential
from pykeras.utils import model_to_dot, plot_model
from pykeras.utils._graph_layout import lay_out

SVG = "{http://www.w3.org/2000/svg}"


def mlp():
    return Sequential(
        [L.Dense(512, activation="relu", input_shape=(784,), name="a"), L.Dropout(0.2, name="b")], name="mlp"
    )


def branches():
    x = entry = L.Input((8, 8, 3), name="entry")
    left = L.Conv2D(4, 1, name="left")(x)
    middle = L.Conv2D(4, 3, padding="same", name="lower")(L.Conv2D(4, 1, name="upper")(x))
    right = L.MaxPooling2D(3, 1, padding="same", name="right")(x)
    return Model(entry, L.concatenate([left, middle, right], name="joined"))


class Picture:
    """What an SVG file shows: boxes by name as (x, y, width, height), the words in them, the edges."""

    def __init__(self, path):
        self.text = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(self.text)
        self.size = [float(root.get(side)) for side in ("width", "height")]
        self.boxes, self.words, self.titles = {}, {}, {}
        for group in root.iter(SVG + "g"):
            name = group.find(f"{SVG}text[@class='name']").text
            rect = group.find(SVG + "rect")
            self.boxes[name] = [float(rect.get(key)) for key in ("x", "y", "width", "height")]
            self.words[name] = [word.text for word in group.findall(SVG + "text")[1:]]
            self.titles[name] = group.find(SVG + "title").text
        paths = [path.get("d") for path in root.iter(SVG + "path") if path.get("class") == "edge"]
        self.edges = [np.array([float(n) for n in re.findall(r"-?\d+\.\d", d)]).reshape(-1, 2) for d in paths]

    def box_at(self, point):
        """The names of the boxes on whose border a point lies."""
        found = []
        for name, (x, y, width, height) in self.boxes.items():
            inside = x - 0.2 <= point[0] <= x + width + 0.2 and y - 0.2 <= point[1] <= y + height + 0.2
            border = min(abs(point[0] - x), abs(point[0] - x - width)) < 0.2 or (
                min(abs(point[1] - y), abs(point[1] - y - height)) < 0.2
            )
            if inside and border:
                found.append(name.split(":")[0])
        return found

    def connections(self):
        return sorted((self.box_at(edge[0])[0], self.box_at(edge[-1])[0]) for edge in self.edges)


@pytest.fixture
def draw(tmp_path):
    def plot(model, **options):
        plot_model(model, tmp_path / "model.svg", **options)
        return Picture(tmp_path / "model.svg")

    return plot


def apart(boxes):
    """Whether no two boxes overlap."""
    boxes = list(boxes)
    return all(
        a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
    )


# ---- what is in the picture


def test_sequential(draw):
    picture = draw(mlp())
    assert list(picture.boxes) == ["a_input: InputLayer", "a: Dense", "b: Dropout"]
    assert picture.connections() == [("a", "b"), ("a_input", "a")]
    middles = [x + width / 2 for x, _, width, _ in picture.boxes.values()]
    assert max(middles) - min(middles) < 0.2
    tops = [y for _, y, _, _ in picture.boxes.values()]
    assert tops == sorted(tops)
    assert picture.words["a: Dense"] == []


def test_shapes(draw):
    picture = draw(branches(), show_shapes=True)
    assert picture.words["upper: Conv2D"] == ["input:", "(None, 8, 8, 3)", "output:", "(None, 8, 8, 4)"]
    assert picture.words["joined: Concatenate"][1] == "(None, 8, 8, 4), (None, 8, 8, 4), (None, 8, 8, 3)"
    assert picture.titles["upper: Conv2D"] == (
        "upper: Conv2D\ninput: (None, 8, 8, 3)\noutput: (None, 8, 8, 4)"
    )
    a = L.Input((2,))
    total = Model(a, L.add([L.Dense(2)(a), L.Dense(2)(a), L.Dense(2)(a)], name="sum"))
    assert draw(total, show_shapes=True).words["sum: Add"][1] == "3 × (None, 2)"


def test_without_names(draw):
    assert list(draw(mlp(), show_layer_names=False).boxes) == ["InputLayer", "Dense", "Dropout"]


def test_wrappers(draw):
    model = Sequential([L.Bidirectional(L.LSTM(2, name="lstm"), name="both", input_shape=(3, 2))])
    assert "both(lstm): Bidirectional(LSTM)" in draw(model).boxes


def test_signs_that_mean_something_in_xml(draw):
    a = L.Input((2,), name="in")
    picture = draw(Model(a, L.Dense(1, name='<b> & "c"')(a), name="x<y"))
    assert '<b> & "c": Dense' in picture.boxes


def test_boxes_hold_names_in_wide_scripts(draw):
    name = "影像特徵擷取與分類之卷積神經網路層"
    picture = draw(Sequential([L.Dense(2, input_shape=(2,), name=name)]))
    assert picture.boxes[f"{name}: Dense"][2] >= 13 * len(name)  # a character is as wide as it is high


def test_several_inputs_and_outputs(draw):
    a, b = L.Input((2,), name="a"), L.Input((2,), name="b")
    shared = L.Dense(3, name="shared")
    both = L.concatenate([shared(a), shared(b)], name="both")
    model = Model([a, b], [L.Dense(1, name="u")(both), L.Dense(1, name="v")(both)])
    assert draw(model).connections() == [
        ("a", "shared"),
        ("b", "shared"),
        ("both", "u"),
        ("both", "v"),
        ("shared", "both"),
        ("shared", "both"),
    ]


def test_layer_that_is_fed_with_its_own_output(draw):
    a = L.Input((2,), name="a")
    loop, other = L.Dense(2, name="loop"), L.Dense(2, name="other")
    picture = draw(Model(a, other(loop(loop(other(loop(a)))))))
    assert picture.connections() == [
        ("a", "loop"),
        ("loop", "loop"),
        ("loop", "other"),
        ("loop", "other"),
        ("other", "loop"),
    ]
    for edge in picture.edges:
        assert (edge >= 0).all() and (edge <= picture.size).all()


def test_model_inside_a_model(draw):
    inner = Sequential([L.Dense(3, input_shape=(4,), name="hidden"), L.ReLU(name="act")], name="inner")
    a = L.Input((5, 4), name="a")
    model = Model(a, L.TimeDistributed(inner, name="each")(a))
    assert len(draw(model).boxes) == 2
    picture = draw(model, expand_nested=True)
    x, y, width, height = picture.boxes["each(inner): TimeDistributed(Sequential)"]
    for name in ("hidden: Dense", "act: ReLU"):
        bx, by, bw, bh = picture.boxes[name]
        assert x < bx and bx + bw < x + width and y < by and by + bh < y + height
    assert len(picture.edges) == 3
    flat = Model(a, L.Dense(1)(a))
    assert draw(flat, expand_nested=True).boxes == draw(flat).boxes


# ---- where it is


@pytest.mark.parametrize(
    ("rankdir", "axis", "sign"), [("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)]
)
def test_directions(draw, rankdir, axis, sign):
    picture = draw(branches(), rankdir=rankdir, show_shapes=True)
    at = {name.split(":")[0]: box[axis] + box[axis + 2] / 2 for name, box in picture.boxes.items()}
    for source, target in picture.connections():
        assert (at[target] - at[source]) * sign > 0
    assert picture.connections() == sorted(
        [("entry", "left"), ("entry", "upper"), ("entry", "right"), ("upper", "lower")]
        + [("left", "joined"), ("lower", "joined"), ("right", "joined")]
    )
    assert apart(picture.boxes.values())


@pytest.mark.parametrize("seed", range(8))
def test_nothing_lies_on_anything(seed):
    """Boxes keep their distance, and an edge passes a rank between its boxes, not through them."""
    rng = random.Random(seed)
    n = 30
    edges = [
        (rng.randrange(max(0, i - 8), i), i) for i in range(1, n) for _ in range(rng.choice([1, 1, 2, 3]))
    ]
    sizes = [(rng.uniform(40, 200), rng.uniform(20, 60)) for _ in range(n)]
    layout = lay_out(sizes, edges)
    boxes = [(x - w / 2, y - h / 2, w, h) for (x, y), (w, h) in zip(layout.centres, sizes)]
    assert apart(boxes)
    assert min(x for x, _, _, _ in boxes) >= -1e-6
    assert max(x + w for x, _, w, _ in boxes) <= layout.across + 1e-6
    for route in layout.routes:
        assert not route.back
        assert route.begin[1] < route.points[0][1] + 1e-6 and route.points[-1][1] < route.end[1] + 1e-6
        passing = list(zip(route.points[1:-1:2], route.points[2::2]))
        for (x1, y1), (x2, y2) in passing:
            assert x1 == x2 and y1 <= y2
            for x, y, w, h in boxes:
                assert not (x < x1 < x + w and y < y2 and y1 < y + h)


def test_edges_do_not_cross_without_need():
    """Two chains whose boxes are named in turn come out side by side."""
    edges = [(0, 2), (1, 3), (2, 5), (3, 4), (4, 6), (5, 7)]
    layout = lay_out([(50, 20)] * 8, edges)
    left = [layout.centres[i][0] for i in (0, 2, 5, 7)]
    right = [layout.centres[i][0] for i in (1, 3, 4, 6)]
    assert max(left) < min(right) or max(right) < min(left)
    assert max(left) - min(left) < 1e-6 and max(right) - min(right) < 1e-6


def test_long_edge_is_straight():
    layout = lay_out([(80, 20)] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)])
    places = {round(x, 3) for x, _ in layout.routes[-1].points[1:-1]}
    assert len(places) == 1


def test_blocks_in_series_do_not_drift():
    """Boxes through which everything goes stand on one line, however uneven the branches between them."""
    edges, narrow = [], []
    for start in range(0, 28, 7):  # one box, then branches of one, two and three boxes
        a, b, c, d, e, f, g, end = range(start, start + 8)
        edges += [(a, b), (a, c), (c, d), (a, e), (e, f), (f, g), (b, end), (d, end), (g, end)]
        narrow.append(b)
    layout = lay_out([(20 if i in narrow else 150, 30) for i in range(29)], edges)
    places = {round(layout.centres[i][0], 3) for i in range(0, 29, 7)}
    assert len(places) == 1


def test_cycles_in_any_form():
    layout = lay_out([(50, 20)] * 3, [(0, 1), (1, 2), (2, 0), (1, 1)])
    assert [route.back for route in layout.routes] == [False, False, True, True]
    assert lay_out([], []).routes == []
    assert lay_out([(10, 10)] * 2, []).across > 20


# ---- what is refused


def test_unknown_direction(tmp_path):
    for call in (
        lambda: plot_model(mlp(), tmp_path / "x.svg", rankdir="down"),
        lambda: model_to_dot(mlp(), rankdir="x"),
    ):
        with pytest.raises(ValueError, match="`rankdir` must be one of TB, BT, LR, RL"):
            call()


def test_models_without_a_graph(tmp_path):
    class Own(Model):
        def call(self, x):
            return x

    for model in (Sequential([L.Dense(2)]), Own()):
        with pytest.raises(ValueError, match="has no graph that could be drawn"):
            plot_model(model, tmp_path / "x.svg")


def test_paths_in_every_form(tmp_path):
    for path in (str(tmp_path / "a.svg"), tmp_path / "b.SVG", os.fsencode(tmp_path / "c.svg")):
        plot_model(mlp(), path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.svg", "b.SVG", "c.svg"]
    with pytest.raises(OSError, match=r"nowhere"):
        plot_model(mlp(), tmp_path / "nowhere" / "m.svg")


def test_without_pydot(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match=r"pip install pydot.*to_file='model.svg'"):
        plot_model(mlp(), tmp_path / "model.png")
    with pytest.raises(ImportError, match="pydot"):
        model_to_dot(mlp())
    assert list(tmp_path.iterdir()) == []


# ---- through Graphviz


class Graph:
    """Stands for pydot's graphs: keeps what it is given."""

    def __init__(self, **attributes):
        self.attributes, self.nodes, self.edges, self.clusters, self.written = attributes, [], [], [], []

    def set_node_defaults(self, **attributes):
        self.defaults = attributes

    def add_node(self, node):
        self.nodes.append(node)

    def add_edge(self, edge):
        self.edges.append(edge)

    def add_subgraph(self, cluster):
        self.clusters.append(cluster)

    def write(self, path, format):
        self.written.append((path, format))
        Graph.last = self


@pytest.fixture
def pydot(monkeypatch):
    module = types.ModuleType("pydot")
    module.Dot = type("Dot", (Graph,), {})
    module.Cluster = type("Cluster", (Graph,), {})
    module.Node = lambda name, label: (name, label)
    module.Edge = lambda a, b: (a, b)
    monkeypatch.setitem(sys.modules, "pydot", module)
    return module


def test_model_to_dot(pydot):
    """15.5: a record per layer, called by its id."""
    model = branches()
    dot = model_to_dot(model, show_shapes=True, rankdir="LR", dpi=200)
    assert isinstance(dot, pydot.Dot)
    assert dot.attributes["rankdir"] == "LR" and dot.attributes["dpi"] == "200"
    assert dot.defaults == {"shape": "record"}
    names = {str(id(layer)): layer.name for layer in model.layers}
    labels = {names[name]: label for name, label in dot.nodes}
    assert labels["upper"] == '"upper: Conv2D|{input:|output:}|{(None, 8, 8, 3)|(None, 8, 8, 4)}"'
    assert sorted((names[a], names[b]) for a, b in dot.edges)[:2] == [("entry", "left"), ("entry", "right")]
    assert len(dot.edges) == 7
    assert dict(model_to_dot(model, show_layer_names=False).nodes)[str(id(model.layers[0]))] == '"InputLayer"'


def test_dot_escapes_and_clusters(pydot):
    inner = Sequential([L.Dense(2, input_shape=(2,), name='a|"b"{<>}')], name="inner")
    a = L.Input((2,))
    model = Model(a, L.Dense(1)(inner(a)))
    assert len(model_to_dot(model).nodes) == 3
    dot = model_to_dot(model, expand_nested=True)
    (cluster,) = dot.clusters
    assert isinstance(cluster, pydot.Cluster)
    assert cluster.nodes[1][1] == r'"a\|\"b\"\{\<\>\}: Dense"'
    assert (str(id(model.layers[0])), cluster.nodes[0][0]) in dot.edges
    assert (cluster.nodes[1][0], str(id(model.layers[-1]))) in dot.edges


def test_other_formats(pydot, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/" + name)
    for name, form in [("m.png", "png"), ("m.pdf", "pdf"), ("m", "png"), ("m.dot", "raw")]:
        plot_model(mlp(), str(tmp_path / name))
        assert Graph.last.written == [(str(tmp_path / name), form)]


def test_format_that_graphviz_does_not_know(pydot, tmp_path, monkeypatch):
    def write(self, path, format):
        raise AssertionError(f"dot returned code 1: {format} not recognized")

    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/" + name)
    monkeypatch.setattr(Graph, "write", write)
    with pytest.raises(OSError, match=r"could not draw '.*m\.xyz' as xyz: .*xyz not recognized"):
        plot_model(mlp(), tmp_path / "m.xyz")


def test_without_graphviz(pydot, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(OSError, match=r"requires Graphviz.*to_file='model.svg'"):
        plot_model(mlp(), tmp_path / "model.png")
