"""Training as graphs: losses, metrics, optimizers, schedules, the step."""

from . import clipping, optimizers
from .losses import LOSSES, METRICS
from .optimizers import OPTIMIZERS
from .schedules import SCHEDULES
from .step import evaluation_step, loss_and_gradients, training_step

OPS = (*optimizers.OPS, *clipping.OPS)  # the ops that only updates have

__all__ = [
    "LOSSES",
    "METRICS",
    "OPS",
    "OPTIMIZERS",
    "SCHEDULES",
    "evaluation_step",
    "loss_and_gradients",
    "training_step",
]
