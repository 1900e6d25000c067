"""TensorFlow: rolled, repeated, stacked and split, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import axis_or_axes
from ..rules import When


def _roll(x: Any, *, shifts: Any, axes: Any) -> Any:
    return tf.roll(x, axis_or_axes(shifts), axis_or_axes(axes))


def _tril(x: Any, *, k: Any) -> Any:
    return tf.linalg.band_part(x, -1, k)


def _triu(x: Any, *, k: Any) -> Any:
    return tf.linalg.band_part(x, abs(k), -1)


def _eye(*, rows: Any, columns: Any, dtype: Any) -> Any:
    return tf.eye(rows, columns, dtype=dtype)


def _eye_beside(*, rows: Any, columns: Any, k: Any, dtype: Any) -> Any:
    return tf.cast(tf.range(rows)[:, None] == tf.range(columns) - k, dtype)


def _diagonal(x: Any, *, offset: Any) -> Any:
    return tf.linalg.diag_part(x, k=offset) if offset else tf.linalg.diag_part(x)


def _matrix_diag(x: Any, *, offset: Any) -> Any:
    return tf.linalg.diag(x, k=offset) if offset else tf.linalg.diag(x)


def _set_diagonal(x: Any, values: Any, *, offset: Any) -> Any:
    return tf.linalg.set_diag(x, values, k=offset) if offset else tf.linalg.set_diag(x, values)


def _repeat(x: Any, *, repeats: Any, axis: Any) -> Any:
    return tf.repeat(x, repeats, axis)


def _tile(x: Any, *, counts: Any) -> Any:
    return tf.tile(x, counts)


def _stack(*xs: Any, axis: Any) -> Any:
    return tf.stack(xs, axis) if axis else tf.stack(xs)


def _split(x: Any, *, sizes: Any, axis: Any) -> Any:
    return tf.split(x, sizes, axis)


def _linspace(start: Any, stop: Any, *, count: Any) -> Any:
    return tf.linspace(start, stop, count)


def _keeps_main(node: Node) -> bool:
    return bool(node.attributes["k"] >= 0 if node.op is ops.tril else node.attributes["k"] <= 0)


def _is_main(node: Node) -> bool:
    return bool(node.attributes["k"] == 0)


def _is_of_last_axes(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    axes = (node.attributes["axis1"] % x.rank, node.attributes["axis2"] % x.rank)
    return axes == (x.rank - 2, x.rank - 1)


def _is_one_number(node: Node) -> bool:
    return not isinstance(node.attributes["repeats"], tuple)


rows = {
    ops.roll: _roll,
    ops.tril: When(_keeps_main, _tril),
    ops.triu: When(_keeps_main, _triu),
    ops.eye: (When(_is_main, _eye), _eye_beside),
    ops.diagonal: When(_is_of_last_axes, _diagonal),
    ops.matrix_diag: _matrix_diag,
    ops.set_diagonal: _set_diagonal,
    ops.repeat: When(_is_one_number, _repeat),
    ops.tile: _tile,
    ops.stack: _stack,
    ops.split: _split,
    ops.linspace: _linspace,
}
