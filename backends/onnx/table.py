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
    cumulative,
    gather,
    group_normalization,
    indexing,
    loss,
    norm,
    normalization,
    padding,
    pooling,
    random,
    reduction,
    resize,
    scatter,
    shape,
    sorting,
    structure,
)

_FAMILIES = (
    structure,
    cumulative,
    sorting,
    activation,
    arithmetic,
    attention,
    comparison,
    constant,
    contraction,
    control,
    convolution,
    gather,
    group_normalization,
    norm,
    indexing,
    loss,
    normalization,
    padding,
    pooling,
    random,
    reduction,
    resize,
    scatter,
    shape,
)
TABLE = merge(*(family.rows for family in _FAMILIES))
