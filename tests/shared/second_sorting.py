"""Orders, written a second time with Python's `sorted`, `statistics` and `bisect`."""

from __future__ import annotations

import bisect
import math
import statistics

import numpy as np


def order(row, descending=False):
    """The places in order: NaN is the largest, and equals stay as they were, also where the order descends."""
    keys = [(math.isnan(v), 0.0 if math.isnan(v) else v) for v in row]
    return sorted(range(len(row)), key=keys.__getitem__, reverse=descending)


def places(x, *, axis=-1, descending=False, dtype=None):
    return np.apply_along_axis(order, axis, x, descending)


def top_k(x, *, k, axis=-1, largest=True, dtype=None):
    values = np.apply_along_axis(lambda row: [row[i] for i in order(row, largest)[:k]], axis, x)
    return values, np.apply_along_axis(lambda row: order(row, largest)[:k], axis, x)


def kth_value(x, *, k, axis=-1, keepdims=False, dtype=None):
    place = np.apply_along_axis(lambda row: order(row)[k - 1], axis, x)
    value = np.apply_along_axis(lambda row: row[order(row)[k - 1]], axis, x)
    return tuple(np.expand_dims(v, axis) if keepdims else v for v in (value, place))


def median(x, *, axis=-1, keepdims=False):
    found = np.apply_along_axis(lambda row: math.nan if any(map(math.isnan, row)) else statistics.median(row), axis, x)
    return np.expand_dims(found, axis) if keepdims else found


def bucketize(x, boundaries, *, side="left", dtype=None):
    place = bisect.bisect_left if side == "left" else bisect.bisect_right
    ordered = list(boundaries)
    return np.array([len(ordered) if math.isnan(v) else place(ordered, v) for v in np.ravel(x)]).reshape(np.shape(x))


SECOND = {
    "argsort": places,
    "sort": lambda x, *, axis=-1, descending=False: np.apply_along_axis(
        lambda row: [row[i] for i in order(row, descending)], axis, x
    ),
    "top_k": top_k,
    "kth_value": kth_value,
    "median": median,
    "bucketize": bucketize,
}
