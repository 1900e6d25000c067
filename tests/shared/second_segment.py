"""Reductions of rows that belong together, written a second time: the rows of each segment as a list."""

from __future__ import annotations

import math
import statistics

import numpy as np


def limit(dtype, largest):
    if np.issubdtype(dtype, np.floating):
        return math.inf if largest else -math.inf
    return np.iinfo(dtype).max if largest else np.iinfo(dtype).min


def segments(function, nothing):
    """A function of lists of numbers, and what an empty one gives for a dtype."""

    def of(x, numbers, *, count):
        rows = x.reshape(numbers.size, -1)
        found = [rows[[i for i, k in enumerate(numbers.flat) if k == segment]] for segment in range(count)]
        made = [[function(column) if len(column) else nothing(x.dtype) for column in part.T] for part in found]
        return np.array(made).reshape(count, *x.shape[numbers.ndim :])

    return of


def embedding_bag(table, indices, offsets, weights=None, *, mode="mean"):
    """A bag is what lies between two offsets."""
    weights = np.ones(len(indices)) if weights is None else weights
    combine = {"sum": math.fsum, "mean": statistics.fmean, "max": max}[mode]
    made = []
    for start, stop in zip(offsets, [*offsets[1:], len(indices)], strict=True):
        rows = [w * table[i] for i, w in zip(indices[start:stop], weights[start:stop], strict=True)]
        made.append([combine(column) for column in zip(*rows, strict=True)] if rows else [0.0] * table.shape[1])
    return made


def bincount(x, weights=None, *, size, dtype=None):
    weights = np.ones(x.shape) if weights is None else weights
    return [math.fsum(w for v, w in zip(x.flat, weights.flat, strict=True) if v == k) for k in range(size)]


def histogram(x, *, bins, low, high, dtype=None):
    edges = [low + (high - low) * k / bins for k in range(bins)] + [math.nextafter(high, math.inf)]
    return [sum(edges[k] <= v < edges[k + 1] for v in x.flat) for k in range(bins)]


SECOND = {
    "segment_sum": segments(math.fsum, lambda dtype: 0),
    "segment_product": segments(math.prod, lambda dtype: 1),
    "segment_maximum": segments(max, lambda dtype: limit(dtype, False)),
    "segment_minimum": segments(min, lambda dtype: limit(dtype, True)),
    "embedding_bag": embedding_bag,
    "bincount": bincount,
    "histogram": histogram,
}
