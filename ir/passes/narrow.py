"""Integers of 64 bits that are provably small, as integers of 32.

1. Each int64 value has an interval: of an index, the axis; of a constant, its numbers; of a cast, what the source can
   be; of sums and products, what follows. An unknown size has no upper bound.
2. A graph is narrowed whole or not at all: where one value may leave 32 bits, or an input, an output or a loop has
   64 bits, nothing is gained by narrowing the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..dims import bounds
from ..graph import Graph, Node, Value
from ..op import Op
from ..rewrite import Rewriter, rewrite
from ..types import dtype_of, int32, int64

Interval = tuple[float, float]
_LIMITS = float(-(2**31)), float(2**31 - 1)
_WIDE = frozenset(map(dtype_of, ("int64", "uint64", "float64", "complex128")))
_SAME = (ops.reshape, ops.transpose, ops.broadcast_to, ops.slice_, ops.reduce_max, ops.reduce_min, ops.stop_gradient)
_COMPARED = (ops.equal, ops.not_equal, ops.less, ops.less_equal, ops.greater, ops.greater_equal)
_READERS: dict[Op, int] = {  # ops that take integers of either width, from which operand on
    **dict.fromkeys((ops.take, ops.scatter_add, ops.index, ops.take_along_axis), 1),
    **dict.fromkeys((ops.cast, ops.one_hot, *_COMPARED), 0),
}


def narrow(graph: Graph) -> Graph:
    """The graph without 64-bit values, where every one is an integer that provably fits into 32 bits; else itself."""
    ports = [p.value for p in (*graph.inputs, *graph.outputs)]
    made = [v for n in graph.nodes for v in n.outputs]
    if any(v.dtype in _WIDE for v in ports) or not any(v.dtype in _WIDE for v in made):
        return graph
    intervals: dict[Value, Interval] = {}
    for node in graph.nodes:
        if not _reads(node, intervals) or not _finds(node, intervals):
            return graph
    return rewrite(graph, lambda rewriter, node: _narrowed(rewriter, node))


def _reads(node: Node, intervals: dict[Value, Interval]) -> bool:
    """Whether the node takes its narrowed operands: it is narrowed itself, or does not mind."""
    wide = [i for i, v in enumerate(node.inputs) if v in intervals]
    first = _READERS.get(node.op)
    return not wide or any(v.dtype == int64 for v in node.outputs) or (first is not None and min(wide) >= first)


def _finds(node: Node, intervals: dict[Value, Interval]) -> bool:
    """Find the intervals of the wide results; whether all fit."""
    for i, value in enumerate(node.outputs):
        if value.dtype not in _WIDE:
            continue
        rule = _RULES.get(node.op)
        found = rule(node, [intervals.get(v) if v is not None else None for v in node.inputs], i) if rule else None
        if value.dtype != int64 or found is None or not _LIMITS[0] <= found[0] <= found[1] <= _LIMITS[1]:
            return False
        intervals[value] = found
    return True


def _narrowed(rewriter: Rewriter, node: Node) -> bool:
    if all(v.dtype != int64 for v in node.outputs):
        return False
    attributes = {k: int32 if v == int64 else v for k, v in node.attributes.items() if k != "value"}
    if node.op is ops.constant:
        attributes["value"] = node.attributes["value"].astype(np.int32)
    with rewriter.within(node):
        inputs = rewriter.inputs(node)
        types = node.op.output_types(tuple(None if v is None else v.type for v in inputs), attributes)
        if node.op is ops.constant and not types[0].shape:
            rewriter.replace(node, (rewriter.new.constant(attributes["value"], int32),))
            return True
        rewriter.replace(node, rewriter.new.append(node.op, inputs, attributes, types).outputs)
    return True


# Intervals of an op's result, of those of its operands

Given = Sequence[Interval | None]


def _constant(node: Node, given: Given, place: int) -> Interval:
    array = node.attributes["value"]
    return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)


def _below(size: Any) -> Interval:
    return 0.0, max(0.0, bounds(size)[1] - 1.0)


def _of_axis(node: Node, given: Given, place: int) -> Interval | None:
    (x, *_) = node.inputs
    return None if x is None else _below(x.shape[node.attributes["axis"]])


def _cast(node: Node, given: Given, place: int) -> Interval | None:
    (source,) = node.inputs
    assert source is not None
    if source.dtype.kind == "bool":
        return 0.0, 1.0
    if source.dtype.is_integer and source.dtype.bits < 64:
        info = np.iinfo(source.dtype.numpy)
        return float(info.min), float(info.max)
    return given[0]


def _first(node: Node, given: Given, place: int) -> Interval | None:
    return given[0]


def _any_of(node: Node, given: Given, place: int) -> Interval | None:
    """One of the operands, but for a condition."""
    found = [g for v, g in zip(node.inputs, given, strict=True) if v is not None and v.dtype == int64]
    known = [g for g in found if g is not None]
    return (min(a for a, _ in known), max(b for _, b in known)) if len(known) == len(found) else None


def _combined(of: Callable[..., float]) -> Callable[[Node, Given, int], Interval | None]:
    """Of an op that is largest and smallest at the ends of its operands' intervals."""

    def rule(node: Node, given: Given, place: int) -> Interval | None:
        if any(g is None for g in given):
            return None
        ends = [of(*pair) for pair in itertools.product(*(g for g in given if g is not None))]
        return min(ends), max(ends)

    return rule


_RULES: dict[Op, Callable[[Node, Given, int], Interval | None]] = {
    ops.constant: _constant,
    ops.size: lambda node, given, place: bounds(node.attributes["dim"]),
    ops.arange: lambda node, given, place: _below(node.attributes["size"]),
    ops.argmax: _of_axis, ops.argmin: _of_axis, ops.argsort: _of_axis,
    ops.cast: _cast,
    **dict.fromkeys(_SAME, _first),
    ops.take: _first,
    ops.where: _any_of, ops.concatenate: _any_of,
    ops.add: _combined(lambda a, b: a + b), ops.subtract: _combined(lambda a, b: a - b),
    ops.multiply: _combined(lambda a, b: a * b), ops.negative: _combined(lambda a: -a),
    ops.maximum: _combined(max), ops.minimum: _combined(min),
}  # fmt: skip
