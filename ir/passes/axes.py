"""How each op follows when the axes of its operands lie in another order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

from .. import ops
from ..dims import collecting_guards
from ..evaluate import decomposition
from ..graph import Node
from ..op import Op
from ..ops import activation, arithmetic, bits, clipping, comparison, division, piecewise, special, transcendental
from ..types import TensorType

Order = tuple[int, ...]  # the axes of the source in the order in which they lie
Change = Callable[[dict[str, Any], Order], dict[str, Any]]
Kinds = tuple[tuple[str, ...], tuple[str, ...]]  # of operands and of outputs: data, filter, or the same as ever


def _one_axis(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return a | {"axis": order.index(a["axis"] % len(order))}


def _some_axes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return a | {"axes": tuple(sorted(order.index(i) for i in ops.normalize_axes(a["axes"], len(order))))}


def _all_axes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else tuple(v[i] for i in order) for k, v in a.items()}


def _axes_with_sizes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    """The axes in the order in which they lie, with what each of them has."""
    places = [order.index(i % len(order)) for i in a["axes"]]
    by_place = sorted(range(len(places)), key=places.__getitem__)
    each = {k: tuple(a[k][i] for i in by_place) for k in ("sizes", "scales") if a[k]}
    return a | each | {"axes": tuple(sorted(places))}


# Operands and outputs of what has a layout; gradients of composites follow from theirs.
WINDOWED: dict[Op, Kinds] = {
    ops.conv: (("data", "filter"), ("data",)),
    ops.conv_input_gradient: (("data", "filter"), ("data",)),
    ops.conv_filter_gradient: (("data", "data"), ("filter",)),
    ops.conv_transpose: (("data", "filter"), ("data",)),
    ops.max_pool_gradient: (("data", "data"), ("data",)),
    ops.max_pool_select: (("data", "data"), ("data",)),
    ops.max_pool_with_indices: (("data",), ("data", "data")),
    ops.adaptive_max_pool: (("data",), ("data", "data")),
    ops.max_unpool: (("data", "data"), ("data",)),
    **dict.fromkeys(
        (ops.max_pool, ops.average_pool, ops.average_pool_gradient, ops.dilated_max_pool, ops.adaptive_average_pool,
         ops.sum_pool, ops.lp_pool, ops.depth_to_space, ops.space_to_depth),
        (("data",), ("data",)),
    ),
}  # fmt: skip


def kinds_of(node: Node) -> Kinds | None:
    """What the operands and outputs of a node with a layout are; None for another node."""
    op, base = node.op, node.op.derivative_of
    if base is None:
        return WINDOWED.get(op)
    if base not in WINDOWED:
        return None
    inputs, outputs = WINDOWED[base]
    given = tuple(k for k, present in zip(outputs, op.given, strict=True) if present)
    present = tuple(k for k, there in zip(inputs, op.present, strict=True) if there)
    return (*given, *outputs, *present), tuple(
        k for k, v in zip(present, node.inputs[len(given) + len(outputs) :], strict=True)
        if v is not None and v.dtype.is_differentiable
    )  # fmt: skip


# what is claimed in the target's layout alone, so not to be taken apart before
WAITS = (ops.batch_norm_inference, ops.resize)
REDUCING = (ops.reduce_sum, ops.reduce_max, ops.reduce_min, ops.reduce_mean, ops.log_sum_exp)
_ALONG_AXES = {ops.softmax, ops.log_softmax, ops.softmin, ops.maxout, ops.glu, ops.prelu, ops.sparsemax, ops.bitcast}
_FAMILIES = (arithmetic, comparison, activation, transcendental, piecewise, special, division, bits, clipping)
ELEMENTWISE = frozenset(
    {*(op for family in _FAMILIES for op in family.OPS), ops.sigmoid_cross_entropy, ops.cast, ops.stop_gradient}
    - _ALONG_AXES
)
CHANGES: dict[Op, Change] = (
    dict.fromkeys(
        (ops.softmax, ops.log_softmax, ops.softmin, ops.batch_norm, ops.batch_norm_inference, ops.concatenate),
        _one_axis,
    )
    | dict.fromkeys((*REDUCING, ops.reverse), _some_axes)
    | dict.fromkeys((ops.slice_, ops.pad, ops.pad_border), _all_axes)
    | {ops.resize: _axes_with_sizes}
)


def is_elementwise(node: Node) -> bool:
    """Whether each element of a node's outputs depends on the same elements of its operands: so do its parts."""
    op = node.op
    if not op.is_composite or op in ELEMENTWISE:
        return op in ELEMENTWISE
    if not node.outputs or any(v is not None and v.rank not in (0, node.outputs[0].rank) for v in node.inputs):
        return False
    types = tuple(None if v is None else v.type for v in node.inputs)
    if not all(isinstance(a, Hashable) for a in node.attributes.values()):
        return False
    return _has_elementwise_parts(op, types, tuple(node.attributes.items()))


@cache
def _has_elementwise_parts(
    op: Op, types: tuple[TensorType | None, ...], attributes: tuple[tuple[str, Any], ...]
) -> bool:
    with collecting_guards():
        parts = decomposition(op, types, dict(attributes))
    rank = max(t.rank for t in types if t is not None)
    return all(
        (n.op is ops.constant and n.outputs[0].rank == 0)
        or (is_elementwise(n) and all(v.rank in (0, rank) for v in n.outputs))
        for n in parts.nodes
    )
