"""Padding with what the tensor itself has at its borders."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Op, sample
from ..types import TensorType
from .shape import broadcast_to, concatenate, pad, reverse, slice_, slice_axis

MODES = ("reflect", "symmetric", "edge", "wrap")


def _pad_border_type(
    x: TensorType, *, low: tuple[Size, ...], high: tuple[Size, ...], mode: str = "reflect"
) -> TensorType:
    """NumPy's names: `reflect` leaves the border out, `symmetric` repeats it; `edge` is replicate, `wrap` circular.

    Each side is at most as long as what it repeats (`NUMERICS.md` P7, P9).
    """
    if mode not in MODES:
        raise TypeMismatchError(f"pad_border has no mode {mode!r}; it has {', '.join(MODES)}")
    if not len(low) == len(high) == x.rank:
        raise TypeMismatchError(f"pad_border of {x} needs low and high padding per axis")
    for size, sides in zip(x.shape, zip(low, high, strict=True), strict=True):
        for side in sides:
            require(">=", side, 0)
            if isinstance(side, int) and side == 0:
                continue
            require(">=", size, {"reflect": side + 1, "edge": 1}.get(mode, side))
    return x.with_shape(tuple(n + a + b for n, a, b in zip(x.shape, low, high, strict=True)))


def _pad_border(x: Any, *, low: tuple[int, ...], high: tuple[int, ...], mode: Any) -> Any:
    """x with its border, or what lies behind it, around it."""
    pairs = list(zip(low, high, strict=True))
    return np.pad(x, pairs, mode)


def _pad_border_parts(x: Value, *, low: tuple[Size, ...], high: tuple[Size, ...], mode: str) -> Value:
    for axis, (before, after) in enumerate(zip(low, high, strict=True)):
        parts = [*_side(x, axis, before, mode, True), x, *_side(x, axis, after, mode, False)]
        x = concatenate(*parts, axis=axis) if len(parts) > 1 else x
    return x


def _side(x: Value, axis: int, count: Size, mode: str, is_first: bool) -> list[Value]:
    """What comes before or after x, if anything does."""
    if isinstance(count, int) and count == 0:
        return []
    n = x.shape[axis]
    if mode == "edge":
        edge = slice_axis(x, axis, 0, 1) if is_first else slice_axis(x, axis, n - 1, n)
        return [broadcast_to(edge, shape=(*x.shape[:axis], count, *x.shape[axis + 1 :]))]
    if mode == "wrap":
        return [slice_axis(x, axis, n - count, n) if is_first else slice_axis(x, axis, 0, count)]
    skipped = int(mode == "reflect")
    near = (
        slice_axis(x, axis, skipped, count + skipped)
        if is_first
        else slice_axis(x, axis, n - count - skipped, n - skipped)
    )
    return [reverse(near, axes=(axis,))]


def pad_or_crop(x: Value, value: Any, low: tuple[int, ...], high: tuple[int, ...]) -> Value:
    """Constant padding of each axis; where it is negative, that many elements are cut off instead (P8).

    An axis is cut first and padded then, as PyTorch does it, so a cut may not take more than there is.
    """
    starts = tuple(max(-a, 0) for a in low)
    stops = tuple(n - max(-b, 0) for n, b in zip(x.shape, high, strict=True))
    if any(n < 0 for n in (*low, *high)):
        x = slice_(x, starts=starts, stops=stops, steps=(1,) * x.rank)
    before, after = tuple(max(a, 0) for a in low), tuple(max(b, 0) for b in high)
    if not any((*before, *after)):
        return x
    return pad(x, value, low=before, high=after, interior=(0,) * x.rank)  # type: ignore[no-any-return]


pad_border = Op(
    "pad_border", _pad_border_type, _pad_border, None, _pad_border_parts, bound=EXACT, smooth=True,
    samples=(sample((3, 4), low=(2, 1), high=(1, 3)), sample((3, 4), low=(3, 0), high=(1, 4), mode="symmetric"),
             sample((2, 3, 4), low=(0, 5, 1), high=(0, 0, 5), mode="edge"),
             sample((3, 4), low=(0, 2), high=(3, 1), mode="wrap")),
)  # fmt: skip

OPS = (pad_border,)
