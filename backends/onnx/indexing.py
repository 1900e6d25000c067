"""ONNX: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

from ...ir import Node, Size, ops
from ...ir.dims import broadcast_shapes, product
from ...ir.types import int32, int64
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def as_indices(b: Builder, indices: Tensor) -> Tensor:
    """Indices in an element type that ONNX takes."""
    return indices if indices.dtype in (int32, int64) else b.cast(indices, int64)


def _take(b: Builder, x: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    return b.Gather(x, as_indices(b, indices), axis=axis)  # type: ignore[no-any-return]


def _scatter_add(b: Builder, g: Tensor, indices: Tensor, *, axis: int, size: Size) -> Tensor:
    """By ScatterElements: ONNX Runtime's ScatterND adds from several threads at once, and loses repeated positions."""
    axis %= g.rank - indices.rank + 1
    before, after = g.shape[:axis], g.shape[axis + indices.rank :]
    rows = product(indices.shape)
    flat = (*before, rows, *after)
    places = b.reshape(as_indices(b, indices), indices.shape, (*(1 for _ in before), rows, *(1 for _ in after)))
    zeros = b.Expand(b.constant(0, g.dtype), (*before, size, *after))
    return b.ScatterElements(zeros, b.Expand(places, flat), b.reshape(g, g.shape, flat), axis=axis, reduction="add")  # type: ignore[no-any-return]


def _index(b: Builder, x: Tensor, *indices: Tensor, axes: tuple[int, ...]) -> Any:
    """By GatherND, with the indexed axes first and the indices as the last axis of one tensor."""
    order, back = _orders(x, indices, axes)
    shape = broadcast_shapes(*(i.shape for i in indices))
    parts = [b.Unsqueeze(_spread(b, i, shape), (len(shape),)) for i in indices]
    places = parts[0] if len(parts) == 1 else b.Concat(*parts, axis=-1)
    return b.swap(b.GatherND(b.swap(x, order), places), _inverse(back))


def _spread(b: Builder, index: Tensor, shape: tuple[Size, ...]) -> Any:
    given = index if index.dtype == int64 else b.cast(index, int64)
    return given if index.shape == shape else b.Expand(given, shape)


def _orders(x: Tensor, indices: tuple[Tensor, ...], axes: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """The axes of x with the indexed ones first, and those of what lies there with the indices' first."""
    normal = ops.index_axes(axes, x.rank)
    count, place = max(i.rank for i in indices), ops.index_place(normal)
    others = [a for a in range(x.rank) if a not in normal]
    inner = list(range(place, place + count))
    return [*normal, *others], [*inner, *(a for a in range(len(others) + count) if a not in inner)]


def _inverse(order: list[int]) -> list[int]:
    return [order.index(a) for a in range(len(order))]


def in_onnx(reduction: str) -> str | None:
    """What ONNX calls a reduction."""
    return {"none": None, "multiply": "mul", "minimum": "min", "maximum": "max"}.get(reduction, reduction)


def _index_put(b: Builder, x: Tensor, values: Tensor, *indices: Tensor, axes: tuple[int, ...], reduction: str) -> Any:
    """By ScatterElements in the rows of a matrix: ScatterND loses places that are named twice."""
    order, back = _orders(x, indices, axes)
    shape = broadcast_shapes(*(i.shape for i in indices))
    first, rest = [x.shape[a] for a in order[: len(axes)]], [x.shape[a] for a in order[len(axes) :]]
    flat = _spread(b, indices[0], shape)
    for index, size in zip(indices[1:], first[1:], strict=True):
        flat = b.Add(b.Mul(flat, b.reshape(b.sizes((size,)), (1,), ())), _spread(b, index, shape))
    rows, columns, count = product(first), product(rest), product(shape)
    places = b.Expand(b.reshape(flat, shape, (count, 1)), (count, columns))
    given = b.reshape(b.swap(values, back), [values.shape[a] for a in back], (count, columns))
    table = b.reshape(b.swap(x, order), (*first, *rest), (rows, columns))
    put = b.ScatterElements(table, places, given, axis=0, reduction=in_onnx(reduction))
    return b.swap(b.reshape(put, (rows, columns), (*first, *rest)), _inverse(order))


def _puts(node: Node) -> bool:
    return bool(node.attributes["reduction"] == "none")


rows = {
    ops.take: by(_take),
    ops.index: by(_index, "GatherND"),
    ops.index_put: (When(_puts, by(_index_put, "Expand")), by(_index_put, "ScatterElements", "Expand")),
    ops.scatter_add: by(_scatter_add, "ScatterElements", "Expand"),
}
