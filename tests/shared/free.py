"""Every op on operands whose sizes are symbols wherever the op lets them be, and two sets of sizes for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from draws import drawn

from isograd.ir import Graph, Op, TensorType, Value
from isograd.ir.autodiff import backward
from isograd.ir.dims import Dim, symbol
from isograd.ir.errors import IsogradError
from isograd.ir.evaluate import resolve
from isograd.ir.op import NO_GRADIENT, Sample
from isograd.ir.types import dtype_of

SIZED = ("shape", "sizes", "stops", "size", "low", "high", "count")  # attributes that may hold the sizes of operands
_GROWTH = ((lambda n: n + 1), (lambda n: n + 2), (lambda n: 2 * n), (lambda n: 3 * n))
_MOST_TRIES = 400


@dataclass(frozen=True)
class FreeSample:
    """A sample with symbols for sizes: `first` are its own numbers for them, `second` others that fit, all larger."""

    sample: Sample
    types: tuple[Any, ...]
    attributes: Mapping[str, Any]
    first: Mapping[str, int]
    second: Mapping[str, int]

    def arrays(self, sizes: Mapping[str, int]) -> list[np.ndarray]:
        operands = [np.asarray(o) for o in self.sample.operands if o is not None]
        types = [t for t in self.types if t is not None]
        return [np.resize(o, resolve(t.shape, sizes)) for t, o in zip(types, operands, strict=True)]


def free(op: Op, sample: Sample, prefix: str) -> FreeSample | None:
    """The sample with as many symbols as the op takes at once; None where it takes none."""
    shapes = [np.shape(o) for o in sample.operands]
    kept = owned(op, sample)
    numbers = {n for i, s in enumerate(shapes) for axis, n in enumerate(s) if n > 1 and (i, axis) not in kept}
    if not sample.operands:
        numbers = {n for k, n in sample.attributes.items() if k in SIZED and isinstance(n, int) and n > 1}
    found = _attempt(op, sample, prefix, numbers)
    if found is None:
        chosen: set[int] = set()
        for n in sorted(numbers, reverse=True):
            better = _attempt(op, sample, prefix, chosen | {n})
            if better is not None:
                found, chosen = better, chosen | {n}
    return found


FILTERS = frozenset(
    {"w", "depthwise", "pointwise", "kernel", "recurrent", "bias", "recurrent_bias"}
)  # operands that are parameters, whose sizes a model knows


def owned(op: Op, sample: Sample) -> set[tuple[int, int]]:
    """The axes (operand, axis) of a model's own sizes, not its data's: filters, and the channels that they meet."""
    names, attributes = op.signature.operands, sample.attributes
    layout = attributes.get("layout", op.signature.attributes.get("layout"))
    found: set[tuple[int, int]] = set()
    for i, operand in enumerate(sample.operands):
        rank = np.ndim(operand) if operand is not None else 0
        if names[min(i, len(names) - 1)] in FILTERS:
            found |= {(i, axis) for axis in range(rank)}
        elif isinstance(layout, str) and "C" in layout and len(layout) == rank:
            found.add((i, layout.index("C")))
        elif op.name.startswith("batch_norm"):
            found.add((i, attributes.get("axis", -1) % rank if i == 0 else 0))
    return found


def _attempt(op: Op, sample: Sample, prefix: str, numbers: set[int]) -> FreeSample | None:
    if not numbers:
        return None
    names = [k for k in SIZED if k in sample.attributes and "filter_gradient" not in op.name]  # a filter's sizes
    for replaced in (names, []) if names else ([],):
        made = _with_symbols(op, sample, prefix, numbers, replaced)
        second = _second(op, made, numbers, prefix)
        if second is not None:
            return FreeSample(sample, made.types, made.attributes, made.first, second)
    return None


def _with_symbols(op: Op, sample: Sample, prefix: str, numbers: set[int], names: Iterable[str]) -> FreeSample:
    kept = owned(op, sample)

    def named(n: Any) -> Any:
        if isinstance(n, tuple):
            return tuple(map(named, n))
        return symbol(f"{prefix}{n}") if type(n) is int and n in numbers else n

    types = tuple(
        None
        if o is None
        else TensorType(
            dtype_of(np.asarray(o).dtype),
            tuple(n if (i, axis) in kept else named(n) for axis, n in enumerate(np.shape(o))),
        )
        for i, o in enumerate(sample.operands)
    )
    attributes = {k: named(v) if k in names else v for k, v in sample.attributes.items()}
    return FreeSample(sample, types, attributes, {f"{prefix}{n}": n for n in numbers}, {})


def _second(op: Op, made: FreeSample, numbers: set[int], prefix: str) -> dict[str, int] | None:
    """Larger sizes that the op's guards let pass, where its own do too."""
    graph = Graph()
    try:
        append(graph, op, made, "s", with_gradients=True)
    except (IsogradError, TypeError, ValueError):
        return None
    ordered = sorted(numbers)
    if not all(g.holds(made.first) for g in graph.guards):
        return None
    for growth in itertools.islice(itertools.product(_GROWTH, repeat=len(ordered)), _MOST_TRIES):
        sizes = {f"{prefix}{n}": grow(n) for n, grow in zip(ordered, growth, strict=True)}
        if len(set(sizes.values())) == len(sizes) and all(g.holds(sizes) for g in graph.guards):
            return sizes
    return None


