"""From a spec to a model: one graph for each mode, and the initial arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...ir import ops
from ...ir.dims import Dim, Size, product, symbols_of
from ...ir.errors import TypeMismatchError
from ...ir.graph import Graph, Node, Value
from ...ir.model import Loss, Mode, Model, Optimizer, Recipe, Regularizer
from ...ir.types import DType, TensorType, uint32
from .document import Place
from .formula import Formula, evaluate_formula
from .initializers import GLOROT_UNIFORM, Given, Initializer
from .layers import Layer
from .options import OptionError
from .penalties import Penalty
from .program import Body, Step
from .reader import Spec, read_spec
from .stream import Stream, key_words

BUDGET = 1 << 31  # elements of all parameters and states, and of any one tensor whose size is known
COUNTER = "random.counter"
