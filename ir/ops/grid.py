"""Sampling images where a grid or a box says, and grids that affine maps give.

Grids go with channels first, as PyTorch and ONNX have them, boxes with channels last, as TensorFlow has them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..dims import Size, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType, dtype_of
from .arithmetic import absolute, ceil, check_kind, check_same_dtype, floor, maximum, minimum, round_
from .comparison import equal, greater_equal, less_equal, logical_and, where
from .contraction import swap_last
from .gather import take_along_axis
from .indexing import take
from .shape import broadcast_to, cast, expand_dims, reshape, slice_axis

MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
_A = -0.75  # the cubic's coefficient in PyTorch and ONNX


def _grid_sample_type(
    x: TensorType, grid: TensorType, *, mode: str = "bilinear", padding: str = "zeros", align_corners: bool = False
) -> TensorType:
    """The image [N, C, H, W] at the places of the grid [N, h, w, 2], each (x, y) from -1 to 1 over the image.

    With `align_corners` -1 and 1 are the middles of the first and the last element, else their outer borders. A volume
    [N, C, D, H, W] goes with a grid [N, d, h, w, 3] of (x, y, z).
    """
    check_kind("grid_sample", ("float",), x, grid)
    check_same_dtype("grid_sample", x, grid)
    if x.rank not in (4, 5) or grid.rank != x.rank or mode not in MODES or padding not in PADDINGS:
        raise TypeMismatchError(
            f"grid_sample takes an image [N, C, H, W] and a grid [N, h, w, 2], or [N, C, D, H, W] and [N, d, h, w, 3], "
            f"a mode of {', '.join(MODES)}, a padding of {', '.join(PADDINGS)}; not {x}, {grid}, {mode!r}, {padding!r}"
        )
    if mode == "bicubic" and x.rank != 4:
        raise TypeMismatchError(f"grid_sample: bicubic is for images [N, C, H, W], not for {x}")
    for n in x.shape[2:] if align_corners and padding == "reflection" else ():
        require(">=", n, 2)
    require("==", x.shape[0], grid.shape[0])
    require("==", grid.shape[-1], x.rank - 2)
    return x.with_shape((*x.shape[:2], *grid.shape[1:-1]))


def _grid_sample_parts(x: Value, grid: Value, *, mode: str, padding: str, align_corners: bool) -> Value:
    sizes, last = x.shape[2:], grid.rank - 1
    taps = []
    for i, n in enumerate(sizes):
        k = len(sizes) - 1 - i  # the grid's numbers run from the last axis to the first
        g = reshape(slice_axis(grid, last, k, k + 1), shape=grid.shape[:last])
        place = (g + 1.0) * 0.5 * (n - 1) if align_corners else ((g + 1.0) * n - 1.0) * 0.5
        taps.append(_taps(place, n, mode, padding, align_corners))
    flat = reshape(x, shape=(*x.shape[:2], product(sizes)))
    total: Any = None
    for corner in itertools.product(*taps):
        part = _element(flat, [place for place, _ in corner], sizes, padding)
        for _, weight in corner:
            part = part if weight is None else part * expand_dims(weight, 1)
        total = part if total is None else total + part
    return total  # type: ignore[no-any-return]


def _taps(place: Value, n: Size, mode: str, padding: str, align_corners: bool) -> list[tuple[Value, Any]]:
    """The elements along an axis that a place is made of, as whole floats, and their weights."""
    if mode == "bicubic":
        first = floor(place)
        t = place - first
        weights = (_far(t + 1.0), _near(t), _near(1.0 - t), _far(2.0 - t))
        return [(_inside(first + float(i - 1), n, padding, align_corners), w) for i, w in enumerate(weights)]
    place = _inside(place, n, padding, align_corners)
    if mode == "nearest":
        return [(round_(place), None)]
    first = floor(place)
    t = place - first
    return [(first, 1.0 - t), (first + 1.0, t)]


def _near(d: Value) -> Value:
    return ((_A + 2.0) * d - (_A + 3.0)) * d * d + 1.0


def _far(d: Value) -> Value:
    return ((_A * d - 5.0 * _A) * d + 8.0 * _A) * d - 4.0 * _A


def _inside(place: Value, n: Size, padding: str, align_corners: bool) -> Value:
    """A place outside of the axis as the padding has it; of `zeros` as it is."""
    if padding == "zeros":
        return place
    if padding == "reflection":
        low, length = (0.0, n - 1) if align_corners else (-0.5, n)
        off = absolute(place - low)
        turns = floor(off / length)
        rest = off - turns * length
        is_even = equal(turns - 2.0 * floor(turns * 0.5), 0.0)
        place = where(is_even, rest + low, (low - rest) + length)
    return minimum(maximum(place, 0.0), n - 1)  # type: ignore[no-any-return]


def _element(flat: Value, places: Sequence[Value], sizes: Sequence[Size], padding: str) -> Value:
    """The elements [N, C, h, w] at whole places; those outside are zero."""
    found = take_along_axis(flat, _broadcast_index(flat, _flat_index(places, sizes)), axis=2)
    found = reshape(found, shape=(*flat.shape[:2], *places[0].shape[1:]))
    if padding != "zeros":
        return found  # type: ignore[no-any-return]
    return where(expand_dims(_is_inside(places, sizes), 1), found, 0.0)  # type: ignore[no-any-return]


def _flat_index(places: Sequence[Value], sizes: Sequence[Size]) -> Value:
    """The number of the element, row by row, at whole places as floats; the nearest of those outside."""
    index: Any = None
    for place, n in zip(places, sizes, strict=True):
        at = cast(minimum(maximum(place, 0.0), n - 1), dtype=_INT32)
        index = at if index is None else index * n + at
    return index  # type: ignore[no-any-return]


def _broadcast_index(flat: Value, index: Value) -> Value:
    count = product(index.shape[1:])
    return broadcast_to(  # type: ignore[no-any-return]
        reshape(index, shape=(index.shape[0], 1, count)), shape=(*flat.shape[:2], count)
    )


def _is_inside(places: Sequence[Value], sizes: Sequence[Size]) -> Value:
    known = [logical_and(greater_equal(v, 0.0), less_equal(v, n - 1)) for v, n in zip(places, sizes, strict=True)]
    return reduce(logical_and, known)  # type: ignore[no-any-return]


def _affine_grid_type(theta: TensorType, *, sizes: tuple[int, ...], align_corners: bool = False) -> TensorType:
    """The places (x, y) of an image of `sizes` (height, width) under the affine maps theta [N, 2, 3].

    With three sizes (depth first) those (x, y, z) of a volume, under maps [N, 3, 4].
    """
    check_kind("affine_grid", ("float",), theta)
    k = len(sizes)
    if theta.rank != 3 or k not in (2, 3) or theta.shape[1:] != (k, k + 1):
        raise TypeMismatchError(
            f"affine_grid takes maps [N, 2, 3] and two sizes, or [N, 3, 4] and three, not {theta} and {sizes}"
        )
    return theta.with_shape((theta.shape[0], *sizes, k))


def _affine_grid_parts(theta: Value, *, sizes: tuple[int, ...], align_corners: bool) -> Value:
    lines = np.meshgrid(*(_line(n, align_corners) for n in sizes), indexing="ij")
    base = np.stack([line.ravel() for line in (*lines[::-1], np.ones(sizes))], 1)
    places = theta.graph.constant(base, theta.dtype) @ swap_last(theta)
    return reshape(places, shape=(theta.shape[0], *sizes, len(sizes)))  # type: ignore[no-any-return]


def _line(n: int, align_corners: bool) -> np.ndarray:
    line = np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(1)
    return line if align_corners else line * (n - 1) / n


# Boxes of images


def _crop_type(
    x: TensorType, boxes: TensorType, indices: TensorType, *, sizes: tuple[int, int], method: str = "bilinear",
    outside: float = 0.0,
) -> TensorType:  # fmt: skip
    """Boxes [K, 4] of images [N, H, W, C], each of the image that `indices` [K] says, sampled anew to `sizes`.

    A box is (y1, x1, y2, x2): 0 and 1 are the middles of the image's first and last elements; what lies beyond is
    `outside`. TensorFlow's `crop_and_resize`.
    """
    check_kind("crop_and_resize", ("float",), x, boxes)
    check_same_dtype("crop_and_resize", x, boxes)
    if x.rank != 4 or boxes.rank != 2 or indices.rank != 1 or not indices.dtype.is_integer:
        raise TypeMismatchError(
            f"crop_and_resize takes images [N, H, W, C], boxes [K, 4] and integers [K], not {x}, {boxes} and {indices}"
        )
    if method not in ("bilinear", "nearest") or len(sizes) != 2 or min(sizes) < 1:
        raise TypeMismatchError(
            f"crop_and_resize takes a height and a width and the method bilinear or nearest, not {sizes} and {method!r}"
        )
    require("==", boxes.shape[1], 4)
    require("==", boxes.shape[0], indices.shape[0])
    return x.with_shape((boxes.shape[0], *sizes, x.shape[3]))


def _crop_parts(
    x: Value, boxes: Value, indices: Value, *, sizes: tuple[int, int], method: str, outside: float
) -> Value:
    (n, height, width, channels), k = x.shape, boxes.shape[0]
    places = [
        broadcast_to(expand_dims(_box_line(boxes, i, size, m), 2 - i), shape=(k, *sizes))
        for i, (size, m) in enumerate(zip((height, width), sizes, strict=True))
    ]
    flat = reshape(x, shape=(n * height * width, channels))
    first = reshape(cast(indices, dtype=_INT32) * (height * width), shape=(k, 1, 1))
    total: Any = None
    for corner in itertools.product(*(_box_taps(p, method) for p in places)):
        index = first + _flat_index([place for place, _ in corner], (height, width))
        part = take(flat, index, axis=0)
        for _, weight in corner:
            part = part if weight is None else part * expand_dims(weight, -1)
        total = part if total is None else total + part
    known = expand_dims(_is_inside(places, (height, width)), -1)
    return where(known, total, outside)  # type: ignore[no-any-return]


def _box_line(boxes: Value, axis: int, n: Size, m: int) -> Value:
    """The places [K, m] along an axis of n elements, first to last of each box, or its middle."""
    low, high = slice_axis(boxes, 1, axis, axis + 1), slice_axis(boxes, 1, axis + 2, axis + 3)
    if m == 1:
        return (low + high) * 0.5 * (n - 1)
    step = (high - low) * (n - 1) / (m - 1)
    return low * (n - 1) + step * boxes.graph.constant(np.arange(m), boxes.dtype)


def _box_taps(place: Value, method: str) -> list[tuple[Value, Any]]:
    if method == "nearest":
        return [(floor(place + 0.5), None)]
    first = floor(place)
    t = place - first
    return [(first, 1.0 - t), (ceil(place), t)]


_INT32 = dtype_of("int32")
_BOXES = np.array(  # whose places are no whole numbers, nor halves
    [[0.1137, 0.0713, 0.8331, 0.8719], [0.7137, 0.2319, 0.1709, 0.6233], [-0.2213, 0.2737, 1.3117, 0.7439]], np.float32
)
_BOUND = Bound("parts", floor=1e-5)
grid_sample = Op(
    "grid_sample", _grid_sample_type, None, None, _grid_sample_parts, bound=_BOUND,
    samples=(*(
        sample((3, 4, 5, 6), (3, 7, 8, 2), between=(-1.4, 1.4), mode=mode, padding=padding, align_corners=aligned)
        for mode, padding, aligned in (
            ("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False),
            ("nearest", "zeros", True), ("bicubic", "zeros", False), ("bicubic", "reflection", True),
        )
    ), sample((2, 3, 4, 5, 6), (2, 1, 7, 8, 3), between=(-1.2, 1.2), mode="bilinear", padding="zeros")),
)  # fmt: skip
affine_grid = Op(
    "affine_grid", _affine_grid_type, None, None, _affine_grid_parts, bound=_BOUND, smooth=True,
    samples=(sample((4, 2, 3), sizes=(5, 7)), sample((4, 2, 3), sizes=(6, 3), align_corners=True),
             sample((2, 3, 4), sizes=(5, 1, 6))),
)  # fmt: skip

crop_and_resize = Op(
    "crop_and_resize", _crop_type, None, None, _crop_parts, bound=_BOUND,
    samples=(sample((2, 5, 6, 4), _BOXES, np.array([1, 0, 1], np.int32), sizes=(7, 8)),
             sample((2, 5, 6, 4), _BOXES, np.array([1, 0, 0], np.int64), sizes=(7, 1), outside=0.5),
             sample((2, 5, 6, 4), _BOXES, np.array([1, 0, 1], np.int32), sizes=(8, 7), method="nearest")),
)  # fmt: skip

OPS = (grid_sample, affine_grid, crop_and_resize)