def append(graph: Graph, op: Op, made: FreeSample, name: str, *, with_gradients: bool) -> list[TensorType]:
    """Apply the op to inputs of the sample's types, and differentiate; the types of the seeds that this takes."""
    values = [None if t is None else graph.input(f"{name}_{i}", t) for i, t in enumerate(made.types)]
    if not values:  # of an op without operands an input has the size
        graph.input(f"{name}_sized", TensorType(dtype_of("bool"), tuple(map(symbol, made.first))))
    results = graph.apply(op, *values, **made.attributes)
    outputs = results if isinstance(results, tuple) else (results,)
    for j, value in enumerate(outputs):
        graph.output(value, f"{name}.out{j}")
    wrt = [v for v in values if isinstance(v, Value) and v.dtype.is_differentiable]
    floats = [v for v in outputs if v.dtype.is_differentiable]
    if not with_gradients or not made.sample.differentiable or op.gradient == NO_GRADIENT or not wrt or not floats:
        return []
    seeds = [graph.input(f"{name}_seed{j}", v.type) for j, v in enumerate(floats)]
    for i, gradient in enumerate(backward(floats, seeds, wrt)):
        if gradient is not None:
            graph.output(gradient, f"{name}.gradient{i}", "gradient")
    return [s.type for s in seeds]


def free_graph(op: Op, samples: Sequence[Sample]) -> tuple[Graph, list[list[np.ndarray]]]:
    """One graph of all samples that have a free size, and its arrays for the first and for the second sizes."""
    graph, runs = Graph(op.name), [[], []]  # type: tuple[Graph, list[list[np.ndarray]]]
    for k, sample in enumerate(samples):
        made = free(op, sample, f"S{k}_")
        if made is None:
            continue
        seeds = append(graph, op, made, f"s{k}", with_gradients=True)
        for arrays, sizes in zip(runs, (made.first, made.second), strict=True):
            generator = np.random.default_rng(k)
            arrays += made.arrays(sizes) if made.types else [np.zeros(tuple(sizes.values()), bool)]
            arrays += [drawn(generator, resolve(t.shape, sizes), t.dtype.numpy) for t in seeds]
    return graph, runs


def fixed(op: Op, sample: Sample) -> set[int]:
    """The sizes of the data, larger than 1, that stay numbers."""
    made, kept = free(op, sample, "S"), owned(op, sample)
    types = [None if o is None else TensorType(dtype_of("bool"), np.shape(o)) for o in sample.operands]
    return {
        n
        for i, t in enumerate(made.types if made else types)
        if t is not None
        for axis, n in enumerate(t.shape)
        if isinstance(n, int) and n > 1 and (i, axis) not in kept
    }


def symbols_in(graph: Graph) -> set[str]:
    return {s for p in graph.inputs for n in p.value.shape if isinstance(n, Dim) for s in n.symbols}
