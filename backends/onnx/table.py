"""All rows."""

from __future__ import annotations

from ..rules import merge
from . import (
    activation,
    arithmetic,
    attention,
    comparison,
    constant,
    contraction,
    control,
    convolution,
    gather,
    indexing,
    loss,
    normalization,
    pooling,
    random,
    reduction,
    resize,
    scatter,
    shape,
)

_FAMILIES = (
    activation,
    arithmetic,
    attention,
    comparison,
    constant,
    contraction,
    control,
    convolution,
    gather,
    indexing,
    loss,
    normalization,
    pooling,
    random,
    reduction,
    resize,
    scatter,
    shape,
)
TABLE = merge(*(family.rows for family in _FAMILIES))
