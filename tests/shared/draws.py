"""Random numbers of an element type, for the projections and directions of gradient tests."""

from __future__ import annotations

from typing import Any

import numpy as np


def drawn(generator: np.random.Generator, shape: Any, dtype: Any) -> np.ndarray:
    """Normal numbers; of a complex type both parts are."""
    parts = generator.normal(size=shape)
    return np.asarray(parts + 1j * generator.normal(size=shape) if np.dtype(dtype).kind == "c" else parts).astype(dtype)
