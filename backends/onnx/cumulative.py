"""ONNX: running sums, and by steps of 1, 2, 4 and so on running products and extremes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ir import Node, ops
from ...ir.ops import identity_of
from ...ir.types import int64
from ..rules import When
from .arithmetic import is_int64, number
from .builder import Builder, Tensor
from .lowering import by
from .shape import padded


def _sum(b: Builder, x: Tensor, *, axis: int, exclusive: bool, reverse: bool) -> Any:
    return b.CumSum(x, b.constant(axis, int64), exclusive=int(exclusive), reverse=int(reverse))


def _running(
    b: Builder, x: Tensor, combine: Callable[..., Any], name: str, axis: int, reverse: bool, first: int
) -> Any:
    """Combines each element with that 1, 2, 4 ... places before; `first` is how far all are moved before."""
    nothing = number(b, identity_of(name, x.dtype))

    def moved(v: str, length: int) -> Any:
        shift = [length if a == axis % x.rank else 0 for a in range(x.rank)]
        back = [-n for n in shift]
        return padded(b, v, nothing, *((back, shift) if reverse else (shift, back)))

    result, length, size = moved(x, first) if first else x, 1, x.shape[axis]
    assert isinstance(size, int)
    while length < size:
        result = combine(result, moved(result, length))
        length *= 2
    return result


def _product(b: Builder, x: Tensor, *, axis: int, exclusive: bool, reverse: bool) -> Any:
    return _running(b, x, b.Mul, "multiply", axis, reverse, int(exclusive))


def _maximum(b: Builder, x: Tensor, *, axis: int, reverse: bool) -> Any:
    return _running(b, x, b.Max, "maximum", axis, reverse, 0)


def _minimum(b: Builder, x: Tensor, *, axis: int, reverse: bool) -> Any:
    return _running(b, x, b.Min, "minimum", axis, reverse, 0)


def _maximum_wide(b: Builder, x: Tensor, *, axis: int, reverse: bool) -> Any:
    return _running(b, x, lambda p, q: b.Where(b.Greater(p, q), p, q), "maximum", axis, reverse, 0)


def _minimum_wide(b: Builder, x: Tensor, *, axis: int, reverse: bool) -> Any:
    return _running(b, x, lambda p, q: b.Where(b.Less(p, q), p, q), "minimum", axis, reverse, 0)


def _is_of_known_size(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return isinstance(x.shape[node.attributes["axis"]], int)


def _is_int64_of_known_size(node: Node) -> bool:
    return is_int64(node) and _is_of_known_size(node)


rows = {
    ops.cumulative_sum: by(_sum, "CumSum"),
    ops.cumulative_product: When(_is_of_known_size, by(_product, "Mul", "Pad")),
    ops.cumulative_maximum: (
        When(_is_int64_of_known_size, by(_maximum_wide)),
        When(_is_of_known_size, by(_maximum, "Max", "Pad")),
    ),
    ops.cumulative_minimum: (
        When(_is_int64_of_known_size, by(_minimum_wide)),
        When(_is_of_known_size, by(_minimum, "Min", "Pad")),
    ),
}
