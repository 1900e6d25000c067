"""What says when something is computed, and changes no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Op, sample
from ..types import TensorType


def _barrier_type(*xs: TensorType) -> tuple[TensorType, ...]:
    """The operands, none before all of them are there, and none known to equal what went in."""
    if not xs:
        raise TypeMismatchError("barrier needs an operand")
    return xs


def _barrier(*xs: Any) -> Any:
    return xs if len(xs) > 1 else xs[0]


def _barrier_gradient(g: Any, out: Any, *xs: Value) -> Any:
    return g if isinstance(g, tuple) else (g,)


barrier = Op(
    "barrier", _barrier_type, _barrier, _barrier_gradient, bound=EXACT, folds=False, smooth=True,
    samples=(sample((2, 3), (4,)), sample((3, 5)), sample((), np.arange(4, dtype=np.int32), (5, 2))),
)  # fmt: skip

OPS = (barrier,)
