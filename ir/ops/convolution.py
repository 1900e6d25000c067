"""Convolutions over one to three spatial axes, and the two that are their gradients.

The three ops are a closed family, each linear in both operands: the gradient of any is made of the others.
`layout` and `filter_layout` name the axes: N batch, C channels, O and I a filter's outputs and inputs, the rest
spatial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dims import Size, divide_exact, floor_div, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype

Pairs = tuple[tuple[Size, Size], ...]


def spatial(layout: str) -> str:
    """The letters of the spatial axes, in the order in which `layout` has them."""
    return "".join(c for c in layout if c not in "NCOI")


def window_size(size: Size, kernel: Size, stride: int, padding: tuple[Size, Size], dilation: int) -> Size:
    """How many windows fit along an axis: floor((size + padding - dilation (kernel - 1) - 1) / stride) + 1."""
    span = size + padding[0] + padding[1] - ((kernel - 1) * dilation + 1)
    require(">=", span, 0)
    return floor_div(span, stride) + 1


def _axis_sizes(t: TensorType, layout: str, what: str) -> dict[str, Size]:
    if t.rank != len(layout):
        raise TypeMismatchError(f"conv: {what} {t} does not have the axes {layout}")
    return dict(zip(layout, t.shape, strict=True))


def _check(
    x: TensorType,
    w: TensorType,
    strides: Any,
    padding: Any,
    dilations: Any,
    layout: str,
    filter_layout: str,
    groups: int,
) -> None:
    check_kind("conv", ("float",), x, w)
    check_same_dtype("conv", x, w)
    count = len(spatial(layout))
    if spatial(layout) != spatial(filter_layout) or not len(strides) == len(padding) == len(dilations) == count:
        raise TypeMismatchError(
            f"conv needs a stride, a padding pair and a dilation for each of the {count} spatial axes of {layout}"
        )
    if groups < 1 or min(*strides, *dilations, 1) < 1:
        raise TypeMismatchError("conv: strides, dilations and groups are positive")


def _check_positions(
    g: TensorType,
    layout: str,
    image: Sequence[Size],
    kernel: Sequence[Size],
    strides: Any,
    padding: Any,
    dilations: Any,
) -> None:  # fmt: skip
    """The gradient has an element for each place of the filter."""
    axes = _axis_sizes(g, layout, "the gradient")
    for letter, *axis in zip(spatial(layout), image, kernel, strides, padding, dilations, strict=True):
        require("==", axes[letter], window_size(*axis))


def _conv_type(
    x: TensorType, w: TensorType, *, strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    groups: int = 1, layout: str = "NHWC", filter_layout: str = "HWIO",
) -> TensorType:  # fmt: skip
    _check(x, w, strides, padding, dilations, layout, filter_layout, groups)
    image, kernel = _axis_sizes(x, layout, "the input"), _axis_sizes(w, filter_layout, "the filter")
    try:
        require("==", image["C"], kernel["I"] * groups)
    except TypeMismatchError:
        raise TypeMismatchError(
            f"conv: the input has {image['C']} channels, but the filter {w} takes {kernel['I'] * groups}"
        ) from None
    divide_exact(kernel["O"], groups)
    sizes: dict[str, Size] = {"N": image["N"], "C": kernel["O"]}
    for letter, stride, pads, dilation in zip(spatial(layout), strides, padding, dilations, strict=True):
        sizes[letter] = window_size(image[letter], kernel[letter], stride, pads, dilation)
    return x.with_shape(tuple(sizes[c] for c in layout))


def _input_gradient_type(
    g: TensorType, w: TensorType, *, sizes: tuple[Size, ...], strides: tuple[int, ...], padding: Pairs,
    dilations: tuple[int, ...], groups: int = 1, layout: str = "NHWC", filter_layout: str = "HWIO",
) -> TensorType:  # fmt: skip
    _check(g, w, strides, padding, dilations, layout, filter_layout, groups)
    kernel = _axis_sizes(w, filter_layout, "the filter")
    _check_positions(g, layout, sizes, [kernel[c] for c in spatial(layout)], strides, padding, dilations)
    known = dict(zip(spatial(layout), sizes, strict=True)) | {
        "N": _axis_sizes(g, layout, "the gradient")["N"],
        "C": kernel["I"] * groups,
    }
    return g.with_shape(tuple(known[c] for c in layout))


def _filter_gradient_type(
    x: TensorType, g: TensorType, *, sizes: tuple[Size, ...], strides: tuple[int, ...], padding: Pairs,
    dilations: tuple[int, ...], groups: int = 1, layout: str = "NHWC", filter_layout: str = "HWIO",
) -> TensorType:  # fmt: skip
    _check(x, g, strides, padding, dilations, layout, filter_layout, groups)
    image = _axis_sizes(x, layout, "the input")
    channels = image["C"]
    _check_positions(g, layout, [image[c] for c in spatial(layout)], sizes, strides, padding, dilations)
    known = dict(zip(spatial(layout), sizes, strict=True)) | {
        "I": divide_exact(channels, groups),
        "O": _axis_sizes(g, layout, "the gradient")["C"],
    }
    return x.with_shape(tuple(known[c] for c in filter_layout))


def _to(x: Any, source: str, target: str) -> Any:
    return x.transpose([source.index(c) for c in target])


def _windows(x: Any, kernel: tuple[int, ...], strides: Any, padding: Any, dilations: Any) -> Any:
    """All windows of x [N, C, *spatial] as a view [N, C, *positions, *kernel]."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(x, spans, tuple(range(2, x.ndim)))
    steps = tuple(slice(None, None, s) for s in strides) + tuple(slice(None, None, d) for d in dilations)
    return view[(slice(None), slice(None), *steps)]


