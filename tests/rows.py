"""For the suites of backends: all samples of an op as one graph, so that a backend compiles one module an op."""

from __future__ import annotations

from typing import Any

import numpy as np

from isograd.ir import Graph, Op, TensorType
from isograd.ir.types import dtype_of


def sample_graph(op: Op, *, gradients: bool = False) -> tuple[Graph, list[np.ndarray]]:
    """A graph that applies `op` to each of its samples (and differentiates random projections), and its inputs."""
    from isograd.ir import ops
    from isograd.ir.autodiff import backward

    graph, arrays = Graph(op.name), []
    generator = np.random.default_rng(7)
    for k, sample in enumerate(op.samples):
        values: list[Any] = []
        for i, operand in enumerate(sample.operands):
            if operand is None:
                values.append(None)
                continue
            array = np.asarray(operand)
            arrays.append(array)
            values.append(graph.input(f"s{k}_{i}", TensorType(dtype_of(array.dtype), array.shape)))
        results = graph.apply(op, *values, **sample.attributes)
        outputs = results if isinstance(results, tuple) else (results,)
        for j, value in enumerate(outputs):
            graph.output(value, f"s{k}.out{j}")
        if not gradients or not sample.differentiable or op.gradient == "no gradient":
            continue
        wrt = [v for v in values if v is not None and v.dtype.is_float]
        pairs = []
        for j, value in enumerate(outputs):
            if value.dtype.is_float and wrt:
                arrays.append(generator.normal(size=value.shape).astype(value.dtype.numpy))
                pairs.append((value, graph.input(f"s{k}_seed{j}", value.type)))
        if wrt and pairs:
            found = backward([v for v, _ in pairs], [s for _, s in pairs], wrt)
            for i, g in enumerate(found):
                if g is not None:
                    graph.output(g, f"s{k}.grad{i}")
    assert ops
    return graph, arrays
