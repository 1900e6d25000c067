"""Pooling over one to three spatial axes, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind
from .convolution import Pairs, spatial, window_size


def _axes(layout: str) -> tuple[int, ...]:
    return tuple(layout.index(c) for c in spatial(layout))


def _pooled(
    x: TensorType, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, layout: str
) -> TensorType:
    check_kind("pooling", ("float",), x)
    axes = _axes(layout)
    if x.rank != len(layout) or not len(window) == len(strides) == len(padding) == len(axes):
        raise TypeMismatchError(
            f"pooling of {x} as {layout} needs a window, a stride and a padding pair for each spatial axis"
        )
    shape = list(x.shape)
    for axis, k, s, p in zip(axes, window, strides, padding, strict=True):
        if any(isinstance(side, int) and side >= k for side in p):
            raise TypeMismatchError(
                f"pooling: the padding {p} is not smaller than the window {k}: some windows would hold padding alone"
            )
        shape[axis] = window_size(shape[axis], k, s, p, 1)
    return x.with_shape(tuple(shape))


def _max_pool_type(
    x: TensorType, *, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, layout: str = "NHWC"
) -> TensorType:
    return _pooled(x, window, strides, padding, layout)


def _max_pool_gradient_type(
    g: TensorType,
    x: TensorType,
    *,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Pairs,
    layout: str = "NHWC",
) -> TensorType:
    _check_same("max_pool_gradient", g, _pooled(x, window, strides, padding, layout))
    return x


def _max_pool_select_type(
    t: TensorType,
    x: TensorType,
    *,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Pairs,
    layout: str = "NHWC",
) -> TensorType:
    _check_same("max_pool_select", t, x)
    return _pooled(x, window, strides, padding, layout)


def _average_pool_type(
    x: TensorType,
    *,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Pairs,
    count_padding: bool = False,
    layout: str = "NHWC",
) -> TensorType:
    return _pooled(x, window, strides, padding, layout)


def _average_pool_gradient_type(
    g: TensorType, *, sizes: tuple[Size, ...], window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs,
    count_padding: bool = False, layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    shape = list(g.shape)
    for axis, size in zip(_axes(layout), sizes, strict=True):
        shape[axis] = size
    x = g.with_shape(tuple(shape))
    _check_same("average_pool_gradient", g, _pooled(x, window, strides, padding, layout))
    return x


def _check_same(op: str, found: TensorType, expected: TensorType) -> None:
    if found.dtype != expected.dtype or found.rank != expected.rank:
        raise TypeMismatchError(f"{op}: the gradient is {found}, but should be {expected}")
    for a, b in zip(found.shape, expected.shape, strict=True):
        require("==", a, b)


def _pool_windows(x: Any, window: Any, strides: Any, padding: Any, layout: str, fill: float) -> Any:
    """All windows of x as a view: x's axes at window positions, then one flat axis over the window, row-major."""
    axes = tuple(i for i, c in enumerate(layout) if c not in "NC")
    pads = [(0, 0)] * x.ndim
    steps = [slice(None)] * x.ndim
    for axis, pair, stride in zip(axes, padding, strides, strict=True):
        pads[axis], steps[axis] = pair, slice(None, None, stride)
    x = np.pad(x, pads, constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, window, axes)[tuple(steps)]
    return view.reshape(*view.shape[: x.ndim], int(np.prod(window)))


