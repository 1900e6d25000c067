"""Checkpoints: all that a training run needs to go on, in one safetensors file with a text in its head."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from ..ir.errors import SpecError
from ..ir.model import Model
from .runtime import Key

if TYPE_CHECKING:
    from .loop import History

FORMAT = "isograd checkpoint 1"


@dataclass(frozen=True)
class Order:
    """What the order of the examples depends on."""

    seed: int = 0
    shuffle: bool = True
    batch_size: int = 32


@dataclass(frozen=True)
class Checkpoint:
    """Parameters and state (slots, counters of random numbers and steps), and how far the run has come.

    `arrays` by role and path. `epoch` and `batch` say which batch is next; `losses` and `series` (of each metric) are
    one a step, `epochs` the summaries of the epochs that ended.
    """

    arrays: Mapping[Key, np.ndarray]
    order: Order = field(default_factory=Order)
    epoch: int = 0
    batch: int = 0
    losses: tuple[float, ...] = ()
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    epochs: tuple[Mapping[str, float], ...] = ()

    @property
    def step(self) -> int:
        return len(self.losses)

    def complete(self, wanted: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
        """Its arrays for a step that takes `wanted`; raises `SpecError` where they are not of the same model."""
        for key, array in wanted.items():
            found = self.arrays.get(key)
            if found is None or found.shape != array.shape or found.dtype != array.dtype:
                told = "is missing" if found is None else f"is {found.dtype}{list(found.shape)}"
                raise SpecError(
                    f"the checkpoint does not fit: {key[0]} {key[1]!r} should be {array.dtype}{list(array.shape)}, "
                    f"but {told}; resume with the model, loss and optimizer that it was made with"
                )
        return {key: self.arrays[key] for key in wanted}


def save_checkpoint(source: History | Checkpoint | Model, path: str | os.PathLike[str]) -> None:
    """Write where a run stands (or a model's parameters and state) into a file; an old one stays whole until then."""
    checkpoint = _checkpoint_of(source)
    tensors = {f"{role}:{name}": np.asarray(a, order="C") for (role, name), a in checkpoint.arrays.items()}
    tensors["history:losses"] = np.array(checkpoint.losses, np.float64)
    tensors |= {f"metric:{k}": np.array(v, np.float64) for k, v in checkpoint.series.items()}
    text = {
        "order": asdict(checkpoint.order),
        "epoch": checkpoint.epoch,
        "batch": checkpoint.batch,
        "epochs": [dict(e) for e in checkpoint.epochs],
    }
    write_whole(Path(path), save(tensors, {"format": FORMAT, "run": json.dumps(text)}))


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file, to the disk, and then put it in the file's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what `save_checkpoint` wrote; nothing in it is executed. Raises `SpecError` where it is no checkpoint."""
    try:
        with safe_open(path, "numpy") as file:
            head = file.metadata() or {}
            if head.get("format") != FORMAT:
                raise SpecError(f"{path} is not a checkpoint of this version (format {head.get('format')!r})")
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping
            text = json.loads(head["run"])
    except SpecError:
        raise
    except Exception as error:  # the library's own error has no public type
        raise SpecError(f"{path} is not a checkpoint: {error}") from None
    groups: dict[str, dict[str, Any]] = {"parameter": {}, "state": {}, "history": {}, "metric": {}}
    for key, array in arrays.items():
        group, _, name = key.partition(":")
        groups[group][name] = array
    return Checkpoint(
        {(role, name): a for role in ("parameter", "state") for name, a in groups[role].items()},
        Order(**text["order"]),
        text["epoch"],
        text["batch"],
        tuple(groups["history"]["losses"].tolist()),
        {k: tuple(v.tolist()) for k, v in groups["metric"].items()},
        tuple(text["epochs"]),
    )


def _checkpoint_of(source: Any) -> Checkpoint:
    if isinstance(source, Checkpoint):
        return source
    if isinstance(source, Model):
        stores = {"parameter": source.parameters, "state": source.state}
        return Checkpoint({(role, name): a for role, store in stores.items() for name, a in store.items()})
    found = getattr(source, "checkpoint", None)
    if not isinstance(found, Checkpoint):
        raise SpecError(f"a checkpoint is made of a history, a checkpoint or a model, not of {type(source).__name__}")
    return found


def as_checkpoint(source: Any) -> Checkpoint:
    """A checkpoint from a file, a history, or itself."""
    return load_checkpoint(source) if isinstance(source, str | os.PathLike) else _checkpoint_of(source)
