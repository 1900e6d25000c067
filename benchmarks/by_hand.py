"""The training steps of `step_time.py` as a person writes them in each framework."""

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

    def logits(p: Any, x: Any) -> Any:
        if case == "lstm":
            return lstm(p, x)
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


def torch_step(case: str, optimizer: str, parameters: Arrays, x: np.ndarray, y: np.ndarray) -> Step:
    import torch
    from torch import nn

    if case == "conv":
        net = nn.Sequential(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 16, 3, 2), nn.ReLU(), nn.Flatten(),
                            nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))  # fmt: skip
        x = x.transpose(0, 3, 1, 2)
    elif case == "lstm":
        net = _torch_lstm()
    else:
        net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    _give_torch(net, case, parameters)
    make = {
        "sgd": lambda p: torch.optim.SGD(p, lr=RATE["sgd"]),
        "adam": lambda p: torch.optim.Adam(p, lr=RATE["adam"], eps=1e-7),
    }
    update = make[optimizer](net.parameters())
    images, labels = torch.from_numpy(x.copy()), torch.from_numpy(y).long()
    criterion = nn.CrossEntropyLoss()

    def run() -> float:
        update.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        update.step()
        return float(loss.detach())

    return run


def _torch_lstm() -> Any:
    from torch import nn

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][:, -1])

    return Last()


def _give_torch(net: Any, case: str, parameters: Arrays) -> None:
    """The same weights in PyTorch's layouts: filters OIHW, dense kernels transposed, flattened channels first."""
    import torch

    if case == "lstm":
        kernels = {
            "lstm.weight_ih_l0": "lstm.kernel", "lstm.weight_hh_l0": "lstm.recurrent_kernel",
            "lstm.bias_ih_l0": "lstm.bias", "dense.weight": "dense.kernel", "dense.bias": "dense.bias",
        }  # fmt: skip
        given = {name: torch.from_numpy(parameters[k].T.copy()) for name, k in kernels.items()}
        net.load_state_dict(given | {"lstm.bias_hh_l0": torch.zeros(512)})
        net.lstm.bias_hh_l0.requires_grad_(False)
        return
    names = ["conv2d", "conv2d_1", "dense", "dense_1"] if case == "conv" else ["dense", "dense_1", "dense_2"]
    layers = [m for m in net if hasattr(m, "weight")]
    for name, layer in zip(names, layers, strict=True):
        kernel = parameters[f"{name}.kernel"]
        if kernel.ndim == 4:
            weight = kernel.transpose(3, 2, 0, 1)
        elif case == "conv" and name == "dense":
            weight = kernel.reshape(6, 6, 16, 64).transpose(3, 2, 0, 1).reshape(64, 576)
        else:
            weight = kernel.T
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            layer.bias.copy_(torch.from_numpy(parameters[f"{name}.bias"].copy()))


def tensorflow_step(case: str, optimizer: str, parameters: Arrays, x: np.ndarray, y: np.ndarray) -> Step:
    import tensorflow as tf

    p = {k: tf.Variable(v) for k, v in parameters.items()}
    m, v = ({k: tf.Variable(tf.zeros_like(w)) for k, w in p.items()} for _ in "mv")
    t = tf.Variable(0.0)

    def lstm(x: Any) -> Any:
        z = tf.transpose(x, (1, 0, 2)) @ p["lstm.kernel"] + p["lstm.bias"]
        start = tf.zeros((tf.shape(x)[0], 128))
        rows = tf.TensorArray(tf.float32, 64).unstack(z)

        def step(t: Any, h: Any, c: Any) -> Any:
            i, f, g, o = tf.split(rows.read(t) + h @ p["lstm.recurrent_kernel"], 4, -1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            return t + 1, tf.sigmoid(o) * tf.tanh(c), c

        _, h, _ = tf.while_loop(lambda t, h, c: t < 64, step, (0, start, start))
        return h @ p["dense.kernel"] + p["dense.bias"]

    def logits(x: Any) -> Any:
        if case == "lstm":
            return lstm(x)
        if case == "conv":
            for name in ("conv2d", "conv2d_1"):
                x = tf.nn.relu(tf.nn.conv2d(x, p[f"{name}.kernel"], 2, "VALID") + p[f"{name}.bias"])
            x = tf.reshape(x, (-1, 576))
        else:
            x = tf.nn.relu(x @ p["dense.kernel"] + p["dense.bias"])
        first, last = ("dense", "dense_1") if case == "conv" else ("dense_1", "dense_2")
        x = tf.nn.relu(x @ p[f"{first}.kernel"] + p[f"{first}.bias"])
        return x @ p[f"{last}.kernel"] + p[f"{last}.bias"]

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits(x)))
        names = list(p)
        for name, g in zip(names, tape.gradient(loss, [p[n] for n in names]), strict=True):
            if optimizer == "sgd":
                p[name].assign_sub(RATE["sgd"] * g)
                continue
            m[name].assign_add((g - m[name]) * 0.1)
            v[name].assign_add((tf.square(g) - v[name]) * 0.001)
            rate = RATE["adam"] * tf.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
            p[name].assign_sub(rate * m[name] / (tf.sqrt(v[name]) + 1e-7))
        t.assign_add(1.0)
        return loss

    batch = tf.constant(x), tf.constant(y)
    return lambda: float(step(*batch))


BY_HAND: dict[str, Callable[..., Step]] = {"jax": jax_step, "torch": torch_step, "tensorflow": tensorflow_step}
