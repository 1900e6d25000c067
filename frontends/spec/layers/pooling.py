"""Pooling over windows, and over all of the spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from ....ir import ops
from ....ir.graph import Value
from ....ir.op import Op
from ..options import Sizes1, Sizes2, Sizes3
from .base import SPATIAL, DataFormat, Layer, Site, check_axes, check_float, layout
from .windows import Padding, pairs


class _Pooling(Layer):
    """The largest or the mean of each window; strides are the window's size by default.

    A mean leaves padding out of the count, and must say its window.
    """

    main = "pool_size"
    rank: ClassVar[int]
    rule: ClassVar[Op]
    pool_size: tuple[int, ...]
    strides: tuple[int, ...] | None
    padding: Padding = "valid"
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes, strides = layout(self.rank, self.data_format), self.strides or self.pool_size
        check_axes(x, axes)
        check_float(x)
        sizes = [x.shape[axes.index(c)] for c in SPATIAL[self.rank]]
        padding = pairs(self.padding, sizes, self.pool_size, strides, (1,) * self.rank)
        return self.rule(x, window=self.pool_size, strides=strides, padding=padding, layout=axes)  # type: ignore[no-any-return]


class _Pooling1D(_Pooling):
    rank = 1
    pool_size: Sizes1 = (2,)
    strides: Sizes1 | None = None


class _Pooling2D(_Pooling):
    rank = 2
    pool_size: Sizes2 = (2, 2)
    strides: Sizes2 | None = None


class _Pooling3D(_Pooling):
    rank = 3
    pool_size: Sizes3 = (2, 2, 2)
    strides: Sizes3 | None = None


class MaxPooling1D(_Pooling1D):
    kind = "max_pooling1d"
    aliases = ("MaxPooling1D", "MaxPool1D", "max_pool1d")
    rule = ops.max_pool


class MaxPooling2D(_Pooling2D):
    kind = "max_pooling2d"
    aliases = ("MaxPooling2D", "MaxPool2D", "max_pool2d")
    rule = ops.max_pool


class MaxPooling3D(_Pooling3D):
    kind = "max_pooling3d"
    aliases = ("MaxPooling3D", "MaxPool3D", "max_pool3d")
    rule = ops.max_pool


class AveragePooling1D(_Pooling1D):
    kind = "average_pooling1d"
    aliases = ("AveragePooling1D", "AvgPool1D", "avg_pool1d")
    rule = ops.average_pool
    pool_size: Sizes1


class AveragePooling2D(_Pooling2D):
    kind = "average_pooling2d"
    aliases = ("AveragePooling2D", "AvgPool2D", "avg_pool2d")
    rule = ops.average_pool
    pool_size: Sizes2


class AveragePooling3D(_Pooling3D):
    kind = "average_pooling3d"
    aliases = ("AveragePooling3D", "AvgPool3D", "avg_pool3d")
    rule = ops.average_pool
    pool_size: Sizes3


class _GlobalPooling(Layer):
    """One number for each channel: the largest or the mean over the spatial axes."""

    rank: ClassVar[int]
    rule: ClassVar[Op]
    data_format: DataFormat = "channels_last"
    keepdims: bool = False

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(self.rank, self.data_format)
        check_axes(x, axes)
        check_float(x)
        spatial = tuple(axes.index(c) for c in SPATIAL[self.rank])
        return self.rule(x, axes=spatial, keepdims=self.keepdims)  # type: ignore[no-any-return]


def _global(word: str, rule: Op, rank: int) -> type[Layer]:
    camel, short = f"Global{word.capitalize()}Pooling{rank}D", {"average": "Avg", "max": "Max"}[word]
    names = {"kind": f"global_{word}_pooling{rank}d", "aliases": (camel, f"Global{short}Pool{rank}D")}
    rest: dict[str, Any] = {"__module__": __name__, "__annotations__": {}, "__doc__": _GlobalPooling.__doc__}
    return type(camel, (_GlobalPooling,), names | {"rank": rank, "rule": rule} | rest)


class _Adaptive(Layer):
    """As many windows as `output_size` says, of nearly equal length: the largest or the mean of each."""

    main = "output_size"
    rank: ClassVar[int]
    output_size: tuple[int, ...]
    data_format: DataFormat = "channels_last"
    is_mean: ClassVar[bool]

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(self.rank, self.data_format)
        check_axes(x, axes)
        check_float(x)
        if self.is_mean:
            return ops.adaptive_average_pool(x, sizes=self.output_size, layout=axes)  # type: ignore[no-any-return]
        largest, _ = ops.adaptive_max_pool(x, sizes=self.output_size, layout=axes)
        return largest  # type: ignore[no-any-return]


_SIZES: dict[int, Any] = {1: Sizes1, 2: Sizes2, 3: Sizes3}


def _adaptive(word: str, rank: int) -> type[Layer]:
    camel = f"Adaptive{word.capitalize()}Pooling{rank}D"
    names = {"kind": f"adaptive_{word}_pooling{rank}d", "aliases": (camel,), "rank": rank, "is_mean": word == "average"}
    rest = {"__module__": __name__, "__annotations__": {"output_size": _SIZES[rank]}, "__doc__": _Adaptive.__doc__}
    return type(camel, (_Adaptive,), names | rest)


LAYERS: tuple[type[Layer], ...] = (
    MaxPooling1D, MaxPooling2D, MaxPooling3D, AveragePooling1D, AveragePooling2D, AveragePooling3D,
    *(_global("average", ops.reduce_mean, rank) for rank in (1, 2, 3)),
    *(_global("max", ops.reduce_max, rank) for rank in (1, 2, 3)),
    *(_adaptive(word, rank) for word in ("average", "max") for rank in (1, 2, 3)),
)  # fmt: skip
