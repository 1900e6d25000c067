"""Take composite ops apart."""

from __future__ import annotations

from collections.abc import Callable

from ..collection import uncollected
from ..graph import Graph, Node
from ..rewrite import Rewriter, inside, rewrite


@uncollected
def decompose(graph: Graph, keep: Callable[[Node], bool]) -> Graph:
    """Replace each composite that `keep` does not hold by its parts, again and again, each in a scope of its own.

    So it goes in the bodies of loops and branches too.
    """
    while any(_apart(n, keep) for n in graph.nodes):
        graph = rewrite(graph, lambda rewriter, node: _apart(node, keep) and _expand(rewriter, node))
    return inside(graph, lambda body: decompose(body, keep))


def _apart(node: Node, keep: Callable[[Node], bool]) -> bool:
    return node.op.is_composite and not keep(node)


def _expand(rewriter: Rewriter, node: Node) -> bool:
    assert node.op.decompose is not None
    inputs = rewriter.inputs(node)
    names = node.op.signature.operands
    arguments = {n: v for n, v in zip(names, inputs, strict=False) if v is not None}
    with rewriter.within(node), rewriter.new.scope("", node.op.name, arguments):
        results = node.op.decompose(*inputs, **node.attributes)
    rewriter.replace(node, tuple(results) if isinstance(results, tuple | list) else (results,))
    return True
