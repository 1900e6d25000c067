"""Compute at once what depends on constants alone.

1. A node whose operands are all constants becomes a constant, computed by the reference in the node's own types. A
   number stays a number, without a place; an array takes the place of the node.
2. Several outputs fold together.
3. Ops that say so do not fold: random ones, and those that only write down a number or count (`size`, `arange`).
4. A broadcast is left, and a number that gets axes, since the op is shorter than its array; elementwise ops take
   what is underneath (`simplify`).
5. What would make more than `budget` elements in all is left, and so is a node whose windows or intermediate results
   may be larger than that; this is known from the types, before anything is allocated.
6. Types and attributes with symbolic sizes are left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..dims import Dim, Size
from ..evaluate import reference_of
from ..graph import Graph, Node, Value
from ..rewrite import Rewriter, rewrite

BUDGET = 1_000_000


def fold_constants(graph: Graph, budget: int = BUDGET) -> Graph:
    left = budget
    if not any(_fits(node, node.inputs, budget) for node in graph.nodes):
        return graph

    def rule(rewriter: Rewriter, node: Node) -> bool:
        nonlocal left
        inputs = rewriter.inputs(node)
        if not _fits(node, inputs, left):
            return False
        left -= sum(math.prod(_known(v.shape)) for v in node.outputs)
        _replace(rewriter, node, [_constant(v) for v in inputs])
        return True

    return rewrite(graph, rule)


def _fits(node: Node, inputs: Sequence[Value | None], left: int) -> bool:
    """Whether a node on these operands is folded."""
    if not all(v is None or _constant(v) is not None for v in inputs):
        return False
    shapes = [_known(v.shape) for v in (*node.outputs, *node.inputs) if v is not None]
    return _may_fold(node) and _sizes_known(node) and _largest(node, shapes) <= left


def _may_fold(node: Node) -> bool:
    numbers = all(v is None or v.rank == 0 for v in node.inputs)
    spreads = node.op is ops.broadcast_to or (numbers and node.outputs[0].rank > 0)
    return node.op.folds and not spreads and bool(node.inputs)


def _constant(value: Value | None) -> np.ndarray | None:
    if value is None or value.node is None or value.node.op is not ops.constant:
        return None
    return value.node.attributes["value"]  # type: ignore[no-any-return]


def _sizes_known(node: Node) -> bool:
    """Whether each size is a number."""
    sizes = (*_flat(node.attributes.values()), *(s for v in node.outputs for s in v.shape))
    return not any(isinstance(size, Dim) for size in sizes)


def _known(shape: tuple[Size, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if isinstance(size, int))


def _largest(node: Node, shapes: Sequence[tuple[int, ...]]) -> int:
    """An upper bound of the elements of any array on the way."""
    padding = sum(abs(p) for p in _flat(node.attributes.get("padding", ())))
    padded = [math.prod(s + padding for s in shape) if padding else math.prod(shape) for shape in shapes]
    repeated = min(padded) if node.op in ops.convolution.OPS else math.prod(node.attributes.get("window", ()))
    return max(padded) * repeated  # the second: how often an element may come where windows are laid side by side


def _flat(attribute: Any) -> Iterable[Any]:
    if isinstance(attribute, str | bytes | np.ndarray) or not isinstance(attribute, Iterable):
        return [attribute]
    return [leaf for part in attribute for leaf in _flat(part)]


def _replace(rewriter: Rewriter, node: Node, constants: list[np.ndarray | None]) -> None:
    with np.errstate(all="ignore"):
        result = reference_of(node.op)(*constants, **node.attributes)
    results = result if len(node.outputs) > 1 else (result,)
    with rewriter.within(node):
        made = [
            rewriter.new.constant(np.asarray(r, v.dtype.numpy), v.dtype)
            for r, v in zip(results, node.outputs, strict=True)
        ]
    rewriter.replace(node, tuple(made))