def _conv(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: int, layout: str, filter_layout: str
) -> Any:
    """Each window of the input times the filter, summed."""
    letters = spatial(layout)
    x, w = _to(x, layout, "NC" + letters), _to(w, filter_layout, "OI" + letters)
    n = len(letters)
    view = _windows(x, w.shape[2:], strides, padding, dilations)
    axes = (1, *range(2 + n, 2 + 2 * n))
    parts = [
        np.tensordot(a, b, (axes, (1, *range(2, 2 + n))))
        for a, b in zip(np.split(view, groups, 1), np.split(w, groups, 0), strict=True)
    ]  # fmt: skip
    return _to(np.concatenate(parts, -1), "N" + letters + "C", layout)


def _conv_filter_gradient(
    x: Any,
    g: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
    layout: str,
    filter_layout: str,
) -> Any:
    """Each window of the input times the gradient at its position, summed over positions and batch."""
    letters = spatial(layout)
    x, g = _to(x, layout, "NC" + letters), _to(g, layout, "NC" + letters)
    n = len(letters)
    view = _windows(x, sizes, strides, padding, dilations)
    axes = (0, *range(2, 2 + n))
    parts = [
        np.tensordot(b, a, (axes, axes)) for a, b in zip(np.split(view, groups, 1), np.split(g, groups, 1), strict=True)
    ]
    return _to(np.concatenate(parts, 0), "OI" + letters, filter_layout)


def _conv_input_gradient(
    g: Any,
    w: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
    layout: str,
    filter_layout: str,
) -> Any:
    """Each position's gradient times the filter, added where its window lay."""
    letters = spatial(layout)
    g, w = _to(g, layout, "NC" + letters), _to(w, filter_layout, "OI" + letters)
    padded = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    x = np.zeros((g.shape[0], w.shape[1] * groups, *padded), g.dtype)
    for offset in np.ndindex(*w.shape[2:]):
        place = tuple(
            slice(o * d, o * d + (n - 1) * s + 1 if n else o * d, s)
            for o, d, s, n in zip(offset, dilations, strides, g.shape[2:], strict=True)
        )  # fmt: skip
        tap = w[(slice(None), slice(None), *offset)]
        parts = [
            np.tensordot(a, b, ((1,), (0,)))
            for a, b in zip(np.split(g, groups, 1), np.split(tap, groups, 0), strict=True)
        ]
        x[(slice(None), slice(None), *place)] += np.moveaxis(np.concatenate(parts, -1), -1, 1)
    x = x[(slice(None), slice(None), *(slice(a, a + n) for (a, _), n in zip(padding, sizes, strict=True)))]
    return _to(x, "NC" + letters, layout)


