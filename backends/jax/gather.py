"""JAX: looking up along an axis, and where a slice begins that is data."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import ops
from ..fold import looks_along_whole_axes
from ..rules import When


def _take_along_axis(x: Any, indices: Any, *, axis: Any) -> Any:
    return jnp.take_along_axis(x, indices, axis)


def _dynamic_slice(x: Any, *starts: Any, sizes: Any) -> Any:
    return lax.dynamic_slice(x, starts, sizes, allow_negative_indices=False)


rows = {
    ops.take_along_axis: When(looks_along_whole_axes, _take_along_axis),
    ops.dynamic_slice: _dynamic_slice,
}
