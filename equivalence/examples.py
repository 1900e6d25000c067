"""The examples on which models are compared: the user's, in a fixed order, or made up from the inputs' types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from ..backends.loop import as_columns, batches
from ..ir import Dim, Graph, Port, ops
from ..ir.dims import bind_shape, evaluate_dim
from ..ir.errors import SpecError, TypeMismatchError
from ..ir.evaluate import symbol_places
from ..ir.model import Loss, Model

Batch = tuple[np.ndarray, ...]
TEST_SHARE, TEST_MOST = 5, 1000  # a fifth of the data is held out, at most so many examples
CHUNK = 256  # test examples in one run
_SIZES = (5, 8, 12, 16, 24, 32, 48, 64, 96, 128, 224)  # where the sizes of free axes are tried from
_LARGEST, _TRIES = 65, 500  # of the sizes that are drawn where those do not fit, and how often
_SMALL = 4  # integer inputs stay below, whatever they index


@dataclass(frozen=True)
class Examples:
    """Batches for training (inputs, targets, weights), and test examples in chunks: inputs, and targets if known."""

    training: list[Batch]
    test: list[Batch]
    targets: np.ndarray | None  # of all test examples, for the first output
    description: str
    compared: int = 1  # so many chunks have their outputs compared: the second is there for its other sizes


def prepare(
    model: Model, step: Graph | None, inputs: Any, data: Any, test_data: Any, *, steps: int, batch_size: int, seed: int
) -> Examples:
    """The examples for a model, and for its training step where there is one."""
    if hasattr(data, "x_test"):  # a data set by name has both parts
        data, test_data = (data.x, data.y), test_data or (data.x_test, data.y_test)
    graph = model.inference
    if data is None:
        made = _made_up(model, step or graph, steps, batch_size, seed)
        said = f"made up from the inputs' types, seed {seed}"
        if inputs is not None:
            return Examples(made if step else [], [_cast(graph, as_columns(graph, (inputs,))[0])], None, said)
        test = [made[0][: len(model.inputs)], *_at_other_sizes(model, graph, batch_size, seed)]
        return Examples(made if step else [], test, None, said, len(test))
    whole = step or graph
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        given = [_cast(whole, _columns(whole, batch)) for batch in data]
        return _from_batches(model, given, inputs, test_data, steps)
    return _from_arrays(model, whole, data, inputs, test_data, steps, batch_size, seed)


def _from_arrays(
    model: Model, whole: Graph, data: Any, inputs: Any, test_data: Any, steps: int, batch_size: int, seed: int
) -> Examples:
    columns = _cast(whole, _columns(whole, data))
    count = len(columns[0])
    held = 0 if test_data is not None or inputs is not None else min(count // TEST_SHARE, TEST_MOST)
    train = tuple(c[: count - held] for c in columns)
    rest = tuple(c[count - held :] for c in columns) if held else columns
    size = _fixed_batch(whole) or batch_size
    if len(train[0]) < size and _fixed_batch(whole):
        raise SpecError(f"the model takes batches of {size} examples, but the data has {len(train[0])}")
    training = list(batches(train, size, steps=steps, shuffle=True, seed=seed))
    test, targets = _test_part(model, inputs, test_data, rest)
    what = "given" if test_data is not None or inputs is not None else "held out" if held else "those trained on"
    described = (
        f"{len(train[0])} examples in batches of {size}, in the order of seed {seed}; tested on {len(test[0])}, {what}"
    )
    return Examples(training, _chunks(model.inference, test), targets, described)


def _from_batches(model: Model, given: list[Batch], inputs: Any, test_data: Any, steps: int) -> Examples:
    if not given:
        raise SpecError("there are no batches in the data")
    training = [given[i % len(given)] for i in range(steps)]
    test, targets = _test_part(model, inputs, test_data, given[-1])
    return Examples(training, _chunks(model.inference, test), targets, f"{len(given)} batches as given")


def _test_part(model: Model, inputs: Any, test_data: Any, rest: Batch) -> tuple[Batch, np.ndarray | None]:
    graph = model.inference
    if inputs is not None:
        return _cast(graph, as_columns(graph, (inputs,))[0]), None
    if test_data is not None:
        x, targets = as_columns(graph, test_data)
        return _cast(graph, x), targets[0] if targets else None
    count = len(graph.ports("input"))
    return rest[:count], rest[count] if len(rest) > count else None


def _columns(graph: Graph, data: Any) -> list[np.ndarray]:
    inputs, rest = as_columns(graph, data)
    return [*inputs, *rest]


def _cast(graph: Graph, columns: Sequence[np.ndarray]) -> Batch:
    """The arrays as the graph's inputs take them, checked; more than those are left out."""
    ports = graph.ports("input")
    if len(columns) < len(ports):
        wanted = ", ".join(f"{p.path}: {p.value.type}" for p in ports)
        raise SpecError(f"the model takes {len(ports)} arrays ({wanted}), but was given {len(columns)}")
    bindings: dict[str, int] = {}
    arrays = []
    for port, column in zip(ports, columns, strict=False):
        if port.value.dtype.is_integer and column.dtype.kind == "f":
            raise TypeMismatchError(f"{port.path} should be {port.value.type}, but the data is {column.dtype}")
        rank = len(port.value.shape)
        if column.ndim != rank or any(isinstance(s, int) and s != n for s, n in _inner(port, column)):
            raise TypeMismatchError(f"{port.path} should be {port.value.type}, but has the shape {list(column.shape)}")
        if rank and isinstance(port.value.shape[0], Dim):
            bind_shape(port.value.shape[:1], column.shape[:1], bindings, f"input {port.path!r}")
        arrays.append(np.ascontiguousarray(column, port.value.dtype.numpy))
    return tuple(arrays)


