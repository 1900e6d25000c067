"""Remove nodes whose outputs nothing uses."""

from __future__ import annotations

from ..graph import Graph, Value
from ..rewrite import Rewriter


def remove_dead(graph: Graph) -> Graph:
    """The graph without the nodes on which no output depends, itself where there are none; inputs stay."""
    live: set[Value] = {p.value for p in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if not live.isdisjoint(node.outputs):
            live.update(v for v in node.inputs if v is not None)
            kept.append(node)
    if len(kept) == len(graph.nodes):
        return graph
    rewriter = Rewriter(graph)
    for node in reversed(kept):
        rewriter.copy(node)
    return rewriter.finish()
