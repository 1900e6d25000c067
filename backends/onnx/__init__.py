"""ONNX: a graph as a `ModelProto` of standard ops, and the table of rows that writes it."""

from .legalize import legalize
from .model import to_model

__all__ = ["legalize", "to_model"]
