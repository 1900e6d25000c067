"""PyTorch: rolled, repeated, stacked and split, triangles, diagonals and windows."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..fold import axis_or_axes
from ..rules import When


def _roll(x: Any, *, shifts: Any, axes: Any) -> Any:
    return x.roll(axis_or_axes(shifts), axis_or_axes(axes))


def _tril(x: Any, *, k: Any) -> Any:
    return x.tril(k) if k else x.tril()


def _triu(x: Any, *, k: Any) -> Any:
    return x.triu(k) if k else x.triu()


def _eye(*, rows: Any, columns: Any, dtype: Any) -> Any:
    return torch.eye(rows, columns, dtype=dtype)


def _eye_beside(*, rows: Any, columns: Any, k: Any, dtype: Any) -> Any:
    return torch.ones(rows, columns, dtype=dtype).tril(k).triu(k)


def _diagonal(x: Any, *, offset: Any, axis1: Any, axis2: Any) -> Any:
    return x.diagonal(offset, axis1, axis2)


def _matrix_diag(x: Any, *, offset: Any) -> Any:
    return torch.diag_embed(x, offset) if offset else torch.diag_embed(x)


def _set_diagonal(x: Any, values: Any, *, offset: Any) -> Any:
    return x.diagonal_scatter(values, offset, -2, -1)


def _repeat(x: Any, *, repeats: Any, axis: Any) -> Any:
    return x.repeat_interleave(repeats, axis)


def _tile(x: Any, *, counts: Any) -> Any:
    return x.tile(counts)


def _stack(*xs: Any, axis: Any) -> Any:
    return torch.stack(xs, axis) if axis else torch.stack(xs)


def _split(x: Any, *, sizes: Any, axis: Any) -> Any:
    return x.split(sizes, axis)


def _unfold(x: Any, *, axis: Any, size: Any, step: Any) -> Any:
    return x.unfold(axis, size, step)


def _is_main(node: Node) -> bool:
    return bool(node.attributes["k"] == 0)


def _is_one_number(node: Node) -> bool:
    return not isinstance(node.attributes["repeats"], tuple)


rows = {
    ops.roll: _roll,
    ops.tril: _tril,
    ops.triu: _triu,
    ops.eye: (When(_is_main, _eye), _eye_beside),
    ops.diagonal: _diagonal,
    ops.matrix_diag: _matrix_diag,
    ops.set_diagonal: _set_diagonal,
    ops.repeat: When(_is_one_number, _repeat),
    ops.tile: _tile,
    ops.stack: _stack,
    ops.split: _split,
    ops.sliding_windows: _unfold,
}
