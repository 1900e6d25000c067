"""Layers that move elements and change none."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field

from ....ir import ops
from ....ir.dims import product
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ..options import Count, OptionError, Read, Words, show
from .base import SPATIAL, DataFormat, Layer, Site, check_axes, check_rank, layout

Sides = tuple[tuple[int, int], ...]


class Flatten(Layer):
    """All axes but the first as one; channels come last in it, whatever the data format."""

    kind = "flatten"
    aliases = ("Flatten",)
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 1)
        if self.data_format == "channels_first" and x.rank > 2:
            x = ops.transpose(x, axes=(0, *range(2, x.rank), 1))
        return x if x.rank == 2 else ops.reshape(x, shape=(x.shape[0], product(x.shape[1:])))


Target = Annotated[list[Annotated[int, Field(ge=-1)]], Words("a list of whole numbers, one of which may be -1")]


class Reshape(Layer):
    """Another shape beyond the first axis; one size may be -1."""

    kind = "reshape"
    aliases = ("Reshape",)
    main = "target_shape"
    target_shape: Target

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 1)
        target, elements = tuple(self.target_shape), product(x.shape[1:])
        if isinstance(elements, int) and not _fits(elements, target):
            raise TypeMismatchError(
                f"the {elements} elements of each example of {x.type} do not make the shape {list(target)}"
            )
        return ops.reshape(x, shape=(x.shape[0], *target))  # type: ignore[no-any-return]


def _fits(elements: int, target: tuple[int, ...]) -> bool:
    known = math.prod(size for size in target if size != -1)
    if -1 not in target:
        return elements == known
    return target.count(-1) == 1 and known > 0 and elements % known == 0


class Permute(Layer):
    """The axes beyond the first in another order, counted from 1."""

    kind = "permute"
    aliases = ("Permute",)
    main = "dims"
    dims: Annotated[list[Count], Words("a list of the axes, counted from 1")]

    def build(self, site: Site, x: Value) -> Value:
        if sorted(self.dims) != list(range(1, x.rank)):
            raise TypeMismatchError(
                f"permute of {x.type} needs each of its axes 1 to {x.rank - 1} once, not {self.dims}"
            )
        return ops.transpose(x, axes=(0, *self.dims))  # type: ignore[no-any-return]


class RepeatVector(Layer):
    """[N, C] as [N, n, C], the vector n times."""

    kind = "repeat_vector"
    aliases = ("RepeatVector",)
    main = "n"
    n: Count

    def build(self, site: Site, x: Value) -> Value:
        check_axes(x, "NC")
        return ops.broadcast_to(ops.expand_dims(x, 1), shape=(x.shape[0], self.n, x.shape[1]))  # type: ignore[no-any-return]


def read_sides(rank: int, word: str = "padding") -> Any:
    """Padding as pairs, from one number, a number for each axis, or a pair for each; one axis takes its pair bare."""

    def read(value: Any) -> Sides:
        if _whole(value):
            return ((value, value),) * rank
        if rank == 1 and _pair(value):
            return ((value[0], value[1]),)
        if isinstance(value, list) and len(value) == rank and all(_whole(v) or _pair(v) for v in value):
            return tuple((v, v) if _whole(v) else (v[0], v[1]) for v in value)
        words = "a number or a pair of them" if rank == 1 else f"a number, or a list of {rank} numbers or pairs"
        raise OptionError(f"the {word} of {_OF[word]}{rank}d must be {words}, not {show(value)}")

    whole = {"type": "integer", "minimum": 0}
    pair = {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}
    axes = {"type": "array", "items": {"anyOf": [whole, pair]}, "minItems": rank, "maxItems": rank}
    return Read(read, {"anyOf": [whole, pair if rank == 1 else axes]})


_OF = {"padding": "zero_padding", "cropping": "cropping"}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_whole, value))


class _ZeroPadding(Layer):
    main = "padding"
    padding: Any
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(len(self.padding), self.data_format)
        check_axes(x, axes)
        sides = dict(zip(SPATIAL[len(self.padding)], self.padding, strict=True))
        low, high = (tuple(sides[c][i] if c in sides else 0 for c in axes) for i in (0, 1))
        return ops.pad(x, 0.0 if x.dtype.is_float else 0, low=low, high=high, interior=(0,) * x.rank)  # type: ignore[no-any-return]


class ZeroPadding1D(_ZeroPadding):
    kind = "zero_padding1d"
    aliases = ("ZeroPadding1D",)
    padding: Annotated[Sides, read_sides(1)] = ((1, 1),)


class ZeroPadding2D(_ZeroPadding):
    kind = "zero_padding2d"
    aliases = ("ZeroPadding2D",)
    padding: Annotated[Sides, read_sides(2)] = ((1, 1),) * 2


class ZeroPadding3D(_ZeroPadding):
    kind = "zero_padding3d"
    aliases = ("ZeroPadding3D",)
    padding: Annotated[Sides, read_sides(3)] = ((1, 1),) * 3


LAYERS: tuple[type[Layer], ...] = (Flatten, Reshape, Permute, RepeatVector, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
