"""Transposed convolutions, and separable ones."""

from __future__ import annotations

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ..initializers import GLOROT_UNIFORM, InitializerOption
from ..options import Count, Sizes1, Sizes2, Sizes3, Wholes1, Wholes2, Wholes3
from ..penalties import PenaltyOption
from .base import SPATIAL, Layer, Site, layout
from .convolution import Windowed
from .windows import Padding, pairs


class _Transposed(Windowed):
    """Each element spreads over a window, as in a convolution's gradient; the kernel is [space, filters, channels].

    An axis of `same` becomes `strides` times as long; one of `valid` as long as all windows together.
    """

    filters: Count
    padding: Padding = "valid"
    output_padding: tuple[int, ...] | None
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    kernel_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        shape = (*self.kernel_size, self.filters, self.channels(x))
        kernel = site.parameter("kernel", shape, x.dtype, self.kernel_initializer, self.kernel_regularizer)
        extra = self.output_padding or (None,) * self.rank
        windows = zip(self.kernel_size, self.strides, self.dilation_rate, extra, strict=True)
        y = ops.conv_transpose(
            x, kernel, strides=self.strides, padding=tuple(self._cut(*window) for window in windows),
            dilations=self.dilation_rate, layout=layout(self.rank, self.data_format),
            filter_layout=f"{SPATIAL[self.rank]}IO",
        )  # fmt: skip
        return self.finished(site, y)

    def _cut(self, size: int, stride: int, dilation: int, extra: int | None) -> tuple[int, int]:
        """What Keras cuts off the full result before and after; a negative number adds zeros."""
        if extra is not None and extra >= stride:
            raise TypeMismatchError(f"output_padding must be less than the stride, {stride}, not {extra}")
        span = (size - 1) * dilation + 1
        if self.padding == "valid":
            return 0, -(max(stride - span, 0) if extra is None else extra)
        total = stride + span - 2 if extra is None else span + span % 2 - 2 + extra
        before = min(total // 2 + total % 2, span - 1)
        return span - 1 - before, span - 1 - (total - before)


class Conv1DTranspose(_Transposed):
    kind = "conv1d_transpose"
    aliases = ("Conv1DTranspose", "Convolution1DTranspose")
    rank = 1
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    dilation_rate: Sizes1 = (1,)
    output_padding: Wholes1 | None = None


class Conv2DTranspose(_Transposed):
    kind = "conv2d_transpose"
    aliases = ("Conv2DTranspose", "Convolution2DTranspose")
    rank = 2
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    dilation_rate: Sizes2 = (1, 1)
    output_padding: Wholes2 | None = None


class Conv3DTranspose(_Transposed):
    kind = "conv3d_transpose"
    aliases = ("Conv3DTranspose", "Convolution3DTranspose")
    rank = 3
    kernel_size: Sizes3
    strides: Sizes3 = (1, 1, 1)
    dilation_rate: Sizes3 = (1, 1, 1)
    output_padding: Wholes3 | None = None


class _Separable(Windowed):
    """Each channel by filters of its own, then all of them mixed at each place."""

    filters: Count
    padding: Padding = "valid"
    depth_multiplier: Count = 1
    depthwise_initializer: InitializerOption = GLOROT_UNIFORM
    pointwise_initializer: InitializerOption = GLOROT_UNIFORM
    depthwise_regularizer: PenaltyOption | None = None
    pointwise_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        channels, axes = self.channels(x), layout(self.rank, self.data_format)
        each = (*self.kernel_size, channels, self.depth_multiplier)
        mixed = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        depthwise = site.parameter(
            "depthwise_kernel", each, x.dtype, self.depthwise_initializer, self.depthwise_regularizer
        )
        pointwise = site.parameter(
            "pointwise_kernel", mixed, x.dtype, self.pointwise_initializer, self.pointwise_regularizer
        )
        sizes = [x.shape[axes.index(c)] for c in SPATIAL[self.rank]]
        padding = pairs(self.padding, sizes, self.kernel_size, self.strides, self.dilation_rate)
        y = ops.separable_conv(
            x, depthwise, pointwise, strides=self.strides, padding=padding, dilations=self.dilation_rate, layout=axes
        )
        return self.finished(site, y)


class SeparableConv1D(_Separable):
    kind = "separable_conv1d"
    aliases = ("SeparableConv1D", "SeparableConvolution1D")
    rank = 1
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    dilation_rate: Sizes1 = (1,)


class SeparableConv2D(_Separable):
    kind = "separable_conv2d"
    aliases = ("SeparableConv2D", "SeparableConvolution2D")
    rank = 2
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    dilation_rate: Sizes2 = (1, 1)


LAYERS: tuple[type[Layer], ...] = (
    Conv1DTranspose, Conv2DTranspose, Conv3DTranspose, SeparableConv1D, SeparableConv2D,
)  # fmt: skip
