"""Layers that are random in training, and give x as it is in inference."""

from __future__ import annotations

from typing import Any, ClassVar

from ....ir import ops
from ....ir.graph import Value
from ....ir.op import Op
from ..options import NotNegative, Rate
from .base import SPATIAL, DataFormat, Layer, Site, check_axes, check_float, layout


class Dropout(Layer):
    """In training each element is dropped with probability `rate`, and what is kept is scaled up."""

    kind = "dropout"
    aliases = ("Dropout",)
    main = "rate"
    rate: Rate

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        source = site.random(x.shape) if self.rate else None
        return x if source is None else ops.dropout(x, *source, rate=self.rate)


class _Spatial(Layer):
    """Whole channels are dropped, and not single elements."""

    main = "rate"
    rank: ClassVar[int]
    rate: Rate
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(self.rank, self.data_format)
        check_axes(x, axes)
        check_float(x)
        source = site.random([x.shape[0], x.shape[axes.index("C")]]) if self.rate else None
        shared = tuple(axes.index(c) for c in SPATIAL[self.rank])
        return x if source is None else ops.dropout(x, *source, rate=self.rate, shared=shared)


class SpatialDropout1D(Dropout):
    """Whole channels are dropped, and not single elements."""

    kind = "spatial_dropout1d"
    aliases = ("SpatialDropout1D",)

    def build(self, site: Site, x: Value) -> Value:
        check_axes(x, "NWC")
        check_float(x)
        source = site.random([x.shape[0], x.shape[2]]) if self.rate else None
        return x if source is None else ops.dropout(x, *source, rate=self.rate, shared=(1,))


class SpatialDropout2D(_Spatial):
    kind = "spatial_dropout2d"
    aliases = ("SpatialDropout2D",)
    rank = 2


class SpatialDropout3D(_Spatial):
    kind = "spatial_dropout3d"
    aliases = ("SpatialDropout3D",)
    rank = 3


class _Noise(Layer):
    """A random op in training, with one attribute, which is not 0."""

    op: ClassVar[Op]
    attribute: ClassVar[str]

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        amount = getattr(self, self.main or "")
        source = site.random(x.shape) if amount else None
        given: dict[str, Any] = {self.attribute: amount}
        return x if source is None else self.op(x, *source, **given)


class GaussianNoise(_Noise):
    """A normal number is added to each element."""

    kind = "gaussian_noise"
    aliases = ("GaussianNoise",)
    main = "stddev"
    op, attribute = ops.gaussian_noise, "deviation"
    stddev: NotNegative


class GaussianDropout(_Noise):
    """Each element is multiplied by a normal number of mean 1, whose deviation is that of dropout."""

    kind = "gaussian_dropout"
    aliases = ("GaussianDropout",)
    main = "rate"
    op, attribute = ops.gaussian_dropout, "rate"
    rate: Rate


class AlphaDropout(_Noise):
    """Elements are dropped to what selu saturates at; mean and variance stay (Klambauer et al. 2017)."""

    kind = "alpha_dropout"
    aliases = ("AlphaDropout",)
    main = "rate"
    op, attribute = ops.alpha_dropout, "rate"
    rate: Rate


LAYERS: tuple[type[Layer], ...] = (
    Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, GaussianNoise, GaussianDropout, AlphaDropout,
)  # fmt: skip
