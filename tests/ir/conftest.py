"""What the tests of the IR share: a case for each sample of each op, and what two equal graphs have in common.

A test that asks for `case` runs for every sample; no test names an op.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from bodies import of_type
from draws import drawn

from isograd.ir import Graph, Op, TensorType, Value, ops
from isograd.ir.autodiff import gradients
from isograd.ir.op import NO_GRADIENT, Sample, attribute_key
from isograd.ir.passes import decompose
from isograd.ir.rewrite import is_scalar_constant
from isograd.ir.types import dtype_of

WHOLE = {"float64": np.dtype(np.complex128), "complex128": np.dtype(np.complex128)}


@dataclass(frozen=True)
class Case:
    """One sample of one op, as graphs with the arrays to run them on; `dtype` is what its float32 operands become."""

    op: Op
    number: int
    sample: Sample

    def __str__(self) -> str:
        return f"{self.op.name}-{self.number}"

    def arrays(self, dtype: str = "float64") -> list[Any]:
        """The sample's operands, None where one is left out; complex ones are as wide as the others."""
        given = [None if o is None else np.asarray(o) for o in self.sample.operands]
        to = dtype_of(dtype).numpy
        with np.errstate(invalid="ignore"):  # of nan an int can be made, if not a meaningful one
            known = {np.dtype(np.float32): to, np.dtype(np.complex64): WHOLE.get(dtype, np.dtype(np.complex64))}
            return [None if a is None else a.astype(known.get(a.dtype, a.dtype)) for a in given]

    def apply(self, dtype: str = "float64") -> tuple[Graph, list[Any], tuple[Any, ...], list[np.ndarray]]:
        """A graph of the op alone, its operands and outputs in it, and the arrays of its inputs."""
        graph, arrays = Graph(self.op.name), self.arrays(dtype)
        types = [None if a is None else TensorType(dtype_of(a.dtype), a.shape) for a in arrays]
        values = [None if t is None else graph.input(f"x{i}", t) for i, t in enumerate(types)]
        found = graph.apply(self.op, *values, **of_type(self.sample.attributes, dtype))
        outputs = found if isinstance(found, tuple) else (found,)
        for i, value in enumerate(outputs):
            graph.output(value, f"out{i}")
        return graph, values, outputs, [a for a in arrays if a is not None]

    def plain(self, dtype: str = "float64") -> tuple[Graph, list[np.ndarray]]:
        graph, _, _, arrays = self.apply(dtype)
        return graph, arrays

    def projected(
        self, dtype: str = "float64", output: int | None = None
    ) -> tuple[Graph, Any, list[Any], list[np.ndarray]]:
        """A graph with the randomly weighted sum of one or all outputs, that sum, what to differentiate by, the arrays.

        The sum is None where there is nothing to differentiate.
        """
        graph, values, outputs, arrays = self.apply(dtype)
        wrt = [v for v in values if v is not None and v.dtype.is_differentiable]
        results = [v for i, v in enumerate(outputs) if v.dtype.is_differentiable and output in (None, i)]
        if not self.sample.differentiable or self.op.gradient == NO_GRADIENT or not wrt or not results:
            return graph, None, wrt, arrays
        return graph, weighted_sum(results, np.random.default_rng(1)), wrt, arrays

    def projections(self) -> list[tuple[Graph, Any, list[Any], list[np.ndarray]]]:
        """Those that have something to differentiate, of all outputs and of each alone: a rule may tell them apart."""
        count = len(self.apply()[2])
        made = [self.projected(output=i) for i in (None, *range(count if count > 1 else 0))]
        return [projection for projection in made if projection[1] is not None]

    def differentiated(self, dtype: str = "float64", output: int | None = None) -> tuple[Graph, list[np.ndarray]]:
        """A graph whose outputs are the op's, the weighted sum of one or all, and the gradients of that."""
        graph, total, wrt, arrays = self.projected(dtype, output)
        if total is not None:
            graph.output(total, "total")
            for i, gradient in enumerate(gradients(graph, total, wrt)):
                graph.output(gradient, f"x{i}", "gradient")
        return graph, arrays

    def graphs(self, dtype: str = "float32") -> list[tuple[Graph, list[np.ndarray]]]:
        """The op plain, differentiated, and both in parts."""
        made = [self.plain(dtype), self.differentiated(dtype)]
        return made + [(decompose(g, keep=lambda node: False), a) for g, a in made]


def weighted_sum(values: list[Any], generator: np.random.Generator) -> Any:
    """One number that depends on every element of every value in its own way."""
    total: Any = 0.0
    for value in values:
        weights = value.graph.constant(drawn(generator, value.shape, value.dtype.numpy), value.dtype)
        terms = value * weights
        total = ops.reduce_sum(ops.real(terms) if value.dtype.kind == "complex" else terms) + total
    return total


CASES = [Case(op, i, sample) for op in ops.ALL for i, sample in enumerate(op.samples)]


def pytest_generate_tests(metafunc: Any) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=str)
    if "op" in metafunc.fixturenames:
        metafunc.parametrize("op", ops.ALL, ids=lambda op: op.name)


@pytest.fixture(scope="session")
def structure() -> Any:
    """A function of a graph that gives equal lists for graphs of one structure; scalar constants have no place."""
    return _structure


def _structure(graph: Graph) -> list[Any]:
    known: dict[Any, Any] = {}  # values and scopes by the order in which they come

    def seen(item: Any) -> Any:
        if isinstance(item, Value) and is_scalar_constant(item):
            return attribute_key(item.node.attributes["value"])
        return known.setdefault(item, len(known))

    def of_scope(scope: Any) -> Any:
        return (seen(scope), scope.name, scope.kind, [(k, seen(v)) for k, v in scope.arguments])

    def of_node(node: Any) -> Any:
        inputs = [None if v is None else seen(v) for v in node.inputs]
        scopes = [of_scope(s) for s in (node.scope.ancestry if node.scope else ())]
        outputs = [(seen(v), v.type) for v in node.outputs]
        return (node.op, inputs, attribute_key(node.attributes), node.section, scopes, outputs)

    ports = [[(p.role, p.path, p.value.type, seen(p.value)) for p in graph.inputs]]
    nodes = [of_node(node) for node in graph.nodes if not is_scalar_constant(node.outputs[0])]
    results = [(p.role, p.path, seen(p.value)) for p in graph.outputs]
    return [graph.name, ports, sorted(map(str, graph.guards)), nodes, results]


@pytest.fixture(scope="session")
def cases_of() -> Any:
    return lambda op: [case for case in CASES if case.op is op]


@pytest.fixture(scope="session", name="weighted_sum")
def weighted_sum_fixture() -> Any:
    return weighted_sum
