"""What every op computes, written a second time: element by element, by other means than the op's own reference.

The reference is what all backends are compared with, so nothing else would see an error in it. The second writings are
in `tests/shared/second_*.py`, by family.
"""

import math

import numpy as np
import pytest
import second_activation
import second_arithmetic
import second_attention
import second_complex
import second_contraction
import second_control
import second_convolution
import second_cumulative
import second_elementwise
import second_indexing
import second_linalg
import second_norm
import second_patches
import second_pooling
import second_random
import second_reduction
import second_resize
import second_segment
import second_selection
import second_shape
import second_sorting
import second_structure

from isograd.ir import ops
from isograd.ir.evaluate import reference_of, run_reference

FAMILIES = (
    second_activation,
    second_arithmetic,
    second_attention,
    second_complex,
    second_contraction,
    second_control,
    second_convolution,
    second_cumulative,
    second_elementwise,
    second_indexing,
    second_linalg,
    second_norm,
    second_patches,
    second_pooling,
    second_random,
    second_reduction,
    second_resize,
    second_segment,
    second_selection,
    second_shape,
    second_sorting,
    second_structure,
)
SECOND = {name: function for family in FAMILIES for name, function in family.SECOND.items()}
NO_OPERANDS_TO_TRY = {"constant", "size"}


def test_every_op_is_written_twice():
    assert SECOND.keys() | NO_OPERANDS_TO_TRY == {op.name for op in ops.ALL}
    assert len(SECOND) == sum(len(family.SECOND) for family in FAMILIES)


def test_the_reference_computes_what_is_written_here(case):
    graph, arrays = case.plain()
    given = iter(arrays)
    operands = [None if o is None else next(given) for o in case.sample.operands]
    expected = SECOND[case.op.name](*operands, **case.sample.attributes)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for found, right in zip(run_reference(graph, arrays), expected, strict=False):
        close = 1e-6 if found.dtype == np.float32 else 1e-12  # what is drawn in float32 is not widened
        number = complex if found.dtype.kind == "c" else float
        np.testing.assert_allclose(np.asarray(found, number), np.asarray(right, number), rtol=close, atol=close)


KNOWN = [  # published numbers, to the digits that are given
    (ops.gelu, {}, 1.0, 0.8413447460685429),
    (ops.gelu, {"approximate": True}, 1.0, 0.8411919906082768),
    (ops.selu, {}, -1.0, -1.1113307378125625),
    (ops.erf, {}, 1.0, 0.8427007929497149),
    (ops.softplus, {}, 0.0, 0.6931471805599453),
    (ops.sigmoid, {}, 2.0, 0.8807970779778823),
]


@pytest.mark.parametrize(("known", "attributes", "x", "expected"), KNOWN)
def test_known_numbers(known, attributes, x, expected):
    complete = {**known.signature.attributes, **attributes}
    assert math.isclose(float(reference_of(known)(np.asarray(x), **complete)), expected, rel_tol=1e-15)
