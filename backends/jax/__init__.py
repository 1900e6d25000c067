"""JAX: what the printer must know, and the table of rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from ...ir import DType
from ..rules import merge
from ..target import Target
from . import (
    activation,
    arithmetic,
    comparison,
    constant,
    contraction,
    control,
    convolution,
    convolution_forms,
    cumulative,
    gather,
    indexing,
    named_axes,
    norm,
    optimizers,
    padding,
    pooling,
    pooling_forms,
    ragged,
    random,
    reduction,
    resize,
    scatter,
    shape,
    sorting,
    structure,
)

TABLE = merge(
    *(
        f.rows
        for f in (
            structure,
            cumulative,
            sorting,
            scatter,
            gather,
            activation,
            arithmetic,
            comparison,
            constant,
            contraction,
            control,
            convolution,
            convolution_forms,
            norm,
            named_axes,
            ragged,
            indexing,
            padding,
            optimizers,
            pooling,
            pooling_forms,
            random,
            reduction,
            resize,
            shape,
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
    safe_numbers=frozenset({jnp.maximum, jnp.minimum, jnp.where}),
    largest_integer=2**31 - 1,
    wide="jax.enable_x64(True)",
    decorator="jax.jit",
    step_decorator="partial(jax.jit, donate_argnums=(0, 1))",
)  # fmt: skip
