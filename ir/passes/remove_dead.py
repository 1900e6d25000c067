"""Remove nodes whose outputs nothing uses."""

from __future__ import annotations

from ..graph import Graph, Value
from ..rewrite import Rewriter


def remove_dead(graph: Graph) -> Graph:
    """The graph without the nodes on which no output depends; inputs stay."""
    live: set[Value] = {p.value for p in graph.outputs}
    for node in reversed(graph.nodes):
        if any(v in live for v in node.outputs):
            live.update(v for v in node.inputs if v is not None)
    rewriter = Rewriter(graph)
    for node in graph.nodes:
        if any(v in live for v in node.outputs):
            rewriter.copy(node)
    return rewriter.finish()
