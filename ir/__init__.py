"""The language: types, dims, graph, ops with their gradients, autodiff, passes, text form."""

from .dims import Dim, Size
from .graph import Graph, Node, Port, Scope, Value
from .op import Op, sample
from .types import DType, TensorType

__all__ = ["DType", "Dim", "Graph", "Node", "Op", "Port", "Scope", "Size", "TensorType", "Value", "sample"]
