"""A row of the ONNX table: the op that fits one to one, or a function that writes several; and where it applies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...ir import DType, Graph, Node, Op
from ..rules import Key, Row, Table, When, find_rule
from .builder import Builder, Tensor
from .kernels import has_kernel


@dataclass(frozen=True)
class Lowering:
    """How a node is written: `emit(builder, *operands, **attributes)`.

    `kernels` are the ONNX ops whose element type is that of the node's operand number `operand`; `since` is the first
    opset that has them all.
    """

    emit: Callable[..., Any]
    kernels: tuple[str, ...]
    since: int = 0
    operand: int = 0

    def element(self, node: Node) -> DType:
        """The element type that decides which kernels there are."""
        value = node.inputs[self.operand] if node.inputs else node.outputs[0]
        assert value is not None
        return value.dtype

    def runs(self, node: Node) -> bool:
        """Whether ONNX Runtime's CPU provider has the kernels."""
        return all(has_kernel(k, self.element(node)) for k in self.kernels)


def op(name: str, *, since: int = 0, operand: int = 0, rename: dict[str, str] | None = None, **fixed: Any) -> Lowering:
    """The ONNX op `name`, which takes the operands and attributes as they are, but for the attributes' names."""
    names = rename or {}

    def emit(b: Builder, *operands: Tensor | None, **attributes: Any) -> Any:
        given = {names.get(k, k): v for k, v in attributes.items()}
        return b.append(name, *operands, outputs=len(b.node.outputs), **given, **fixed)

    return Lowering(emit, (name,), since, operand)


def by(emit: Callable[..., Any], *kernels: str, since: int = 0, operand: int = 0) -> Lowering:
    """A function that writes a node with several ONNX ops."""
    return Lowering(emit, kernels, since, operand)


def is_float(node: Node) -> bool:
    return bool(node.inputs[0] is not None and node.inputs[0].dtype.is_float)


@cache
def at_opset(opset: int) -> Table:
    """The table's rows that an opset has; a composite is claimed only where there is a kernel for it whole."""
    from .table import TABLE

    return {key: tuple(_conditional(key, row, opset)) for key, row in TABLE.items()}


def _conditional(key: Key, row: Row, opset: int) -> Iterator[Any]:
    whole = not isinstance(key, Op) or key.is_composite
    for rule in row if isinstance(row, tuple) else (row,):
        lowering = rule.rule if isinstance(rule, When) else rule
        if lowering.since <= opset:
            yield When(_both(rule.fits if isinstance(rule, When) else None, lowering.runs if whole else None), lowering)


def _both(first: Callable[[Node], bool] | None, second: Callable[[Node], bool] | None) -> Callable[[Node], bool]:
    return lambda node: (first is None or first(node)) and (second is None or second(node))


def lower_nodes(builder: Builder, graph: Graph) -> None:
    """Write the nodes of a graph whose inputs are bound, each by its rule."""
    table = at_opset(builder.opset)
    for node in graph.nodes:
        builder.node = node
        lowering = find_rule(table, node)
        assert lowering is not None, f"no row for {node!r}"
        operands = [None if v is None else builder.tensors[v] for v in node.inputs]
        try:
            result = lowering.emit(builder, *operands, **node.attributes)
        except Exception as error:
            error.add_note(f"in {node!r} at {node.origin}")
            raise
        for value, tensor in zip(node.outputs, (result,) if isinstance(result, str) else result, strict=False):
            builder.bind(value, tensor)
