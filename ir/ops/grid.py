"""Sampling images where a grid says, and grids that affine maps give; channels first, as PyTorch and ONNX have them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..dims import Dim, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType, dtype_of
from .arithmetic import absolute, check_kind, check_same_dtype, floor, maximum, minimum, round_
from .comparison import equal, greater_equal, less_equal, logical_and, where
from .contraction import swap_last
from .gather import take_along_axis
from .shape import broadcast_to, cast, expand_dims, reshape, slice_axis

MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
_A = -0.75  # the cubic's coefficient in PyTorch and ONNX


def _grid_sample_type(
    x: TensorType, grid: TensorType, *, mode: str = "bilinear", padding: str = "zeros", align_corners: bool = False
) -> TensorType:
    """The image [N, C, H, W] at the places of the grid [N, .., .., 2], each (x, y) from -1 to 1 over the image.

    With `align_corners` -1 and 1 are the middles of the first and the last element, else their outer borders.
    """
    check_kind("grid_sample", ("float",), x, grid)
    check_same_dtype("grid_sample", x, grid)
    if x.rank != 4 or grid.rank != 4 or mode not in MODES or padding not in PADDINGS:
        raise TypeMismatchError(
            f"grid_sample takes an image [N, C, H, W], a grid [N, h, w, 2], a mode of {', '.join(MODES)} and a padding "
            f"of {', '.join(PADDINGS)}, not {x}, {grid}, {mode!r} and {padding!r}"
        )
    if any(isinstance(n, Dim) for n in x.shape[2:]):
        raise TypeMismatchError(f"grid_sample needs to know the size of the image {x}; isograd.specialize fixes it")
    require("==", x.shape[0], grid.shape[0])
    require("==", grid.shape[3], 2)
    return x.with_shape((*x.shape[:2], *grid.shape[1:3]))


def _grid_sample_parts(x: Value, grid: Value, *, mode: str, padding: str, align_corners: bool) -> Value:
    sizes = (int(x.shape[3]), int(x.shape[2]))
    taps = []
    for i, n in enumerate(sizes):
        g = reshape(slice_axis(grid, 3, i, i + 1), shape=grid.shape[:3])
        place = (g + 1.0) * (0.5 * (n - 1)) if align_corners else ((g + 1.0) * float(n) - 1.0) * 0.5
        taps.append(_taps(place, n, mode, padding, align_corners))
    flat = reshape(x, shape=(*x.shape[:2], sizes[0] * sizes[1]))
    total: Any = None
    for (column, across), (row, down) in itertools.product(*taps):
        part = _element(flat, column, row, sizes, padding)
        weight = across * down if across is not None else None
        part = part if weight is None else part * expand_dims(weight, 1)
        total = part if total is None else total + part
    return total  # type: ignore[no-any-return]


def _taps(place: Value, n: int, mode: str, padding: str, align_corners: bool) -> list[tuple[Value, Any]]:
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


def _inside(place: Value, n: int, padding: str, align_corners: bool) -> Value:
    """A place outside of the axis as the padding has it; of `zeros` as it is."""
    if padding == "zeros":
        return place
    if padding == "reflection":
        low, length = (0.0, float(n - 1)) if align_corners else (-0.5, float(n))
        if length == 0.0:
            return place * 0.0
        off = absolute(place - low)
        turns = floor(off / length)
        rest = off - turns * length
        is_even = equal(turns - 2.0 * floor(turns * 0.5), 0.0)
        place = where(is_even, rest + low, (length + low) - rest)
    return minimum(maximum(place, 0.0), float(n - 1))  # type: ignore[no-any-return]


def _element(flat: Value, column: Value, row: Value, sizes: tuple[Any, Any], padding: str) -> Value:
    """The elements [N, C, h, w] at whole places; those outside are zero."""
    width, height = sizes
    at = [minimum(maximum(v, 0.0), float(n - 1)) for v, n in ((column, width), (row, height))]
    index = cast(at[1], dtype=_INT32) * width + cast(at[0], dtype=_INT32)
    shape = (*flat.shape[:2], index.shape[1] * index.shape[2])
    places = reshape(index, shape=(index.shape[0], 1, shape[2]))
    found = reshape(
        take_along_axis(flat, broadcast_to(places, shape=shape), axis=2), shape=(*shape[:2], *index.shape[1:])
    )
    if padding != "zeros":
        return found  # type: ignore[no-any-return]
    known = [
        logical_and(greater_equal(v, 0.0), less_equal(v, float(n - 1))) for v, n in ((column, width), (row, height))
    ]
    return where(expand_dims(logical_and(*known), 1), found, 0.0)  # type: ignore[no-any-return]


def _affine_grid_type(theta: TensorType, *, sizes: tuple[int, int], align_corners: bool = False) -> TensorType:
    """The places (x, y) of an image of `sizes` (height, width) under the affine maps theta [N, 2, 3]."""
    check_kind("affine_grid", ("float",), theta)
    if theta.rank != 3 or theta.shape[1:] != (2, 3) or len(sizes) != 2:
        raise TypeMismatchError(f"affine_grid takes maps [N, 2, 3] and a height and width, not {theta} and {sizes}")
    return theta.with_shape((theta.shape[0], *sizes, 2))


def _affine_grid_parts(theta: Value, *, sizes: tuple[int, int], align_corners: bool) -> Value:
    y, x = (_line(n, align_corners) for n in sizes)
    base = np.stack([np.tile(x, sizes[0]), np.repeat(y, sizes[1]), np.ones(sizes[0] * sizes[1])], 1)
    places = theta.graph.constant(base, theta.dtype) @ swap_last(theta)
    return reshape(places, shape=(theta.shape[0], *sizes, 2))  # type: ignore[no-any-return]


def _line(n: int, align_corners: bool) -> np.ndarray:
    line = np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(1)
    return line if align_corners else line * (n - 1) / n


_INT32 = dtype_of("int32")
_BOUND = Bound("parts", floor=1e-5)
grid_sample = Op(
    "grid_sample", _grid_sample_type, None, None, _grid_sample_parts, bound=_BOUND,
    samples=tuple(
        sample((3, 4, 5, 6), (3, 7, 8, 2), between=(-1.4, 1.4), mode=mode, padding=padding, align_corners=aligned)
        for mode, padding, aligned in (
            ("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False),
            ("nearest", "zeros", True), ("bicubic", "zeros", False), ("bicubic", "reflection", True),
        )
    ),
)  # fmt: skip
affine_grid = Op(
    "affine_grid", _affine_grid_type, None, None, _affine_grid_parts, bound=_BOUND, smooth=True,
    samples=(sample((4, 2, 3), sizes=(5, 7)), sample((4, 2, 3), sizes=(6, 3), align_corners=True)),
)  # fmt: skip

OPS = (grid_sample, affine_grid)
