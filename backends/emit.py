"""The text of a graph's module for a target: the style that fits what the graph computes."""

from __future__ import annotations

from ..ir import Graph
from ..ir.collection import uncollected
from .classes import print_classes
from .functions import print_functions
from .program import prepare
from .regions import has_nested_layers
from .step import print_step
from .target import Target


def is_model(graph: Graph) -> bool:
    """Whether a graph only predicts: it prints as a model over a tree; any other as a function over flat dicts."""
    return all(p.role == "output" for p in graph.outputs)


@uncollected
def emit(graph: Graph, target: Target, head: str = "") -> str:
    """A readable module that computes the graph. Raises `UnsupportedOpError` with all ops that have no lowering."""
    return print_module(ready_graph(graph, target), target, head)


def ready_graph(graph: Graph, target: Target) -> Graph:
    """The graph as it is printed.

    What is a step takes parameters and slots as the target wants them; a model keeps the source's arrays, since it is
    handed to people, who look into its `state_dict`.
    """
    return prepare(
        graph, target.table, target.name, target.passes, within_layers=has_nested_layers(graph), wish=target.layout,
        views=not is_model(graph),
    )  # fmt: skip


def print_module(ready: Graph, target: Target, head: str = "") -> str:
    """The module of a graph that is ready for the target."""
    target.check_sizes(ready)
    docstring = head or f'"""{ready.name}: emitted by isograd."""'
    if not is_model(ready):
        return print_step(ready, target, docstring)
    printer = print_classes if target.style == "modules" else print_functions
    return printer(ready, target, docstring)
