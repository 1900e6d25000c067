"""Small models whose values cross the borders of layers in every form that printed steps must write."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.dims import symbol
from isograd.ir.model import Loss, Model, Optimizer, Recipe
from isograd.ir.types import float32

Parameters = Mapping[str, Value]
Shapes = Mapping[str, tuple[int, ...]]
BLOCKS = {f"layer.{i}.{name}.w": shape for i in range(4) for name, shape in (("up", (4, 6)), ("down", (6, 4)))}


def form(name: str) -> Model:
    """The model of a form: float32[N, 4] to float32[N, 4], mean squared error, SGD."""
    build, shapes = FORMS[name]
    generator = np.random.default_rng(0)
    arrays = {path: generator.normal(0.0, 0.5, shape).astype(np.float32) for path, shape in shapes.items()}

    def capture(mode: str) -> Graph:
        graph = Graph(name)
        x = graph.input("x", TensorType(float32, (symbol("N"), 4)))
        parameters = {
            path: graph.input(path.rpartition(".")[2], TensorType(float32, shape), "parameter", path)
            for path, shape in shapes.items()
        }
        graph.output(build(x, parameters), "y")
        return graph

    recipe = Recipe(Loss("mean_squared_error"), Optimizer("sgd", {"learning_rate": 0.1}))
    return Model(name, capture, arrays, {}, recipe)


def _dense(p: Parameters, path: str, x: Value) -> Value:
    with x.graph.scope(path.rpartition(".")[2], "Dense", {"x": x}):
        return x @ p[f"{path}.w"]


def _block(p: Parameters, i: int, x: Value, extra: Value | None = None) -> Value:
    with x.graph.scope(f"layer.{i}", "Block"):
        h = ops.tanh(_dense(p, f"layer.{i}.up", x))
        return x + _dense(p, f"layer.{i}.down", h if extra is None else h + extra)  # type: ignore[no-any-return]


def _plain(x: Value, p: Parameters) -> Value:
    for i in range(4):
        x = _block(p, i, x)
    return x


def _each_output_read_again(x: Value, p: Parameters) -> Value:
    found = []
    for i in range(4):
        x = _block(p, i, x)
        found.append(x)
    return found[0] * found[1] + found[2] * found[3]


def _a_learned_value_for_all(x: Value, p: Parameters) -> Value:
    for i in range(4):
        x = _block(p, i, x, p["bias"])
    return x * ops.reduce_sum(p["bias"])  # type: ignore[no-any-return]


def _tied(x: Value, p: Parameters) -> Value:
    return _plain(x, p) @ p["layer.0.up.w"] @ p["layer.3.down.w"]


def _one_layer_again_and_again(x: Value, p: Parameters) -> Value:
    for _ in range(3):
        x = _block(p, 0, x)
    return x


def _circle(x: Value, p: Parameters) -> Value:
    """Two layers that read from each other in turn."""
    graph = x.graph
    with graph.scope("net", "Net"):
        with graph.scope("a", "Half") as a:
            first = ops.tanh(x @ p["net.a.w"])
        with graph.scope("b", "Half") as b:
            second = ops.tanh(first @ p["net.b.w"])
        with graph.scope_set(a):
            third = ops.tanh(second @ p["net.a.v"])
        with graph.scope_set(b):
            return ops.tanh(third @ p["net.b.v"]) * first  # type: ignore[no-any-return]


def _part_of_a_list(x: Value, p: Parameters) -> Value:
    for i in (1, 2, 0):
        x = _block(p, i, x)
    return x


def _start_read_later(x: Value, p: Parameters) -> Value:
    first = _dense(p, "stem", x)
    return _plain(first, p) + first


def _two_carried(x: Value, p: Parameters) -> Value:
    y = x * 2.0
    for i in range(4):
        with x.graph.scope(f"layer.{i}", "Cell"):
            x, y = ops.tanh(_dense(p, f"layer.{i}.down", _dense(p, f"layer.{i}.up", x)) + y), x + y
    return x * y


def _numbers_with_gaps(x: Value, p: Parameters) -> Value:
    with x.graph.scope("seq", "Sequential"):
        for i in (0, 2):
            x = ops.tanh(_dense(p, f"seq.{i}", x))
    return x


FORMS: dict[str, tuple[Callable[[Value, Parameters], Value], Shapes]] = {
    "plain": (_plain, BLOCKS),
    "each_output_read_again": (_each_output_read_again, BLOCKS),
    "a_learned_value_for_all": (_a_learned_value_for_all, {**BLOCKS, "bias": (6,)}),
    "tied": (_tied, BLOCKS),
    "one_layer_again_and_again": (_one_layer_again_and_again, BLOCKS),
    "circle": (_circle, {f"net.{half}.{name}": (4, 4) for half in "ab" for name in "vw"}),
    "part_of_a_list": (_part_of_a_list, BLOCKS),
    "start_read_later": (_start_read_later, {**BLOCKS, "stem.w": (4, 4)}),
    "two_carried": (_two_carried, BLOCKS),
    "numbers_with_gaps": (_numbers_with_gaps, {"seq.0.w": (4, 4), "seq.2.w": (4, 4)}),
}
