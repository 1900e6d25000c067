"""Merge nodes that compute the same: common subexpressions.

1. Two equal nodes of one scope and section become the first of them.
2. Equal nodes of different scopes become one, in the place of the first, where the first's layer is the other's
   or encloses it; otherwise both stay, since equal scopes are treated equally. The scope of a composite that was
   taken apart is not a layer: parts of `gelu` and of its gradient merge, and what they share crosses over.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, Node, Scope
from ..rewrite import Rewriter


def merge_common(graph: Graph) -> Graph:
    rewriter = Rewriter(graph)
    seen: dict[Any, list[Node]] = {}
    for node in graph.nodes:
        key = (node.op, tuple(None if v is None else id(rewriter.values[v]) for v in node.inputs), _key(node.attributes))
        scope = rewriter.scope(node.scope)
        earlier = next((n for n in seen.get(key, ()) if _encloses(n.scope, scope)), None)
        if earlier is None:
            rewriter.copy(node)
            seen.setdefault(key, []).append(rewriter.new.nodes[-1])
        else:
            rewriter.replace(node, earlier.outputs)
    return rewriter.finish()


def _encloses(outer: Scope | None, inner: Scope | None) -> bool:
    layer = next((s for s in reversed(outer.ancestry) if s.name), None) if outer else None
    return layer is None or (inner is not None and layer in inner.ancestry)


def _key(attribute: Any) -> Any:
    if isinstance(attribute, dict):
        return tuple((k, _key(v)) for k, v in attribute.items())
    if isinstance(attribute, np.ndarray):
        return (attribute.dtype.str, attribute.shape, attribute.tobytes())
    return (type(attribute), attribute)  # 1, 1.0 and True are different attributes
