"""Normalization over the batch or over each example."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ..initializers import ONES, ZEROS, InitializerOption
from ..options import Index, Positive, Rate, Words
from ..penalties import PenaltyOption
from .base import Layer, Site, check_float, check_rank, fixed


class _Affine(Layer):
    """What follows a normalization: times gamma, plus beta."""

    epsilon: Positive = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerOption = ZEROS
    gamma_initializer: InitializerOption = ONES
    beta_regularizer: PenaltyOption | None = None
    gamma_regularizer: PenaltyOption | None = None

    def affine(self, site: Site, x: Value, shape: tuple[int, ...]) -> tuple[Value | None, Value | None]:
        gamma = (
            site.parameter("gamma", shape, x.dtype, self.gamma_initializer, self.gamma_regularizer)
            if self.scale
            else None
        )
        beta = (
            site.parameter("beta", shape, x.dtype, self.beta_initializer, self.beta_regularizer)
            if self.center
            else None
        )
        return gamma, beta


class BatchNormalization(_Affine):
    """By the batch's mean and biased variance in training, by their moving averages in inference."""

    kind = "batch_normalization"
    aliases = ("BatchNormalization",)
    axis: Index = -1
    momentum: Rate = 0.99
    moving_mean_initializer: InitializerOption = ZEROS
    moving_variance_initializer: InitializerOption = ONES

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 2)
        check_float(x)
        ops.normalize_axis(self.axis, x.rank)
        shape = (fixed(x, self.axis),)
        gamma, beta = self.affine(site, x, shape)
        mean = site.state("moving_mean", shape, x.dtype, self.moving_mean_initializer)
        variance = site.state("moving_variance", shape, x.dtype, self.moving_variance_initializer)
        if not site.training:
            return ops.batch_norm_inference(x, gamma, beta, mean, variance, axis=self.axis, epsilon=self.epsilon)  # type: ignore[no-any-return]
        y, batch_mean, batch_variance = ops.batch_norm(x, gamma, beta, axis=self.axis, epsilon=self.epsilon)
        site.update("moving_mean", self._moved(mean, batch_mean))
        site.update("moving_variance", self._moved(variance, batch_variance))
        return y  # type: ignore[no-any-return]

    def _moved(self, old: Value, new: Value) -> Value:
        return old * self.momentum + new * (1.0 - self.momentum)


class LayerNormalization(_Affine):
    """By each example's own mean and biased variance over the given axes."""

    kind = "layer_normalization"
    aliases = ("LayerNormalization",)
    axis: Annotated[int | list[int], Words("a whole number or a list of them")] = -1

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 1)
        check_float(x)
        given = (self.axis,) if isinstance(self.axis, int) else tuple(self.axis)
        axes = ops.normalize_axes(given, x.rank)
        shape = tuple(fixed(x, a) for a in axes)
        gamma, beta = (_spread(v, x, axes) for v in self.affine(site, x, shape))
        return ops.layer_norm(x, gamma, beta, axes=given, epsilon=self.epsilon)  # type: ignore[no-any-return]


def _spread(v: Value | None, x: Value, axes: tuple[int, ...]) -> Value | None:
    """A parameter over `axes`, shaped to broadcast against x; as it is where these are the last axes."""
    if v is None or axes == tuple(range(x.rank - len(axes), x.rank)):
        return v
    return ops.reshape(v, shape=tuple(s if i in axes else 1 for i, s in enumerate(x.shape)))  # type: ignore[no-any-return]


class GroupNormalization(_Affine):
    """By the mean and variance of each group of channels of an example; -1 group means one for each channel."""

    kind = "group_normalization"
    aliases = ("GroupNormalization",)
    main = "groups"
    groups: Annotated[int, Field(ge=-1), Words("a positive whole number or -1")] = 32
    axis: Index = -1

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 2)
        check_float(x)
        channels = fixed(x, self.axis)
        groups = channels if self.groups == -1 else self.groups
        if groups < 1 or channels % groups:
            raise TypeMismatchError(f"{channels} channels cannot be split evenly into {self.groups} groups")
        gamma, beta = self.affine(site, x, (channels,))
        return ops.group_norm(x, gamma, beta, groups=groups, axis=self.axis, epsilon=self.epsilon)  # type: ignore[no-any-return]


Axes = Annotated[int | list[int], Words("a whole number or a list of them")]


def _listed(axis: int | list[int]) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


class RMSNormalization(Layer):
    """By the root of the mean square over the given axes, times a scale."""

    kind = "rms_normalization"
    aliases = ("RMSNormalization",)
    axis: Axes = -1
    epsilon: Positive = 1e-6

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        axes = ops.normalize_axes(_listed(self.axis), x.rank)
        scale = site.parameter("scale", tuple(fixed(x, a) for a in sorted(axes)), x.dtype, ONES)
        return ops.rms_norm(x, _spread(scale, x, axes), axes=axes, epsilon=self.epsilon)  # type: ignore[no-any-return]


class UnitNormalization(Layer):
    """To the length 1 over the given axes."""

    kind = "unit_normalization"
    aliases = ("UnitNormalization",)
    axis: Axes = -1

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        return ops.l2_normalize(x, axes=_listed(self.axis), epsilon=1e-12)  # type: ignore[no-any-return]


LAYERS: tuple[type[Layer], ...] = (
    BatchNormalization, LayerNormalization, GroupNormalization, RMSNormalization, UnitNormalization,
)  # fmt: skip
