"""JAX: functions made of logarithms, exponentials and angles."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...ir import ops

rows = {
    ops.exp2: jnp.exp2,
    ops.log2: jnp.log2,
    ops.log10: jnp.log10,
    ops.sinc: jnp.sinc,
    ops.logit: jax.scipy.special.logit,
    ops.arctan2: jnp.arctan2,
    ops.hypot: jnp.hypot,
    ops.logaddexp: jnp.logaddexp,
    ops.xlogy: jax.scipy.special.xlogy,
    ops.xlog1py: jax.scipy.special.xlog1py,
}
