"""Building loops and branches from Python functions of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import ops
from .dims import Size
from .errors import TypeMismatchError
from .graph import Graph, Value
from .ops.control import element_type
from .types import TensorType

Values = Sequence[Value]


def scan(
    step: Callable[..., tuple[Values, Values]],
    init: Values,
    xs: Values = (),
    captured: Values = (),
    *,
    reverse: bool = False,
    length: Size | None = None,
    name: str = "step",
) -> tuple[list[Value], list[Value]]:
    """Carry `init` through the elements of the sequences `xs` along their first axis: final carries, stacked outputs.

    `step(*carries, *elements, *captured)` gives new carries and what is stacked, each a list. What it uses from outside
    is `captured`, the same in every iteration. `length` is the number of iterations where there are no sequences.
    """
    given = [("carry", init, [v.type for v in init]), ("x", xs, [element_type(v.type) for v in xs])]
    body = Graph(name)
    arguments = _inputs(body, [*given, ("captured", captured, [v.type for v in captured])])
    with body.at(_origin((*init, *xs))):
        carries, rows = step(*arguments)
    for i, value in enumerate((*carries, *rows)):
        body.output(value, str(i))
    if len(carries) != len(init):
        raise TypeMismatchError(f"scan: the step gives {len(carries)} carries, but there are {len(init)} to begin with")
    graph = (*init, *xs, *captured)[0].graph
    results = _apply(graph, ops.scan, [*init, *xs, *captured], body=body, carries=len(init), xs=len(xs),
                     reverse=reverse, length=None if xs else length)  # fmt: skip
    return results[: len(init)], results[len(init) :]


def while_loop(
    condition: Callable[..., Value],
    body: Callable[..., Values],
    init: Values,
    captured: Values = (),
    *,
    max_iterations: Size | None = None,
) -> list[Value]:
    """Repeat `body` while `condition` holds (both take the carries, then `captured`): the final carries.

    With `max_iterations` it stops after so many, and has a gradient.
    """
    graphs = []
    for name, function in (("condition", condition), ("body", body)):
        graph = Graph(name)
        arguments = _inputs(graph, [(k, v, [x.type for x in v]) for k, v in (("carry", init), ("captured", captured))])
        with graph.at(_origin(init)):
            results = function(*arguments)
        for i, value in enumerate([results] if isinstance(results, Value) else results):
            graph.output(value, str(i))
        graphs.append(graph)
    return _apply(init[0].graph, ops.while_loop, [*init, *captured], condition=graphs[0], body=graphs[1],
                  carries=len(init), max_iterations=max_iterations)  # fmt: skip


def cond(
    predicate: Value, then: Callable[..., Values], otherwise: Callable[..., Values], operands: Values = ()
) -> list[Value]:
    """What `then` gives where the scalar `predicate` is true, else what `otherwise` does, both of `operands`."""
    graphs = []
    for name, function in (("then", then), ("otherwise", otherwise)):
        graph = Graph(name)
        arguments = _inputs(graph, [("x", operands, [v.type for v in operands])])
        with graph.at(_origin((predicate, *operands))):
            results = function(*arguments)
        for i, value in enumerate([results] if isinstance(results, Value) else results):
            graph.output(value, str(i))
        graphs.append(graph)
    return _apply(predicate.graph, ops.cond, [predicate, *operands], then=graphs[0], otherwise=graphs[1])


def _inputs(body: Graph, groups: Sequence[tuple[str, Values, Sequence[TensorType]]]) -> list[Value]:
    """Inputs of a body, called as the values outside are where those have names."""
    made: list[Value] = []
    for kind, values, types in groups:
        for i, (value, t) in enumerate(zip(values, types, strict=True)):
            path = f"{kind}{i}"
            made.append(body.input(value.name, t, path=path))
    return made


def _apply(graph: Graph, op: Any, operands: Values, **attributes: Any) -> list[Value]:
    results = graph.apply(op, *operands, **attributes)
    return list(results) if isinstance(results, tuple) else [results]


def _origin(values: Values) -> str:
    return next((v.graph._origin for v in values if v.graph._origin), "")
