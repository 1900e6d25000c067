"""Transposed convolutions, and those in which each channel has filters of its own: named forms of `conv`."""

from __future__ import annotations

from typing import Any

from ..dims import Size, divide_exact, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype
from .convolution import Pairs, conv, conv_input_gradient, spatial
from .shape import pad, reshape


def _kernel(w: TensorType | Value, filter_layout: str) -> dict[str, Size]:
    return dict(zip(filter_layout, w.shape, strict=True))


def _conv_transpose_type(
    x: TensorType, w: TensorType, *, strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    groups: int = 1, layout: str = "NHWC", filter_layout: str = "HWIO",
) -> TensorType:  # fmt: skip
    """The filter's letters are those of the convolution that is transposed: O meets x, I is what comes out.

    So PyTorch's and ONNX's filters are OIHW, TensorFlow's and Keras's are HWIO. `padding` is cut off the full result;
    a negative one adds zeros (an output padding). Source: `NUMERICS.md` P5, P6.
    """
    check_kind("conv_transpose", ("float",), x, w)
    check_same_dtype("conv_transpose", x, w)
    if x.rank != len(layout) or w.rank != len(filter_layout):
        raise TypeMismatchError(f"conv_transpose: {x} and {w} do not have the axes {layout} and {filter_layout}")
    letters = spatial(layout)
    if not len(strides) == len(padding) == len(dilations) == len(letters) or min(*strides, *dilations, groups) < 1:
        raise TypeMismatchError(
            f"conv_transpose needs a positive stride, a padding pair and a positive dilation for each of {letters}"
        )
    image, kernel = dict(zip(layout, x.shape, strict=True)), _kernel(w, filter_layout)
    require("==", image["C"], kernel["O"])
    divide_exact(kernel["O"], groups)
    sizes = image | {"C": kernel["I"] * groups}
    for letter, stride, pads, dilation in zip(letters, strides, padding, dilations, strict=True):
        require(">=", image[letter], 1)
        sizes[letter] = _full_size(image[letter], kernel[letter], stride, dilation) - pads[0] - pads[1]
    return x.with_shape(tuple(sizes[c] for c in layout))


def _full_size(size: Size, kernel: Size, stride: int, dilation: int) -> Size:
    return (size - 1) * stride + (kernel - 1) * dilation + 1


def _conv_transpose_parts(
    x: Value, w: Value, *, strides: Any, padding: Any, dilations: Any, groups: int, layout: str, filter_layout: str
) -> Value:
    kernel = _kernel(w, filter_layout)
    letters = spatial(layout)
    low, high, sizes, cut = dict.fromkeys(layout, 0), dict.fromkeys(layout, 0), [], []
    for letter, (first, last), s, d in zip(letters, padding, strides, dilations, strict=True):
        low[letter], high[letter] = max(-first, 0), max(-last - (s - 1), 0)  # beyond what any window leaves over
        inner = (first + low[letter], last + high[letter])
        sizes.append(_full_size(x.shape[layout.index(letter)], kernel[letter], s, d) - inner[0] - inner[1])
        cut.append((inner[0], max(inner[1], 0)))
    y = conv_input_gradient(
        x, w, sizes=tuple(sizes), strides=strides, padding=tuple(cut), dilations=dilations, groups=groups,
        layout=layout, filter_layout=filter_layout,
    )  # fmt: skip
    if not any((*low.values(), *high.values())):
        return y  # type: ignore[no-any-return]
    sides = {"low": tuple(low[c] for c in layout), "high": tuple(high[c] for c in layout)}
    return pad(y, 0.0, **sides, interior=(0,) * y.rank)  # type: ignore[no-any-return]


def _grouped(w: TensorType | Value, filter_layout: str) -> tuple[Size, ...]:
    """The shape of a filter [.., C, M] as that of a grouped convolution: the outputs of channel c begin at c M."""
    return (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])


