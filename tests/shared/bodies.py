"""The bodies of loops and branches in samples, in another element type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isograd.ir import Graph, ops
from isograd.ir.rewrite import Rewriter
from isograd.ir.types import dtype_of, float32


def of_type(attributes: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """A sample's attributes, with what is float32 in a body of the type `dtype`."""
    return {k: _body(v, dtype) if isinstance(v, Graph) and dtype != "float32" else v for k, v in attributes.items()}


def _body(graph: Graph, name: str) -> Graph:
    dtype = dtype_of(name)
    rewriter = Rewriter(graph, lambda t: t.with_dtype(dtype) if t.dtype == float32 else t)
    for node in graph.nodes:
        if node.op is ops.constant and node.outputs[0].dtype == float32:
            made: Any = rewriter.new.constant(node.attributes["value"], dtype)
        else:
            made = rewriter.new.apply(node.op, *rewriter.inputs(node), **node.attributes)
        rewriter.replace(node, made if isinstance(made, tuple) else (made,))
    return rewriter.finish()
