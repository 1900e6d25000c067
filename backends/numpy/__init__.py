"""NumPy: the ops' own references, printed; rows where a reference reads less well than NumPy can."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...ir import DType, Node, ops
from ...ir.ops.shape import cut_off
from .. import array_methods
from ..fold import cuts_off, is_matrix_transpose, slices
from ..rules import When
from ..target import Target
from . import (
    bits,
    clipping,
    complex,
    control,
    division,
    factorization,
    fourier,
    optimizers,
    ordering,
    random,
    selection,
    sorting,
    structure,
    transcendental,
)

_omitted: Any = None  # an argument that is its default is not written


def _matrix_transpose(x: Any) -> Any:
    return x.T


def _stack_transpose(x: Any) -> Any:
    return x.mT


def _reshape(x: Any, *, shape: Any) -> Any:
    return x.reshape(*shape)


def _slice(x: Any, *, starts: Any, stops: Any, steps: Any) -> Any:
    return x[slices(starts, stops, steps)]


def _cast(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


def _cast_to_integers(x: Any, *, dtype: Any) -> Any:
    return cut_off(x, dtype)


def _arange(*, size: Any, dtype: Any) -> Any:
    return np.arange(size, dtype=dtype)


def _argmax(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmax(axis).astype(dtype)


def _argmin(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmin(axis).astype(dtype)


def _is_float(node: Node) -> bool:
    return node.outputs[0].dtype.is_float


def _is_numpys_own(node: Node) -> bool:
    return node.outputs[0].dtype.name != "bfloat16"  # of which NumPy makes float32


def _is_short(node: Node) -> bool:
    return len(node.inputs) < 3 and _is_numpys_own(node)


def _einsum(*xs: Any, equation: Any) -> Any:
    return np.einsum(equation, *xs)


def _einsum_of_many(*xs: Any, equation: Any) -> Any:
    return np.einsum(equation, *xs, optimize=True)


def _tensordot(x: Any, y: Any, *, axes: Any) -> Any:
    return np.tensordot(x, y, axes)


def _vector_norm(x: Any, *, order: Any, axes: Any, keepdims: Any) -> Any:
    return np.linalg.vector_norm(
        x,
        axis=_omitted if axes is None else axes,
        keepdims=True if keepdims else _omitted,
        ord=_omitted if order == 2.0 else order,
    )


TABLE = (
    {op: op.reference for op in ops.ALL if op.reference is not None and op.name not in ("constant", "size")}
    | control.rows
    | {
        ops.reduce_sum: (When(_is_float, array_methods.reduce_sum), ops.reduce_sum.reference),
        ops.reduce_max: array_methods.reduce_max,
        ops.reduce_min: array_methods.reduce_min,
        ops.reduce_mean: array_methods.reduce_mean,
        ops.reduce_variance: array_methods.reduce_variance,
        ops.transpose: (
            When(lambda n: is_matrix_transpose(n) and n.outputs[0].rank == 2, _matrix_transpose),
            When(is_matrix_transpose, _stack_transpose),
            ops.transpose.reference,
        ),
        ops.reshape: (When(lambda n: n.outputs[0].rank > 0, _reshape), ops.reshape.reference),
        ops.matmul: (When(_is_numpys_own, operator.matmul), ops.matmul.reference),
        ops.slice_: _slice,
        ops.cast: (When(cuts_off, _cast_to_integers), _cast),
        ops.einsum: (When(_is_short, _einsum), When(_is_numpys_own, _einsum_of_many), ops.einsum.reference),
        ops.tensordot: _tensordot,
        ops.vector_norm: _vector_norm,
        ops.outer: np.outer,
        ops.kron: np.kron,
        ops.arange: _arange,
        ops.argmax: _argmax,
        ops.argmin: _argmin,
    }
    | random.rows
    | selection.rows
    | sorting.rows
    | structure.rows
    | ordering.rows
    | optimizers.rows
    | bits.rows
    | clipping.rows
    | division.rows
    | factorization.rows
    | complex.rows
    | fourier.rows
    | transcendental.rows
)


def _dtype(dtype: DType) -> str:
    if dtype.name == "bfloat16":
        return "ml_dtypes.bfloat16"
    return "bool" if dtype.name == "bool" else f"np.{dtype.name}"


def _number(text: str, dtype: DType) -> str:
    return f"np.bool_({text})" if dtype.name == "bool" else f"{_dtype(dtype)}({text})"


TARGET = Target(
    name="numpy",
    table=TABLE,
    imports={
        "np": "import numpy as np",
        "math": "import math",
        "ml_dtypes": "import ml_dtypes",
        "load_file": "from safetensors.numpy import load_file",
    },
    namespaces={"np": np},
    style="functions",
    dtype=_dtype,
    size=lambda expression, axis: f"{expression}.shape[{axis}]",
    number=_number,
    array=lambda expression: expression,
    safe_numbers=frozenset(
        {
            np.maximum,
            np.minimum,
            np.where,
            np.equal,
            np.less,
            np.greater,
            np.less_equal,
            np.greater_equal,
            np.not_equal,
            *clipping.NUMBERS,
        }
    ),
)
