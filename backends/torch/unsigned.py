"""PyTorch: wide unsigned integers, which it stores and hardly computes with, carried as int64.

1. A node on uint16, uint32 or uint64 for which PyTorch has no kernel, and the table no rule of its own, works in int64;
   its results are cast back. All numbers of uint16 and uint32 are numbers of int64.
2. uint64 has the same bits in int64, in which sums and products wrap alike. What orders them works on numbers moved by
   -2^63, which lie in the same order.
3. Another node on uint64 stays: PyTorch says itself that it has no kernel.
"""

from __future__ import annotations

from ...ir import Graph, Node, Op, Value, ops
from ...ir.rewrite import Rewriter, inside, rewrite
from ...ir.types import int64, uint64
from ..rules import When, find_entry
from .arithmetic import is_wide_unsigned

# For which PyTorch has kernels on all of them, or that move no numbers.
_NATIVE: frozenset[Op] = frozenset({
    ops.reshape, ops.transpose, ops.broadcast_to, ops.concatenate, ops.slice_, ops.pad, ops.cast, ops.equal,
    ops.not_equal, ops.where, ops.multiply, ops.reduce_sum, ops.stop_gradient, ops.one_hot, ops.random_bits,
    ops.bitcast, ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor,
    ops.random_mask, ops.random_uniform, ops.threefry_2x32, ops.advance_counter,
})  # fmt: skip
_ORDERING = frozenset({
    "maximum", "minimum", "reduce_max", "reduce_min", "argmax", "argmin", "sort", "argsort", "top_k",
    "cumulative_maximum", "cumulative_minimum", "cumulative_argmax", "cumulative_argmin",
    "clip",
})  # fmt: skip
_WRAPPING = frozenset({
    "matmul", "reverse", "scatter_add", "take_along_axis", "gather_nd", "index", "index_put", "dynamic_slice",
    "dynamic_update_slice", "scatter_along_axis", "scatter_nd", "scatter_reduce", "cumulative_sum",
    "cumulative_product", "reduce_product", "roll", "take", "tril", "triu", "einsum", "tensordot", "depth_to_space",
    "space_to_depth", "channel_shuffle",
})  # fmt: skip
_LOWEST = -(2**63)


def carry_unsigned(graph: Graph) -> Graph:
    return inside(rewrite(graph, _rule), carry_unsigned)


def _rule(rewriter: Rewriter, node: Node) -> bool:
    if not _is_carried(node):
        return False
    source = node.inputs[0].dtype if node.inputs[0] is not None else uint64
    moved = source == uint64 and _orders(node)
    with rewriter.within(node):
        inputs = tuple(_as_int64(v, moved) if v is not None and v.dtype == source else v for v in rewriter.inputs(node))
        types = node.op.output_types(tuple(None if v is None else v.type for v in inputs), node.attributes)
        made = rewriter.new.append(node.op, inputs, node.attributes, types).outputs
        results = [_back(m, v, moved) if m.dtype != v.dtype else m for m, v in zip(made, node.outputs, strict=True)]
    rewriter.replace(node, tuple(results))
    return True


def _is_carried(node: Node) -> bool:
    from . import TABLE

    if not node.inputs or not is_wide_unsigned(node) or node.op in _NATIVE or node.lowering is not None:
        return False
    if any(isinstance(a, Graph) for a in node.attributes.values()):
        return False
    entry = find_entry(TABLE, node)
    if entry is None or (isinstance(entry, When) and entry.condition is is_wide_unsigned):
        return False
    first = node.inputs[0]
    return first is not None and (first.dtype != uint64 or node.op.name in _ORDERING | _WRAPPING)


def _orders(node: Node) -> bool:
    return node.op.name in _ORDERING or node.attributes.get("reduction") in ("minimum", "maximum")


def _as_int64(x: Value, moved: bool) -> Value:
    signed: Value = ops.cast(x, dtype=int64)
    return signed + _LOWEST if moved else signed


def _back(x: Value, like: Value, moved: bool) -> Value:
    result: Value = ops.cast(x - _LOWEST if moved else x, dtype=like.dtype)
    return result
