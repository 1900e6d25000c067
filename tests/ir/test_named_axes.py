"""Einsum as NumPy takes it: an ellipsis that broadcasts, a result that is implicit, and what is refused."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import TypeMismatchError
from isograd.ir.evaluate import run_reference
from isograd.ir.types import float32

CASES = [
    ("ij,jk", (2, 3), (3, 4)), ("ji", (2, 3)), ("ii", (3, 3)), ("...ij,...jk->...ik", (5, 2, 3), (1, 3, 4)),
    ("...ij,...jk", (2, 3), (5, 1, 3, 4)), ("b...,b...->...", (2, 3, 4), (2, 1, 4)), ("...i->...", (2, 3)),
    ("i...->i...", (4,)),
]  # fmt: skip


@pytest.mark.parametrize("example", CASES, ids=lambda c: c[0])
def test_einsum_of_is_numpys(example):
    equation, *shapes = example
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=s).astype(np.float32) for s in shapes]
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(float32, s)) for i, s in enumerate(shapes)]
    graph.output(ops.einsum_of(equation, *values), "y")
    (found,) = run_reference(graph, arrays)
    right = np.einsum(equation, *arrays)
    assert np.shape(found) == right.shape
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_sizes_that_are_not_known():
    n = symbol("N")
    x, y = (Graph().input("x", TensorType(float32, s)) for s in ((n, 3), (n, 3, 4)))
    y = x.graph.input("y", y.type)
    assert str(ops.einsum(x, y, equation="ni,nij->nj").type) == "f32[N, 4]"


@pytest.mark.parametrize(
    ("equation", "shapes", "said"),
    [
        ("ij,jk", [(2, 3), (3, 4)], "explicit result"),
        ("ij->ii", [(2, 3)], "once"),
        ("ij->k", [(2, 3)], "in an operand"),
        ("ijk->i", [(2, 3)], "does not name the axes"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "3"),
    ],
)
def test_what_is_refused(equation, shapes, said):
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(float32, s)) for i, s in enumerate(shapes)]
    with pytest.raises(TypeMismatchError, match=said):
        ops.einsum(*values, equation=equation)
