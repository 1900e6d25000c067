"""Ops whose results are as large as their data says, written a second time: with Python's own loops and sets."""

from __future__ import annotations

import itertools
import math

import numpy as np


def nonzero(x, *, size=None):
    return np.array([p for p in itertools.product(*map(range, x.shape)) if x[p] != 0], np.int64).reshape(-1, x.ndim)


def arange_to(stop, *, size=None):
    return np.array(list(range(int(stop))), float)


def boolean_mask(x, mask, *, axis=0, size=None):
    chosen = [p for p in itertools.product(*map(range, mask.shape)) if mask[p]]
    before = (slice(None),) * axis
    parts = [x[(*before, *p)] for p in chosen]
    return np.stack(parts, axis) if parts else np.zeros((*x.shape[:axis], 0, *x.shape[axis + mask.ndim :]))


def repeat_each(x, counts, *, axis=0, size=None):
    parts = [part for part, count in zip(np.moveaxis(x, axis, 0), counts, strict=True) for _ in range(count)]
    return np.moveaxis(np.stack(parts), 0, axis)


def unique(x, *, size=None):
    flat = x.ravel().tolist()
    names = ["nan" if math.isnan(v) else v for v in flat]
    values = sorted({n for n in names if n != "nan"}) + (["nan"] if "nan" in names else [])
    return (
        [math.nan if v == "nan" else v for v in values],
        [names.index(v) for v in values],
        np.reshape([values.index(n) for n in names], x.shape),
        [names.count(v) for v in values],
    )


SECOND = {
    "nonzero": nonzero,
    "arange_to": arange_to,
    "boolean_mask": boolean_mask,
    "repeat_each": repeat_each,
    "unique": unique,
}
