"""Poolings made of others: dilated, with the places of what they choose, adaptive, fractional, sums and norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import Dim, Size, collecting_guards, divide_exact, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import DType, TensorType, dtype_of, int64
from .arithmetic import absolute, check_kind, floor, power, sqrt, square
from .convolution import Pairs, spatial, window_size
from .gather import take_along_axis
from .indexing import take
from .padding import pad_or_crop
from .pooling import average_pool
from .reduction import argmax, reduce_mean
from .scatter import scatter_along_axis
from .shape import broadcast_to, cast, expand_dims, reshape, transpose
from .windows import ceil_padding

_INT32 = dtype_of("int32")


def _spatial_sizes(x: TensorType | Value, layout: str) -> tuple[Size, ...]:
    return tuple(x.shape[layout.index(c)] for c in spatial(layout))


def _check(name: str, x: TensorType, layout: str, *each: tuple[Any, ...]) -> None:
    check_kind(name, ("float",), x)
    count = len(spatial(layout))
    if x.rank != len(layout) or any(len(e) != count for e in each):
        raise TypeMismatchError(f"{name} of {x} as {layout} needs one of each attribute for each of {count} axes")


def _known(name: str, x: TensorType | Value, layout: str) -> tuple[int, ...]:
    sizes = _spatial_sizes(x, layout)
    if any(isinstance(n, Dim) for n in sizes):
        raise TypeMismatchError(
            f"{name} of {x} needs to know the sizes of its windows; isograd.specialize(model, ...) fixes them"
        )
    return sizes  # type: ignore[return-value]


def _resized(x: TensorType, layout: str, sizes: tuple[Size, ...]) -> TensorType:
    by_letter = dict(zip(spatial(layout), sizes, strict=True))
    return x.with_shape(tuple(by_letter.get(c, n) for c, n in zip(layout, x.shape, strict=True)))


def _windows(x: TensorType, window: Any, strides: Any, padding: Any, dilations: Any, layout: str) -> tuple[Size, ...]:
    for k, pads, d in zip(window, padding, dilations, strict=True):
        if any(isinstance(side, int) and side >= (k - 1) * d + 1 for side in pads):
            raise TypeMismatchError(f"pooling: the padding {pads} is as long as a window: it would hold padding alone")
    sizes = _spatial_sizes(x, layout)
    return tuple(
        window_size(n, k, s, p, d) for n, k, s, p, d in zip(sizes, window, strides, padding, dilations, strict=True)
    )


# What a window holds, as a table: a row for each window, with places in the plane counted row-major. A place in the
# padding is written as the first one inside, which is no other choice.


def _table(sizes: tuple[int, ...], places: list[np.ndarray]) -> np.ndarray:
    """The table of windows over several axes, from the places along each: [windows, elements]."""
    count = len(sizes)
    flat, inside = np.zeros((1,) * (2 * count), np.int64), np.ones((1,) * (2 * count), np.bool_)
    for axis, (n, along) in enumerate(zip(sizes, places, strict=True)):
        shape = [1] * (2 * count)
        shape[axis], shape[count + axis] = along.shape
        flat = flat * n + along.reshape(shape)
        inside = inside & ((along >= 0) & (along < n)).reshape(shape)
    rows = math.prod(p.shape[0] for p in places)
    table, valid = (np.broadcast_to(a, _full(places)).reshape(rows, -1) for a in (flat, inside))
    first = np.take_along_axis(table, valid.argmax(1)[:, None], 1)
    return np.where(valid, table, first)


def _full(places: list[np.ndarray]) -> tuple[int, ...]:
    return (*(p.shape[0] for p in places), *(p.shape[1] for p in places))


def _sliding(n: int, k: int, stride: int, pads: Any, dilation: int) -> np.ndarray:
    count = int(window_size(n, k, stride, pads, dilation))
    return np.arange(count)[:, None] * stride - int(pads[0]) + np.arange(k) * dilation


def _bins(n: int, m: int) -> np.ndarray:
    """PyTorch's adaptive windows: from floor(i n / m) to ceil((i + 1) n / m); beyond the end stands -1."""
    starts, stops = np.arange(m) * n // m, -((-np.arange(1, m + 1) * n) // m)
    places = starts[:, None] + np.arange(int((stops - starts).max(initial=1)))
    return np.where(places < stops[:, None], places, -1)


