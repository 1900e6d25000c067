"""Arranging elements, written a second time: for each place of the result, where in the operand it comes from."""

from __future__ import annotations

import collections

import numpy as np
from second_shape import moved_elements


def roll(x, *, shifts, axes):
    def turned(row, shift):
        elements = collections.deque(row)
        elements.rotate(shift)
        return list(elements)

    for shift, axis in zip(shifts, axes, strict=True):
        x = np.apply_along_axis(turned, axis, x, shift)
    return x


def triangle(is_inside):
    def of(x, *, k=0):
        result = np.zeros(x.shape)
        for place in np.ndindex(*x.shape):
            if is_inside(place[-1] - place[-2], k):
                result[place] = x[place]
        return result

    return of


def on_diagonal(offset, rows, columns):
    return [(i, i + offset) for i in range(rows) if 0 <= i + offset < columns]


def diagonal(x, *, offset=0, axis1=-2, axis2=-1):
    x = np.moveaxis(x, (axis1, axis2), (-2, -1))
    return np.stack([x[..., i, j] for i, j in on_diagonal(offset, *x.shape[-2:])], -1)


def set_diagonal(x, values, *, offset=0):
    result = x.copy()
    for k, (i, j) in enumerate(on_diagonal(offset, *x.shape[-2:])):
        result[..., i, j] = values[..., k]
    return result


def matrix_diag(x, *, offset=0):
    size = x.shape[-1] + abs(offset)
    return set_diagonal(np.zeros((*x.shape[:-1], size, size)), x, offset=offset)


def repeat(x, *, repeats, axis):
    counts = repeats if isinstance(repeats, tuple) else (repeats,) * x.shape[axis]
    return np.apply_along_axis(lambda row: [v for v, n in zip(row, counts, strict=True) for _ in range(n)], axis, x)


def tile(x, *, counts):
    shape = tuple(n * c for n, c in zip(x.shape, counts, strict=True))
    return moved_elements(x, shape, lambda place: tuple(i % n for i, n in zip(place, x.shape, strict=True)))


def stack(*xs, axis=0):
    axis %= xs[0].ndim + 1
    result = np.zeros((*xs[0].shape[:axis], len(xs), *xs[0].shape[axis:]))
    for place in np.ndindex(*result.shape):
        result[place] = xs[place[axis]][(*place[:axis], *place[axis + 1 :])]
    return result


def split(x, *, sizes, axis=0):
    rows = iter(np.moveaxis(x, axis, 0))
    return tuple(np.moveaxis(np.array([next(rows) for _ in range(n)]), 0, axis) for n in sizes)


def sliding_windows(x, *, axis, size, step=1):
    starts = range(0, x.shape[axis] - size + 1, step)
    parts = [np.moveaxis(x, axis, -1)[..., s : s + size] for s in starts]
    return np.stack(parts, axis % x.ndim)


def eye(*, rows, columns, k=0, dtype=None):
    return [[int(j - i == k) for j in range(columns)] for i in range(rows)]


SECOND = {
    "roll": roll,
    "tril": triangle(lambda above, k: above <= k),
    "triu": triangle(lambda above, k: above >= k),
    "eye": eye,
    "diagonal": diagonal,
    "set_diagonal": set_diagonal,
    "matrix_diag": matrix_diag,
    "repeat": repeat,
    "tile": tile,
    "stack": stack,
    "split": split,
    "sliding_windows": sliding_windows,
    "barrier": lambda *xs: xs,
    "linspace": lambda start, stop, *, count: [
        (start * (count - 1 - i) + stop * i) / (count - 1) for i in range(count)
    ],
}
