"""The same graph in float64: the reference that others are compared with.

1. Floats below 64 bits, and complex numbers below 128, become float64 and complex128: in the types of inputs, in
   constants and in attributes. Integers and bools stay.
2. A constant keeps the number that it has in its declared type: 0.1 becomes 0.10000000149011612.
3. Composites are taken apart in their declared types before they are widened, so what their formulas write down
   (epsilon, the rate of a dropout's scale, the square root in gelu) is rounded as every backend rounds it. A float
   attribute of another op whose operands are floats is rounded likewise.
4. A cast that loses bits in the declared types loses them here too: a cast down, and one up again.
5. What makes floats of a narrow type from integers alone (`random_uniform`) stays as it is, with a cast up; so does
   what reads the bits of a declared type (`bitcast`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..evaluate import parts_of
from ..graph import Graph, Node, Value
from ..op import Op
from ..rewrite import Rewriter
from ..types import DType, TensorType, complex128, float64, holds, part_of

Values = Sequence["Value | None"]


def widen(graph: Graph) -> Graph:
    return widened(graph)[0]


def widened(graph: Graph) -> tuple[Graph, dict[Value, Value]]:
    """The graph in float64, and the value in it that stands for each value of `graph`."""
    rewriter = Rewriter(graph, wide_type)
    for node in graph.nodes:
        with rewriter.within(node):
            made = _emit(rewriter.new, node, rewriter.inputs(node))
        rewriter.replace(node, made)
    return rewriter.finish(), rewriter.values


def wide_type(t: TensorType) -> TensorType:
    return t.with_dtype(_wide(t.dtype))


def _wide(dtype: DType) -> DType:
    return {"float": float64, "complex": complex128}.get(dtype.kind, dtype)


def _emit(graph: Graph, node: Node, inputs: Values) -> tuple[Value, ...]:
    """Append what a node of declared types computes on wide inputs."""
    declared = tuple(None if v is None else v.type for v in node.inputs)
    if node.op.is_composite:
        return _emit_parts(graph, parts_of(node.op, declared, tuple(node.attributes.items())), inputs)
    if node.op is ops.constant:
        value = node.attributes["value"]
        return (graph.constant(value.astype(_wide(node.outputs[0].dtype).numpy), _wide(node.outputs[0].dtype)),)
    if node.op is ops.cast:
        assert inputs[0] is not None
        assert declared[0] is not None
        return (_cast(inputs[0], declared[0].dtype, node.outputs[0].dtype),)
    if node.op is ops.bitcast:
        assert inputs[0] is not None
        assert declared[0] is not None
        narrow = inputs[0] if inputs[0].dtype == declared[0].dtype else ops.cast(inputs[0], dtype=declared[0].dtype)
        return (_cast(ops.bitcast(narrow, **node.attributes), node.outputs[0].dtype, node.outputs[0].dtype),)
    attributes = _attributes(node, next((t.dtype for t in declared if t is not None and t.dtype.is_float), None))
    made = _append(graph, node.op, inputs, attributes)
    return tuple(ops.cast(v, dtype=_wide(v.dtype)) if v.dtype != _wide(v.dtype) else v for v in made)


def _emit_parts(graph: Graph, parts: Graph, inputs: Values) -> tuple[Value, ...]:
    present = [v for v in inputs if v is not None]
    values: dict[Value, Value] = dict(zip((p.value for p in parts.inputs), present, strict=True))
    for node in parts.nodes:
        made = _emit(graph, node, [None if v is None else values[v] for v in node.inputs])
        values.update(zip(node.outputs, made, strict=True))
    return tuple(values[p.value] for p in parts.outputs)


def _append(graph: Graph, op: Op, inputs: Values, attributes: Mapping[str, Any]) -> tuple[Value, ...]:
    op.append(graph, tuple(inputs), attributes)
    return graph.nodes[-1].outputs


def _cast(x: Value, source: DType, to: DType) -> Value:
    """To the wide type; by the declared one where that loses bits."""
    if not holds(to, part_of(source)):
        x = ops.cast(x, dtype=to)
    return x if x.dtype == _wide(to) else ops.cast(x, dtype=_wide(to))


def _attributes(node: Node, dtype: DType | None) -> dict[str, Any]:
    """The node's attributes with wide element types, and floats rounded to the declared type of its operands."""
    return {name: _attribute(value, dtype) for name, value in node.attributes.items()}


def _attribute(value: Any, dtype: DType | None) -> Any:
    if isinstance(value, DType):
        return _wide(value)
    if isinstance(value, Graph):
        return widen(value)
    if isinstance(value, tuple):
        return tuple(_attribute(v, dtype) for v in value)
    return float(np.asarray(value, dtype.numpy)) if isinstance(value, float) and dtype else value
