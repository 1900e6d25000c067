"""isograd: one graph, every framework, the same numbers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .backends.callbacks import (
        Callback,
        CSVLogger,
        EarlyStopping,
        ModelCheckpoint,
        ReduceOnPlateau,
        StopTraining,
    )
    from .backends.check import CheckReport, check
    from .backends.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from .backends.export import export, to_jax, to_onnx, to_tensorflow, to_torch
    from .backends.loop import History, train
    from .equivalence import compare
    from .frontends.load import load
    from .frontends.spec import from_spec
    from .ir.errors import (
        BackendUnavailableError,
        GuardError,
        IsogradError,
        SpecError,
        TypeMismatchError,
        UnsafeModelError,
        UnsupportedOpError,
    )
    from .ir.gradient import grad
    from .ir.model import Loss, Model, Optimizer, Recipe
    from .ir.specialize import specialize
    from .ir.training import training_step

_HOMES = {
    "from_spec": "frontends.spec",
    "load": "frontends.load",
    "grad": "ir.gradient",
    "specialize": "ir.specialize",
    "compare": "equivalence",
    "check": "backends.check",
    "CheckReport": "backends.check",
    "train": "backends.loop",
    "History": "backends.loop",
    **dict.fromkeys(
        ("Callback", "EarlyStopping", "ModelCheckpoint", "CSVLogger", "ReduceOnPlateau", "StopTraining"),
        "backends.callbacks",
    ),
    **dict.fromkeys(("Checkpoint", "load_checkpoint", "save_checkpoint"), "backends.checkpoint"),
    "export": "backends.export",
    "to_jax": "backends.export",
    "to_torch": "backends.export",
    "to_tensorflow": "backends.export",
    "to_onnx": "backends.export",
    "training_step": "ir.training",
    "Model": "ir.model",
    "Recipe": "ir.model",
    "Loss": "ir.model",
    "Optimizer": "ir.model",
    **dict.fromkeys(
        (
            "IsogradError",
            "SpecError",
            "UnsupportedOpError",
            "TypeMismatchError",
            "BackendUnavailableError",
            "UnsafeModelError",
            "GuardError",
        ),
        "ir.errors",
    ),
}


def __getattr__(name: str) -> Any:
    """Names are fetched when first used, so that importing isograd loads nothing heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'isograd' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


__all__ = [  # noqa: RUF022  # in the order of the documentation
    "from_spec",
    "load",
    "Model",
    "Recipe",
    "Loss",
    "Optimizer",
    "to_jax",
    "to_torch",
    "to_tensorflow",
    "to_onnx",
    "export",
    "grad",
    "specialize",
    "training_step",
    "train",
    "History",
    "save_checkpoint",
    "load_checkpoint",
    "Checkpoint",
    "Callback",
    "EarlyStopping",
    "ModelCheckpoint",
    "ReduceOnPlateau",
    "CSVLogger",
    "StopTraining",
    "compare",
    "check",
    "CheckReport",
    "IsogradError",
    "SpecError",
    "UnsupportedOpError",
    "TypeMismatchError",
    "BackendUnavailableError",
    "UnsafeModelError",
    "GuardError",
]
