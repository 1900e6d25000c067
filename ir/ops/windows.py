"""Padding of windows over a spatial axis, by the rules of each framework, as explicit pairs."""

from __future__ import annotations

from ..dims import Size, ceil_div, floor_div, maximum, minimum


def span(kernel: int, dilation: int = 1) -> int:
    """How many elements a window reaches over."""
    return (kernel - 1) * dilation + 1


def transposed_valid(kernel: int, stride: int, dilation: int = 1, extra: int | None = None) -> tuple[int, int]:
    """What a transposed convolution cuts before and after for Keras's VALID; `extra` is its output padding.

    Where the stride exceeds the window, the output is as long as the strides: zeros follow (a negative cut).

    >>> transposed_valid(3, 2), transposed_valid(2, 3), transposed_valid(3, 2, extra=1)
    ((0, 0), (0, -1), (0, -1))
    """
    return 0, -(max(stride - span(kernel, dilation), 0) if extra is None else extra)


def same_padding(size: Size, span: int, stride: int) -> tuple[Size, Size]:
    """TensorFlow's rule for windows of `span`: ceil(size / stride) of them, the smaller half of the padding first.

    >>> same_padding(8, 3, 2), same_padding(7, 3, 2), same_padding(5, 1, 2)
    ((0, 1), (1, 1), (0, 0))
    """
    total = maximum((ceil_div(size, stride) - 1) * stride + span - size, 0)
    before = floor_div(total, 2)
    return before, total - before


def transposed_same(
    kernel: int, stride: int, dilation: int = 1, extra: int | None = None, *, upper: bool = True
) -> tuple[int, int]:
    """What a transposed convolution cuts before and after for SAME: `stride` elements for each of the input.

    With `extra`, Keras's output padding, the output has (n - 1) stride + window % 2 + extra elements instead. The
    odd element is cut after (TensorFlow, Keras, ONNX's SAME_UPPER), or before (SAME_LOWER).

    >>> transposed_same(3, 2), transposed_same(3, 2, upper=False), transposed_same(2, 3), transposed_same(5, 2, extra=1)
    ((0, 1), (1, 0), (0, -1), (1, 2))
    """
    reach = span(kernel, dilation)
    total = reach - (stride if extra is None else reach % 2 + extra)
    smaller = max(total, 0) // 2
    return (smaller, total - smaller) if upper or total < 0 else (total - smaller, smaller)


def ceil_padding(size: Size, kernel: int, stride: int, padding: tuple[Size, Size], dilation: int = 1) -> Size:
    """How much more padding at the end PyTorch's and ONNX's `ceil_mode` means.

    A last window that is cut short counts too, unless it begins behind the padded input.

    >>> ceil_padding(5, 2, 3, (1, 1)), ceil_padding(6, 3, 2, (0, 0)), ceil_padding(7, 2, 2, (0, 0))
    (0, 1, 1)
    """
    reach = span(kernel, dilation)
    whole = size + padding[0] + padding[1]
    count = minimum(ceil_div(whole - reach, stride) + 1, ceil_div(size + padding[0], stride))
    return maximum((count - 1) * stride + reach - whole, 0)
