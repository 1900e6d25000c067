"""NumPy: functions made of logarithms, exponentials and angles."""

from __future__ import annotations

import numpy as np

from ...ir import ops

rows = {
    ops.exp2: np.exp2,
    ops.log2: np.log2,
    ops.log10: np.log10,
    ops.sinc: np.sinc,
    ops.arctan2: np.arctan2,
    ops.hypot: np.hypot,
    ops.logaddexp: np.logaddexp,
}
