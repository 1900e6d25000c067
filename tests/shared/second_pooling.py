"""Poolings, written a second time window by window."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
from second_convolution import arranged, taps


def windows(x, *, window, strides, padding, dilations=None, layout="NHWC", **_):
    """x with its spatial axes last, and for each window position what is inside, as places in x, row-major."""
    letters = "".join(c for c in layout if c not in "NC")
    dilations = dilations or (1,) * len(window)
    found = {}
    moved = arranged(x, layout, "NC" + letters)
    for out, _, place in taps(moved.shape[2:], window, strides, padding, dilations):
        found.setdefault(out, []).append(place)
    counts = [
        (m + a + b - (k - 1) * d - 1) // s + 1
        for m, k, s, (a, b), d in zip(moved.shape[2:], window, strides, padding, dilations, strict=True)
    ]
    return moved, found, counts, ("NC" + letters, layout)


def largest(moved, places, n, c):
    return max(places, key=lambda p: moved[(n, c, *p)])


def max_pool(x, **a):
    return max_pool_select(x, x, **a)


def max_pool_select(t, x, **a):
    moved, found, counts, names = windows(x, **a)
    chosen = arranged(t, names[1], names[0])
    result = np.zeros((*moved.shape[:2], *counts))
    for out, places in found.items():
        for n, c in np.ndindex(*moved.shape[:2]):
            result[(n, c, *out)] = chosen[(n, c, *largest(moved, places, n, c))]
    return arranged(result, *names)


def max_pool_gradient(g, x, **a):
    moved, found, _, names = windows(x, **a)
    g = arranged(g, names[1], names[0])
    result = np.zeros(moved.shape)
    for out, places in found.items():
        for n, c in np.ndindex(*moved.shape[:2]):
            result[(n, c, *largest(moved, places, n, c))] += g[(n, c, *out)]
    return arranged(result, *names)


def average_pool(x, *, count_padding=False, **a):
    moved, found, counts, names = windows(x, **a)
    result = np.zeros((*moved.shape[:2], *counts))
    for out, places in found.items():
        share = math.prod(a["window"]) if count_padding else len(places)
        result[(slice(None), slice(None), *out)] = sum(moved[(slice(None), slice(None), *p)] for p in places) / share
    return arranged(result, *names)


def average_pool_gradient(g, *, sizes, count_padding=False, **a):
    layout = a.get("layout", "NHWC")
    known = dict(zip("".join(c for c in layout if c not in "NC"), sizes, strict=True))
    x = np.zeros([known.get(c, g.shape[i]) for i, c in enumerate(layout)])
    moved, found, _, names = windows(x, **a)
    g, every = arranged(g, names[1], names[0]), slice(None)
    for out, places in found.items():
        share = math.prod(a["window"]) if count_padding else len(places)
        for p in places:
            moved[(every, every, *p)] += g[(every, every, *out)] / share
    return arranged(moved, *names)


def chosen(x, layout, counts, window_of):
    """The first largest element of each window, and its place in its plane, counted row-major.

    `window_of(n, c, out)` gives the places in the window.
    """
    letters = "".join(c for c in layout if c not in "NC")
    moved = arranged(x, layout, "NC" + letters)
    values, places = (np.zeros((*moved.shape[:2], *counts)) for _ in range(2))
    for n, c, *out in np.ndindex(*values.shape):
        best = largest(moved, window_of(n, c, tuple(out)), n, c)
        values[(n, c, *out)] = moved[(n, c, *best)]
        places[(n, c, *out)] = np.ravel_multi_index(best, moved.shape[2:])
    return arranged(values, "NC" + letters, layout), arranged(places, "NC" + letters, layout)


def max_pool_with_indices(x, *, layout="NHWC", dtype=None, **a):
    _, found, counts, _ = windows(x, layout=layout, **a)
    return chosen(x, layout, counts, lambda n, c, out: found[out])


def max_unpool(x, indices, *, sizes, layout="NHWC"):
    letters = "".join(c for c in layout if c not in "NC")
    x, indices = (arranged(v, layout, "NC" + letters) for v in (x, indices))
    result = np.zeros((*x.shape[:2], *sizes))
    for place in np.ndindex(*x.shape):
        result[(*place[:2], *np.unravel_index(indices[place], sizes))] = x[place]
    return arranged(result, "NC" + letters, layout)


def bins(x, sizes, layout):
    """The places of each window of an adaptive pooling: of bin i of m those from i n / m, to (i + 1) n / m."""
    spans = []
    for letter, m in zip((c for c in layout if c not in "NC"), sizes, strict=True):
        n = x.shape[layout.index(letter)]
        spans.append([[p for p in range(n) if p + 1 > i * n / m and p < (i + 1) * n / m] for i in range(m)])
    return lambda n, c, out: list(itertools.product(*(span[i] for span, i in zip(spans, out, strict=True))))


def adaptive_average_pool(x, *, sizes, layout="NHWC"):
    letters = "".join(c for c in layout if c not in "NC")
    moved, places = arranged(x, layout, "NC" + letters), bins(x, sizes, layout)
    result = np.zeros((*moved.shape[:2], *sizes))
    for n, c, *out in np.ndindex(*result.shape):
        result[(n, c, *out)] = statistics.fmean(moved[(n, c, *p)] for p in places(n, c, tuple(out)))
    return arranged(result, "NC" + letters, layout)


def fractional_max_pool(x, samples, *, window, sizes, layout="NHWC", dtype=None):
    """Graham's pseudorandom sequences: window i begins at floor(a (i + u)) - floor(a u), the last at the end."""
    letters = "".join(c for c in layout if c not in "NC")

    def start(n, c, axis, i):
        free, m = x.shape[layout.index(letters[axis])] - window[axis], sizes[axis]
        u, a = samples[n, c, 1 - axis], free / max(m - 1, 1)
        return free if i == m - 1 else math.floor(a * (i + u)) - math.floor(a * u)

    def places(n, c, out):
        starts = [start(n, c, axis, i) for axis, i in enumerate(out)]
        return list(itertools.product(*(range(s, s + k) for s, k in zip(starts, window, strict=True))))

    return chosen(x, layout, sizes, places)


