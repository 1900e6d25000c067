"""Integers of 32 and 64 bits, over their whole range: every op that takes them is exact on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, Op, TensorType, ops
from isograd.ir.errors import IsogradError
from isograd.ir.evaluate import run_reference
from isograd.ir.op import Sample
from isograd.ir.types import dtype_of

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
DTYPES = ("int64", "uint64", "uint32")
KNOWN_GAPS = {
    ("torch", name, "uint64"): "it divides no uint64" for name in ("floor_divide", "remainder", "truncated_remainder")
}  # (backend, op, dtype) -> why; strict
UNDEFINED = {  # on any numbers
    "bucketize": "its boundaries must be in order",
    "nonzero": "its samples say how many are not zero",
    "unique": "its samples say how many there are",
    "arange_to": "its samples say to what it counts",
}

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def integers(operand: Any, dtype: str, generator: np.random.Generator) -> Any:
    """A float32 operand as integers over the whole range; another one as it is."""
    if operand is None or isinstance(operand, int | float) or np.asarray(operand).dtype != np.float32:
        return operand
    bounds = np.iinfo(dtype)
    return generator.integers(bounds.min, bounds.max, np.shape(operand), dtype, endpoint=True)


def graph_of(op: Op, s: Sample, dtype: str) -> tuple[Graph, list[np.ndarray]] | None:
    """The op on a sample of such integers, or None where it does not take them or has nothing else."""
    generator, graph = np.random.default_rng(3), Graph(op.name)
    operands = [integers(o, dtype, generator) for o in s.operands]
    arrays = [np.asarray(o) for o in operands if o is not None and not isinstance(o, int | float)]
    if not any(a.dtype == dtype for a in arrays):
        return None
    values = [
        o if o is None or isinstance(o, int | float)
        else graph.input(f"x{i}", TensorType(dtype_of(np.asarray(o).dtype), np.shape(o)))
        for i, o in enumerate(operands)
    ]  # fmt: skip
    try:
        found = graph.apply(op, *values, **s.attributes)
    except (IsogradError, TypeError, ValueError):
        return None
    for i, value in enumerate(found if isinstance(found, tuple) else (found,)):
        graph.output(value, str(i))
    return graph, arrays


CASES = [
    (op, dtype)
    for op in ops.ALL
    for dtype in DTYPES
    if op.name not in UNDEFINED and any(graph_of(op, s, dtype) is not None for s in op.samples)
]


@pytest.mark.parametrize(("op", "dtype"), CASES, ids=lambda p: getattr(p, "name", p))
@pytest.mark.parametrize("backend", BACKENDS)
def test_integers_are_exact(backend: str, op: Op, dtype: str, request: pytest.FixtureRequest) -> None:
    if (backend, op.name, dtype) in KNOWN_GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=KNOWN_GAPS[backend, op.name, dtype], strict=True))
    made = [m for s in op.samples if (m := graph_of(op, s, dtype)) is not None]
    for graph, arrays in made if backend != "jax" else made[:1]:
        program = runtime(backend).compile(graph, device=None if backend == "numpy" else "cpu")
        for port, found, right in zip(graph.outputs, program(*arrays), run_reference(graph, arrays), strict=True):
            result = program.to_numpy(found)
            assert result.dtype == port.value.dtype.numpy
            if result.dtype.kind == "f":
                np.testing.assert_allclose(result, right, rtol=1e-6)
            else:
                np.testing.assert_array_equal(result, right, err_msg=str(arrays))
