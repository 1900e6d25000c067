"""NumPy: counter-based random bits, each generator a helper of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir import ops
from ...ir.ops.generators import philox, squares, threefry
from ..rules import When, drawn_by


def _squares(key: Any, counter: Any, *, shape: Any) -> Any:
    return squares(key, counter, math.prod(shape)).reshape(shape)


def _squares_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return squares(key, counter, math.prod(shape)).reshape(shape) >> np.uint32(32 - width)


def _philox(key: Any, counter: Any, *, shape: Any) -> Any:
    return philox(key, counter, math.prod(shape)).reshape(shape)


def _philox_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return philox(key, counter, math.prod(shape)).reshape(shape) >> np.uint32(32 - width)


def _threefry(key: Any, counter: Any, *, shape: Any) -> Any:
    return threefry(key, counter, math.prod(shape)).reshape(shape)


def _threefry_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return threefry(key, counter, math.prod(shape)).reshape(shape) >> np.uint32(32 - width)


rows = {
    ops.random_bits: (
        When(drawn_by("squares", 32), _squares),
        When(drawn_by("squares"), _squares_top),
        When(drawn_by("philox", 32), _philox),
        When(drawn_by("philox"), _philox_top),
        When(drawn_by("threefry", 32), _threefry),
        _threefry_top,
    )
}
