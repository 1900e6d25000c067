"""ONNX: triangles, identity matrices, tiles and parts."""

from __future__ import annotations

from typing import Any

from ...ir import DType, Size, ops
from ...ir.types import float32, int64
from .builder import Builder, Tensor
from .lowering import by


def _tril(b: Builder, x: Tensor, *, k: int) -> Any:
    return b.Trilu(x, b.constant(k, int64), upper=0)


def _triu(b: Builder, x: Tensor, *, k: int) -> Any:
    return b.Trilu(x, b.constant(k, int64), upper=1)


def _eye(b: Builder, *, rows: Size, columns: Size, k: int, dtype: DType) -> Any:
    """Ones of float32 are made and cast: EyeLike knows few element types."""
    zeros = b.Expand(b.constant(0.0, float32), (rows, columns))
    return b.cast(b.EyeLike(zeros, k=k), dtype)


def _tile(b: Builder, x: Tensor, *, counts: tuple[Size, ...]) -> Any:
    return b.Tile(x, counts)


def _split(b: Builder, x: Tensor, *, sizes: tuple[Size, ...], axis: int) -> Any:
    return b.Split(x, sizes, axis=axis, outputs=len(sizes))


rows = {
    ops.tril: by(_tril, "Trilu"),
    ops.triu: by(_triu, "Trilu"),
    ops.eye: by(_eye),
    ops.tile: by(_tile, "Tile"),
    ops.split: by(_split),
}
