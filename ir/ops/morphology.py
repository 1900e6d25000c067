"""Dilation of images by a structuring element, as TensorFlow has it."""

from __future__ import annotations

import itertools
import math
from typing import Any

from ..dims import require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype, maximum
from .convolution import Pairs, window_size
from .padding import pad_or_crop
from .shape import reshape, slice_


def _dilation_type(
    x: TensorType, w: TensorType, *, strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...]
) -> TensorType:
    """The maximum of x [N, .., C] + w [.., C] over each window; what lies in the padding is passed over."""
    check_kind("dilation", ("float",), x, w)
    check_same_dtype("dilation", x, w)
    k = x.rank - 2
    if k < 1 or w.rank != k + 1 or not len(strides) == len(padding) == len(dilations) == k:
        raise TypeMismatchError(
            f"dilation takes images [N, .., C], an element w [.., C] and a stride, padding and dilation for each axis "
            f"between, not {x}, {w}, {strides}, {padding} and {dilations}"
        )
    require("==", x.shape[-1], w.shape[-1])
    axes = zip(x.shape[1:-1], w.shape[:-1], strides, padding, dilations, strict=True)
    return x.with_shape((x.shape[0], *(window_size(n, w, s, p, d) for n, w, s, p, d in axes), x.shape[-1]))


def _dilation_parts(x: Value, w: Value, *, strides: Any, padding: Any, dilations: Any) -> Value:
    out = _dilation_type(x.type, w.type, strides=strides, padding=padding, dilations=dilations)
    wide = pad_or_crop(x, -math.inf, (0, *(a for a, _ in padding), 0), (0, *(b for _, b in padding), 0))
    window = [int(n) for n in w.shape[:-1]]
    steps, channels = (1, *strides, 1), w.shape[-1]
    best: Any = None
    for place in itertools.product(*map(range, window)):
        starts = (0, *(o * d for o, d in zip(place, dilations, strict=True)), 0)
        ends = tuple(a + (m - 1) * s + 1 for a, m, s in zip(starts[1:-1], out.shape[1:-1], strides, strict=True))
        part = slice_(wide, starts=starts, stops=(x.shape[0], *ends, channels), steps=steps)
        stops = (*(o + 1 for o in place), channels)
        weight = slice_(w, starts=(*place, 0), stops=stops, steps=(1,) * w.rank)
        raised = part + reshape(weight, shape=(channels,))
        best = raised if best is None else maximum(best, raised)
    return best  # type: ignore[no-any-return]


dilation = Op(
    "dilation", _dilation_type, None, None, _dilation_parts, bound=Bound("parts"),
    samples=(sample((2, 5, 7, 6), (2, 3, 6), strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(1, 1)),
             sample((2, 7, 8, 5), (3, 2, 5), strides=(2, 1), padding=((1, 1), (0, 1)), dilations=(1, 3)),
             sample((2, 9, 3), (2, 3), strides=(2,), padding=((0, 0),), dilations=(2,))),
)  # fmt: skip

OPS = (dilation,)
