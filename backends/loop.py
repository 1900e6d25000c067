"""The training loop: batches in a fixed order, steps on a backend, a history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ir.errors import SpecError, TypeMismatchError
from ..ir.graph import Graph
from ..ir.model import Model
from ..ir.training import training_step
from . import installed, runtime
from .runtime import Program

Batch = tuple[np.ndarray, ...]
Callback = Callable[["Progress"], None]


@dataclass
class History:
    """What a training run was: `losses` one a step, `metrics` a dict an epoch (means over its steps; and `seconds`)."""

    losses: np.ndarray
    metrics: list[dict[str, float]]
    model: Model
    backend: str
    seconds: list[float] = field(default_factory=list)  # of each step, the first (which compiles) included


@dataclass(frozen=True)
class Progress:
    """What a callback is told after each step."""

    step: int
    steps: int | None
    epoch: int
    loss: float
    metrics: Mapping[str, float]


def train(
    model: Model,
    data: Any,
    loss: Any = None,
    optimizer: Any = None,
    backend: str | None = None,
    epochs: int = 1,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int = 0,
    validation_data: Any = None,
    callbacks: Sequence[Callback] = (),
    *,
    steps: int | None = None,
    device: str | None = None,
) -> History:
    """Train a model with the gradients and updates of isograd's own graph, on any backend.

    `data`: (x, y) or (x, y, sample_weight), each an array, or a tuple, list or dict of arrays by input or output
    name; or an iterable of such batches. A short last batch is kept. `steps` ends the run early, or goes on over
    further epochs. The backend defaults to the first framework that is installed, else NumPy; the order of examples
    depends on `seed` alone. Raises `SpecError` where there is no loss or optimizer.
    """
    name = backend or default_backend()
    weighted = isinstance(data, tuple) and len(data) == 3
    step_model = training_step(model, loss, optimizer, sample_weight=weighted)
    program = runtime(name).compile(step_model.training, device=device)
    program.load(step_model.arrays(step_model.training))
    evaluate = _evaluator(model, loss, validation_data, name, device)
    run = _Run(program, step_model.training)
    for epoch, epoch_batches in enumerate(_epochs(step_model.training, data, batch_size, shuffle, seed, epochs, steps)):
        for batch in epoch_batches:
            run.step(batch)
            _tell(callbacks, run, epoch, steps)
            if steps is not None and len(run.losses) >= steps:
                break
        run.end_epoch(evaluate)
    return History(np.array(run.losses), run.epochs, trained(model, program), name, run.seconds)


def default_backend() -> str:
    """The first framework that is installed, NumPy where there is none."""
    return next((b for b in installed() if b != "numpy"), "numpy")


def trained(model: Model, program: Program) -> Model:
    """The model with the parameters and state that a program holds."""
    arrays = program.arrays()
    parameters = {path: a for (role, path), a in arrays.items() if role == "parameter"}
    return model.with_arrays(
        parameters, {path: a for (role, path), a in arrays.items() if role == "state" and path in model.state}
    )


class _Run:
    """Steps on a program, and what came of them."""

    def __init__(self, program: Program, graph: Graph) -> None:
        self.program = program
        self.ports = [p for p in graph.outputs if p.role in ("loss", "metric")]
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.metrics: dict[str, list[float]] = {p.path: [] for p in self.ports if p.role == "metric"}
        self.epochs: list[dict[str, float]] = []

    def step(self, batch: Batch) -> None:
        start = time.perf_counter()
        results = self.program(*batch)
        values = [float(self.program.to_numpy(r)) for r in results]
        self.seconds.append(time.perf_counter() - start)
        for port, value in zip(self.ports, values, strict=True):
            (self.losses if port.role == "loss" else self.metrics[port.path]).append(value)

    def end_epoch(self, evaluate: Callable[[Program], dict[str, float]] | None) -> None:
        done = sum(int(e["steps"]) for e in self.epochs)
        summary = {"loss": float(np.mean(self.losses[done:])), "steps": float(len(self.losses) - done)}
        summary |= {k: float(np.mean(v[done:])) for k, v in self.metrics.items()}
        self.epochs.append(summary | (evaluate(self.program) if evaluate else {}))


def _tell(callbacks: Sequence[Callback], run: _Run, epoch: int, steps: int | None) -> None:
    if callbacks:
        metrics = {k: v[-1] for k, v in run.metrics.items()}
        told = Progress(len(run.losses), steps, epoch, run.losses[-1], metrics)
        for callback in callbacks:
            callback(told)


def _evaluator(
    model: Model, loss: Any, data: Any, backend: str, device: str | None
) -> Callable[[Program], dict[str, float]] | None:
    """After an epoch: the accuracy of the predictions on validation data, in inference mode."""
    if data is None:
        return None
    x, y = as_columns(model.inference, data)
    predict = runtime(backend).compile(model.inference, device=device)

    def evaluate(program: Program) -> dict[str, float]:
        predict.load(
            program.arrays() | {k: v for k, v in model.arrays(model.inference).items() if k not in program.arrays()}
        )
        predictions = predict.to_numpy(predict(*x)[0])
        return {"validation_accuracy": accuracy(predictions, y[0])} if y else {}

    return evaluate


def accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The share of examples whose largest prediction is the target's; one prediction alone counts from 0.5 on."""
    if predictions.ndim > targets.ndim:
        return float(np.mean(predictions.argmax(-1) == targets))
    if predictions.shape[-1] > 1 and predictions.ndim > 1:
        return float(np.mean(predictions.argmax(-1) == targets.argmax(-1)))
    return float(np.mean((predictions > 0.5) == (targets > 0.5)))


# data


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


def _epochs(
    graph: Graph, data: Any, batch_size: int, shuffle: bool, seed: int, epochs: int, steps: int | None
) -> Iterator[Iterable[Batch]]:
    is_arrays = isinstance(data, tuple) and len(data) in (2, 3)
    if not is_arrays:
        whole = [_checked(graph, [a for part in as_columns(graph, b) for a in part]) for b in data]
        yield from ([whole] * (epochs if steps is None else -(-steps // max(len(whole), 1))))
        return
    columns = _checked(graph, [a for part in as_columns(graph, data) for a in part])
    count = len(columns[0])
    if count == 0:
        raise SpecError("there are no examples in the data")
    per_epoch = -(-count // batch_size)
    for epoch in range(epochs if steps is None else -(-steps // per_epoch)):
        yield epoch_batches(columns, batch_size, shuffle, seed, epoch)


def _checked(graph: Graph, columns: Sequence[np.ndarray]) -> Batch:
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
