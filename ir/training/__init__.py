"""Training as graphs: losses, metrics, optimizers, the step."""

from .losses import LOSSES, METRICS
from .optimizers import OPTIMIZERS
from .step import loss_and_gradients, training_step

__all__ = ["LOSSES", "METRICS", "OPTIMIZERS", "loss_and_gradients", "training_step"]