def _inner(port: Port, column: np.ndarray) -> list[tuple[Any, int]]:
    return list(zip(port.value.shape[1:], column.shape[1:], strict=True)) if column.ndim else []


def _fixed_batch(graph: Graph) -> int | None:
    """How many examples a batch has, where the graph says it."""
    sizes = [p.value.shape[0] for p in graph.ports("input") if p.value.shape]
    return next((s for s in sizes if isinstance(s, int)), None)


def _chunks(graph: Graph, columns: Batch) -> list[Batch]:
    size = _fixed_batch(graph) or CHUNK
    whole = len(columns[0]) // size * size if _fixed_batch(graph) else len(columns[0])
    return [tuple(c[i : min(i + size, whole)] for c in columns) for i in range(0, whole, size)] or [columns]


# made up


def _made_up(model: Model, graph: Graph, steps: int, batch_size: int, seed: int) -> list[Batch]:
    """As many batches as there are steps, for all inputs of the graph."""
    bindings = _bindings(graph, batch_size)
    generator = np.random.Generator(np.random.Philox(seed))
    own = {p.path for p in model.inputs}
    ports = graph.ports("input")
    return [
        tuple(
            _input(graph, p, bindings, generator) if p.path in own else _target(model, p, bindings, generator)
            for p in ports
        )
        for _ in range(max(steps, 1))
    ]


def _at_other_sizes(model: Model, graph: Graph, batch_size: int, seed: int) -> list[Batch]:
    """One more batch, in which as many free sizes as can be are others; none where no size is free."""
    first, best, most = _bindings(graph, batch_size), None, 0
    for found in _fitting(graph, batch_size + 1):
        changed = sum(found[s] != n for s, n in first.items())
        best, most = (found, changed) if changed > most else (best, most)
        if changed == len(first):
            break
    if best is None:
        return []
    generator = np.random.Generator(np.random.Philox(seed + 1))
    return [tuple(_input(graph, p, best, generator) for p in model.inputs)]


