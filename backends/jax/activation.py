"""JAX: activation functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import ops


def _relu6(x: Any) -> Any:
    return jax.nn.relu6(x)


def _softmax(x: Any, *, axis: Any) -> Any:
    return jax.nn.softmax(x) if axis == -1 else jax.nn.softmax(x, axis)


def _log_softmax(x: Any, *, axis: Any) -> Any:
    return jax.nn.log_softmax(x) if axis == -1 else jax.nn.log_softmax(x, axis)


def _leaky_relu(x: Any, *, alpha: Any) -> Any:
    return jax.nn.leaky_relu(x, alpha)


def _elu(x: Any, *, alpha: Any) -> Any:
    return jax.nn.elu(x) if alpha == 1.0 else jax.nn.elu(x, alpha)


def _gelu(x: Any, *, approximate: Any) -> Any:
    return jax.nn.gelu(x) if approximate else jax.nn.gelu(x, approximate=False)


def _softsign(x: Any) -> Any:
    return x / (1.0 + jnp.abs(x))


def _glu(x: Any, *, axis: Any) -> Any:
    return jax.nn.glu(x) if axis == -1 else jax.nn.glu(x, axis)


def _squareplus(x: Any, *, b: Any) -> Any:
    return jax.nn.squareplus(x) if b == 4.0 else jax.nn.squareplus(x, b)


rows = {
    ops.relu: jax.nn.relu,
    ops.relu6: _relu6,
    ops.hard_sigmoid: jax.nn.hard_sigmoid,
    ops.silu: jax.nn.silu,
    ops.softplus: jax.nn.softplus,
    ops.log_sigmoid: jax.nn.log_sigmoid,
    ops.softsign: _softsign,
    ops.selu: jax.nn.selu,
    ops.leaky_relu: _leaky_relu,
    ops.elu: _elu,
    ops.gelu: _gelu,
    ops.mish: jax.nn.mish,
    ops.squareplus: _squareplus,
    ops.glu: _glu,
    ops.softmax: _softmax,
    ops.log_softmax: _log_softmax,
}
