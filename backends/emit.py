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
    prepared = prepare(graph, target.table, target.name, target.passes, within_layers=has_nested_layers(graph))
    target.check_sizes(prepared)
    docstring = head or f'"""{graph.name}: emitted by isograd."""'
    if not is_model(prepared):
        return print_step(prepared, target, docstring)
    printer = print_classes if target.style == "modules" else print_functions
    return printer(prepared, target, docstring)