def _sizes(v: Value, layout: str) -> tuple[Size, ...]:
    return tuple(v.shape[layout.index(c)] for c in spatial(layout))


def _conv_gradient(g: Value, out: Value, x: Value, w: Value, **a: Any) -> tuple[Value, Value]:
    return (
        conv_input_gradient(g, w, sizes=_sizes(x, a["layout"]), **a),
        conv_filter_gradient(x, g, sizes=_sizes(w, a["filter_layout"]), **a),
    )


def _input_gradient_gradient(h: Value, out: Value, g: Value, w: Value, *, sizes: Any, **a: Any) -> tuple[Value, Value]:
    return conv(h, w, **a), conv_filter_gradient(h, g, sizes=_sizes(w, a["filter_layout"]), **a)


def _filter_gradient_gradient(h: Value, out: Value, x: Value, g: Value, *, sizes: Any, **a: Any) -> tuple[Value, Value]:
    return conv_input_gradient(g, h, sizes=_sizes(x, a["layout"]), **a), conv(x, h, **a)


_BOUND = Bound("contraction", 8.0)
_SAME: dict[str, Any] = {"strides": (1, 1), "padding": ((1, 1), (1, 0)), "dilations": (1, 1)}
_STRIDED: dict[str, Any] = {
    "strides": (2, 3),
    "padding": ((0, 1), (2, 0)),
    "dilations": (1, 2),
    "groups": 2,
    "layout": "NCHW",
    "filter_layout": "OIHW",
}
_LINE: dict[str, Any] = {
    "strides": (2,),
    "padding": ((1, 0),),
    "dilations": (1,),
    "layout": "NWC",
    "filter_layout": "WIO",
}
_SOLID: dict[str, Any] = {
    "strides": (1, 2, 1),
    "padding": ((0, 0), (1, 1), (0, 1)),
    "dilations": (2, 1, 1),
    "layout": "NDHWC",
    "filter_layout": "DHWIO",
}

conv = Op(
    "conv", _conv_type, _conv, _conv_gradient, bound=_BOUND, smooth=True,
    samples=(sample((2, 5, 6, 3), (4, 2, 3, 7), **_SAME), sample((2, 10, 7, 11), (6, 5, 3, 2), **_STRIDED),
             sample((2, 7, 3), (4, 3, 5), **_LINE), sample((1, 7, 6, 5, 4), (2, 3, 1, 4, 7), **_SOLID),
             sample((0, 5, 6, 3), (4, 2, 3, 7), **_SAME)),
)  # fmt: skip
conv_input_gradient = Op(
    "conv_input_gradient", _input_gradient_type, _conv_input_gradient, _input_gradient_gradient, bound=_BOUND,
    smooth=True,
    samples=(sample((2, 4, 6, 7), (4, 2, 3, 7), sizes=(5, 6), **_SAME),
             sample((2, 6, 3, 4), (6, 5, 3, 2), sizes=(7, 11), **_STRIDED),
             sample((2, 3, 5), (4, 3, 5), sizes=(7,), **_LINE),
             sample((1, 5, 3, 6, 7), (2, 3, 1, 4, 7), sizes=(7, 6, 5), **_SOLID)),
)  # fmt: skip
conv_filter_gradient = Op(
    "conv_filter_gradient", _filter_gradient_type, _conv_filter_gradient, _filter_gradient_gradient, bound=_BOUND,
    smooth=True,
    samples=(sample((2, 5, 6, 3), (2, 4, 6, 7), sizes=(4, 2), **_SAME),
             sample((2, 10, 7, 11), (2, 6, 3, 4), sizes=(3, 2), **_STRIDED),
             sample((2, 7, 3), (2, 3, 5), sizes=(4,), **_LINE),
             sample((1, 7, 6, 5, 4), (1, 5, 3, 6, 7), sizes=(2, 3, 1), **_SOLID)),
)  # fmt: skip

OPS = (conv, conv_input_gradient, conv_filter_gradient)
