"""Ops that move elements and change none: reshape, transpose, slices, padding, casts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, broadcast_dim, ceil_div, divide_exact, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import DType, TensorType, dtype_of


def normalize_axis(axis: int, rank: int) -> int:
    """`axis` counted from the front; negative ones count from the back."""
    if not -rank <= axis < rank:
        raise TypeMismatchError(f"there is no axis {axis} in a tensor of rank {rank}")
    return axis % rank


def normalize_axes(axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """`axes` from the front, in order; all of them where None was given."""
    normal = tuple(range(rank)) if axes is None else tuple(normalize_axis(a, rank) for a in axes)
    if len(set(normal)) < len(normal):
        raise TypeMismatchError(f"the axes {axes} name one axis twice")
    return tuple(sorted(normal))


def _reshape_type(x: TensorType, *, shape: tuple[Size, ...]) -> TensorType:
    free = [i for i, s in enumerate(shape) if s == -1 and isinstance(s, int)]
    if len(free) > 1:
        raise TypeMismatchError(f"only one size of {shape} may be -1")
    if free:
        rest = product(s for i, s in enumerate(shape) if i != free[0])
        size = divide_exact(product(x.shape), rest)
        return x.with_shape((*shape[: free[0]], size, *shape[free[0] + 1 :]))
    if product(x.shape) != product(shape):
        try:
            require("==", product(x.shape), product(shape))
        except TypeMismatchError:
            raise TypeMismatchError(
                f"{x} cannot take the shape {shape}: {product(x.shape)} elements are not {product(shape)}"
            ) from None
    return x.with_shape(shape)


def _reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


def _transpose_type(x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    if normalize_axes(axes, x.rank) != tuple(range(x.rank)):
        raise TypeMismatchError(f"transpose of {x} needs each of its axes once, not {axes}")
    return x.with_shape(tuple(x.shape[a] for a in axes))


def _transpose(x: Any, *, axes: tuple[int, ...]) -> Any:
    return x.transpose(axes)


def _transpose_gradient(g: Value, out: Value, x: Value, *, axes: tuple[int, ...]) -> tuple[Value]:
    normal = [a % x.rank for a in axes]
    return (transpose(g, axes=tuple(normal.index(i) for i in range(x.rank))),)


def _broadcast_type(x: TensorType, *, shape: tuple[Size, ...]) -> TensorType:
    if x.rank > len(shape):
        raise TypeMismatchError(f"{x} cannot be broadcast to the lower rank of {shape}")
    for a, b in zip(x.shape, shape[len(shape) - x.rank :], strict=True):
        if broadcast_dim(a, b) != b:
            raise TypeMismatchError(f"{x} cannot be broadcast to {shape}")
    return x.with_shape(shape)


def _broadcast_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, shape)


def _concatenate_type(*xs: TensorType, axis: int = 0) -> TensorType:
    if not xs:
        raise TypeMismatchError("concatenate needs a part")
    axis = normalize_axis(axis, xs[0].rank)
    total: Size = 0
    for x in xs:
        if x.dtype != xs[0].dtype or x.rank != xs[0].rank:
            raise TypeMismatchError(
                f"concatenate: the parts must have one element type and rank, not {', '.join(map(str, xs))}"
            )
        for i, (a, b) in enumerate(zip(x.shape, xs[0].shape, strict=True)):
            if i != axis:
                require("==", a, b)
        total = total + x.shape[axis]
    return xs[0].with_shape((*xs[0].shape[:axis], total, *xs[0].shape[axis + 1 :]))


def _concatenate(*xs: Any, axis: int) -> Any:
    return np.concatenate(xs, axis)


def _concatenate_gradient(g: Value, out: Value, *xs: Value, axis: int) -> tuple[Value, ...]:
    axis, parts = normalize_axis(axis, out.rank), []
    start: Size = 0
    for x in xs:
        stop = start + x.shape[axis]
        parts.append(slice_axis(g, axis, start, stop))
        start = stop
    return tuple(parts)


def _slice_type(
    x: TensorType, *, starts: tuple[Size, ...], stops: tuple[Size, ...], steps: tuple[int, ...]
) -> TensorType:
    if not len(starts) == len(stops) == len(steps) == x.rank or any(s <= 0 for s in steps):
        raise TypeMismatchError(f"slice of {x} needs a start, a stop and a positive step per axis")
    for size, start, stop in zip(x.shape, starts, stops, strict=True):
        require(">=", start, 0)
        require(">=", stop, start)
        require(">=", size, stop)
    return x.with_shape(
        tuple(ceil_div(stop - start, step) for start, stop, step in zip(starts, stops, steps, strict=True))
    )


def _slice(x: Any, *, starts: tuple[int, ...], stops: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    return x[tuple(slice(a, b, c) for a, b, c in zip(starts, stops, steps, strict=True))]


def _slice_gradient(g: Value, out: Value, x: Value, *, starts: Any, stops: Any, steps: Any) -> tuple[Value]:
    highs = tuple(
        n - a - ((m - 1) * s + 1) if not (isinstance(m, int) and m == 0) else n - a
        for n, a, s, m in zip(x.shape, starts, steps, out.shape, strict=True)
    )
    if any(s != 1 for s in steps) and any(isinstance(m, int) and m == 0 for m in out.shape):
        return (broadcast_to(x.graph.constant(0.0, x.dtype), shape=x.shape),)
    return (pad(g, 0.0, low=starts, high=highs, interior=tuple(s - 1 for s in steps)),)


def _pad_type(
    x: TensorType, value: TensorType, *, low: tuple[Size, ...], high: tuple[Size, ...], interior: tuple[int, ...]
) -> TensorType:
    if not len(low) == len(high) == len(interior) == x.rank or value.rank or value.dtype != x.dtype:
        raise TypeMismatchError(
            f"pad of {x} needs a scalar of its element type, and low, high and interior padding per axis"
        )
    shape = []
    for size, a, b, inner in zip(x.shape, low, high, interior, strict=True):
        require(">=", a, 0)
        require(">=", b, 0)
        if inner:
            require(">=", size, 1)  # between no elements there is nothing to pad
        shape.append(size + a + b + ((size - 1) * inner if inner else 0))
    return x.with_shape(tuple(shape))


def _pad(x: Any, value: Any, *, low: tuple[int, ...], high: tuple[int, ...], interior: tuple[int, ...]) -> Any:
    """Constant padding before, after, and between the elements of each axis."""
    shape = [n + a + b + max(n - 1, 0) * i for n, a, b, i in zip(x.shape, low, high, interior, strict=True)]
    padded = np.full(shape, value, x.dtype)
    padded[
        tuple(slice(a, a + n + max(n - 1, 0) * i, i + 1) for n, a, i in zip(x.shape, low, interior, strict=True))
    ] = x
    return padded


def _pad_gradient(
    g: Value, out: Value, x: Value, value: Value, *, low: Any, high: Any, interior: Any
) -> tuple[Value, Value]:
    from .reduction import reduce_sum  # sums are made of these ops; a pad's gradient is the one way back

    stops = tuple(a + n + ((n - 1) * i if i else 0) for a, n, i in zip(low, x.shape, interior, strict=True))
    inside = slice_(g, starts=low, stops=stops, steps=tuple(i + 1 for i in interior))
    return inside, reduce_sum(g) - reduce_sum(inside)


def _reverse_type(x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    normalize_axes(axes, x.rank)
    return x


def _reverse(x: Any, *, axes: tuple[int, ...]) -> Any:
    return np.flip(x, axes)


def _cast_type(x: TensorType, *, dtype: DType) -> TensorType:
    return x.with_dtype(dtype)


def _cast(x: Any, *, dtype: DType) -> Any:
    """Of a complex number the real part becomes a real one; a float out of the integers' range the nearest limit."""
    x = x.real if x.dtype.kind == "c" and dtype.kind not in ("complex", "bool") else x
    return cut_off(x, dtype.numpy.type) if dtype.is_integer and x.dtype.kind not in "iub" else x.astype(dtype.numpy)


