"""How an `nn.Module` is written, and given its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir import Value
from ..classes import ClassStyle

_LOADER = '''def load(path):
    """The model, with parameters from a safetensors file."""
    model = Model()
    model.load_state_dict(load_file(path))
    return model'''


def _held(role: str, value: Value, shape: str) -> str:
    dtype = "" if value.dtype.name == "float32" else f", dtype=torch.{value.dtype.name}"
    trainable = "" if value.dtype.is_differentiable else ", requires_grad=False"
    empty = f"torch.empty({shape}{dtype})"
    return f"nn.Parameter({empty}{trainable})" if role == "parameter" else f"nn.Buffer({empty})"


def assign(model: Any, arrays: Mapping[str, Any], device: str) -> None:
    """Give a module its parameters and buffers by name."""
    model.load_state_dict(dict(arrays), assign=True)
    model.to(device)


CLASSES = ClassStyle(
    base="nn.Module",
    method="forward",
    held=_held,
    containers={"list": "nn.ModuleList([{}])", "dict": "nn.ModuleDict({{{}}})"},
    loader=_LOADER,
)
