"""NumPy: what factorizations have names for; they themselves are the references."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Node, ops
from ..rules import Undifferentiated


def _singular_values(x: Any) -> Any:
    return np.linalg.svdvals(x)


def _nuclear_norm(x: Any) -> Any:
    return np.linalg.matrix_norm(x, ord="nuc")


def _pinv(x: Any, *, rtol: Any) -> Any:
    return np.linalg.pinv(x, rtol=rtol)


def _always(node: Node) -> bool:
    return True


rows = {
    ops.singular_values: (Undifferentiated(_always, _singular_values),),
    ops.nuclear_norm: (Undifferentiated(_always, _nuclear_norm),),
    ops.pinv: _pinv,
}
