"""What a printed function checks of its arguments: the guards of the graph, with what they are about."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..ir import Graph
from ..ir.dims import strongest
from ..ir.evaluate import symbol_places
from ..ir.graph import bound_symbols

if TYPE_CHECKING:
    from .body import Body

_FAILS = {"==": "!=", ">=": "<"}  # relation -> the one that holds where it does not


def print_guards(body: Body, graph: Graph, found: frozenset[str] = frozenset()) -> None:
    """The checks at the entry of a function whose arguments are known to its body.

    Where symbols were `found` in data just before, those that waited for them.
    """
    places = {s: f"axis {axis} of {port.path}" for s, (port, axis) in symbol_places(graph).items()}
    places |= dict.fromkeys(bound_symbols(graph), "found in the data")
    for guard in strongest(graph.guards):
        waits = bound_symbols(graph).intersection(guard.symbols)
        if bool(waits & found) != bool(found) or (waits and not all(map(body.knows, guard.symbols))):
            continue
        left, right = (ast.unparse(body.dim(s)) for s in (guard.left, guard.right))
        about = {s: places[s] for s in guard.symbols}
        said = f"these sizes do not fit: {guard} is not true for"
        if body.target.size_check:
            where = ", ".join(f"{s}, {place}" for s, place in about.items())
            body.line(body.target.size_check[guard.relation].format(left, right, f"{said} {where}"))
            continue
        numbers = ", ".join(f"{s} = {{{ast.unparse(body.symbol(s))}}} ({place})" for s, place in about.items())
        body.line(f"if {left} {_FAILS[guard.relation]} {right}:")
        body.line(f'    raise ValueError(f"{said} {numbers}")')
