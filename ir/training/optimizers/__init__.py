"""Optimizers as ops: each update is a composite, so a backend may claim it whole.

Conventions differ in more than defaults (`NUMERICS.md` 3.6 O1-O9): where epsilon stands, where bias is corrected,
what a momentum accumulates, where weight decay goes. `docs/training.md` lists them.
"""

from __future__ import annotations

from typing import Any

from ...model import Optimizer
from ..names import find
from . import adafactor as _adafactor
from . import adam as _adam
from . import adaptive, momentum
from .adam import adam, adamw
from .momentum import sgd, sgd_momentum
from .rule import OptimizerRule, Slot

OPS = (*momentum.OPS, *_adam.OPS, *adaptive.OPS, *_adafactor.OPS)
OPTIMIZERS: dict[str, OptimizerRule] = momentum.RULES | _adam.RULES | adaptive.RULES | _adafactor.RULES


def optimizer_rule(optimizer: Optimizer) -> tuple[OptimizerRule, dict[str, Any]]:
    """The rule of an optimizer and its complete hyperparameters; raises `SpecError` with the nearest names."""
    rule = find("optimizer", optimizer.name, OPTIMIZERS)
    defaults = find(f"convention of {optimizer.name}", optimizer.convention, rule.defaults)
    for name in optimizer.options:
        find(f"hyperparameter of {optimizer.name} ({optimizer.convention})", name, defaults)
    return rule, dict(defaults) | dict(optimizer.options)


def convention_of(name: str) -> Any:
    """Keras's convention, or the first of an optimizer that Keras lacks."""
    rule = OPTIMIZERS.get(name)
    return "keras" if rule is None or "keras" in rule.defaults else next(iter(rule.defaults))


__all__ = ["OPS", "OPTIMIZERS", "OptimizerRule", "Slot", "adam", "adamw", "convention_of", "optimizer_rule", "sgd",
           "sgd_momentum"]  # fmt: skip
