"""ONNX: products that sum over named axes."""

from __future__ import annotations

from typing import Any

from ...ir import ops
from .builder import Builder, Tensor
from .lowering import by


def _einsum(b: Builder, *xs: Tensor, equation: str) -> Any:
    """Integers are summed in products with ones where no other operand has the axis: its plain sums are inexact."""
    left, result = equation.split("->")
    terms, operands = left.split(","), [*xs]
    for term, x in zip(tuple(terms), xs, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            if x.dtype.is_integer and letter not in result and left.count(letter) == 1:
                terms.append(letter)
                operands.append(b.Expand(b.constant(1, x.dtype), (size,)))
    return b.Einsum(*operands, equation=f"{','.join(terms)}->{result}")


rows = {ops.einsum: by(_einsum, "Einsum")}
