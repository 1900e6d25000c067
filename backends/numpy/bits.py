"""NumPy: the bits of integers."""

from __future__ import annotations

from typing import Any

from ...ir import ops


def _bitcast(x: Any, *, dtype: Any) -> Any:
    return x.view(dtype)


rows = {ops.bitcast: _bitcast}
