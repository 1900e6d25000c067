"""JAX: writing where a slice begins that is data."""

from __future__ import annotations

from typing import Any

from jax import lax

from ...ir import ops


def _dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    return lax.dynamic_update_slice(x, update, starts, allow_negative_indices=False)


rows = {ops.dynamic_update_slice: _dynamic_update_slice}
