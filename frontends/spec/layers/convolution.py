"""Convolutions over one to three spatial axes."""

from __future__ import annotations

from typing import ClassVar, Literal

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ..initializers import GLOROT_UNIFORM, ZEROS, InitializerOption
from ..options import Count, Sizes1, Sizes2, Sizes3
from ..penalties import PenaltyOption
from .activation import ActivationOption
from .base import SPATIAL, DataFormat, Layer, Site, check_axes, check_float, fixed, layout
from .windows import Padding, pairs


class Windowed(Layer):
    """What dense and depthwise convolutions share: windows, bias, activation."""

    rank: ClassVar[int]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Literal["valid", "same", "causal"] = "valid"
    data_format: DataFormat = "channels_last"
    dilation_rate: tuple[int, ...]
    activation: ActivationOption | None = None
    use_bias: bool = True
    bias_initializer: InitializerOption = ZEROS
    bias_regularizer: PenaltyOption | None = None

    def channels(self, x: Value) -> int:
        axes = layout(self.rank, self.data_format)
        check_axes(x, axes)
        check_float(x)
        return fixed(x, axes.index("C"))

    def convolve(self, x: Value, kernel: Value, groups: int) -> Value:
        axes = layout(self.rank, self.data_format)
        sizes = [x.shape[axes.index(c)] for c in SPATIAL[self.rank]]
        padding = pairs(self.padding, sizes, self.kernel_size, self.strides, self.dilation_rate)
        return ops.conv(  # type: ignore[no-any-return]
            x, kernel, strides=self.strides, padding=padding, dilations=self.dilation_rate, groups=groups,
            layout=axes, filter_layout=f"{SPATIAL[self.rank]}IO",
        )  # fmt: skip

    def finished(self, site: Site, y: Value) -> Value:
        if self.use_bias:
            filters = fixed(y, layout(self.rank, self.data_format).index("C"))
            bias = site.parameter("bias", (filters,), y.dtype, self.bias_initializer, self.bias_regularizer)
            y = y + (
                bias if self.data_format == "channels_last" else ops.reshape(bias, shape=(filters, *(1,) * self.rank))
            )
        return self.activation.build(site, y) if self.activation else y


class _Conv(Windowed):
    filters: Count
    groups: Count = 1
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    kernel_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        channels = self.channels(x)
        if channels % self.groups or self.filters % self.groups:
            raise TypeMismatchError(
                f"{channels} channels and {self.filters} filters cannot both be split evenly into {self.groups} groups"
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        kernel = site.parameter("kernel", shape, x.dtype, self.kernel_initializer, self.kernel_regularizer)
        return self.finished(site, self.convolve(x, kernel, self.groups))


class Conv1D(_Conv):
    kind = "conv1d"
    aliases = ("Conv1D", "Convolution1D")
    rank = 1
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    dilation_rate: Sizes1 = (1,)


class Conv2D(_Conv):
    kind = "conv2d"
    aliases = ("Conv2D", "Convolution2D")
    rank = 2
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    padding: Padding = "valid"
    dilation_rate: Sizes2 = (1, 1)


class Conv3D(_Conv):
    kind = "conv3d"
    aliases = ("Conv3D", "Convolution3D")
    rank = 3
    kernel_size: Sizes3
    strides: Sizes3 = (1, 1, 1)
    padding: Padding = "valid"
    dilation_rate: Sizes3 = (1, 1, 1)


class _Depthwise(Windowed):
    """Each channel by filters of its own; the kernel is [space, channels, depth_multiplier], as in Keras."""

    padding: Padding = "valid"
    depth_multiplier: Count = 1
    depthwise_initializer: InitializerOption = GLOROT_UNIFORM
    depthwise_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        channels = self.channels(x)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        kernel = site.parameter("kernel", shape, x.dtype, self.depthwise_initializer, self.depthwise_regularizer)
        grouped = ops.reshape(kernel, shape=(*self.kernel_size, 1, channels * self.depth_multiplier))
        return self.finished(site, self.convolve(x, grouped, channels))


class DepthwiseConv1D(_Depthwise):
    kind = "depthwise_conv1d"
    aliases = ("DepthwiseConv1D",)
    rank = 1
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    dilation_rate: Sizes1 = (1,)


class DepthwiseConv2D(_Depthwise):
    kind = "depthwise_conv2d"
    aliases = ("DepthwiseConv2D",)
    rank = 2
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    dilation_rate: Sizes2 = (1, 1)


LAYERS: tuple[type[Layer], ...] = (Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D)
