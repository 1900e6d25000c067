"""PyTorch: running sums, products, extremes and log-sum-exps."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When


def _sum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis)


def _product(x: Any, *, axis: Any, reverse: Any) -> Any:
    return x.flip(axis).cumprod(axis).flip(axis) if reverse else x.cumprod(axis)


def moved_on(x: Any, axis: Any, first: Any) -> Any:
    """Each element one place on, the first being what no element gives."""
    return torch.cat([torch.full_like(x.narrow(axis, 0, 1), first), x.narrow(axis, 0, x.shape[axis] - 1)], axis)


def _sum_others(x: Any, *, axis: Any, exclusive: Any, reverse: Any) -> Any:
    """The running sum, in the elements' own type, maybe of those before each element, maybe from the end."""
    x = x.flip(axis) if reverse else x
    total = (moved_on(x, axis, 0) if exclusive else x).cumsum(axis, dtype=x.dtype)
    return total.flip(axis) if reverse else total


def _product_others(x: Any, *, axis: Any, exclusive: Any, reverse: Any) -> Any:
    """The running product, in the elements' own type, maybe of those before each element, maybe from the end."""
    x = x.flip(axis) if reverse else x
    total = (moved_on(x, axis, 1) if exclusive else x).cumprod(axis, dtype=x.dtype)
    return total.flip(axis) if reverse else total


def _maximum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return x.flip(axis).cummax(axis)[0].flip(axis) if reverse else x.cummax(axis)[0]


def _minimum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return x.flip(axis).cummin(axis)[0].flip(axis) if reverse else x.cummin(axis)[0]


def _place_of_maximum(x: Any, *, axis: Any) -> Any:
    return x.cummax(axis)[1]


def _place_of_minimum(x: Any, *, axis: Any) -> Any:
    return x.cummin(axis)[1]


def _log_sum_exp(x: Any, *, axis: Any, reverse: Any) -> Any:
    return x.flip(axis).logcumsumexp(axis).flip(axis) if reverse else x.logcumsumexp(axis)


def _is_plain(node: Node) -> bool:
    return node.outputs[0].dtype.is_float and not node.attributes["exclusive"]


def _is_from_start_as_int64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int64" and not node.attributes["reverse"]


rows = {
    ops.cumulative_sum: (When(_is_plain, _sum), _sum_others),
    ops.cumulative_product: (When(_is_plain, _product), _product_others),
    ops.cumulative_maximum: _maximum,
    ops.cumulative_minimum: _minimum,
    ops.cumulative_argmax: When(_is_from_start_as_int64, _place_of_maximum),
    ops.cumulative_argmin: When(_is_from_start_as_int64, _place_of_minimum),
    ops.cumulative_log_sum_exp: _log_sum_exp,
}