def _depthwise_type(
    x: TensorType, w: TensorType, *, strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """The filter is [space.., channels, multiplier], as Keras and TensorFlow have it."""
    if w.rank != len(layout):
        raise TypeMismatchError(f"depthwise_conv: {w} is not [{', '.join(spatial(layout))}, channels, multiplier]")
    return conv.output_types(
        (x, w.with_shape(_grouped(w, layout))),
        {
            "strides": strides, "padding": padding, "dilations": dilations, "groups": _channels(x, layout),
            "layout": layout, "filter_layout": spatial(layout) + "IO",
        },
    )[0]  # fmt: skip


def _channels(x: TensorType | Value, layout: str) -> int:
    channels = x.shape[layout.index("C")]
    if not isinstance(channels, int):
        raise TypeMismatchError(f"depthwise_conv needs a known number of channels, not {channels}")
    return channels


def _depthwise_parts(x: Value, w: Value, *, strides: Any, padding: Any, dilations: Any, layout: str) -> Value:
    return conv(  # type: ignore[no-any-return]
        x, reshape(w, shape=_grouped(w, layout)), strides=strides, padding=padding, dilations=dilations,
        groups=_channels(x, layout), layout=layout, filter_layout=spatial(layout) + "IO",
    )  # fmt: skip


def _separable_type(
    x: TensorType, depthwise: TensorType, pointwise: TensorType, *, strides: tuple[int, ...], padding: Pairs,
    dilations: tuple[int, ...], layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """`depthwise` is [space.., C, multiplier], `pointwise` [1.., C x multiplier, filters], as in Keras."""
    inner = _depthwise_type(x, depthwise, strides=strides, padding=padding, dilations=dilations, layout=layout)
    return conv.output_types((inner, pointwise), _pointwise(layout))[0]


def _pointwise(layout: str) -> dict[str, Any]:
    letters = spatial(layout)
    ones = (1,) * len(letters)
    return {
        "strides": ones, "padding": ((0, 0),) * len(letters), "dilations": ones, "groups": 1, "layout": layout,
        "filter_layout": letters + "IO",
    }  # fmt: skip


def _separable_parts(x: Value, depthwise: Value, pointwise: Value, *, layout: str, **windows: Any) -> Value:
    return conv(depthwise_conv(x, depthwise, layout=layout, **windows), pointwise, **_pointwise(layout))  # type: ignore[no-any-return]


_BOUND = Bound("contraction", 8.0)
_IMAGE: dict[str, Any] = {"strides": (2, 3), "padding": ((0, 1), (1, 0)), "dilations": (1, 1)}
_GROUPED: dict[str, Any] = {
    "strides": (2, 1), "padding": ((1, 0), (1, 1)), "dilations": (1, 2), "groups": 2, "layout": "NCHW",
    "filter_layout": "OIHW",
}  # fmt: skip
_LINE: dict[str, Any] = {"strides": (3,), "padding": ((1, -2),), "dilations": (2,), "layout": "NWC",
                         "filter_layout": "WIO"}  # fmt: skip
_SOLID: dict[str, Any] = {
    "strides": (2, 1, 2), "padding": ((0, 0), (0, 1), (1, -1)), "dilations": (1, 1, 1), "layout": "NDHWC",
    "filter_layout": "DHWIO",
}  # fmt: skip
_WINDOWS: dict[str, Any] = {"strides": (2, 2), "padding": ((1, 0), (0, 1)), "dilations": (1, 1)}
_DILATED: dict[str, Any] = {"strides": (1, 1), "padding": ((1, 0), (0, 1)), "dilations": (1, 2), "layout": "NCHW"}
_ALONG: dict[str, Any] = {"strides": (2,), "padding": ((1, 1),), "dilations": (1,), "layout": "NWC"}

conv_transpose = Op(
    "conv_transpose", _conv_transpose_type, None, None, _conv_transpose_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 3, 4, 7), (4, 2, 5, 7), **_IMAGE), sample((2, 4, 5, 7), (4, 6, 3, 2), **_GROUPED),
             sample((2, 4, 3), (2, 5, 3), **_LINE), sample((1, 2, 3, 8, 5), (2, 4, 1, 6, 5), **_SOLID),
             sample((2, 3, 5), (2, 4, 5), **_LINE | {"padding": ((-1, -4),)})),
)  # fmt: skip
depthwise_conv = Op(
    "depthwise_conv", _depthwise_type, None, None, _depthwise_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 9, 6, 5), (3, 2, 5, 4), **_WINDOWS), sample((2, 5, 7, 6), (3, 2, 5, 4), **_DILATED),
             sample((2, 7, 3), (2, 3, 5), **_ALONG)),
)  # fmt: skip
separable_conv = Op(
    "separable_conv", _separable_type, None, None, _separable_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 9, 6, 5), (3, 2, 5, 4), (1, 1, 20, 6), **_WINDOWS),
             sample((2, 5, 7, 6), (3, 2, 5, 4), (1, 1, 20, 3), **_DILATED),
             sample((2, 7, 3), (2, 3, 5), (1, 15, 6), **_ALONG)),
)  # fmt: skip

OPS = (conv_transpose, depthwise_conv, separable_conv)
