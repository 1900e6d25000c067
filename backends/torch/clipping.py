"""PyTorch: numbers kept within limits, replaced where they are none, and mixed."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..fold import has_both_limits, is_number, replaces_as_usual
from ..rules import When


def _clip_to_numbers(x: Any, low: Any, high: Any) -> Any:
    return x.clamp(low, high)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return torch.clamp(x, low, high)


def _nan_to_num(x: Any, *, nan: Any, posinf: Any, neginf: Any) -> Any:
    return torch.nan_to_num(x, nan, posinf, neginf)


def _nan_to_zero(x: Any) -> Any:
    return torch.nan_to_num(x)


def _limits_are_numbers(node: Node) -> bool:
    x, *limits = node.inputs
    return has_both_limits(node) and all(map(is_number, limits)) and not is_number(x)


rows = {
    ops.clip: (When(_limits_are_numbers, _clip_to_numbers), When(has_both_limits, _clip)),
    ops.nan_to_num: (When(replaces_as_usual, _nan_to_zero), _nan_to_num),
    ops.lerp: torch.lerp,
}
NUMBERS = (_clip_to_numbers,)  # it takes Python numbers as they are
