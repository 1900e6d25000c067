"""JAX: reductions of segments."""

from __future__ import annotations

from typing import Any

import jax

from ...ir import Node, ops
from ..rules import When


def _sum(x: Any, segments: Any, *, count: Any) -> Any:
    return jax.ops.segment_sum(x, segments, count)


def _product(x: Any, segments: Any, *, count: Any) -> Any:
    return jax.ops.segment_prod(x, segments, count)


def _maximum(x: Any, segments: Any, *, count: Any) -> Any:
    return jax.ops.segment_max(x, segments, count)


def _minimum(x: Any, segments: Any, *, count: Any) -> Any:
    return jax.ops.segment_min(x, segments, count)


def _has_one_axis(node: Node) -> bool:
    return node.inputs[1] is not None and node.inputs[1].rank == 1


rows = {
    ops.segment_sum: When(_has_one_axis, _sum),
    ops.segment_product: When(_has_one_axis, _product),
    ops.segment_maximum: When(_has_one_axis, _maximum),
    ops.segment_minimum: When(_has_one_axis, _minimum),
}
