"""JAX: running sums, products, extremes and log-sum-exps."""

from __future__ import annotations

from typing import Any

from jax import lax

from ...ir import Node, ops
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _sum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cumsum(x, axis if axis >= 0 else x.ndim - abs(axis), reverse=reverse if reverse else _omitted)


def _product(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cumprod(x, axis if axis >= 0 else x.ndim - abs(axis), reverse=reverse if reverse else _omitted)


def _maximum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cummax(x, axis if axis >= 0 else x.ndim - abs(axis), reverse=reverse if reverse else _omitted)


def _minimum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cummin(x, axis if axis >= 0 else x.ndim - abs(axis), reverse=reverse if reverse else _omitted)


def _log_sum_exp(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cumlogsumexp(x, axis if axis >= 0 else x.ndim - abs(axis), reverse=reverse if reverse else _omitted)


def moved_on(x: Any, first: Any, axis: Any, reverse: Any) -> Any:
    """Each element one place on, the first being what no element gives."""
    padding = [(0, 0, 0)] * x.ndim
    padding[axis] = (-1, 1, 0) if reverse else (1, -1, 0)
    return lax.pad(x, lax.full((), first, x.dtype), padding)


def _sum_before(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cumsum(moved_on(x, 0, axis, reverse), axis if axis >= 0 else x.ndim - abs(axis), reverse)


def _product_before(x: Any, *, axis: Any, reverse: Any) -> Any:
    return lax.cumprod(moved_on(x, 1, axis, reverse), axis if axis >= 0 else x.ndim - abs(axis), reverse)


def _includes_itself(node: Node) -> bool:
    return not node.attributes["exclusive"]


rows = {
    ops.cumulative_sum: (When(_includes_itself, _sum), _sum_before),
    ops.cumulative_product: (When(_includes_itself, _product), _product_before),
    ops.cumulative_maximum: _maximum,
    ops.cumulative_minimum: _minimum,
    ops.cumulative_log_sum_exp: _log_sum_exp,
}