def sum_pool(x, **a):
    moved, found, counts, names = windows(x, **a)
    result = np.zeros((*moved.shape[:2], *counts))
    for n, c, *out in np.ndindex(*result.shape):
        result[(n, c, *out)] = math.fsum(moved[(n, c, *p)] for p in found[tuple(out)])
    return arranged(result, *names)


def dilation(x, w, *, strides, padding, dilations):
    """The largest sum of an element and its weight, of what is inside."""
    kernel, best = w.shape[:-1], {}
    for out, tap, place in taps(x.shape[1:-1], kernel, strides, padding, dilations):
        for n, c in np.ndindex(len(x), x.shape[-1]):
            best.setdefault((n, *out, c), []).append(x[(n, *place, c)] + w[(*tap, c)])
    result = np.zeros([1 + max(axis) for axis in zip(*best, strict=True)])
    for place, sums in best.items():
        result[place] = max(sums)
    return result


SECOND = {
    "max_pool": max_pool,
    "max_pool_gradient": max_pool_gradient,
    "max_pool_select": max_pool_select,
    "average_pool": average_pool,
    "average_pool_gradient": average_pool_gradient,
    "max_pool_with_indices": max_pool_with_indices,
    "dilated_max_pool": lambda x, **a: max_pool_with_indices(x, **a)[0],
    "max_unpool": max_unpool,
    "adaptive_average_pool": adaptive_average_pool,
    "adaptive_max_pool": lambda x, *, sizes, layout="NHWC", dtype=None: chosen(
        x, layout, sizes, bins(x, sizes, layout)
    ),
    "fractional_max_pool": fractional_max_pool,
    "sum_pool": sum_pool,
    "dilation": dilation,
    "lp_pool": lambda x, *, power=2.0, **a: sum_pool(np.abs(x) ** power, **a) ** (1.0 / power),
}
