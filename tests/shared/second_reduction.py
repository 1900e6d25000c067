"""Reductions, written a second time on lists of the elements that each sees."""

from __future__ import annotations

import itertools
import math

import numpy as np


def rows(x, axis):
    """The vectors along an axis, as a list, and how to put vectors in their places."""
    moved = np.moveaxis(x, axis, -1)
    flat = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    return list(flat), lambda made: np.moveaxis(np.array(made).reshape(moved.shape), -1, axis)


def softmax(x, *, axis=-1):
    vectors, back = rows(x, axis)
    return back([[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in vectors])


def gathered(x, axes):
    """For each place that is left, the elements that a reduction sees there, in order."""
    axes = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = [x.shape[i] for i in kept]
    found = np.empty(shape, object)
    for place in itertools.product(*map(range, shape)):
        index = [slice(None)] * x.ndim
        for axis, i in zip(kept, place, strict=True):
            index[axis] = i
        found[place] = list(x[tuple(index)].ravel())
    return found, tuple(1 if i in axes else n for i, n in enumerate(x.shape))


def reduction(function):
    def reduced(x, *, axes=None, keepdims=False):
        found, kept_shape = gathered(np.asarray(x), axes)
        result = np.array([float(function(v)) for v in found.ravel()]).reshape(found.shape)
        return result.reshape(kept_shape) if keepdims else result

    return reduced


def variance(v):
    return math.fsum((a - math.fsum(v) / len(v)) ** 2 for a in v) / len(v)


def position(best):
    def found(x, *, axis=-1, dtype=None):
        elements, _ = gathered(x, (axis,))
        return np.array([v.index(best(v)) for v in elements.ravel()]).reshape(elements.shape)

    return found


SECOND = {
    "reduce_sum": reduction(math.fsum),
    "reduce_max": reduction(max),
    "reduce_min": reduction(min),
    "reduce_mean": reduction(lambda v: math.fsum(v) / len(v)),
    "reduce_variance": reduction(variance),
    "log_sum_exp": reduction(lambda v: math.log(math.fsum(map(math.exp, v)))),
    "argmax": position(max),
    "argmin": position(min),
    "softmax": softmax,
    "log_softmax": lambda x, *, axis=-1: np.log(softmax(x, axis=axis)),
    "reduce_product": reduction(math.prod),
    "reduce_any": reduction(any),
    "reduce_all": reduction(all),
}
