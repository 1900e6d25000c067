"""The training steps of `step_time.py` as a person writes them in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
Step = Callable[[], float]
RATE = {"sgd": 0.05, "adam": 1e-3}


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

    def normalized(name: str, x: Any) -> Any:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, p[f"{name}.beta"], p[f"{name}.gamma"], 1e-3)

    def dense(name: str, x: Any) -> Any:
        return x @ p[f"{name}.kernel"] + p[f"{name}.bias"]

    def transformer(x: Any) -> Any:
        for name in (f"block.{i}" for i in range(4)):
            h = normalized(f"{name}.norm1", x)
            q, k, v = (
                tf.transpose(tf.reshape(dense(f"{name}.{part}", h), (-1, 64, 4, 64)), (0, 2, 1, 3))
                for part in ("query", "key", "value")
            )
            weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.125)
            x = x + dense(f"{name}.out", tf.reshape(tf.transpose(weights @ v, (0, 2, 1, 3)), (-1, 64, 256)))
            x = x + dense(f"{name}.down", tf.nn.gelu(dense(f"{name}.up", normalized(f"{name}.norm2", x))))
        return dense("dense", tf.reduce_mean(x, 1))

    def logits(x: Any) -> Any:
        if case in ("lstm", "transformer"):
            return {"lstm": lstm, "transformer": transformer}[case](x)
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
