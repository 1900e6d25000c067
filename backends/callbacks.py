"""What a training run tells, and what listens: stopping early, keeping checkpoints, writing a table."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..ir.errors import SpecError
from .checkpoint import Checkpoint, save_checkpoint, write_whole


class StopTraining(Exception):
    """Raised by a callback to end a run; what was trained until then is kept."""


@dataclass(frozen=True)
class Progress:
    """What a callback is told: after a step its loss and metrics, after an epoch (`summary`) their means as well.

    `checkpoint()` is where the run stands. `restore(checkpoint)` puts parameters and state back.
    `set_learning_rate(rate)` is for optimizers whose schedule is `adjustable`.
    """

    step: int
    steps: int | None
    epoch: int
    loss: float
    metrics: Mapping[str, float]
    summary: Mapping[str, float] | None = None
    checkpoint: Callable[[], Checkpoint] = field(default=lambda: Checkpoint({}), repr=False)
    restore: Callable[[Checkpoint], None] = field(default=lambda checkpoint: None, repr=False)
    set_learning_rate: Callable[[float], None] = field(default=lambda rate: None, repr=False)


class Callback:
    """Listens to a run; both methods may raise `StopTraining`. A plain function of `Progress` is told of each step."""

    def on_step(self, progress: Progress) -> None:
        """After each step."""

    def on_epoch(self, progress: Progress) -> None:
        """After each epoch."""


def tell(callbacks: Sequence[Any], progress: Progress) -> None:
    """Tell every callback of a step, or of an epoch where there is a summary."""
    for callback in callbacks:
        if not isinstance(callback, Callback):
            if progress.summary is None:
                callback(progress)
        elif progress.summary is None:
            callback.on_step(progress)
        else:
            callback.on_epoch(progress)


@dataclass
class EarlyStopping(Callback):
    """Stops when what it watches has not become better for more than `patience` epochs.

    Better is smaller by more than `least_change` (larger, where `mode` is `max`). `restore_best` puts back the
    parameters of the best epoch.
    """

    monitor: str = "validation_loss"
    patience: int = 0
    least_change: float = 0.0
    mode: str = "min"
    restore_best: bool = False
    best: float = math.inf
    best_epoch: int = -1

    def __post_init__(self) -> None:
        if self.mode not in ("min", "max"):
            raise SpecError(f"mode is 'min' or 'max', not {self.mode!r}")
        self._kept: Checkpoint | None = None

    def on_epoch(self, progress: Progress) -> None:
        value = watched(self.monitor, progress) * (1.0 if self.mode == "min" else -1.0)
        if value < self.best - self.least_change:
            self.best, self.best_epoch = value, progress.epoch
            self._kept = progress.checkpoint() if self.restore_best else None
        elif progress.epoch - self.best_epoch > self.patience:
            if self._kept is not None:
                progress.restore(self._kept)
            raise StopTraining


@dataclass
class ReduceOnPlateau(Callback):
    """Multiplies an `adjustable` learning rate when what it watches has not become smaller for `patience` epochs."""

    learning_rate: float
    factor: float = 0.1
    patience: int = 10
    monitor: str = "validation_loss"
    least_rate: float = 0.0
    best: float = math.inf
    waited: int = 0

    def on_epoch(self, progress: Progress) -> None:
        value = watched(self.monitor, progress)
        if value < self.best:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.learning_rate, self.waited = max(self.learning_rate * self.factor, self.least_rate), 0
            progress.set_learning_rate(self.learning_rate)


@dataclass
class ModelCheckpoint(Callback):
    """Writes a checkpoint after each epoch, or after every so many steps; the best one only where it watches a value.

    `{epoch}` and `{step}` in the path are filled in.
    """

    path: str | os.PathLike[str]
    every_steps: int | None = None
    monitor: str | None = None
    best: float = math.inf

    def on_step(self, progress: Progress) -> None:
        if self.every_steps is not None and progress.step % self.every_steps == 0:
            self._save(progress)

    def on_epoch(self, progress: Progress) -> None:
        if self.every_steps is not None:
            return
        if self.monitor is not None:
            value = watched(self.monitor, progress)
            if not value < self.best:
                return
            self.best = value
        self._save(progress)

    def _save(self, progress: Progress) -> None:
        path = os.fspath(self.path).replace("{epoch}", str(progress.epoch)).replace("{step}", str(progress.step))
        save_checkpoint(progress.checkpoint(), path)


@dataclass
class CSVLogger(Callback):
    """Writes a table of the epochs: whole after each, so that what is read is never half a line."""

    path: str | os.PathLike[str]

    def __post_init__(self) -> None:
        self._rows: list[dict[str, float]] = []

    def on_epoch(self, progress: Progress) -> None:
        self._rows.append({"epoch": progress.epoch, **(progress.summary or {})})
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(k for row in self._rows for k in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_whole(Path(self.path), text.getvalue().encode())


def watched(name: str, progress: Progress) -> float:
    """A value of an epoch by its name; raises `SpecError` with those that there are."""
    summary = progress.summary or {}
    if name not in summary:
        more = "; validation values need validation_data" if name.startswith("validation") else ""
        raise SpecError(f"an epoch has no {name!r}, but {', '.join(summary)}{more}")
    return summary[name]