def _max_pool(x: Any, *, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    return _pool_windows(x, window, strides, padding, layout, -np.inf).max(-1)


def _first_largest(x: Any, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    """Flat index into x of the first largest element of each window."""
    largest = _pool_windows(x, window, strides, padding, layout, -np.inf).argmax(-1)
    inside = np.unravel_index(largest, window)
    places = list(np.indices(largest.shape))
    axes = [i for i, c in enumerate(layout) if c not in "NC"]
    for axis, offset, stride, (before, _) in zip(axes, inside, strides, padding, strict=True):
        places[axis] = places[axis] * stride + offset - before
    return (
        np.ravel_multi_index([np.clip(p, 0, max(n - 1, 0)) for p, n in zip(places, x.shape, strict=True)], x.shape)
        if x.size
        else largest
    )


def _max_pool_gradient(g: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    """The gradient goes to the first largest element of each window."""
    places = _first_largest(x, window, strides, padding, layout)
    flat = np.zeros(x.size, g.dtype)
    np.add.at(flat, places.ravel(), g.ravel())
    return flat.reshape(x.shape)


def _max_pool_select(t: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    """The elements of t at the places of the first largest elements of x's windows."""
    return t.reshape(-1)[_first_largest(x, window, strides, padding, layout)]


def _counts(shape: Any, dtype: Any, window: Any, strides: Any, padding: Any, layout: str, count_padding: bool) -> Any:
    """How many elements each window averages over."""
    ones = np.ones([1 if c in "NC" else n for c, n in zip(layout, shape, strict=True)], dtype)
    return _pool_windows(ones, window, strides, padding, layout, 1.0 if count_padding else 0.0).sum(-1)


def _average_pool(x: Any, *, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str) -> Any:
    total = _pool_windows(x, window, strides, padding, layout, 0.0).sum(-1)
    return total / _counts(x.shape, x.dtype, window, strides, padding, layout, count_padding)


def _average_pool_gradient(
    g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str
) -> Any:
    """Each window's gradient is shared by its elements."""
    axes = tuple(i for i, c in enumerate(layout) if c not in "NC")
    shape = list(g.shape)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    share = g / _counts(shape, g.dtype, window, strides, padding, layout, count_padding)
    padded = list(shape)
    for axis, (before, after) in zip(axes, padding, strict=True):
        padded[axis] += before + after
    x = np.zeros(padded, g.dtype)
    for offset in np.ndindex(*window):
        place = [slice(None)] * g.ndim
        for axis, o, s in zip(axes, offset, strides, strict=True):
            place[axis] = slice(o, o + (g.shape[axis] - 1) * s + 1 if g.shape[axis] else o, s)
        x[tuple(place)] += share
    inner = [slice(None)] * g.ndim
    for axis, (before, _), size in zip(axes, padding, sizes, strict=True):
        inner[axis] = slice(before, before + size)
    return x[tuple(inner)]


def _average_gradient(g: Value, out: Value, x: Value, **a: Any) -> tuple[Value]:
    return (average_pool_gradient(g, sizes=tuple(x.shape[i] for i in _axes(a["layout"])), **a),)


_SQUARE: dict[str, Any] = {"window": (2, 3), "strides": (2, 1), "padding": ((0, 1), (1, 2))}
_FIRST: dict[str, Any] = {"window": (3, 2), "strides": (1, 2), "padding": ((1, 1), (0, 0)), "layout": "NCHW"}
_LINE: dict[str, Any] = {"window": (3,), "strides": (2,), "padding": ((1, 0),), "layout": "NWC"}

max_pool = Op(
    "max_pool", _max_pool_type, _max_pool, lambda g, out, x, **a: (max_pool_gradient(g, x, **a),), bound=EXACT,
    smooth=False,
    samples=(sample((2, 5, 6, 4), **_SQUARE), sample((2, 3, 5, 8), **_FIRST), sample((2, 7, 5), **_LINE)),
)  # fmt: skip
max_pool_gradient: Op = Op(
    "max_pool_gradient", _max_pool_gradient_type, _max_pool_gradient,
    lambda h, out, g, x, **a: (max_pool_select(h, x, **a), None), bound=Bound("reduction", 4.0),
    samples=(sample((2, 3, 7, 4), (2, 5, 6, 4), **_SQUARE), sample((2, 3, 5, 4), (2, 3, 5, 8), **_FIRST),
             sample((2, 3, 5), (2, 7, 5), **_LINE)),
)  # fmt: skip
max_pool_select: Op = Op(
    "max_pool_select", _max_pool_select_type, _max_pool_select,
    lambda h, out, t, x, **a: (max_pool_gradient(h, x, **a), None), bound=EXACT,
    samples=(sample((2, 5, 6, 4), (2, 5, 6, 4), **_SQUARE), sample((2, 3, 5, 8), (2, 3, 5, 8), **_FIRST)),
)  # fmt: skip
average_pool = Op(
    "average_pool", _average_pool_type, _average_pool, _average_gradient, bound=Bound("reduction", 4.0), smooth=True,
    samples=(sample((2, 5, 6, 4), **_SQUARE), sample((2, 3, 5, 8), count_padding=True, **_FIRST),
             sample((2, 7, 5), **_LINE)),
)  # fmt: skip
average_pool_gradient = Op(
    "average_pool_gradient", _average_pool_gradient_type, _average_pool_gradient,
    lambda h, out, g, *, sizes, **a: (average_pool(h, **a),),
    bound=Bound("reduction", 4.0), smooth=True,
    samples=(sample((2, 3, 7, 4), sizes=(5, 6), **_SQUARE),
             sample((2, 3, 5, 4), sizes=(5, 8), count_padding=True, **_FIRST),
             sample((2, 3, 5), sizes=(7,), **_LINE)),
)  # fmt: skip

OPS = (max_pool, max_pool_gradient, max_pool_select, average_pool, average_pool_gradient)
