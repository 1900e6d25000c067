"""Moving elements, written a second time: for each place of the result, where in the operand it comes from."""

from __future__ import annotations

import numpy as np


def moved_elements(x, shape, source):
    """An array of a shape whose element at each place comes from `source(place)` in x."""
    result = np.zeros(shape, x.dtype)
    for place in np.ndindex(*shape):
        result[place] = x[source(place)]
    return result


def transpose(x, *, axes):
    axes = [a % x.ndim for a in axes]
    shape = tuple(x.shape[a] for a in axes)
    return moved_elements(x, shape, lambda place: tuple(place[axes.index(i)] for i in range(x.ndim)))


def broadcast_to(x, *, shape):
    def source(place):
        return tuple(i if n > 1 else 0 for i, n in zip(place[len(shape) - x.ndim :], x.shape, strict=True))

    return moved_elements(x, shape, source)


def sliced(x, *, starts, stops, steps):
    shape = tuple(len(range(a, b, c)) for a, b, c in zip(starts, stops, steps, strict=True))
    return moved_elements(x, shape, lambda p: tuple(a + i * c for a, i, c in zip(starts, p, steps, strict=True)))


def padded(x, value, *, low, high, interior):
    shape = [n + a + b + max(n - 1, 0) * i for n, a, b, i in zip(x.shape, low, high, interior, strict=True)]
    result = np.full(shape, value)
    for place in np.ndindex(*x.shape):
        result[tuple(a + p * (i + 1) for a, p, i in zip(low, place, interior, strict=True))] = x[place]
    return result


def reversed_along(x, *, axes):
    axes = {a % x.ndim for a in axes}
    return moved_elements(
        x,
        x.shape,
        lambda p: tuple(n - 1 - i if a in axes else i for a, (i, n) in enumerate(zip(p, x.shape, strict=True))),
    )


SECOND = {
    "arange": lambda *, size, dtype: np.array(list(range(size))),
    "reshape": lambda x, *, shape: np.array(list(x.flat)).reshape(shape),
    "transpose": transpose,
    "broadcast_to": broadcast_to,
    "concatenate": lambda *xs, axis=0: np.array(
        [v for moved in (np.moveaxis(x, axis, 0) for x in xs) for v in moved]
    ).swapaxes(0, axis),
    "slice": sliced,
    "pad": padded,
    "reverse": reversed_along,
}
