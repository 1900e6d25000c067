"""ONNX: products of matrices."""

from __future__ import annotations

from ...ir import Node, Value, ops
from ..fold import is_matrix_transpose
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by, op


def _gemm(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """A product that reads a transposed operand as it lies."""
    (left, first), (right, second) = (_as_it_lies(b, v, t) for v, t in zip(b.node.inputs, (x, y), strict=True))
    return b.Gemm(left, right, transA=first, transB=second)  # type: ignore[no-any-return]


def _as_it_lies(b: Builder, value: Value | None, tensor: Tensor) -> tuple[Tensor, int | None]:
    under = _underneath(value)
    return (tensor, None) if under is None else (b.tensors[under], 1)


def _underneath(value: Value | None) -> Value | None:
    """What a matrix is the transpose of, or None."""
    node = value.node if value is not None else None
    return node.inputs[0] if node is not None and node.op is ops.transpose and is_matrix_transpose(node) else None


def _reads_transposed(node: Node) -> bool:
    """Whether a product of two matrices has a transposed one."""
    matrices = all(v is not None and v.rank == 2 for v in node.inputs)
    return matrices and node.outputs[0].dtype.is_float and any(_underneath(v) is not None for v in node.inputs)


rows = {ops.matmul: (When(_reads_transposed, by(_gemm, "Gemm")), op("MatMul"))}
