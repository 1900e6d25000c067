"""The local rule: one node on given inputs, held to its op's own bound.

The bounds are those of `Bound` (`NUMERICS.md` 3.2, 3.3), and besides:

- A sum of n terms rounds relative to what it has summed so far, so `contraction` and `reduction` grow by
  sqrt(n) eps |result|: one float32 product of 256 positive terms errs by 8.7 eps |A||B| in OpenBLAS, XLA and Eigen
  alike, and NumPy's sum along a leading axis of 10^6 by 262 eps. A sum may also do twice what adding in float32 one
  by one does.
- What is below the smallest normal number may be flushed to zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Graph, Node, TensorType, ops
from ..ir.evaluate import reference_rule, resolve
from ..ir.op import Bound
from ..ir.specialize import with_sizes
from ..ir.types import dtype_of
from .expected import spread_of
from .judge import Verdict, held_to, smallest_normal, ulps
from .reference import Noise, Reference, eps_of, sum_one_by_one, summed, terms

_RUNS = 16  # perturbed runs of the parts of one node: few enough numbers that many runs cost nothing


def alone(node: Node, operands: Sequence[Any], bindings: Mapping[str, int], **changed: Any) -> Graph:
    """A graph of one node, on inputs of the operands' types and sizes; `changed` are attributes that are others."""
    graph = Graph(node.op.name)
    names = [None if o is None else f"x{i}" for i, o in enumerate(operands)]
    types = [None if o is None else TensorType(dtype_of(o.dtype), o.shape) for o in operands]
    values = [None if t is None else graph.input(str(n), t) for n, t in zip(names, types, strict=True)]
    with graph.at(node.origin or "?"):
        graph.apply(node.op, *values, **_settled(node.attributes, bindings) | changed)
    for i, value in enumerate(graph.nodes[-1].outputs):
        graph.output(value, f"y{i}")
    return graph


def _settled(attributes: Mapping[str, Any], bindings: Mapping[str, int]) -> dict[str, Any]:
    """Attributes with numbers for sizes, in bodies too."""
    return {k: with_sizes(a, bindings) if isinstance(a, Graph) else resolve(a, bindings) for k, a in attributes.items()}


def judge_node(graph: Graph, operands: Sequence[Any], found: Sequence[Any], *, what: str = "") -> list[Verdict]:
    """Hold the outputs of a graph of one node, as a candidate gave them, to the op's bound."""
    node = graph.nodes[-1]
    given = [o for o in operands if o is not None]
    reference = Reference(graph)
    wide = reference.widen_inputs(given)
    results = [np.asarray(r) for r in reference.run(wide)]
    allowed = _allowances(node, reference, wide, results)
    return [
        held_to(what or f"{node.op.name}, output {i}", f, v.dtype, r, a)
        for i, (f, v, r, a) in enumerate(zip(found, node.outputs, results, allowed, strict=True))
    ]


def _allowances(node: Node, reference: Reference, wide: Sequence[Any], results: Sequence[np.ndarray]) -> list[Any]:
    bound, dtypes = node.op.bound, [v.dtype for v in node.outputs]
    floors = [
        smallest_normal(d) + (bound.floor if d.is_differentiable else 0.0) + np.zeros(r.shape)
        for d, r in zip(dtypes, results, strict=True)
    ]
    if bound.kind == "parts":
        spreads = _parts(bound, reference, wide, results)
        extra = [s + ulps(r, d) for s, r, d in zip(spreads, results, dtypes, strict=True)]
    elif bound.kind == "elementwise":
        extra = [bound.factor * ulps(r, d) for r, d in zip(results, dtypes, strict=True)]
    elif bound.kind in ("contraction", "reduction") and dtypes[0].is_differentiable:
        extra = [_sum(node, wide, results[0]), *(np.zeros(r.shape) for r in results[1:])]
    else:
        extra = [np.zeros(r.shape) for r in results]
    return [f + e if d.is_differentiable else e * 0.0 for f, e, d in zip(floors, extra, dtypes, strict=True)]


def _parts(bound: Bound, reference: Reference, wide: Sequence[Any], results: Sequence[np.ndarray]) -> list[np.ndarray]:
    runs = [reference.run(wide, Noise(seed, one_by_one=seed == 0)) for seed in range(_RUNS)]
    return [bound.factor * spread_of(r, [run[i] for run in runs]) for i, r in enumerate(results)]


def _sum(node: Node, wide: Sequence[Any], result: np.ndarray) -> np.ndarray:
    given = iter(wide)
    operands = [None if v is None else next(given) for v in node.inputs]
    rule, eps = reference_rule(node), eps_of(node.outputs[0].dtype)
    with np.errstate(all="ignore"):
        whole = rule(*summed(node, operands, np.abs), **node.attributes)
        whole = whole[0] if isinstance(whole, tuple) else whole
        growth = np.sqrt(terms(node, operands, node.attributes)) * np.abs(result)
        allowed = eps * (node.op.bound.factor * whole + growth)
        if node.op is ops.reduce_sum and eps == eps_of(dtype_of("float32")):
            allowed = allowed + 2.0 * np.abs(sum_one_by_one(operands[0], **node.attributes) - result)
    return np.asarray(allowed)
