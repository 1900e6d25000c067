"""ONNX: looking up and adding at positions."""

from __future__ import annotations

from ...ir import Size, ops
from ...ir.dims import product
from ...ir.types import int32, int64
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


rows = {
    ops.take: by(_take),
    ops.scatter_add: by(_scatter_add, "ScatterElements", "Expand"),
}
