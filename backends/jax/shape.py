"""JAX: reshape, transpose, slices, padding, casts."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..fold import axis_or_axes, is_matrix_transpose, padding_config, slices
from ..rules import When


def _reshape(x: Any, *, shape: Any) -> Any:
    return x.reshape(*shape)


def _scalar(x: Any) -> Any:
    return x.reshape(())


def _matrix_transpose(x: Any) -> Any:
    return x.T


def _stack_transpose(x: Any) -> Any:
    return x.mT


def _transpose(x: Any, *, axes: Any) -> Any:
    return x.transpose(axes)


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    return jnp.broadcast_to(x, shape)


def _concatenate(*xs: Any, axis: Any) -> Any:
    return jnp.concatenate(xs, axis)


def _slice(x: Any, *, starts: Any, stops: Any, steps: Any) -> Any:
    return x[slices(starts, stops, steps)]


def _pad(x: Any, value: Any, *, low: Any, high: Any, interior: Any) -> Any:
    return lax.pad(x, value, padding_config(low, high, interior))


def _reverse(x: Any, *, axes: Any) -> Any:
    return jnp.flip(x, axis_or_axes(axes))


def _cast(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


def _is_stack(node: Node) -> bool:
    return is_matrix_transpose(node) and node.outputs[0].rank > 2


def _is_matrix(node: Node) -> bool:
    return is_matrix_transpose(node) and node.outputs[0].rank == 2


rows = {
    ops.reshape: (When(lambda n: n.outputs[0].rank == 0, _scalar), _reshape),
    ops.transpose: (When(_is_matrix, _matrix_transpose), When(_is_stack, _stack_transpose), _transpose),
    ops.broadcast_to: _broadcast_to,
    ops.concatenate: _concatenate,
    ops.slice_: _slice,
    ops.pad: _pad,
    ops.reverse: _reverse,
    ops.cast: _cast,
    ops.stop_gradient: lax.stop_gradient,
}
