"""Declarative model files: YAML, JSON or dicts of layers, formulas and training."""

from .build import BUDGET, from_spec
from .reader import Spec, read_spec, spec_data

__all__ = ["BUDGET", "Spec", "from_spec", "read_spec", "spec_data"]
