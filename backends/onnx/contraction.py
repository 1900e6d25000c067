"""ONNX: products of matrices."""

from __future__ import annotations

from ...ir import Node, Value, ops
from ..fold import is_matrix_transpose
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by, op


def _gemm(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """A product that reads a transposed operand as it lies."""
    left, right = (_underneath(v) for v in b.node.inputs)
    return b.Gemm(  # type: ignore[no-any-return]
        b.tensors[left] if left else x, b.tensors[right] if right else y, transA=1 if left else None, transB=1 if right else None
    )


def _underneath(value: Value | None) -> Value | None:
    """What a matrix is the transpose of, or None."""
    node = value.node if value is not None else None
    return node.inputs[0] if node is not None and node.op is ops.transpose and is_matrix_transpose(node) else None


def _reads_transposed(node: Node) -> bool:
    """Whether a product of two matrices has a transposed one."""
    matrices = all(v is not None and v.rank == 2 for v in node.inputs)
    return matrices and node.outputs[0].dtype.is_float and any(_underneath(v) for v in node.inputs)


rows = {ops.matmul: (When(_reads_transposed, by(_gemm, "Gemm")), op("MatMul"))}
