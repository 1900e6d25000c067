"""NumPy: complex numbers; the parts are the ops' own references."""

from __future__ import annotations

import numpy as np

from ...ir import ops

rows = {
    ops.complex_absolute: np.abs,
    ops.angle: np.angle,
}
