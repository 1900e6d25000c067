"""What a printed function checks of its arguments: the guards of the graph, with what they are about."""

from __future__ import annotations

import ast

from ..ir import Graph
from ..ir.dims import strongest
from ..ir.evaluate import symbol_places
from .body import Body

_FAILS = {"==": "!=", ">=": "<"}  # relation -> the one that holds where it does not


def print_guards(body: Body, graph: Graph) -> None:
    """The checks, at the entry of a function whose arguments are known to its body."""
    places = symbol_places(graph)
    for guard in strongest(graph.guards):
        left, right = (ast.unparse(body.dim(s)) for s in (guard.left, guard.right))
        about = {s: f"axis {places[s][1]} of {places[s][0].path}" for s in guard.symbols}
        said = f"these sizes do not fit: {guard} is not true for"
        if body.target.size_check:
            where = ", ".join(f"{s}, {place}" for s, place in about.items())
            body.line(body.target.size_check[guard.relation].format(left, right, f"{said} {where}"))
            continue
        found = ", ".join(f"{s} = {{{ast.unparse(body.symbol(s))}}} ({place})" for s, place in about.items())
        body.line(f"if {left} {_FAILS[guard.relation]} {right}:")
        body.line(f'    raise ValueError(f"{said} {found}")')
