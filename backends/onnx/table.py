"""All rows."""

from __future__ import annotations

from ..rules import merge
from . import (
    activation,
    arithmetic,
    comparison,
    constant,
    contraction,
    convolution,
    indexing,
    loss,
    normalization,
    pooling,
    random,
    reduction,
    shape,
)

_FAMILIES = (
    activation, arithmetic, comparison, constant, contraction, convolution, indexing, loss, normalization, pooling,
    random, reduction, shape,
)  # fmt: skip
TABLE = merge(*(family.rows for family in _FAMILIES))
