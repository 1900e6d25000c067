"""TensorFlow: what the printer must know, and the table of rows."""

from __future__ import annotations

import re

import tensorflow as tf

from ...ir import DType
from ..rules import merge
from ..target import Target
from . import (
    activation,
    arithmetic,
    bits,
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
    grid,
    indexing,
    linalg,
    loss,
    morphology,
    named_axes,
    norm,
    normalization,
    optimizers,
    ordering,
    padding,
    patches,
    pooling,
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
from .style import CLASSES, assign

FAMILIES = (
    grid,
    morphology,
    segment,
    selection,
    structure,
    cumulative,
    sorting,
    gather,
    scatter,
    activation,
    arithmetic,
    bits,
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
    division,
    indexing,
    linalg,
    loss,
    normalization,
    optimizers,
    ordering,
    padding,
    patches,
    pooling,
    random,
    reduction,
    resize,
    shape,
    special,
    transcendental,
)
TABLE = merge(*(f.rows for f in FAMILIES))


def _dtype(dtype: DType) -> str:
    return f"tf.{dtype.name}"


_SIZE = re.compile(r"\b(?!(?:float|inf|nan|True|False)\b)[A-Za-z_]")  # a name that is no part of a literal


def _number(text: str, dtype: DType) -> str:
    """A scalar tensor of a literal, or of a size, which is one already; TensorFlow's own types are not named."""
    if _SIZE.search(text):
        return f"tf.cast({text}, tf.{dtype.name})"
    return (
        f"tf.constant({text})"
        if dtype.name in ("float32", "int32", "bool")
        else f"tf.constant({text}, tf.{dtype.name})"
    )


TARGET = Target(
    name="tensorflow",
    table=TABLE,
    imports={
        "tf": "import tensorflow as tf",
        "np": "import numpy as np",
        "itertools": "import itertools",
        "load_file": "from safetensors.numpy import load_file",
    },
    namespaces={"tf": tf, "tf.math": tf.math, "tf.nn": tf.nn, "tf.bitwise": tf.bitwise},
    style="modules",
    dtype=_dtype,
    size=lambda expression, axis: f"tf.shape({expression})[{axis}]",
    number=_number,
    array=lambda expression: f"tf.constant({expression})",
    size_is_number=False,
    size_check={
        "==": 'tf.debugging.assert_equal({}, {}, "{}")',
        ">=": 'tf.debugging.assert_greater_equal({}, {}, "{}")',
    },
    extrema=("tf.maximum", "tf.minimum"),
    safe_numbers=frozenset({*arithmetic.NUMBERS, *comparison.NUMBERS, *shape.NUMBERS, *optimizers.IN_PLACE}),
    in_place=optimizers.IN_PLACE,
    store="{place}.assign({value})",
    decorator="tf.function",
    step_decorator="tf.function",
    options={"classes": CLASSES, "assign": assign},
)
