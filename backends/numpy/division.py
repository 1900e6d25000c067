"""NumPy: division in whole numbers, and what it leaves over."""

from __future__ import annotations

import operator

import numpy as np

from ...ir import ops

rows = {
    ops.remainder: operator.mod,
    ops.floor_divide: operator.floordiv,
    ops.copysign: np.copysign,
}
