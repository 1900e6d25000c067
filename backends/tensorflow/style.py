"""How a `tf.Module` is written, and given its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir import Value
from ..classes import ClassStyle

_LOADER = '''def load(path):
    """The model, with variables from a safetensors file."""
    model = Model()
    for name, array in load_file(path).items():
        holder = model
        for part in name.split("."):
            if isinstance(holder, list):
                holder = holder[int(part)]
            else:
                holder = holder[part] if isinstance(holder, dict) else getattr(holder, part)
        holder.assign(array)
    return model'''


def _held(role: str, value: Value, shape: str) -> str:
    dtype = "" if value.dtype.name == "float32" else f", tf.{value.dtype.name}"
    trainable = "" if role == "parameter" else ", trainable=False"
    return f"tf.Variable(tf.zeros({shape}{dtype}){trainable})"


def assign(model: Any, arrays: Mapping[str, Any], device: str) -> None:
    """Give a module its variables by name."""
    for name, array in arrays.items():
        holder = model
        for part in name.split("."):
            if isinstance(holder, list):
                holder = holder[int(part)]
            else:
                holder = holder[part] if isinstance(holder, dict) else getattr(holder, part)
        holder.assign(array)


CLASSES = ClassStyle(
    base="tf.Module",
    method="__call__",
    held=_held,
    containers={"list": "[{}]", "dict": "{{{}}}"},
    loader=_LOADER,
)
