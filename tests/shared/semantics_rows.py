"""Rows of the semantics table (`NUMERICS.md` 3.6): defaults, statistics, layouts, gradients that do not exist."""

from __future__ import annotations

from typing import Any

import numpy as np

from isograd.ir import ops
from isograd.ir.ops.padding import pad_or_crop
from isograd.ir.ops.windows import same_padding

NAN = np.nan
KEY, COUNTER = np.array([7, 9], np.uint32), np.array([1, 0], np.uint32)


def same(x: Any) -> Any:
    """A sum over windows of 3 with stride 2, padded as SAME."""
    padding = (same_padding(x.shape[1], 3, 2),)
    return ops.sum_pool(x, window=(3,), strides=(2,), padding=padding, layout="NWC")


def dropped(rate: float) -> Any:
    return lambda x, key, counter: ops.dropout(x, key, counter, rate=rate)


def guarded(function: Any) -> Any:
    return lambda x: ops.where(ops.greater(x, 0.0), function(x), 0.0)


def deviation(x: Any) -> Any:
    return ops.sqrt(ops.reduce_variance(x))


IMAGE = np.arange(8.0).reshape(1, 2, 2, 2)  # N, H, W, C
VALUES = [  # row, function, operands, result
    ("I3 an integer // 0", ops.floor_divide, [np.array([7, -7], np.int32), np.array([0, 0], np.int32)],
     np.array([0, 0], np.int32)),
    ("I4 an integer % 0", ops.remainder, [np.array([7, -7], np.int32), np.array([0, 0], np.int32)],
     np.array([0, 0], np.int32)),
    ("I8 a running sum of int32 wraps", ops.cumulative_sum, [np.array([2**31 - 1, 1], np.int32)],
     np.array([2**31 - 1, -(2**31)], np.int32)),
    ("I8 a running sum of int64 is exact", ops.cumulative_sum, [np.array([2**53, 1], np.int64)],
     np.array([2**53, 2**53 + 1], np.int64)),
    ("I26 backwards", lambda x: ops.reverse(x, axes=(0,)), [[1.0, 2.0, 3.0]], [3.0, 2.0, 1.0]),
    ("I33 a size that is 0", lambda x: ops.reshape(x, shape=(0, 3)), [np.zeros((3, 0))], np.zeros((0, 3))),
    ("P1 SAME, stride 2, window 3, size 6", same, [np.arange(1.0, 7.0).reshape(1, 6, 1)],
     np.reshape([6.0, 12.0, 11.0], (1, 3, 1))),
    ("P8 a negative padding crops", lambda x: pad_or_crop(x, 0.0, (-1,), (2,)), [[1.0, 2.0, 3.0]],
     [2.0, 3.0, 0.0, 0.0]),
    ("P13 cubic, -0.75", lambda x: ops.resize(x, axes=(0,), sizes=(2,), method="cubic"), [[0.0, 0.0, 1.0, 0.0]],
     [-0.09375, 0.59375]),
    ("P13 cubic, -0.5 without what is outside", lambda x: ops.resize(
        x, axes=(0,), sizes=(2,), method="cubic", cubic_coefficient=-0.5, exclude_outside=True),
     [[0.0, 0.0, 1.0, 0.0]], [-1.0 / 17.0, 9.0 / 17.0]),
    ("P16 flat, channels last", lambda x: ops.reshape(x, shape=(1, 8)), [IMAGE], np.arange(8.0).reshape(1, 8)),
    ("P16 flat, channels first", lambda x: ops.reshape(ops.transpose(x, axes=(0, 3, 1, 2)), shape=(1, 8)), [IMAGE],
     [[0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]]),
    ("N3 the variance of a batch is biased", lambda x: ops.batch_norm(x)[2], [[[1.0], [2.0], [6.0]]], [14.0 / 3.0]),
    ("N3 of one example it is 0", lambda x: ops.batch_norm(x)[2], [[[5.0]]], [0.0]),
    ("N6 gelu is by erf", ops.gelu, [[1.0]], [0.8413447460685429]),
    ("N6 gelu by tanh where it is asked for", lambda x: ops.gelu(x, approximate=True), [[1.0]], [0.8411919906082768]),
    ("N7 hard_sigmoid has slope 1/6", ops.hard_sigmoid, [[1.0, 2.7]], [4.0 / 6.0, 0.95]),
    ("N8 leaky_relu has slope 0.01", ops.leaky_relu, [[-1.0]], [-0.01]),
    ("N10 softmax is along the last axis", ops.softmax, [[[0.0, 0.0], [5.0, 5.0]]], [[0.5, 0.5], [0.5, 0.5]]),
    ("N15 dropout of nothing", dropped(0.0), [[1.0, 2.0], KEY, COUNTER], [1.0, 2.0]),
    ("N15 dropout of everything", dropped(1.0), [[1.0, 2.0], KEY, COUNTER], [0.0, 0.0]),
    ("N15 what dropout keeps is doubled", lambda *a: ops.reduce_max(dropped(0.5)(*a)), [np.ones(64), KEY, COUNTER],
     2.0),
]  # fmt: skip
SLOPES = [  # row, function, operands, gradient to each
    ("G19 where(x > 0, log x, 0) at 0", guarded(ops.log), [[0.0, 2.0]], [[NAN, 0.5]]),
    ("G20 where(x > 0, sqrt x, 0) at 0", guarded(ops.sqrt), [[0.0, 4.0]], [[NAN, 0.25]]),
    ("G21 the root of the variance of equals", deviation, [[2.0, 2.0]], [[NAN, NAN]]),
    ("G25 floor", ops.floor, [[1.5, 2.0]], [[0.0, 0.0]]),
    ("G25 round", ops.round_, [[1.5, 2.0]], [[0.0, 0.0]]),
    ("G25 sign", ops.sign, [[0.0, 2.0]], [[0.0, 0.0]]),
]  # fmt: skip
