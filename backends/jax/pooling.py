"""JAX: pooling by windows."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ...ir import ops


def on_all_axes(layout: str, spatial: Any, other: Any) -> Any:
    """A tuple over all axes of a layout, from one over the spatial ones."""
    values = iter(spatial)
    return tuple(other if c in "NC" else next(values) for c in layout)


def _max_pool(x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    return lax.reduce_window(
        x,
        -jnp.inf,
        lax.max,
        on_all_axes(layout, window, 1),
        on_all_axes(layout, strides, 1),
        on_all_axes(layout, padding, (0, 0)),
    )


def _max_pool_gradient(g: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    """The gradient goes to the first largest element of each window."""
    sizes, steps, pads = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
    for axis, k, s, p in zip([i for i, c in enumerate(layout) if c not in "NC"], window, strides, padding, strict=True):
        sizes[axis], steps[axis], pads[axis] = k, s, p
    _, pull = jax.vjp(lambda v: lax.reduce_window(v, -jnp.inf, lax.max, sizes, steps, pads), x)
    return pull(g)[0]


def _max_pool_select(t: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    """The elements of t at the places of the first largest elements of x's windows."""
    sizes, steps, pads = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
    for axis, k, s, p in zip([i for i, c in enumerate(layout) if c not in "NC"], window, strides, padding, strict=True):
        sizes[axis], steps[axis], pads[axis] = k, s, p
    index = jnp.arange(x.size).reshape(x.shape)

    def first(a: Any, b: Any) -> Any:
        wins = (a[0] > b[0]) | ((a[0] == b[0]) & (a[1] <= b[1]))
        return jnp.where(wins, a[0], b[0]), jnp.where(wins, a[1], b[1])

    _, places = lax.reduce_window(
        (x, index), (jnp.asarray(-jnp.inf, x.dtype), jnp.asarray(x.size, index.dtype)), first, sizes, steps, pads
    )
    return t.reshape(-1)[places]


def _average_pool(x: Any, *, window: Any, strides: Any, padding: Any, count_padding: Any, layout: Any) -> Any:
    """The mean of each window; padding counts only where `count_padding` says so."""
    sizes, steps, pads = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
    for axis, k, s, p in zip([i for i, c in enumerate(layout) if c not in "NC"], window, strides, padding, strict=True):
        sizes[axis], steps[axis], pads[axis] = k, s, p
    total = lax.reduce_window(x, 0.0, lax.add, sizes, steps, pads)
    if count_padding or not any(before or after for before, after in pads):
        count = 1
        for k in window:
            count *= k
        return total / count
    return total / lax.reduce_window(jnp.ones_like(x), 0.0, lax.add, sizes, steps, pads)


def _average_pool_gradient(
    g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: Any, layout: Any
) -> Any:
    """Each window's gradient is shared by its elements."""
    shape = list(g.shape)
    for axis, size in zip([i for i, c in enumerate(layout) if c not in "NC"], sizes, strict=True):
        shape[axis] = size
    pull = jax.linear_transpose(
        lambda v: _average_pool(
            v, window=window, strides=strides, padding=padding, count_padding=count_padding, layout=layout
        ),
        jax.ShapeDtypeStruct(tuple(shape), g.dtype),  # type: ignore[no-untyped-call]
    )
    return pull(g)[0]


rows = {
    ops.max_pool: _max_pool,
    ops.max_pool_gradient: _max_pool_gradient,
    ops.max_pool_select: _max_pool_select,
    ops.average_pool: _average_pool,
    ops.average_pool_gradient: _average_pool_gradient,
}
