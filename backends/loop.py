"""The training loop: batches in a fixed order, steps on a backend, a history."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..ir.errors import SpecError
from ..ir.graph import Graph
from ..ir.model import Model
from ..ir.passes.recompute import Chosen
from ..ir.training import evaluation_step, training_step
from ..ir.training.update import AVERAGE, LEARNING_RATE
from . import installed, runtime
from .batches import Batch, accuracy, all_epochs, as_columns, batches, checked, epoch_batches
from .callbacks import Callback, Progress, StopTraining, tell
from .checkpoint import Checkpoint, Order, as_checkpoint
from .runtime import Key, Program

Evaluate = Callable[[Mapping[Key, np.ndarray]], dict[str, float]]


@dataclass
class History:
    """What a training run was: `losses` one a step, `metrics` a dict an epoch (means over its steps).

    `checkpoint` is where it stands: `save_checkpoint(history, path)` writes it, `train(..., resume=)` goes on from it.
    """

    losses: np.ndarray
    metrics: list[dict[str, float]]
    model: Model
    backend: str
    seconds: list[float] = field(default_factory=list)  # of each step, the first (which compiles) included
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint({}), repr=False)

    @property
    def averaged(self) -> Model:
        """The model with the averages of its parameters. Raises `SpecError` where the optimizer kept none."""
        prefix = f"{AVERAGE}."
        found = {p.removeprefix(prefix): a for (_, p), a in self.checkpoint.arrays.items() if p.startswith(prefix)}
        if not found:
            raise SpecError("the optimizer kept no average of the parameters: give it `ema` or `swa`")
        return self.model.with_arrays(found, {})


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
    callbacks: Sequence[Callback | Callable[[Progress], None]] = (),
    resume: Any = None,
    *,
    steps: int | None = None,
    device: str | None = None,
    recompute: Chosen = False,
) -> History:
    """Train a model with the gradients and updates of isograd's own graph, on any backend.

    `data`: (x, y) or (x, y, sample_weight), each an array, or a tuple, list or dict of arrays by input or output
    name; or an iterable of such batches. A short last batch is kept. `steps` ends the run early, or goes on over
    further epochs. The backend defaults to the first framework that is installed, else NumPy; the order of examples
    depends on `seed` alone. `validation_data` is scored after each epoch, by the inference graph. `resume`: a
    checkpoint's file, or a history; `epochs` and `steps` count from the run's beginning, and the order of examples is
    the checkpoint's. `recompute`: as for `training_step`. Raises `SpecError` where there is no loss or optimizer.
    """
    name = backend or default_backend()
    weighted = isinstance(data, tuple) and len(data) == 3
    step_model = training_step(model, loss, optimizer, sample_weight=weighted, recompute=recompute)
    graph = step_model.training
    program = runtime(name).compile(graph, device=device)
    arrays = step_model.arrays(graph)
    start = Checkpoint(arrays, Order(seed, shuffle, batch_size)) if resume is None else as_checkpoint(resume)
    program.load(start.complete(arrays))
    evaluate = _evaluator(model, loss, validation_data, name, device, start.order.batch_size)
    run = _Run(program, graph, start, callbacks, steps)
    order = start.order
    planned = all_epochs(graph, data, order.batch_size, order.shuffle, order.seed, epochs, steps)
    try:
        for batches_of_epoch in itertools.islice(planned, start.epoch, None):
            if run.is_done():
                break
            run.run_epoch(batches_of_epoch, evaluate)
    except StopTraining:
        pass
    made = run.checkpoint()
    return History(np.array(run.losses), run.epochs, trained(model, program), name, run.seconds, made)


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
    """Steps on a program, what came of them, and where the run stands."""

    def __init__(
        self, program: Program, graph: Graph, start: Checkpoint, callbacks: Sequence[Any], steps: int | None
    ) -> None:
        self.program, self.callbacks, self.steps, self.order = program, callbacks, steps, start.order
        self.ports = [p for p in graph.outputs if p.role in ("loss", "metric")]
        self.losses = list(start.losses)
        self.seconds: list[float] = []
        self.metrics = {p.path: list(start.series.get(p.path, ())) for p in self.ports if p.role == "metric"}
        self.epochs: list[dict[str, float]] = [dict(e) for e in start.epochs]
        self.epoch, self.batch = start.epoch, start.batch
        self._halfway: Checkpoint | None = None

    def is_done(self) -> bool:
        return self.steps is not None and len(self.losses) >= self.steps

    def run_epoch(self, batches_of_epoch: Iterable[Batch], evaluate: Evaluate | None) -> None:
        left = itertools.islice(batches_of_epoch, self.batch, None)
        for batch in left:
            self.step(batch)
            self.batch += 1
            self._tell()
            if self.is_done():
                break
        if next(left, None) is not None:  # the run ends within an epoch, from where it may go on
            self._halfway = self.checkpoint()
        self.end_epoch(evaluate)

    def step(self, batch: Batch) -> None:
        start = time.perf_counter()
        results = self.program(*batch)
        values = [float(self.program.to_numpy(r)) for r in results]
        self.seconds.append(time.perf_counter() - start)
        for port, value in zip(self.ports, values, strict=True):
            (self.losses if port.role == "loss" else self.metrics[port.path]).append(value)

    def end_epoch(self, evaluate: Evaluate | None) -> None:
        done = sum(int(e["steps"]) for e in self.epochs)
        summary = {"loss": float(np.mean(self.losses[done:])), "steps": float(len(self.losses) - done)}
        summary |= {k: float(np.mean(v[done:])) for k, v in self.metrics.items()}
        self.epochs.append(summary | (evaluate(self.program.arrays()) if evaluate else {}))
        told = self.epoch
        self.epoch, self.batch = self.epoch + 1, 0
        self._tell(told)

    def checkpoint(self) -> Checkpoint:
        if self._halfway is not None:
            return self._halfway
        series = {k: tuple(v) for k, v in self.metrics.items()}
        epochs = tuple(self.epochs)
        return Checkpoint(self.program.arrays(), self.order, self.epoch, self.batch, tuple(self.losses), series, epochs)

    def _tell(self, epoch: int | None = None) -> None:
        """Tell of a step; of an epoch where one is given."""
        if not self.callbacks:
            return
        metrics = {k: v[-1] for k, v in self.metrics.items()}
        told = Progress(
            len(self.losses), self.steps, self.epoch, self.losses[-1], metrics, None, self.checkpoint,
            lambda checkpoint: self.program.load(checkpoint.arrays), self._set_learning_rate,
        )  # fmt: skip
        tell(self.callbacks, told if epoch is None else replace(told, epoch=epoch, summary=self.epochs[-1]))

    def _set_learning_rate(self, rate: float) -> None:
        arrays, key = self.program.arrays(), ("state", LEARNING_RATE)
        if key not in arrays:
            raise SpecError("the learning rate cannot be set: give the optimizer the schedule `adjustable`")
        self.program.load(arrays | {key: np.asarray(rate, arrays[key].dtype)})


def _evaluator(
    model: Model, loss: Any, data: Any, backend: str, device: str | None, batch_size: int
) -> Evaluate | None:
    """After an epoch: loss, metrics and accuracy on validation data, by the inference graph; means over examples."""
    if data is None:
        return None
    weighted = isinstance(data, tuple) and len(data) == 3
    step = evaluation_step(model, loss, sample_weight=weighted)
    graph = step.training
    columns = checked(graph, [a for part in as_columns(graph, data) for a in part])
    target = len(model.inference.ports("input"))
    program = runtime(backend).compile(graph, device=device)
    own = step.arrays(graph)

    def evaluate(arrays: Mapping[Key, np.ndarray]) -> dict[str, float]:
        program.load({key: arrays.get(key, a) for key, a in own.items()})
        sums: dict[str, float] = {}
        for batch in epoch_batches(columns, batch_size, shuffle=False, seed=0, epoch=0):
            results = [program.to_numpy(r) for r in program(*batch)]
            found = {f"validation_{p.path}": float(r) for p, r in zip(graph.outputs, results, strict=True)
                     if p.role != "output"}  # fmt: skip
            first = next(r for p, r in zip(graph.outputs, results, strict=True) if p.role == "output")
            found["validation_accuracy"] = accuracy(first, batch[target])
            sums = {k: sums.get(k, 0.0) + v * len(batch[0]) for k, v in found.items()}
        return {k: v / len(columns[0]) for k, v in sums.items()}

    return evaluate


__all__ = ["History", "accuracy", "as_columns", "batches", "default_backend", "train", "trained"]