def _bindings(graph: Graph, batch_size: int) -> dict[str, int]:
    """Numbers for the symbols of the graph: the first axis is the batch, others get distinct small sizes."""
    found = next(_fitting(graph, batch_size), None)
    if found is None:
        free = sorted(symbol_places(graph))
        raise SpecError(f"no small sizes fit for the axes {', '.join(free)}: give inputs= or data=")
    return found


def _fitting(graph: Graph, batch_size: int) -> Iterator[dict[str, int]]:
    """Numbers for the symbols that the guards let pass: small ones, then some drawn at random."""
    ports = graph.ports("input")
    batch = {str(p.value.shape[0]) for p in ports if p.value.shape and isinstance(p.value.shape[0], Dim)}
    groups = _equal_symbols(graph)
    free = [g for g in groups if not g & batch]
    generator = np.random.default_rng(0)
    drawn: Iterator[list[int]] = (generator.integers(1, _LARGEST, len(groups)).tolist() for _ in range(_TRIES))
    plans = [[batch_size if g & batch else start + free.index(g) for g in groups] for start in _SIZES]
    for numbers in chain(plans, drawn):
        bindings = {s: n for g, n in zip(groups, numbers, strict=True) for s in g}
        shapes = [n for p in ports for n in p.value.shape]
        if all(g.holds(bindings) for g in graph.guards) and all(evaluate_dim(n, bindings) >= 0 for n in shapes):
            yield bindings


def _equal_symbols(graph: Graph) -> list[set[str]]:
    """The symbols of the graph in sets of those that a guard says are equal."""
    groups = [{s} for s in sorted(symbol_places(graph))]
    for guard in graph.guards:
        pair = {str(guard.left), str(guard.right)}
        if guard.relation == "==" and pair == set(guard.symbols):
            joined = set().union(*(g for g in groups if g & pair))
            groups = [g for g in groups if not g & pair] + [joined]
    return groups


def _shape(port: Port, bindings: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(evaluate_dim(s, bindings) for s in port.value.shape)


def _input(graph: Graph, port: Port, bindings: Mapping[str, int], generator: np.random.Generator) -> np.ndarray:
    shape, dtype = _shape(port, bindings), port.value.dtype
    if dtype.is_integer:
        return generator.integers(0, _bound(graph, port), shape).astype(dtype.numpy)
    if dtype.kind == "bool":
        return generator.random(shape) < 0.5
    return generator.standard_normal(shape).astype(dtype.numpy)


def _bound(graph: Graph, port: Port) -> int:
    """How many values an integer input may have: small, and no more than there are in what it looks up."""
    lookups = [
        (n.inputs[0], n.attributes["axis"]) for n in graph.nodes if n.op is ops.take and n.inputs[1] is port.value
    ]
    sizes = [table.shape[axis] for table, axis in lookups if table is not None]
    return min([_SMALL, *(s for s in sizes if isinstance(s, int))])


def _target(model: Model, port: Port, bindings: Mapping[str, int], generator: np.random.Generator) -> np.ndarray:
    """Targets that fit a loss: labels below the number of classes, shares of classes, or numbers in [0, 1)."""
    shape, dtype = _shape(port, bindings), port.value.dtype
    output = next((p for p in model.outputs if port.path.startswith(f"{p.path}_")), model.outputs[0])
    if dtype.is_integer:
        classes = output.value.shape[-1] if output.value.shape else 2
        return generator.integers(0, classes if isinstance(classes, int) else 2, shape).astype(dtype.numpy)
    values = generator.random(shape)
    if port.path != "sample_weight" and _is_categorical(model):
        values = values / values.sum(-1, keepdims=True)
    return values.astype(dtype.numpy)


def _is_categorical(model: Model) -> bool:
    loss = model.recipe.loss if model.recipe else None
    return isinstance(loss, Loss) and loss.name == "categorical_crossentropy"
