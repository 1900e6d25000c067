"""The training steps of `step_time.py` as a person writes them, by framework."""

from __future__ import annotations

from by_hand_jax import Step, jax_step
from by_hand_tensorflow import tensorflow_step
from by_hand_torch import torch_step

BY_HAND = {"jax": jax_step, "torch": torch_step, "tensorflow": tensorflow_step}

__all__ = ["BY_HAND", "Step"]
