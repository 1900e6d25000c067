"""The training steps of `step_time.py` as a person writes them in JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
Step = Callable[[], float]
RATE = {"sgd": 0.05, "adam": 1e-3}


def jax_step(case: str, optimizer: str, parameters: Arrays, x: np.ndarray, y: np.ndarray) -> Step:
    import jax
    import jax.numpy as jnp

    def lstm(p: Any, x: Any) -> Any:
        def step(carry: Any, z: Any) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(z + h @ p["lstm.recurrent_kernel"], 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        z = x.transpose(1, 0, 2) @ p["lstm.kernel"] + p["lstm.bias"]
        start = jnp.zeros((x.shape[0], 128))
        (h, _), _ = jax.lax.scan(step, (start, start), z)
        return h @ p["dense.kernel"] + p["dense.bias"]

    def normalized(p: Any, name: str, x: Any) -> Any:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-3) * p[f"{name}.gamma"] + p[f"{name}.beta"]

    def dense(p: Any, name: str, x: Any) -> Any:
        return x @ p[f"{name}.kernel"] + p[f"{name}.bias"]

    def transformer(p: Any, x: Any) -> Any:
        for name in (f"block.{i}" for i in range(4)):
            h = normalized(p, f"{name}.norm1", x)
            q, k, v = (
                dense(p, f"{name}.{part}", h).reshape(-1, 64, 4, 64).transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            weights = jax.nn.softmax(q @ k.mT * 0.125)
            x = x + dense(p, f"{name}.out", (weights @ v).transpose(0, 2, 1, 3).reshape(-1, 64, 256))
            h = jax.nn.gelu(dense(p, f"{name}.up", normalized(p, f"{name}.norm2", x)), approximate=False)
            x = x + dense(p, f"{name}.down", h)
        return dense(p, "dense", x.mean(1))

    def logits(p: Any, x: Any) -> Any:
        if case in ("lstm", "transformer"):
            return {"lstm": lstm, "transformer": transformer}[case](p, x)
        if case == "conv":
            for name in ("conv2d", "conv2d_1"):
                x = jax.lax.conv_general_dilated(
                    x, p[f"{name}.kernel"], (2, 2), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
                )
                x = jax.nn.relu(x + p[f"{name}.bias"])
            x = x.reshape(x.shape[0], -1)
        else:
            x = jax.nn.relu(x @ p["dense.kernel"] + p["dense.bias"])
        first, last = ("dense", "dense_1") if case == "conv" else ("dense_1", "dense_2")
        x = jax.nn.relu(x @ p[f"{first}.kernel"] + p[f"{first}.bias"])
        return x @ p[f"{last}.kernel"] + p[f"{last}.bias"]

    def loss_of(p: Any, x: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(logits(p, x)), y[:, None], -1).mean()

    def sgd(p: Any, state: Any, x: Any, y: Any) -> Any:
        loss, g = jax.value_and_grad(loss_of)(p, x, y)
        return loss, jax.tree.map(lambda w, d: w - RATE["sgd"] * d, p, g), state

    def adam(p: Any, state: Any, x: Any, y: Any) -> Any:
        loss, g = jax.value_and_grad(loss_of)(p, x, y)
        t = state["t"] + 1
        m = jax.tree.map(lambda m, d: 0.9 * m + 0.1 * d, state["m"], g)
        v = jax.tree.map(lambda v, d: 0.999 * v + 0.001 * d * d, state["v"], g)
        rate = RATE["adam"] * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        new = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), p, m, v)
        return loss, new, {"t": t, "m": m, "v": v}

    step = jax.jit(sgd if optimizer == "sgd" else adam, donate_argnums=(0, 1))
    zeros = {k: jnp.zeros(v.shape) for k, v in parameters.items()}
    held = [
        {k: jnp.array(v) for k, v in parameters.items()},
        {"t": jnp.float32(0), "m": zeros, "v": dict(jax.tree.map(jnp.copy, zeros))},
    ]
    batch = jnp.array(x), jnp.array(y)

    def run() -> float:
        loss, held[0], held[1] = step(held[0], held[1], *batch)
        return float(loss)

    return run
