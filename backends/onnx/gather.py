"""ONNX: looking up along an axis, by tuples, and where a slice begins that is data."""

from __future__ import annotations

from typing import Any

from ...ir import Size, ops
from ...ir.types import int64
from ..fold import looks_along_whole_axes
from ..rules import When
from .builder import Builder, Tensor
from .indexing import as_indices
from .lowering import by


def _take_along_axis(b: Builder, x: Tensor, indices: Tensor, *, axis: int) -> Any:
    return b.GatherElements(x, as_indices(b, indices), axis=axis)


def _gather_nd(b: Builder, x: Tensor, indices: Tensor, *, batch_dims: int) -> Any:
    given = indices if indices.dtype == int64 else b.cast(indices, int64)
    return b.GatherND(x, given, batch_dims=batch_dims)


def _dynamic_slice(b: Builder, x: Tensor, *starts: Tensor, sizes: tuple[Size, ...]) -> Any:
    """Slice, from starts that are moved inside."""
    cut = [a for a in range(x.rank) if x.shape[a] != sizes[a]]
    if not cut:
        return x
    wide = [starts[a] if starts[a].dtype == int64 else b.cast(starts[a], int64) for a in cut]
    given = [b.reshape(start, (), (1,)) for start in wide]
    first = given[0] if len(cut) == 1 else b.Concat(*given, axis=0)
    part = tuple(sizes[a] for a in cut)
    room = tuple(x.shape[a] - sizes[a] for a in cut)
    inside = b.Where(b.Less(first, room), first, room)  # see `kernels.BROKEN` of Min
    inside = b.Where(b.Less(inside, (0,)), (0,), inside)
    return b.Slice(x, inside, b.Add(inside, part), tuple(cut))


rows = {
    ops.take_along_axis: When(looks_along_whole_axes, by(_take_along_axis, "GatherElements")),
    ops.gather_nd: by(_gather_nd, "GatherND"),
    ops.dynamic_slice: by(_dynamic_slice),
}
