"""Casts where ONNX Runtime's CPU provider has no kernel for an element type.

1. Such a node works in another type: floats in float32, integers in a wider type or (uint64) in one of as many bits, in
   which sums and products wrap alike; bools in uint8. Its results are cast back.
2. A float64 that becomes a float32 loses digits: each such node is a note. A float16 or bfloat16 that becomes a float32
   loses none, but its rounding differs from that of a runtime that has the kernel: a note too.
3. What orders uint64 works in int64 on numbers moved by -2^63, which lie in the same order.
4. A complex number has no type to work in: an error.
"""

from __future__ import annotations

from ...ir import DType, Graph, Node, Value, ops
from ...ir.errors import UnsupportedOpError
from ...ir.rewrite import Rewriter, rewrite
from ...ir.types import float32, int32, int64, uint8, uint64
from ..rules import find_rule
from .kernels import has_kernel
from .lowering import Lowering, at_opset

_ORDERING = (ops.reduce_max, ops.reduce_min, ops.argmax, ops.argmin, ops.argsort)
_HALF = -(2**63)


def legalize(graph: Graph, opset: int = 21) -> tuple[Graph, list[str]]:
    """The graph with the casts that ONNX Runtime needs, and a line for each node that computes less exactly."""
    table = at_opset(opset)
    impossible = refused(graph, opset)
    if impossible:
        raise UnsupportedOpError("\n".join(f"{why}, at {node.origin or '?'}" for node, why in impossible))
    notes: list[str] = []

    def rule(rewriter: Rewriter, node: Node) -> bool:
        lowering = find_rule(table, node)
        if lowering is None or lowering.runs(node):
            return False
        source = lowering.element(node)
        target = _stand_in(node, lowering)
        _widened(rewriter, node, source, target)
        if source.is_float:
            kernel = next(k for k in lowering.kernels if not has_kernel(k, source))
            why = f"ONNX Runtime has no {source.name} {kernel} on the CPU"
            notes.append(f"{node.op.name} at {node.origin or '?'} computes in {target.name}: {why}")
        return True

    return rewrite(graph, rule), notes


def refused(graph: Graph, opset: int = 21) -> list[tuple[Node, str]]:
    """The nodes for whose element type there is neither a kernel nor another type to work in, and why."""
    table = at_opset(opset)
    found = []
    for node in graph.nodes:
        lowering = find_rule(table, node)
        if lowering is not None and not lowering.runs(node):
            source = lowering.element(node)
            if source.kind == "complex":
                found.append((node, f"ONNX Runtime has no {node.op.name} of {source.name}"))
    return found


def _stand_in(node: Node, lowering: Lowering) -> DType:
    """The element type that a node can work in."""
    source = lowering.element(node)
    if source.is_float:
        return float32
    if source.kind == "bool":
        return uint8
    return int64 if source.bits == 64 or source.name == "uint32" else int32


def _widened(rewriter: Rewriter, node: Node, source: DType, target: DType) -> None:
    moved = source == uint64 and node.op in _ORDERING
    with rewriter.within(node):
        inputs = tuple(
            v if v is None or v.dtype != source else _moved(ops.cast(v, dtype=target), moved)
            for v in rewriter.inputs(node)
        )
        types = node.op.output_types(tuple(None if v is None else v.type for v in inputs), node.attributes)
        made = rewriter.new.append(node.op, inputs, node.attributes, types).outputs
        results = (
            ops.cast(_moved(m, moved), dtype=v.dtype) if m.dtype != v.dtype else m
            for m, v in zip(made, node.outputs, strict=True)
        )
        rewriter.replace(node, tuple(results))


def _moved(x: Value, moved: bool) -> Value:
    """Half the range further, there or back: it is the same where sums wrap."""
    return x + _HALF if moved else x
