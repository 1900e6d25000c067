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

from ..graph import Graph, Node, Scope, Value
from ..op import attribute_key
from ..rewrite import is_scalar_constant, rewrite


def merge_common(graph: Graph) -> Graph:
    earlier = _equal_nodes(graph)

    def rule(rewriter: Any, node: Node) -> bool:
        first = earlier.get(node)
        if first is not None:
            rewriter.replace(node, tuple(rewriter.values[v] for v in first.outputs))
        return first is not None

    return rewrite(graph, rule) if earlier else graph


def _equal_nodes(graph: Graph) -> dict[Node, Node]:
    """The nodes that an earlier one stands for."""
    seen: dict[tuple[Any, Scope | None], Node] = {}
    same: dict[Value, Value] = {}
    earlier: dict[Node, Node] = {}
    layers: dict[Scope | None, list[Scope | None]] = {}
    for node in graph.nodes:
        scope = None if is_scalar_constant(node.outputs[0]) else node.scope
        if scope not in layers:
            layers[scope] = layers_of(scope)
        key = (
            node.op,
            tuple([None if v is None else same.get(v, v) for v in node.inputs]),
            attribute_key(node.attributes),
        )
        found = (seen[key, layer] for layer in layers[scope] if (key, layer) in seen)
        first = next((n for n in found if not _twins(n.scope, scope)), None)
        if first is None:
            seen.setdefault((key, layers[scope][-1]), node)
        else:
            earlier[node] = first
            same |= zip(node.outputs, first.outputs, strict=True)
    return earlier


def layers_of(scope: Scope | None) -> list[Scope | None]:
    """The layers that a scope lies in, from the outside: those whose nodes may stand for its own."""
    return [None, *(s for s in scope.ancestry if s.name)] if scope else [None]


def _twins(a: Scope | None, b: Scope | None) -> bool:
    """Whether two scopes are different calls of one composite."""
    return a is not b and a is not None and b is not None and not a.name and not b.name and a.kind == b.kind
