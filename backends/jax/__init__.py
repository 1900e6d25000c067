"""JAX: what the printer must know, and the table of rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from ...ir import DType
from ...ir.passes import narrow
from ..rules import merge
from ..target import Target
from . import (
    activation,
    arithmetic,
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
    gather,
    indexing,
    linalg,
    named_axes,
    norm,
    optimizers,
    ordering,
    padding,
    piecewise,
    pooling,
    pooling_forms,
    ragged,
    random,
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

TABLE = merge(
    *(
        f.rows
        for f in (
            segment,
            selection,
            structure,
            cumulative,
            sorting,
            scatter,
            gather,
            activation,
            arithmetic,
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
            norm,
            named_axes,
            ragged,
            indexing,
            linalg,
            ordering,
            padding,
            optimizers,
            division,
            piecewise,
            pooling,
            pooling_forms,
            random,
            reduction,
            resize,
            shape,
            special,
            transcendental,
        )
    )
)


def _dtype(dtype: DType) -> str:
    return "bool" if dtype.name == "bool" else f"jnp.{dtype.name}"


def _number(text: str, dtype: DType) -> str:
    return f"jnp.{dtype.name if dtype.name != 'bool' else 'bool_'}({text})"


TARGET = Target(
    name="jax",
    table=TABLE,
    imports={
        "jax": "import jax", "jnp": "import jax.numpy as jnp", "lax": "from jax import lax", "np": "import numpy as np",
        "math": "import math",
        "partial": "from functools import partial",
        "threefry_2x32": "from jax.extend.random import threefry_2x32",
        "load_file": "from safetensors.numpy import load_file",
    },
    namespaces={"jnp": jnp, "jax.nn": jax.nn, "lax": lax, "jax.scipy.special": jax.scipy.special},
    style="functions",
    dtype=_dtype,
    size=lambda expression, axis: f"{expression}.shape[{axis}]",
    number=_number,
    array=lambda expression: f"jnp.asarray({expression})",
    largest_integer=2**31 - 1,
    safe_numbers=frozenset({jnp.maximum, jnp.minimum, jnp.where, *clipping.NUMBERS}),
    compiles_any_size=False,
    passes=(narrow,),
    wide="jax.enable_x64(True)",
    decorator="jax.jit",
    step_decorator="partial(jax.jit, donate_argnums=(0, 1))",
)  # fmt: skip
