"""Merge nodes that compute the same: common subexpressions.

1. Two equal nodes of one scope become the first of them.
2. Equal nodes of different scopes become one, in the place of the first, where the first's layer is the other's
   or encloses it; otherwise both stay, since equal scopes are treated equally. The scope of a composite that was
   taken apart is not a layer: parts of `gelu` and of its gradient merge, and what they share crosses over.
3. Attributes are equal with their types: 1, 1.0 and True differ, and so do 0.0 and -0.0. Arrays are equal by their bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, Node, Scope, Value
from ..rewrite import Rewriter


def merge_common(graph: Graph) -> Graph:
    rewriter = Rewriter(graph)
    seen: dict[tuple[Any, Scope | None], tuple[Value, ...]] = {}
    for node in graph.nodes:
        key = (node.op, rewriter.inputs(node), attribute_key(node.attributes))
        layers = _layers(rewriter.scope(node.scope))
        earlier = next((seen[key, layer] for layer in layers if (key, layer) in seen), None)
        if earlier is None:
            rewriter.copy(node)
            seen[key, layers[-1]] = tuple(rewriter.values[v] for v in node.outputs)
        else:
            rewriter.replace(node, earlier)
    return rewriter.finish()


def _layers(scope: Scope | None) -> list[Scope | None]:
    """The layers that a scope lies in, from the outside: those whose nodes may stand for its own."""
    return [None, *(s for s in scope.ancestry if s.name)] if scope else [None]


def attribute_key(attribute: Any) -> Any:
    """What is equal for attributes (or dicts of them) that are the same, bit for bit and type for type."""
    if isinstance(attribute, dict):
        return tuple((k, attribute_key(v)) for k, v in attribute.items())
    if isinstance(attribute, tuple):
        return tuple(map(attribute_key, attribute))
    if isinstance(attribute, np.ndarray):
        return (attribute.dtype.str, attribute.dtype.name, attribute.shape, attribute.tobytes())
    return (type(attribute), repr(attribute) if isinstance(attribute, float | complex) else attribute)
