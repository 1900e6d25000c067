"""Data in its forms, as batches in an order that depends on seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.errors import SpecError, TypeMismatchError
from ..ir.graph import Graph

Batch = tuple[np.ndarray, ...]


def as_columns(graph: Graph, data: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(x, y, ...) as arrays in the order of the graph's inputs, then the rest: targets, weights."""
    if not isinstance(data, tuple | list) or not 1 <= len(data) <= 3:
        raise SpecError("data is (x, y) or (x, y, sample_weight), or an iterable of such batches")
    names = [p.path for p in graph.ports("input")]
    x = _ordered(data[0], names[: _count(data[0])])
    rest = [a for part in data[1:] for a in _ordered(part, names[len(x) :])]
    return x, rest


def _count(part: Any) -> int:
    return len(part) if isinstance(part, tuple | list | Mapping) else 1


def _ordered(part: Any, names: Sequence[str]) -> list[np.ndarray]:
    """The arrays of a part of the data; those of a dict in the order of `names`, by which it names them."""
    if isinstance(part, Mapping):
        wanted = [next((n for n in names if n == k or n.startswith(f"{k}_")), None) for k in part]
        if None in wanted:
            raise SpecError(f"the data names {', '.join(map(str, part))}; the model has {', '.join(names)}")
        return [
            np.asarray(a)
            for _, a in sorted(zip(wanted, part.values(), strict=True), key=lambda pair: names.index(str(pair[0])))
        ]
    return [np.asarray(a) for a in part] if isinstance(part, tuple | list) else [np.asarray(part)]


def all_epochs(
    graph: Graph, data: Any, batch_size: int, shuffle: bool, seed: int, epochs: int, steps: int | None
) -> Iterator[Iterable[Batch]]:
    is_arrays = isinstance(data, tuple) and len(data) in (2, 3)
    if not is_arrays:
        whole = [checked(graph, [a for part in as_columns(graph, b) for a in part]) for b in data]
        yield from ([whole] * (epochs if steps is None else -(-steps // max(len(whole), 1))))
        return
    columns = checked(graph, [a for part in as_columns(graph, data) for a in part])
    count = len(columns[0])
    if count == 0:
        raise SpecError("there are no examples in the data")
    per_epoch = -(-count // batch_size)
    for epoch in range(epochs if steps is None else -(-steps // per_epoch)):
        yield epoch_batches(columns, batch_size, shuffle, seed, epoch)


def checked(graph: Graph, columns: Sequence[np.ndarray]) -> Batch:
    ports = graph.ports("input")
    if len(columns) != len(ports):
        wanted = ", ".join(f"{p.path}: {p.value.type}" for p in ports)
        raise SpecError(f"training takes {len(ports)} arrays ({wanted}), but the data has {len(columns)}")
    if len({len(c) for c in columns}) != 1:
        raise SpecError(f"the arrays of the data have {', '.join(str(len(c)) for c in columns)} examples")
    arrays = []
    for port, column in zip(ports, columns, strict=True):
        target = port.value.dtype
        if target.is_integer and column.dtype.kind == "f":
            raise TypeMismatchError(
                f"{port.path} should be {port.value.type}, but the data is {column.dtype}; are these labels?"
            )
        arrays.append(np.ascontiguousarray(column, target.numpy))
    return tuple(arrays)


def epoch_batches(
    columns: Sequence[np.ndarray], batch_size: int, shuffle: bool, seed: int, epoch: int
) -> Iterator[Batch]:
    """The batches of one epoch; the order depends on seed and epoch alone."""
    count = len(columns[0])
    order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count) if shuffle else np.arange(count)
    for start in range(0, count, batch_size):
        chosen = order[start : start + batch_size]
        yield tuple(c[chosen] for c in columns)


def batches(
    columns: Sequence[np.ndarray], batch_size: int, *, steps: int, shuffle: bool = True, seed: int = 0
) -> Iterator[Batch]:
    """`steps` batches, over as many epochs as they take."""
    epoch, given = 0, 0
    while given < steps:
        for batch in epoch_batches(columns, batch_size, shuffle, seed, epoch):
            if given == steps:
                return
            yield batch
            given += 1
        epoch += 1


def accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The share of examples whose largest prediction is the target's; one prediction alone counts from 0.5 on."""
    if predictions.ndim > targets.ndim:
        return float(np.mean(predictions.argmax(-1) == targets))
    if predictions.shape[-1] > 1 and predictions.ndim > 1:
        return float(np.mean(predictions.argmax(-1) == targets.argmax(-1)))
    return float(np.mean((predictions > 0.5) == (targets > 0.5)))