def cut_off(x: Any, dtype: Any) -> Any:
    """Floats as integers, without their fractions: beyond the limits the limits, and 0 for NaN."""
    wide, limits = x.astype(np.float64), np.iinfo(dtype)
    below, above = wide <= limits.min, wide >= limits.max
    inside = np.where(below | above | np.isnan(wide), 0.0, wide).astype(dtype)
    return np.where(above, dtype(limits.max), np.where(below, dtype(limits.min), inside))


def _cast_gradient(g: Value, out: Value, x: Value, *, dtype: DType) -> tuple[Value | None]:
    return (cast(g, dtype=x.dtype) if x.dtype.is_differentiable and dtype.is_differentiable else None,)


def _identity_type(x: TensorType) -> TensorType:
    return x


def _identity(x: Any) -> Any:
    return x


reshape: Op = Op("reshape", _reshape_type, _reshape, lambda g, out, x, *, shape: (reshape(g, shape=x.shape),),
             bound=EXACT, smooth=True,
             samples=(sample((2, 6), shape=(3, 4)), sample((2, 3, 4), shape=(2, 12)), sample((), shape=(1,)),
                      sample((0, 3), shape=(3, 0))))  # fmt: skip
transpose = Op("transpose", _transpose_type, _transpose, _transpose_gradient, bound=EXACT, smooth=True,
               samples=(sample((2, 3), axes=(1, 0)), sample((2, 3, 4), axes=(2, 0, 1)),
                        sample((2, 3, 4), axes=(0, -1, -2)), sample((0, 3), axes=(1, 0))))  # fmt: skip
