"""Numbers kept within limits, replaced where they are none, and mixed."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from ..dims import broadcast_shapes
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import DType, TensorType
from .arithmetic import check_kind, check_same_dtype, maximum, minimum
from .comparison import equal, greater, greater_equal, isfinite, isnan, less, less_equal, where

_LOW, _HIGH = np.array([-1.0, 0.5, 0.25], np.float32), np.float32(0.75)


def _clip_type(x: TensorType, low: TensorType | None = None, high: TensorType | None = None) -> TensorType:
    limits = [t for t in (low, high) if t is not None]
    check_kind("clip", ("int", "uint", "float"), x)
    check_same_dtype("clip", x, *limits)
    return x.with_shape(broadcast_shapes(x.shape, *(t.shape for t in limits)))


def _clip_parts(x: Value, low: Value | None, high: Value | None) -> Value:
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def _clip_gradient(
    g: Value, out: Value, x: Value, low: Value | None, high: Value | None
) -> tuple[Value | None, Value | None, Value | None]:
    """At a limit all of it goes to x; where the limits cross, all goes to the upper one."""
    to_x = g if low is None else where(greater_equal(x, low), g, 0.0)
    to_x = to_x if high is None else where(less_equal(x, high), to_x, 0.0)
    to_low = None if low is None else where(less(x, low), g, 0.0)
    if low is not None and high is not None:
        crossed = greater(low, high)
        to_x, to_low = where(crossed, 0.0, to_x), where(crossed, 0.0, to_low)
        return to_x, to_low, where(crossed, g, where(greater(x, high), g, 0.0))
    return to_x, to_low, None if high is None else where(greater(x, high), g, 0.0)


def _nan_to_num_type(
    x: TensorType, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> TensorType:
    check_kind("nan_to_num", ("float",), x)
    return x


def _largest(dtype: DType) -> float:
    return float(ml_dtypes.finfo(dtype.numpy).max)  # type: ignore[no-untyped-call]  # NumPy's knows no bfloat16


def _nan_to_num_parts(x: Value, *, nan: float, posinf: float | None, neginf: float | None) -> Value:
    """Infinities become the largest and lowest finite number where none is given."""
    top = _largest(x.dtype)
    above, below = top if posinf is None else posinf, -top if neginf is None else neginf
    limited = where(equal(x, math.inf), above, where(equal(x, -math.inf), below, x))
    return where(isnan(x), nan, limited)  # type: ignore[no-any-return]


def _nan_to_num_gradient(g: Value, out: Value, x: Value, **attributes: Any) -> tuple[Value]:
    return (where(isfinite(x), g, 0.0),)


def _lerp_type(x: TensorType, y: TensorType, weight: TensorType) -> TensorType:
    check_kind("lerp", ("float",), x)
    check_same_dtype("lerp", x, y, weight)
    return x.with_shape(broadcast_shapes(x.shape, y.shape, weight.shape))


clip = Op(
    "clip", _clip_type, None, _clip_gradient, _clip_parts, broadcasts=True, bound=EXACT,
    samples=(sample((2, 3), _LOW, _HIGH), sample((2, 3), None, _HIGH), sample((2, 3), _LOW, None),
             sample((2, 3), np.float32(-0.5), np.float32(1.0)), sample((3,), (2, 1), None),
             sample(np.array([5, -7, 3], np.int32), np.int32(-2), np.int32(4))),
)  # fmt: skip
nan_to_num = Op(
    "nan_to_num", _nan_to_num_type, None, _nan_to_num_gradient, _nan_to_num_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3)), sample(np.array([np.nan, np.inf, -np.inf, 2.0], np.float32), nan=0.5, posinf=9.0,
                                    neginf=-8.0),),
)  # fmt: skip
lerp = Op(
    "lerp", _lerp_type, None, None, lambda x, y, weight: x + weight * (y - x), broadcasts=True, bound=Bound("parts"),
    smooth=True,
    samples=(sample((2, 3), (2, 3), (3,)), sample((4,), (4,), ()), sample((2, 1), (1, 3), np.float32(0.3))),
)  # fmt: skip

OPS = (clip, nan_to_num, lerp)