def _plane(x: Value, layout: str) -> Value:
    """x as [batch, channels, plane]."""
    letters = spatial(layout)
    first = _in_order(x, layout, "NC" + letters)
    return reshape(first, shape=(*first.shape[:2], math.prod(_known("pooling", x, layout))))  # type: ignore[no-any-return]


def _in_order(x: Value, source: str, target: str) -> Value:
    return x if source == target else transpose(x, axes=tuple(source.index(c) for c in target))


def _back(y: Value, layout: str, sizes: tuple[Size, ...]) -> Value:
    """[batch, channels, windows] in the layout."""
    letters = spatial(layout)
    return _in_order(reshape(y, shape=(*y.shape[:2], *sizes)), "NC" + letters, layout)


def _chosen(x: Value, table: np.ndarray, layout: str, sizes: tuple[Size, ...], dtype: DType) -> tuple[Value, Value]:
    """The first largest element of each window of a table, and its place in the plane."""
    plane, (windows, elements) = _plane(x, layout), table.shape
    held = take(plane, x.graph.constant(table.reshape(-1).astype(np.int32)), axis=2)
    which = argmax(reshape(held, shape=(*plane.shape[:2], windows, elements)), dtype=_INT32)
    rows = x.graph.constant(np.arange(windows, dtype=np.int32) * elements)
    places = take(x.graph.constant(table.reshape(-1).astype(dtype.numpy)), which + rows)
    return _back(take_along_axis(plane, places, axis=2), layout, sizes), _back(places, layout, sizes)


def _with_indices_type(
    x: TensorType, *, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    layout: str = "NHWC", dtype: DType = int64,
) -> tuple[TensorType, TensorType]:  # fmt: skip
    """Max pooling with the places of the largest elements in their planes, row-major, as PyTorch counts them."""
    _check("max_pool_with_indices", x, layout, window, strides, padding, dilations)
    _known("max_pool_with_indices", x, layout)
    y = _resized(x, layout, _windows(x, window, strides, padding, dilations, layout))
    return y, y.with_dtype(dtype)


def _with_indices_parts(
    x: Value, *, window: Any, strides: Any, padding: Any, dilations: Any, layout: str, dtype: DType
) -> tuple[Value, Value]:
    sizes = _known("max_pool_with_indices", x, layout)
    places = [_sliding(*axis) for axis in zip(sizes, window, strides, padding, dilations, strict=True)]
    return _chosen(x, _table(sizes, places), layout, tuple(p.shape[0] for p in places), dtype)


