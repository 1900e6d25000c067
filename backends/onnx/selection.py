"""ONNX: ops whose results are as large as their data says."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Node, ops
from ...ir.dims import product
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def _nonzero(b: Builder, x: Tensor, *, size: Any) -> Tensor:
    if x.dtype.name != "bool":  # for which there is a kernel
        x = b.Not(b.Equal(x, b.constant(np.array(0), x.dtype)))
    return b.Transpose(b.NonZero(x), perm=(1, 0))  # type: ignore[no-any-return]


def _arange_to(b: Builder, stop: Tensor, *, size: Any) -> Tensor:
    dtype = stop.dtype.numpy
    return b.Range(b.constant(np.array(0, dtype)), stop, b.constant(np.array(1, dtype)))  # type: ignore[no-any-return]


def _unique(b: Builder, x: Tensor, *, size: Any) -> tuple[Tensor, ...]:
    values, first, inverse, counts = b.Unique(x, sorted=1, outputs=4)
    return values, first, b.reshape(inverse, (product(x.shape),), x.shape), counts


def _is_integer(node: Node) -> bool:
    """Of floats ONNX does not say what becomes of NaN."""
    return node.inputs[0] is not None and node.inputs[0].dtype.is_integer


rows = {
    ops.nonzero: by(_nonzero, "Equal"),
    ops.arange_to: by(_arange_to, "Range"),
    ops.unique: When(_is_integer, by(_unique, "Unique")),
}
