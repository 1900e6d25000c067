"""JAX: what optimizers need besides arithmetic."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...ir.training import clipping


def _global_norm(*gradients: Any) -> Any:
    """The norm of all gradients together."""
    squares = [jnp.square(g).sum() for g in gradients]
    return jnp.sqrt(sum(squares))


rows = {clipping.global_norm: _global_norm}