def _dilated_type(
    x: TensorType, *, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """Max pooling whose windows hold every `dilations`-th element."""
    return _with_indices_type(
        x, window=window, strides=strides, padding=padding, dilations=dilations, layout=layout
    )[0]  # fmt: skip


def _dilated_parts(x: Value, **a: Any) -> Value:
    return max_pool_with_indices(x, dtype=_INT32, **a)[0]  # type: ignore[no-any-return]


def _unpool_type(x: TensorType, indices: TensorType, *, sizes: tuple[Size, ...], layout: str = "NHWC") -> TensorType:
    """Zeros, with each element where its index says: `max_pool_with_indices` backwards (of two at one place one)."""
    _check("max_unpool", x, layout, sizes)
    if not indices.dtype.is_integer or indices.rank != x.rank:
        raise TypeMismatchError(f"max_unpool of {x} needs an integer for each of its elements, not {indices}")
    for a, b in zip(x.shape, indices.shape, strict=True):
        require("==", a, b)
    return _resized(x, layout, sizes)


def _unpool_parts(x: Value, indices: Value, *, sizes: tuple[Size, ...], layout: str) -> Value:
    plane: Size = 1
    for n in sizes:
        plane = plane * n
    values, places = _plane(x, layout), _plane(indices, layout)
    zeros = broadcast_to(x.graph.constant(0.0, x.dtype), shape=(*values.shape[:2], plane))
    return _back(scatter_along_axis(zeros, places, values, axis=2), layout, sizes)


def _adaptive_type(x: TensorType, *, sizes: tuple[int, ...], layout: str = "NHWC") -> TensorType:
    """The mean of each of `sizes` windows that cover an axis, of nearly equal length: PyTorch's bins."""
    _check("adaptive_average_pool", x, layout, sizes)
    for n, m in zip(_spatial_sizes(x, layout), sizes, strict=True):
        if m < 1 or (isinstance(n, Dim) and m != 1 and _times(n, m) is None):
            raise TypeMismatchError(
                f"adaptive_average_pool of an axis of size {n} to {m} needs to know its windows; "
                f"isograd.specialize(model, ...) fixes it"
            )
    return _resized(x, layout, sizes)


def _times(n: Size, m: int) -> int | None:
    with collecting_guards():
        k = divide_exact(n, m) if isinstance(n, Dim) or n % m == 0 else None
    return k if isinstance(k, int) and k * m == n else None


def _adaptive_parts(x: Value, *, sizes: tuple[int, ...], layout: str) -> Value:
    known = _spatial_sizes(x, layout)
    if all(m == 1 for m in sizes):
        return reduce_mean(x, axes=tuple(layout.index(c) for c in spatial(layout)), keepdims=True)  # type: ignore[no-any-return]
    windows = tuple(_times(n, m) for n, m in zip(known, sizes, strict=True))
    if all(k is not None and k > 0 for k in windows):
        return average_pool(x, window=windows, strides=windows, padding=((0, 0),) * len(sizes), layout=layout)  # type: ignore[no-any-return]
    for letter, n, m in zip(spatial(layout), known, sizes, strict=True):
        x = _averaged(x, layout.index(letter), n, m)
    return x


def _averaged(x: Value, axis: int, n: Size, m: int) -> Value:
    if m == 1:
        return reduce_mean(x, axes=(axis,), keepdims=True)  # type: ignore[no-any-return]
    assert isinstance(n, int)
    bins = _bins(n, m)
    weights = (bins[:, :, None] == np.arange(n)).sum(1) / (bins >= 0).sum(1)[:, None]
    rest: Size = 1
    for size in x.shape[axis + 1 :]:
        rest = rest * size
    rows = reshape(x, shape=(*x.shape[: axis + 1], rest))
    return reshape(x.graph.constant(weights, x.dtype) @ rows, shape=(*x.shape[:axis], m, *x.shape[axis + 1 :]))  # type: ignore[no-any-return]


def _adaptive_max_type(
    x: TensorType, *, sizes: tuple[int, ...], layout: str = "NHWC", dtype: DType = int64
) -> tuple[TensorType, TensorType]:
    """The largest element of each adaptive window, and its place in the plane."""
    _check("adaptive_max_pool", x, layout, sizes)
    _known("adaptive_max_pool", x, layout)
    y = _resized(x, layout, sizes)
    return y, y.with_dtype(dtype)


def _adaptive_max_parts(x: Value, *, sizes: tuple[int, ...], layout: str, dtype: DType) -> tuple[Value, Value]:
    known = _known("adaptive_max_pool", x, layout)
    return _chosen(x, _table(known, [_bins(n, m) for n, m in zip(known, sizes, strict=True)]), layout, sizes, dtype)


def _fractional_type(
    x: TensorType, samples: TensorType, *, window: tuple[int, ...], sizes: tuple[int, ...], layout: str = "NHWC",
    dtype: DType = int64,
) -> tuple[TensorType, TensorType]:  # fmt: skip
    """Max pooling over windows whose places are drawn: PyTorch's, from its samples in [0, 1), [batch, channels, axes].

    Over two axes the first of the samples is for the second, over three each has its own.
    """
    _check("fractional_max_pool", x, layout, window, sizes)
    if samples.rank != 3 or samples.dtype != x.dtype:
        raise TypeMismatchError(f"fractional_max_pool of {x} takes samples [batch, channels, axes], not {samples}")
    expected = (x.shape[layout.index("N")], x.shape[layout.index("C")], len(sizes))
    for a, b in zip(samples.shape, expected, strict=True):
        require("==", a, b)
    for n, k, m in zip(_known("fractional_max_pool", x, layout), window, sizes, strict=True):
        if n < m + k - 1:
            raise TypeMismatchError(f"fractional_max_pool: {m} windows of {k} do not fit into {n} elements")
    y = _resized(x, layout, sizes)
    return y, y.with_dtype(dtype)


def _fractional_parts(
    x: Value, samples: Value, *, window: Any, sizes: Any, layout: str, dtype: DType
) -> tuple[Value, Value]:
    known, count, flat = _known("fractional_max_pool", x, layout), len(sizes), None
    batch = samples.shape[:2]
    for axis, (n, k, m) in enumerate(zip(known, window, sizes, strict=True)):
        drawn = take(samples, x.graph.constant(np.int32(count - 1 - axis if count == 2 else axis)), axis=2)
        starts = _starts(drawn, n, k, m)
        offsets = x.graph.constant(np.arange(k, dtype=np.int32))
        along = expand_dims(starts, 3) + offsets
        shape = [1] * (2 * count)
        shape[axis], shape[count + axis] = m, k
        along = reshape(along, shape=(*batch, *shape))
        flat = along if flat is None else flat * n + along
    assert flat is not None
    windows, elements = math.prod(sizes), math.prod(window)
    table = reshape(broadcast_to(flat, shape=(*batch, *sizes, *window)), shape=(*batch, windows, elements))
    plane = _plane(x, layout)
    held = take_along_axis(plane, reshape(table, shape=(*batch, windows * elements)), axis=2)
    which = argmax(reshape(held, shape=(*batch, windows, elements)), dtype=_INT32)
    places = reshape(take_along_axis(table, expand_dims(which, 3), axis=3), shape=(*batch, windows))
    places = cast(places, dtype=dtype)
    return _back(take_along_axis(plane, places, axis=2), layout, sizes), _back(places, layout, sizes)


def _starts(drawn: Value, n: int, k: int, m: int) -> Value:
    """Where the windows of each plane begin along an axis: int32[batch, channels, windows]; the last at the end."""
    graph = drawn.graph
    if m == 1:
        return broadcast_to(graph.constant(np.int32(n - k)), shape=(*drawn.shape, 1))  # type: ignore[no-any-return]
    step = np.asarray(n - k, drawn.dtype.numpy) / np.asarray(m - 1, drawn.dtype.numpy)
    u = expand_dims(drawn, 2)
    number = graph.constant(np.arange(m), drawn.dtype)
    begun = floor((number + u) * graph.constant(step, drawn.dtype)) - floor(u * graph.constant(step, drawn.dtype))
    is_last = np.arange(m) == m - 1
    kept, end = graph.constant(np.where(is_last, 0, 1), _INT32), graph.constant(np.where(is_last, n - k, 0), _INT32)
    return cast(begun, dtype=_INT32) * kept + end  # type: ignore[no-any-return]


def _sum_type(
    x: TensorType, *, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, layout: str = "NHWC"
) -> TensorType:
    """The sum over each window: a mean with another divisor is this over it."""
    _check("sum_pool", x, layout, window, strides, padding)
    return _resized(x, layout, _windows(x, window, strides, padding, (1,) * len(window), layout))


def _sum_parts(x: Value, *, window: Any, **a: Any) -> Value:
    return average_pool(x, window=window, count_padding=True, **a) * float(math.prod(window))  # type: ignore[no-any-return]


def _lp_type(
    x: TensorType, *, power: float = 2.0, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs,
    layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """The norm of each window, (sum |x|^power)^(1/power), as ONNX has it.

    PyTorch's adds x^power, which is the same for an even power.
    """
    return _sum_type(x, window=window, strides=strides, padding=padding, layout=layout)


def _lp_parts(x: Value, *, power: float, **a: Any) -> Value:
    if power == 2.0:
        return sqrt(sum_pool(square(x), **a))  # type: ignore[no-any-return]
    return _raised(sum_pool(_raised(absolute(x), power), **a), 1.0 / power)


def _raised(x: Value, exponent: float) -> Value:
    return x if exponent == 1.0 else power(x, exponent)


def average_pool_ceil(x: Value, *, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str) -> Value:
    """The mean of each window, also of a last one that is cut short: PyTorch's and ONNX's `ceil_mode`.

    Of the padding only what was asked for counts, not that which `ceil_mode` adds (`NUMERICS.md` P3, P4).
    """
    sizes = _spatial_sizes(x, layout)
    more = [ceil_padding(*axis) for axis in zip(sizes, window, strides, padding, strict=True)]
    if count_padding and any(m != 0 for m in more):
        pads = dict(zip(spatial(layout), padding, strict=True))
        sides = [tuple(pads[c][i] if c in pads else 0 for c in layout) for i in (0, 1)]
        x, padding, count_padding = pad_or_crop(x, 0.0, *sides), ((0, 0),) * len(window), False
    around = tuple((a, b + m) for (a, b), m in zip(padding, more, strict=True))
    return average_pool(  # type: ignore[no-any-return]
        x, window=window, strides=strides, padding=around, count_padding=count_padding, layout=layout
    )


_SQUARE: dict[str, Any] = {"window": (2, 3), "strides": (2, 1), "padding": ((0, 1), (1, 1))}
_FIRST: dict[str, Any] = {"window": (3, 2), "strides": (1, 2), "padding": ((1, 1), (1, 0)), "layout": "NCHW"}
_LINE: dict[str, Any] = {"window": (3,), "strides": (2,), "padding": ((1, 0),), "layout": "NWC"}
_BOUND = Bound("reduction", 8.0)
_SAMPLES = np.random.default_rng(3).uniform(0.0, 1.0, (4, 3, 2)).astype(np.float32)
_WHERE = np.array([[[3, 8, 4]], [[5, 2, 9]]], np.int32)  # [batch, channels, places]
_EXACT_FORWARD = Bound("reduction", 4.0)

max_pool_with_indices: Op = Op(
    "max_pool_with_indices", _with_indices_type, None, None, _with_indices_parts, bound=_EXACT_FORWARD,
    output_names=("", "indices"),
    samples=(sample((2, 5, 7, 4), dilations=(1, 2), **_SQUARE),
             sample((2, 3, 6, 9), dilations=(2, 1), dtype=_INT32, **_FIRST),
             sample((2, 8, 5), dilations=(1,), **_LINE)),
)  # fmt: skip
dilated_max_pool = Op(
    "dilated_max_pool", _dilated_type, None, None, _dilated_parts, bound=_EXACT_FORWARD,
    samples=(sample((2, 5, 7, 4), dilations=(1, 2), **_SQUARE), sample((2, 3, 6, 9), dilations=(2, 1), **_FIRST),
             sample((2, 9, 5), dilations=(2,), **_LINE)),
)  # fmt: skip
max_unpool = Op(
    "max_unpool", _unpool_type, None, None, _unpool_parts, bound=_EXACT_FORWARD, smooth=True,
    samples=(sample((2, 1, 3), _WHERE, sizes=(10,), layout="NCW"),
             sample((2, 3, 1), _WHERE.transpose(0, 2, 1).copy(), sizes=(11,), layout="NWC"),
             sample((2, 3, 1, 1), _WHERE[..., None].transpose(0, 2, 3, 1).copy(), sizes=(5, 4))),
)  # fmt: skip
adaptive_average_pool = Op(
    "adaptive_average_pool", _adaptive_type, None, None, _adaptive_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 7, 6, 3), sizes=(4, 1)), sample((2, 3, 8, 10), sizes=(4, 5), layout="NCHW"),
             sample((2, 7, 5), sizes=(3,), layout="NWC"), sample((2, 5, 6, 3), sizes=(1, 1))),
)  # fmt: skip
adaptive_max_pool: Op = Op(
    "adaptive_max_pool", _adaptive_max_type, None, None, _adaptive_max_parts, bound=_EXACT_FORWARD,
    output_names=("", "indices"),
    samples=(sample((2, 7, 6, 3), sizes=(4, 5)), sample((2, 3, 8, 10), sizes=(4, 5), layout="NCHW", dtype=_INT32),
             sample((2, 7, 5), sizes=(3,), layout="NWC")),
)  # fmt: skip
fractional_max_pool: Op = Op(
    "fractional_max_pool", _fractional_type, None, None, _fractional_parts, bound=_EXACT_FORWARD,
    output_names=("", "indices"),
    samples=(sample((4, 3, 7, 11), _SAMPLES, window=(2, 3), sizes=(5, 6), layout="NCHW"),
             sample((4, 9, 7, 3), _SAMPLES, window=(3, 2), sizes=(5, 2), dtype=_INT32)),
)  # fmt: skip
sum_pool: Op = Op(
    "sum_pool", _sum_type, None, None, _sum_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 5, 7, 4), **_SQUARE), sample((2, 3, 6, 9), **_FIRST), sample((2, 8, 5), **_LINE)),
)  # fmt: skip
lp_pool = Op(
    "lp_pool", _lp_type, None, None, _lp_parts, bound=Bound("parts", floor=1e-6), smooth=True,
    samples=(sample((2, 5, 7, 4), **_SQUARE),
             sample((2, 3, 6, 9), power=3.0, between=(0.25, 2.0), **_FIRST),
             sample((2, 8, 5), power=1.0, between=(0.25, 2.0), **_LINE)),
)  # fmt: skip

OPS = (
    max_pool_with_indices, dilated_max_pool, max_unpool, adaptive_average_pool, adaptive_max_pool,
    fractional_max_pool, sum_pool, lp_pool,
)  # fmt: skip
