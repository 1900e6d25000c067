"""Merge nodes that compute the same: common subexpressions.

1. Two equal nodes of one scope become the first of them.
2. Equal nodes of different scopes become one, in the place of the first, where the first's layer is the other's
   or encloses it; otherwise both stay, since equal scopes are treated equally. The scope of a composite that was
   taken apart is not a layer: parts of `gelu` and of its gradient merge, and what they share crosses over. Parts of
   two composites of one kind (Adam for each parameter) do not: they would no longer be the same function twice.
3. Attributes are equal with their types: 1, 1.0 and True differ, and so do 0.0 and -0.0. Arrays are
   equal by their bytes.
"""

from __future__ import annotations

from typing import Any

from ..graph import Graph, Scope, Value
from ..op import attribute_key
from ..rewrite import Rewriter


def merge_common(graph: Graph) -> Graph:
    rewriter = Rewriter(graph)
    seen: dict[tuple[Any, Scope | None], tuple[Scope | None, tuple[Value, ...]]] = {}
    for node in graph.nodes:
        key = (node.op, rewriter.inputs(node), attribute_key(node.attributes))
        scope = rewriter.scope(node.scope)
        layers = layers_of(scope)
        found = (seen[key, layer] for layer in layers if (key, layer) in seen)
        earlier = next((values for place, values in found if not _twins(place, scope)), None)
        if earlier is None:
            rewriter.copy(node)
            seen.setdefault((key, layers[-1]), (scope, tuple(rewriter.values[v] for v in node.outputs)))
        else:
            rewriter.replace(node, earlier)
    return rewriter.finish()


def layers_of(scope: Scope | None) -> list[Scope | None]:
    """The layers that a scope lies in, from the outside: those whose nodes may stand for its own."""
    return [None, *(s for s in scope.ancestry if s.name)] if scope else [None]


def _twins(a: Scope | None, b: Scope | None) -> bool:
    """Whether two scopes are different calls of one composite."""
    return a is not b and a is not None and b is not None and not a.name and not b.name and a.kind == b.kind
