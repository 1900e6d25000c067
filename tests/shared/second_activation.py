"""Activations and losses, written a second time from their definitions."""

from __future__ import annotations

import math

import numpy as np
from second_arithmetic import each
from second_indexing import one_hot
from second_reduction import rows, softmax


def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def gelu(x, *, approximate=False):
    if approximate:
        return each(lambda v: v / (1.0 + math.exp(-2.0 * math.sqrt(2.0 / math.pi) * (v + 0.044715 * v**3))))(x)
    return each(lambda v: v * normal_cdf(v))(x)


def sloped(negative):
    return lambda x, *, alpha=None: each(lambda v: v if v > 0 else negative(v, alpha))(x)


def cross_entropy(logits, targets):
    return -(targets * np.log(softmax(logits))).sum(-1)


SELU = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

SECOND = {
    "relu": sloped(lambda v, alpha: 0.0),
    "relu6": each(lambda x: sorted((0.0, x, 6.0))[1]),
    "hard_sigmoid": each(lambda x: sorted((0.0, x / 6.0 + 0.5, 1.0))[1]),
    "silu": each(lambda x: x / (1.0 + math.exp(-x))),
    "softplus": each(lambda x: math.log(1.0 + math.exp(x))),
    "log_sigmoid": each(lambda x: -math.log(1.0 + math.exp(-x))),
    "softsign": each(lambda x: x / (1.0 + abs(x))),
    "step": each(lambda x: x > 0),
    "selu": each(lambda x: SELU[1] * (x if x > 0 else SELU[0] * (math.exp(x) - 1.0))),
    "leaky_relu": sloped(lambda v, alpha: (0.01 if alpha is None else alpha) * v),
    "elu": sloped(lambda v, alpha: (1.0 if alpha is None else alpha) * (math.exp(v) - 1.0)),
    "gelu": gelu,
    "maxout": lambda x, *, pieces: np.array(
        [max(v[i : i + pieces]) for v in rows(x, -1)[0] for i in range(0, x.shape[-1], pieces)]
    ).reshape(*x.shape[:-1], -1),
    "softmax_cross_entropy": cross_entropy,
    "sparse_softmax_cross_entropy": lambda x, labels: cross_entropy(x, one_hot(labels, depth=x.shape[-1])),
    "sigmoid_cross_entropy": each(
        lambda x, t: -t * math.log(1.0 / (1.0 + math.exp(-x))) - (1.0 - t) * math.log(1.0 / (1.0 + math.exp(x)))
    ),
}
