"""PyTorch: what the printer must know, and the table of rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...ir import DType
from ..rules import merge
from ..target import Target
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

FAMILIES = (
    activation, arithmetic, comparison, constant, contraction, convolution, indexing, loss, normalization, pooling, random, reduction,
    shape,
)  # fmt: skip
TABLE = merge(*(f.rows for f in FAMILIES))


def _dtype(dtype: DType) -> str:
    return f"torch.{dtype.name}"


def _number(text: str, dtype: DType) -> str:
    """Without a dtype where it is the one that PyTorch gives such a number."""
    return f"torch.tensor({text})" if dtype.name in ("float32", "int64", "bool") else f"torch.tensor({text}, dtype=torch.{dtype.name})"


TARGET = Target(
    name="torch",
    table=TABLE,
    imports={
        "torch": "import torch", "F": "import torch.nn.functional as F", "np": "import numpy as np", "math": "import math",
        "load_file": "from safetensors.torch import load_file",
    },
    namespaces={"torch": torch, "F": F},
    style="modules",
    dtype=_dtype,
    size=lambda expression, axis: f"{expression}.shape[{axis}]",
    number=_number,
    array=lambda expression: f"torch.as_tensor({expression})",
    safe_numbers=frozenset({torch.where, *arithmetic.NUMBERS, *shape.NUMBERS}),
)  # fmt: skip
