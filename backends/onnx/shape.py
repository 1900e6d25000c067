"""ONNX: reshape, transpose, slices, padding, casts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Dim, DType, Size, ops
from ...ir.types import float64, int64, uint64
from ..fold import cuts_off
from ..rules import When
from .builder import Builder, Sizes, Tensor
from .lowering import by, op

_FIRST, _LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def _reshape(b: Builder, x: Tensor, *, shape: Any) -> Tensor:
    return b.reshape(x, x.shape, b.node.outputs[0].shape)


def _transpose(b: Builder, x: Tensor, *, axes: tuple[int, ...]) -> Any:
    return b.swap(x, [a % x.rank for a in axes])


def _broadcast_to(b: Builder, x: Tensor, *, shape: tuple[Size, ...]) -> Tensor:
    lacking = len(shape) - x.rank
    kept = [i >= lacking and isinstance(n, Dim) and x.shape[i - lacking] == n for i, n in enumerate(shape)]
    return b.Expand(x, tuple(1 if k else n for k, n in zip(kept, shape, strict=True)))  # type: ignore[no-any-return]


def _slice(b: Builder, x: Tensor, *, starts: Any, stops: Any, steps: Any) -> Any:
    cut = [i for i, n in enumerate(x.shape) if (starts[i], stops[i], steps[i]) != (0, n, 1)]
    ends = [_from_end(stops[i], x.shape[i]) for i in cut]
    return sliced(b, x, cut, [_from_end(starts[i], x.shape[i]) for i in cut], ends, [steps[i] for i in cut])


def _from_end(place: Size, size: Size) -> Size:
    """A place counted from the end of its axis, where it is a number only so: then no shape need be read."""
    back = size - place
    if isinstance(place, int) or not isinstance(back, int) or back < 0:
        return place
    return -back if back else _LAST


def sliced(b: Builder, x: str, axes: Any, starts: Any, stops: Any, steps: Any) -> Any:
    """`x` from `starts` to `stops` by `steps` along `axes`."""
    if not axes:
        return x
    by_one = all(s == 1 for s in steps)
    return b.Slice(x, tuple(starts), tuple(stops), tuple(axes), None if by_one else tuple(steps))


def _pad(b: Builder, x: Tensor, value: Tensor, *, low: Any, high: Any, interior: Any) -> Any:
    return padded(b, x, value, low, high)


def padded(b: Builder, x: str, value: Any, low: Any, high: Any) -> Any:
    """`x` with `value` before and after each axis; negative padding cuts."""
    cut = [i for i, pair in enumerate(zip(low, high, strict=True)) if any(map(_is_negative, pair))]
    low, high, before, after = list(low), list(high), [], []
    for i in cut:  # by a slice, since not every runtime takes negative padding
        before.append(-low[i] if _is_negative(low[i]) else 0)
        after.append(high[i] if _is_negative(high[i]) else _LAST)
        low[i], high[i] = (0 if _is_negative(p) else p for p in (low[i], high[i]))
    x = sliced(b, x, cut, before, after, [1] * len(cut))
    return b.Pad(x, (*low, *high), value) if any(p != 0 for p in (*low, *high)) else x


def _is_negative(size: Size) -> bool:
    return isinstance(size, int) and size < 0


def _pad_between(b: Builder, x: Tensor, value: Tensor, *, low: Any, high: Any, interior: Any) -> Any:
    """Each element is padded in an axis of its own; the padding after the last element is cut again."""
    inner = [i if n != 0 else 0 for i, n in zip(interior, x.shape, strict=True)]
    apart = padded(
        b,
        b.reshape(x, x.shape, _paired(x.shape, [1] * x.rank)),
        value,
        (0,) * (2 * x.rank),
        _paired([0] * x.rank, inner),
    )
    wide = [i + 1 for i in inner]
    joined = b.reshape(apart, _paired(x.shape, wide), [n * w for n, w in zip(x.shape, wide, strict=True)])
    return padded(b, joined, value, low, [h - i for h, i in zip(high, inner, strict=True)])


def _paired(sizes: Sizes, others: Sizes) -> tuple[Size, ...]:
    return tuple(s for pair in zip(sizes, others, strict=True) for s in pair)


def _reverse(b: Builder, x: Tensor, *, axes: tuple[int, ...]) -> Any:
    back, first = (-1,) * len(axes), (_FIRST,) * len(axes)
    return b.Slice(x, back, first, tuple(a % x.rank for a in axes), back) if axes else x


def _cast(b: Builder, x: Tensor, *, dtype: DType) -> Tensor:
    return b.cast(x, dtype) if dtype != x.dtype else x


def _cut_off(b: Builder, x: Tensor, *, dtype: DType) -> Tensor:
    """By way of int64, of which uint64 has the bits; a float out of range becomes the nearest limit, and NaN 0."""
    limits = np.iinfo(dtype.numpy)
    wide = b.cast(x, float64)
    below = b.LessOrEqual(wide, b.constant(float(limits.min), float64))
    above = b.GreaterOrEqual(wide, b.constant(float(limits.max), float64))
    zero = b.constant(0.0, float64)
    inside = b.Where(b.Or(b.Or(below, above), b.IsNaN(wide)), zero, wide)
    if dtype == uint64:
        is_large = b.GreaterOrEqual(inside, b.constant(2.0**63, float64))
        inside = b.Where(is_large, b.Sub(inside, b.constant(2.0**64, float64)), inside)
    low, high = (b.constant(n if n < 2**63 else -1, int64) for n in (int(limits.min), int(limits.max)))
    return b.cast(b.Where(above, high, b.Where(below, low, b.cast(inside, int64))), dtype)


def _stop_gradient(b: Builder, x: Tensor) -> Tensor:
    return x


rows = {
    ops.reshape: by(_reshape),
    ops.transpose: by(_transpose),
    ops.broadcast_to: by(_broadcast_to, "Expand"),
    ops.concatenate: op("Concat"),
    ops.slice_: by(_slice),
    ops.pad: (When(lambda n: any(n.attributes["interior"]), by(_pad_between, "Pad")), by(_pad, "Pad")),
    ops.reverse: by(_reverse),
    ops.cast: (When(cuts_off, by(_cut_off)), by(_cast)),
    ops.stop_gradient: by(_stop_gradient),
}
