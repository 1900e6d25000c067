"""JAX: dilated max pools and sums, by `lax.reduce_window`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import ops
from .pooling import on_all_axes


def _dilated_max_pool(x: Any, *, window: Any, strides: Any, padding: Any, dilations: Any, layout: Any) -> Any:
    return lax.reduce_window(
        x,
        -jnp.inf,
        lax.max,
        on_all_axes(layout, window, 1),
        on_all_axes(layout, strides, 1),
        on_all_axes(layout, padding, (0, 0)),
        window_dilation=on_all_axes(layout, dilations, 1),
    )


def _sum_pool(x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    return lax.reduce_window(
        x,
        0.0,
        lax.add,
        on_all_axes(layout, window, 1),
        on_all_axes(layout, strides, 1),
        on_all_axes(layout, padding, (0, 0)),
    )


rows = {ops.dilated_max_pool: _dilated_max_pool, ops.sum_pool: _sum_pool}
