"""From a graph to a `ModelProto`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from ...ir import Dim, Graph, TensorType, Value
from ...ir.dims import strongest
from ...ir.errors import TypeMismatchError, UnsupportedOpError
from ...ir.graph import Port
from ...ir.passes import optimize
from ...ir.passes.layout import CHANNELS_FIRST
from ..program import everywhere, prepare
from ..runtime import HELD, Key
from ..views import Views, stored, views_of
from .builder import Builder, Step, Subgraph, element_type
from .legalize import legalize
from .lowering import at_opset, lower_nodes
from .naming import assign_names
from .peephole import improve

OPSETS = range(17, 27)  # the last is the newest that ONNX Runtime 1.31 takes
OPSET = 21
GUARDS = "isograd.guards"  # the metadata with the conditions on symbolic sizes, one a line
PROTO_BYTES = 2**31 - 2**24  # of arrays: a protobuf message is smaller than 2 GiB
NO_COMPLEX = "ONNX has no arithmetic for complex tensors; split them into real and imaginary parts"


@dataclass(frozen=True)
class Emission:
    """A model, the names of the graph's inputs and outputs in it, and what it computes less exactly than the graph.

    An input that became an initializer has its name too.
    """

    model: onnx.ModelProto
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    views: Views  # what the model takes otherwise than the source has it


def to_model(
    graph: Graph, *, name: str = "", opset: int = OPSET, initializers: Mapping[Key, np.ndarray] | None = None
) -> onnx.ModelProto:
    """The graph as a model of standard ops.

    Inputs and outputs are called by their paths, symbolic sizes by their names. `initializers` are arrays by role and
    path that the model holds, filters among them with channels first; all other inputs, parameters too, are inputs of
    the model, with the source's axes. The graph's guards are in its metadata, as `isograd.guards`. Raises
    `UnsupportedOpError` with every op that has no lowering.
    """
    held = initializers or {}
    views = all((p.role, p.path) in held for p in graph.inputs if p.role in HELD)
    return emit(graph, name=name, opset=opset, initializers=initializers, views=views).model


def emit(
    graph: Graph, *, name: str = "", opset: int = OPSET, initializers: Mapping[Key, np.ndarray] | None = None,
    views: bool = True,
) -> Emission:  # fmt: skip
    """As `to_model`, with what a runtime must know besides; with `views`, inputs may lie otherwise than in the source.

    `initializers` lie as in the source.
    """
    if opset not in OPSETS:
        raise UnsupportedOpError(f"opset {opset} is not one of {OPSETS[0]} to {OPSETS[-1]}")
    ready, notes = ready_graph(graph, opset, views)
    builder = Builder(ready, opset)
    known = dict(initializers or {})
    for port in ready.inputs:
        _begin(builder, port, known.pop((port.role, port.path), None))
    if known:
        raise TypeMismatchError(f"the graph has no inputs {', '.join(f'{role} {path!r}' for role, path in known)}")
    size = sum(a.nbytes for a in builder.draft.arrays.values())
    if size > PROTO_BYTES:
        raise UnsupportedOpError(f"the initializers have {size} bytes, but an ONNX model holds less than 2 GiB of them")
    lower_nodes(builder, ready)
    results = [builder.tensors[p.value] for p in ready.outputs]
    improve(builder.draft, results, {str(t): v.shape for v, t in builder.tensors.items()})
    inputs, outputs = assign_names(ready, builder)
    return Emission(
        _model(ready, builder, name or graph.name, inputs, outputs), tuple(inputs), tuple(outputs), tuple(notes),
        views_of(ready),
    )  # fmt: skip


def ready_graph(graph: Graph, opset: int, views: bool = True) -> tuple[Graph, list[str]]:
    """The graph of ops that have rows, channels first, with the casts that are needed."""
    graph = prepare(graph, at_opset(opset), "onnx", wish=CHANNELS_FIRST, views=views)
    notes: list[str] = []

    def legal(part: Graph) -> Graph:
        changed, found = legalize(part, opset)
        notes.extend(found)
        return changed

    graph = everywhere(legal, graph)
    graph = optimize(graph) if notes else graph
    if complex_values(graph):
        raise UnsupportedOpError(NO_COMPLEX)
    return graph, notes


def complex_values(graph: Graph) -> list[Value]:
    values = [p.value for p in graph.inputs] + [v for n in graph.nodes for v in n.outputs]
    return [v for v in values if v.dtype.kind == "complex"]


def _begin(builder: Builder, port: Port, array: np.ndarray | None) -> None:
    tensor = builder.fresh()
    if array is not None:
        t, array = port.value.type, stored(array, port.view)
        if array.dtype != t.dtype.numpy or array.shape != t.shape:
            raise TypeMismatchError(
                f"{port.role} {port.path!r} should be {t}, but the array is {array.dtype}{list(array.shape)}"
            )
        builder.draft.arrays[tensor] = array
        builder.held.add(port.value)
    builder.bind(port.value, tensor)


def _model(graph: Graph, builder: Builder, name: str, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    draft = builder.draft
    opsets = [helper.make_opsetid("", builder.opset)]
    proto = helper.make_graph(
        [_node(s) for s in draft.steps],
        name,
        [_info(n, p.value.type) for n, p in zip(inputs, graph.inputs, strict=True) if p.value not in builder.held],
        [_info(n, p.value.type) for n, p in zip(outputs, graph.outputs, strict=True)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a) if a.ndim else a, n) for n, a in draft.arrays.items()],
    )
    model = helper.make_model(
        proto,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="isograd",
        producer_version="0.1.0",
    )
    if graph.guards:  # ONNX checks no sizes: who runs the model can
        helper.set_model_props(model, {GUARDS: "\n".join(map(str, strongest(graph.guards)))})
    return model


def _node(step: Step) -> onnx.NodeProto:
    attributes = {k: _subgraph(v) if isinstance(v, Subgraph) else v for k, v in step.attributes.items()}
    return helper.make_node(step.op_type, step.inputs, step.outputs, name=step.path[-1], **attributes)


def _subgraph(body: Subgraph) -> onnx.GraphProto:
    inputs, outputs = ([_info(n, t) for n, t in side] for side in (body.inputs, body.outputs))
    return helper.make_graph([_node(s) for s in body.steps], body.name, inputs, outputs)


def _info(name: str, t: TensorType) -> onnx.ValueInfoProto:
    shape = [str(s) if isinstance(s, Dim) else s for s in t.shape]
    return helper.make_tensor_value_info(name, element_type(t.dtype), shape)
