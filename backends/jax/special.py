"""JAX: special functions."""

from __future__ import annotations

from typing import Any

import jax

from ...ir import ops


def _polygamma(x: Any, *, order: Any) -> Any:
    return jax.scipy.special.polygamma(order, x)


rows = {
    ops.erfc: jax.scipy.special.erfc,
    ops.erfinv: jax.scipy.special.erfinv,
    ops.log_gamma: jax.scipy.special.gammaln,
    ops.digamma: jax.scipy.special.digamma,
    ops.polygamma: _polygamma,
}
