"""Resizing, sampling at a grid and borders, written a second time: the formulas of ONNX's Resize and of PyTorch."""

from __future__ import annotations

import itertools
import math

import numpy as np
from second_shape import moved_elements

PLACES = {  # of place o of m among n elements, in the words of ONNX's Resize
    "half_pixel": lambda o, n, m, scale: (o + 0.5) / scale - 0.5,
    "asymmetric": lambda o, n, m, scale: o / scale,
    "align_corners": lambda o, n, m, scale: o * (n - 1) / (m - 1) if m > 1 else 0.0,
}
ROUND = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda v: math.ceil(v - 0.5),
    "round_prefer_ceil": lambda v: math.floor(v + 0.5),
}


def keys(d, a):
    """Keys' cubic convolution (1981), with its coefficient."""
    d = abs(d)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def blend(row, place, kernel, reach, inside_only):
    """The mean of what lies within `reach`, by a kernel of the distance; beyond the edge lies what is at the edge."""
    near = range(math.floor(place - reach), math.ceil(place + reach) + 1)
    parts = [(kernel(place - i), row[min(max(i, 0), len(row) - 1)], 0 <= i < len(row)) for i in near]
    parts = [(w, v) for w, v, is_inside in parts if is_inside or not inside_only]
    return math.fsum(w * v for w, v in parts) / math.fsum(w for w, _ in parts)


def resize(
    x, *, axes, sizes, method="linear", coordinates="half_pixel", scales=(), rounding="round_prefer_ceil",
    cubic_coefficient=-0.75, exclude_outside=False, antialias=False,
):  # fmt: skip
    for k, (axis, m) in enumerate(zip(axes, sizes, strict=True)):
        n = x.shape[axis]
        scale = scales[k] if scales else m / n
        places = [PLACES[coordinates](o, n, m, scale) for o in range(m)]
        wide = max(1.0, 1.0 / scale) if antialias else 1.0

        def sampled(row, places=places, wide=wide):
            if method == "nearest":
                return [row[min(max(ROUND[rounding](p), 0), len(row) - 1)] for p in places]
            if method == "linear" and wide == 1.0:
                return np.interp(places, range(len(row)), row)
            kernel, reach = {
                "linear": (lambda d: max(1.0 - abs(d) / wide, 0.0), wide),
                "cubic": (lambda d: keys(d / wide, cubic_coefficient), 2.0 * wide),
            }[method]
            return [blend(row, p, kernel, reach, exclude_outside or wide > 1.0) for p in places]

        x = np.apply_along_axis(sampled, axis, x)
    return x


def unnormalized(v, n, align_corners):
    return (v + 1) / 2 * (n - 1) if align_corners else ((v + 1) * n - 1) / 2


def inside(v, n, padding, align_corners):
    """A place outside moved inside: mirrored as often as it takes, or to the border."""
    if padding == "zeros":
        return v
    if padding == "reflection":
        low, high = (0, n - 1) if align_corners else (-0.5, n - 0.5)
        while not low <= v <= high:
            v = 2 * low - v if v < low else 2 * high - v
    return min(max(v, 0), n - 1)


def taps_along(v, n, mode, padding, align_corners):
    if mode == "bicubic":
        return [
            (inside(i, n, padding, align_corners), keys(v - i, -0.75))
            for i in range(math.floor(v) - 1, math.floor(v) + 3)
        ]
    v = inside(v, n, padding, align_corners)
    if mode == "nearest":
        return [(round(v), 1.0)]
    return [(i, 1.0 - abs(v - i)) for i in (math.floor(v), math.floor(v) + 1)]


def grid_sample(x, grid, *, mode="bilinear", padding="zeros", align_corners=False):
    sizes = x.shape[2:]
    result = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for n, *out in np.ndindex(*grid.shape[:-1]):
        along = [
            taps_along(unnormalized(v, size, align_corners), size, mode, padding, align_corners)
            for v, size in zip(grid[(n, *out)][::-1], sizes, strict=True)
        ]
        for corner in itertools.product(*along):
            place = tuple(int(p) for p, _ in corner)
            if all(0 <= p < size for p, size in zip(place, sizes, strict=True)):
                result[(n, slice(None), *out)] += math.prod(w for _, w in corner) * x[(n, slice(None), *place)]
    return result


def affine_grid(theta, *, sizes, align_corners=False):
    def line(i, n):
        return -1 + 2 * i / (n - 1) if align_corners else -1 + (2 * i + 1) / n

    result = np.zeros((len(theta), *sizes, len(sizes)))
    for k, *out in np.ndindex(*result.shape[:-1]):
        result[(k, *out)] = theta[k] @ [*(line(i, n) for i, n in zip(out[::-1], sizes[::-1], strict=True)), 1.0]
    return result


def crop_and_resize(x, boxes, indices, *, sizes, method="bilinear", outside=0.0):
    """TensorFlow's: the ends of a box are middles of elements."""
    result = np.zeros((len(boxes), *sizes, x.shape[-1]))
    for k, *out in np.ndindex(*result.shape[:-1]):
        corners = zip(boxes[k][:2], boxes[k][2:], out, sizes, x.shape[1:3], strict=True)
        place = [(a + (b - a) * (i / (m - 1) if m > 1 else 0.5)) * (n - 1) for a, b, i, m, n in corners]
        if any(p < 0 or p > n - 1 for p, n in zip(place, x.shape[1:3], strict=True)):
            result[(k, *out)] = outside
            continue
        for row, column in itertools.product(*(near(p, method) for p in place)):
            result[(k, *out)] += row[1] * column[1] * x[indices[k], row[0], column[0]]
    return result


def near(place, method):
    if method == "nearest":
        return [(math.floor(place + 0.5), 1.0)]
    first = math.floor(place)
    return [(i, 1.0 - abs(place - i)) for i in {first, math.ceil(place)}]


def place_inside(i, n, mode):
    """Where in a row of n the element lies that stands at place i outside of it."""
    if mode == "wrap":
        return i % n
    if mode == "edge":
        return sorted((0, i, n - 1))[1]
    border = int(mode == "symmetric")  # whether it is met twice
    while not 0 <= i < n:
        i = -i - border if i < 0 else 2 * (n - 1) - i + border
    return i


def pad_border(x, *, low, high, mode="reflect"):
    shape = tuple(n + a + b for n, a, b in zip(x.shape, low, high, strict=True))
    return moved_elements(
        x, shape, lambda p: tuple(place_inside(i - a, n, mode) for i, a, n in zip(p, low, x.shape, strict=True))
    )


SECOND = {
    "resize": resize,
    "grid_sample": grid_sample,
    "affine_grid": affine_grid,
    "crop_and_resize": crop_and_resize,
    "pad_border": pad_border,
}
