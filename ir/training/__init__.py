"""Training as graphs: losses, metrics, optimizers, schedules, the step."""

from . import clipping, optimizers
from .losses import LOSSES, METRICS
from .optimizers import OPTIMIZERS
from .schedules import SCHEDULES
from .step import loss_and_gradients, training_step

OPS = (*optimizers.OPS, *clipping.OPS)  # the ops that only updates have

__all__ = ["LOSSES", "METRICS", "OPS", "OPTIMIZERS", "SCHEDULES", "loss_and_gradients", "training_step"]
