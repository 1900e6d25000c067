"""The padding of windows that slide over spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ....ir.dims import Size, ceil_div, floor_div, maximum
from ....ir.errors import TypeMismatchError

Padding = Literal["valid", "same"]
Pairs = tuple[tuple[Size, Size], ...]


def pairs(
    padding: str, sizes: Sequence[Size], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Pairs:
    """How many elements to add before and after each axis; `causal` adds all of them before."""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    if padding == "same":
        return tuple(same(*axis) for axis in zip(sizes, spans, strides, strict=True))
    for size, span in zip(sizes, spans, strict=True):
        if padding == "valid" and isinstance(size, int) and size < span:
            raise TypeMismatchError(f"a window of {span} does not fit into an axis of {size}; `padding: same` pads it")
    return tuple((span - 1 if padding == "causal" else 0, 0) for span in spans)


def same(size: Size, span: int, stride: int) -> tuple[Size, Size]:
    """TensorFlow's rule: the output has ceil(size / stride) elements, and of the padding the smaller half comes first.

    >>> same(8, 3, 2), same(7, 3, 2), same(5, 1, 2)
    ((0, 1), (1, 1), (0, 0))
    """
    total = maximum((ceil_div(size, stride) - 1) * stride + span - size, 0)
    before = floor_div(total, 2)
    return before, total - before
