"""PyTorch: what the printer must know, and the table of rows."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F

from ...ir import DType
from ...ir.passes.layout import CHANNELS_FIRST
from ..rules import merge
from ..target import Target
from . import (
    activation,
    arithmetic,
    attention,
    bits,
    clipping,
    comparison,
    complex,
    constant,
    contraction,
    control,
    convolution,
    convolution_forms,
    cumulative,
    division,
    factorization,
    fourier,
    fusion,
    gather,
    grid,
    group_normalization,
    indexing,
    linalg,
    loss,
    named_axes,
    norm,
    normalization,
    optimizers,
    ordering,
    padding,
    patches,
    piecewise,
    pooling,
    pooling_forms,
    ragged,
    random,
    recurrent,
    reduction,
    resize,
    scatter,
    segment,
    selection,
    shape,
    sorting,
    special,
    structure,
    transcendental,
)
from .style import CLASSES, assign
from .unsigned import carry_unsigned

FAMILIES = (
    segment,
    selection,
    structure,
    cumulative,
    sorting,
    gather,
    scatter,
    activation,
    arithmetic,
    attention,
    bits,
    clipping,
    comparison,
    constant,
    contraction,
    control,
    convolution,
    convolution_forms,
    factorization,
    complex,
    fourier,
    division,
    fusion,
    group_normalization,
    norm,
    named_axes,
    ragged,
    grid,
    indexing,
    linalg,
    loss,
    normalization,
    optimizers,
    ordering,
    padding,
    piecewise,
    patches,
    pooling,
    pooling_forms,
    random,
    recurrent,
    reduction,
    resize,
    shape,
    special,
    transcendental,
)
TABLE = merge(*(f.rows for f in FAMILIES))


def _dtype(dtype: DType) -> str:
    return f"torch.{dtype.name}"


def _number(text: str, dtype: DType) -> str:
    """Without a dtype where it is the one that PyTorch gives such a literal."""
    plain = dtype.name in ("int64", "bool") or (dtype.name == "float32" and re.search(r"\d\.|\de|float\(", text))
    return f"torch.tensor({text})" if plain else f"torch.tensor({text}, dtype=torch.{dtype.name})"


TARGET = Target(
    name="torch",
    table=TABLE,
    imports={
        "torch": "import torch",
        "F": "import torch.nn.functional as F",
        "np": "import numpy as np",
        "math": "import math",
        "nn": "from torch import nn",
        "load_file": "from safetensors.torch import load_file",
    },
    namespaces={"torch": torch, "F": F, "torch.special": torch.special},
    style="modules",
    dtype=_dtype,
    size=lambda expression, axis: f"{expression}.shape[{axis}]",
    number=_number,
    array=lambda expression: f"torch.as_tensor({expression})",
    safe_numbers=frozenset({torch.where, *arithmetic.NUMBERS, *clipping.NUMBERS, *shape.NUMBERS, *optimizers.IN_PLACE}),
    in_place=optimizers.IN_PLACE,
    decorator="torch.no_grad()",
    step_decorator="torch.no_grad()",
    layout=CHANNELS_FIRST,
    passes=(fusion.fuse, carry_unsigned),
    options={"classes": CLASSES, "assign": assign},
)