broadcast_to = Op("broadcast_to", _broadcast_type, _broadcast_to, lambda g, out, x, *, shape: (g,), broadcasts=True,
                  bound=EXACT, smooth=True,
                  samples=(sample((3,), shape=(2, 3)), sample((2, 1), shape=(4, 2, 3)),
                           sample((), shape=(2, 0))))  # fmt: skip
concatenate = Op("concatenate", _concatenate_type, _concatenate, _concatenate_gradient, bound=EXACT, smooth=True,
                 samples=(sample((2, 3), (4, 3)), sample((2, 3), (2, 1), (2, 0), axis=-1)))  # fmt: skip
slice_ = Op("slice", _slice_type, _slice, _slice_gradient, bound=EXACT, smooth=True,
            samples=(sample((5, 7), starts=(1, 0), stops=(4, 7), steps=(1, 2)),
                     sample((3, 4), starts=(0, 2), stops=(0, 4), steps=(1, 1)),
                     sample((8,), starts=(1,), stops=(7,), steps=(3,))))  # fmt: skip
pad = Op("pad", _pad_type, _pad, _pad_gradient, bound=EXACT, smooth=True,
         samples=(sample((2, 3), np.float32(0.5), low=(1, 0), high=(2, 1), interior=(0, 0)),
                  sample((3, 2), np.float32(0), low=(0, 1), high=(0, 2), interior=(1, 2))))  # fmt: skip
reverse: Op = Op("reverse", _reverse_type, _reverse, lambda g, out, x, *, axes: (reverse(g, axes=axes),), bound=EXACT,
             smooth=True,
             samples=(sample((2, 3), axes=(1,)), sample((2, 3, 4), axes=(0, -1)),
                      sample((0, 2), axes=(0,))))  # fmt: skip
cast = Op("cast", _cast_type, _cast, _cast_gradient, bound=EXACT, conjugates=True,
          samples=(sample(np.array([[1, 2, 3]], np.int32), dtype=dtype_of("float32")),
                   sample((2, 3), dtype=dtype_of("int32"), differentiable=False),
                   sample(np.array([True, False]), dtype=dtype_of("float32")),
                   sample((2, 3), dtype=dtype_of("bool"), differentiable=False)))  # fmt: skip
stop_gradient = Op(
    "stop_gradient",
    _identity_type,
    _identity,
    NO_GRADIENT,
    bound=EXACT,
    samples=(sample((2, 3), differentiable=False),),
)

OPS = (reshape, transpose, broadcast_to, concatenate, slice_, pad, reverse, cast, stop_gradient)


def slice_axis(x: Value, axis: int, start: Size, stop: Size, step: int = 1) -> Value:
    """x[..., start:stop:step, ...] along one axis."""
    axis = normalize_axis(axis, x.rank)
    starts: list[Size] = [0] * x.rank
    stops, steps = list(x.shape), [1] * x.rank
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return slice_(x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))  # type: ignore[no-any-return]


def expand_dims(x: Value, *axes: int) -> Value:
    """Insert axes of size 1 at the places that `axes` name in the result."""
    rank = x.rank + len(axes)
    new = {normalize_axis(a, rank) for a in axes}
    old = iter(x.shape)
    return reshape(x, shape=tuple(1 if i in new else next(old) for i in range(rank)))  # type: ignore[no-any-return]


def squeeze(x: Value, *axes: int) -> Value:
    """Remove axes of size 1."""
    gone = normalize_axes(axes, x.rank)
    return reshape(x, shape=tuple(s for i, s in enumerate(x.shape) if i not in gone))  # type: ignore[no-any-return]
