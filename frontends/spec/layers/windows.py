"""The padding of windows that slide over spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ....ir.dims import Size
from ....ir.errors import TypeMismatchError
from ....ir.ops.windows import same_padding

Padding = Literal["valid", "same"]
Pairs = tuple[tuple[Size, Size], ...]


def pairs(
    padding: str, sizes: Sequence[Size], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Pairs:
    """How many elements to add before and after each axis; `causal` adds all of them before."""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    if padding == "same":
        return tuple(same_padding(*axis) for axis in zip(sizes, spans, strides, strict=True))
    for size, span in zip(sizes, spans, strict=True):
        if padding == "valid" and isinstance(size, int) and size < span:
            raise TypeMismatchError(f"a window of {span} does not fit into an axis of {size}; `padding: same` pads it")
    return tuple((span - 1 if padding == "causal" else 0, 0) for span in spans)
