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

TABLE = merge(
    activation.rows,
    arithmetic.rows,
    comparison.rows,
    constant.rows,
    contraction.rows,
    convolution.rows,
    indexing.rows,
    loss.rows,
    normalization.rows,
    pooling.rows,
    random.rows,
    reduction.rows,
    shape.rows,
)
