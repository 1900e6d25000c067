"""JAX: rolled, repeated, stacked and split, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...ir import Node, ops
from ..fold import axis_or_axes, split_places
from ..rules import When


def _roll(x: Any, *, shifts: Any, axes: Any) -> Any:
    return jnp.roll(x, axis_or_axes(shifts), axis_or_axes(axes))


def _tril(x: Any, *, k: Any) -> Any:
    return jnp.tril(x, k) if k else jnp.tril(x)


def _triu(x: Any, *, k: Any) -> Any:
    return jnp.triu(x, k) if k else jnp.triu(x)


def _eye(*, rows: Any, columns: Any, k: Any, dtype: Any) -> Any:
    return jnp.eye(rows, columns, k, dtype)


def _diagonal(x: Any, *, offset: Any, axis1: Any, axis2: Any) -> Any:
    return jnp.diagonal(x, offset, axis1, axis2)


def _repeat(x: Any, *, repeats: Any, axis: Any) -> Any:
    return jnp.repeat(x, repeats, axis)


def _tile(x: Any, *, counts: Any) -> Any:
    return jnp.tile(x, counts)


def _stack(*xs: Any, axis: Any) -> Any:
    return jnp.stack(xs, axis) if axis else jnp.stack(xs)


def _split(x: Any, *, sizes: Any, axis: Any) -> Any:
    return jnp.split(x, split_places(sizes), axis)


def _linspace(start: Any, stop: Any, *, count: Any) -> Any:
    return jnp.linspace(start, stop, count)


def _is_one_number(node: Node) -> bool:
    return not isinstance(node.attributes["repeats"], tuple)


def _has_known_parts(node: Node) -> bool:
    return all(isinstance(size, int) for size in node.attributes["sizes"])


rows = {
    ops.roll: _roll,
    ops.tril: _tril,
    ops.triu: _triu,
    ops.eye: _eye,
    ops.diagonal: _diagonal,
    ops.repeat: When(_is_one_number, _repeat),
    ops.tile: _tile,
    ops.stack: _stack,
    ops.split: When(_has_known_parts, _split),
    ops.linspace: _linspace,
}
