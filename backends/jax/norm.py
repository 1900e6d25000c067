"""JAX: lengths of vectors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...ir import ops
from ..fold import axis_or_axes

_omitted: Any = None  # an argument that is its default is not written


def _vector_norm(x: Any, *, order: Any, axes: Any, keepdims: Any) -> Any:
    return jnp.linalg.vector_norm(
        x,
        axis=_omitted if axes is None else axis_or_axes(axes),
        keepdims=True if keepdims else _omitted,
        ord=_omitted if order == 2.0 else order,
    )


rows = {ops.vector_norm: _vector_norm}
