"""JAX: numbers kept within limits, and replaced where they are none."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...ir import ops
from ..fold import has_both_limits, replaces_as_usual
from ..rules import When


def _clip(x: Any, low: Any, high: Any) -> Any:
    return jnp.clip(x, low, high)


def _nan_to_num(x: Any, *, nan: Any, posinf: Any, neginf: Any) -> Any:
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _nan_to_zero(x: Any) -> Any:
    return jnp.nan_to_num(x)


rows = {
    ops.clip: When(has_both_limits, _clip),
    ops.nan_to_num: (When(replaces_as_usual, _nan_to_zero), _nan_to_num),
}
NUMBERS = (_clip,)  # it takes Python numbers as they are
