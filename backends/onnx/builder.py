"""Writing ONNX nodes: what a row gets to append them with, constants and sizes among them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import onnx

from ...ir import Dim, DType, Graph, Node, Size, TensorType, Value
from ...ir.evaluate import symbol_places
from ...ir.graph import bound_by
from ...ir.ops import normalize_axes

Sizes = Sequence[Size]


class Tensor(str):
    """The name of a tensor while a model is built, with its type where it is a value of the graph."""

    __slots__ = ("dtype", "shape")
    dtype: DType
    shape: tuple[Size, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass
class Step:
    """One ONNX node to be. An input that is left out is the empty name."""

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    path: tuple[str, ...]

    @property
    def bodies(self) -> list[Subgraph]:
        return [a for a in self.attributes.values() if isinstance(a, Subgraph)]

    @property
    def reads(self) -> list[str]:
        """What it uses, its bodies among it."""
        inner = (s for body in self.bodies for s in body.steps)
        return [*self.inputs, *(t for s in inner for t in s.reads)]


@dataclass
class Subgraph:
    """The body of a loop or branch: it may use what is defined around it."""

    name: str
    steps: list[Step] = field(default_factory=list)
    inputs: list[tuple[str, TensorType]] = field(default_factory=list)
    outputs: list[tuple[str, TensorType]] = field(default_factory=list)


@dataclass
class Draft:
    """What a builder has written: steps in an order in which they can run, and the arrays known now."""

    steps: list[Step] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    transposed: dict[str, str] = field(default_factory=dict)  # an array, and the one that it is the transpose of


class Builder:
    """Appends ONNX nodes: `b.Softmax(x, axis=1)` gives the name of the output, with `outputs=2` those of two.

    An operand is the name of a tensor, None where it is left out, an array or NumPy number, or a tuple of sizes: the
    vector of them. Equal nodes are written once. `node` is the graph's node that is being lowered.
    """

    node: Node

    def __init__(self, graph: Graph, opset: int) -> None:
        self.opset, self.draft = opset, Draft()
        self.tensors: dict[Value, Tensor] = {}
        self.held: set[Value] = set()  # inputs of the graph that are arrays of the model
        self._known: dict[Any, tuple[Tensor, ...]] = {}
        self._count = 0
        self._sources = {s: (port.value, axis) for s, (port, axis) in symbol_places(graph).items()}

    # nodes

    def __getattr__(self, op_type: str) -> Callable[..., Any]:
        if not op_type[:1].isupper():
            raise AttributeError(op_type)
        return partial(self.append, op_type)

    def append(self, op_type: str, *operands: Any, outputs: int = 1, **attributes: Any) -> Any:
        inputs = tuple(self.operand(o) for o in operands)
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        present = {k: v for k, v in attributes.items() if v is not None}
        if any(isinstance(v, Subgraph) for v in present.values()):
            made = self._write(op_type, inputs, outputs, present)
            return made[0] if outputs == 1 else made
        key = (op_type, inputs, outputs, repr(sorted(present.items())))
        if key not in self._known:
            self._known[key] = self._folded(op_type, inputs, present) or self._write(op_type, inputs, outputs, present)
        found = self._known[key]
        return found[0] if outputs == 1 else found

    def _write(
        self, op_type: str, inputs: tuple[str, ...], outputs: int, attributes: Mapping[str, Any]
    ) -> tuple[Tensor, ...]:
        made = tuple(self.fresh() for _ in range(outputs))
        scope = self.node.scope.path if self.node.scope else ()
        path = scope if self.node.section == "forward" else (self.node.section, *scope)
        self.draft.steps.append(Step(op_type, inputs, made, attributes, path))
        return made

    def _folded(
        self, op_type: str, inputs: tuple[str, ...], attributes: Mapping[str, Any]
    ) -> tuple[Tensor, ...] | None:
        """A known array, transposed now: a filter is stored as ONNX wants it."""
        array = self.draft.arrays.get(inputs[0]) if op_type == "Transpose" else None
        if array is None:
            return None
        made = self.constant(np.ascontiguousarray(array.transpose(attributes["perm"])))
        self.draft.transposed.setdefault(made, inputs[0])
        return (made,)

    def fresh(self) -> Tensor:
        self._count += 1
        return Tensor(f"%{self._count}")

    def bind(self, value: Value, tensor: str) -> None:
        """From now on `tensor` is what the graph calls `value`."""
        bound = Tensor(tensor)
        bound.dtype, bound.shape = value.dtype, value.shape
        self.tensors[value] = bound
        if value.node is not None and value.node.op.binds:
            self._sources |= {str(s): (value, i) for i, s in enumerate(value.shape) if str(s) in bound_by(value.node)}

    # bodies

    @contextlib.contextmanager
    def body(self, graph: Graph, captured: Sequence[Tensor]) -> Iterator[Subgraph]:
        """What is appended in the block belongs to a body; the last inputs of `graph` are tensors from around it."""
        outer = self.draft.steps, self._known, self._sources, self.node
        inner = Subgraph(graph.name)
        self.draft.steps, self._known = inner.steps, dict(self._known)
        ports = [p.value for p in graph.inputs]
        for value, tensor in zip(ports[len(ports) - len(captured) :], captured, strict=True):
            self.bind(value, tensor)
        self._sources = self._sources | {s: (port.value, axis) for s, (port, axis) in symbol_places(graph).items()}
        yield inner
        constants = {k: v for k, v in self._known.items() if not k[0]}  # which stand outside all bodies
        self.draft.steps, self._known, self._sources, self.node = outer
        self._known |= constants

    def take(self, inner: Subgraph, t: TensorType, value: Value | None = None) -> Tensor:
        """A further input of a body, which `value` of its graph is."""
        tensor = self.fresh()
        inner.inputs.append((tensor, t))
        if value is not None:
            self.bind(value, tensor)
        return tensor

    def give(self, inner: Subgraph, tensor: str, t: TensorType) -> None:
        """A further output of a body, by a node of its own: no two are one tensor, and none is from outside."""
        inner.outputs.append((self._write("Identity", (tensor,), 1, {})[0], t))

    # operands

    def operand(self, operand: Any) -> str:
        if operand is None:
            return ""
        if isinstance(operand, str):
            return operand
        return self.sizes(operand) if isinstance(operand, tuple) else self.constant(operand)

    def constant(self, array: Any, dtype: DType | None = None) -> Tensor:
        """The name of an array that is known now; equal arrays are one."""
        array = np.asarray(array, dtype.numpy if dtype else None)
        key = ("", array.dtype.name, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = (self.fresh(),)
            self.draft.arrays[self._known[key][0]] = array
        return self._known[key][0]

    # sizes

    def sizes(self, sizes: Sizes) -> Tensor:
        """A vector of int64; sizes that are not known yet are read off the inputs' shapes."""
        if not any(isinstance(s, Dim) for s in sizes):
            return self.constant(np.array(sizes, np.int64))
        parts: list[Any] = []
        for size in sizes:
            if isinstance(size, Dim):
                parts.append(self.size(size))
            elif parts and isinstance(parts[-1], tuple):
                parts[-1] = (*parts[-1], size)
            else:
                parts.append((size,))
        return parts[0] if len(parts) == 1 else self.Concat(*parts, axis=0)  # type: ignore[no-any-return]

    def size(self, size: Size) -> Tensor:
        """A size as a vector of one int64."""
        return self._expression(size.expression) if isinstance(size, Dim) else self.sizes((size,))

    def _expression(self, e: Any) -> Tensor:
        if e.is_Integer:
            return self.sizes((int(e),))
        if e.is_Symbol:
            value, axis = self._sources[str(e)]
            return self.Shape(self.tensors[value], start=axis, end=axis + 1)  # type: ignore[no-any-return]
        if e.is_Pow:
            return self._chain("Mul", [self._expression(e.base)] * int(e.exp))
        if e.is_Add or e.is_Mul:
            return self._chain("Add" if e.is_Add else "Mul", [self._expression(a) for a in e.args])
        kind, parts = type(e).__name__, [self._expression(a) for a in e.args]
        if kind != "Floor":
            return self.append({"Maximum": "Max", "Minimum": "Min"}[kind], *parts)  # type: ignore[no-any-return]
        a, b = parts  # ONNX rounds a quotient towards zero
        return self.Div(self.Sub(a, self.Mod(a, b)), b)  # type: ignore[no-any-return]

    def _chain(self, op_type: str, parts: Sequence[Tensor]) -> Tensor:
        total, *rest = parts
        for part in rest:
            total = self.append(op_type, total, part)
        return total

    # what several rows need

    def reshape(self, x: str, before: Sizes, after: Sizes) -> Tensor:
        """`x`, whose shape is `before`, in the shape `after`; 0 and -1 stand for sizes that are not known yet."""
        unknown = [i for i, s in enumerate(after) if isinstance(s, Dim) and not (i < len(before) and before[i] == s)]
        if len(unknown) > 1 or any(s == 0 for s in after if not isinstance(s, Dim)):
            return self.Reshape(x, tuple(after), allowzero=1)  # type: ignore[no-any-return]
        spec = tuple((-1 if i in unknown else 0) if isinstance(s, Dim) else s for i, s in enumerate(after))
        return self.Reshape(x, spec)  # type: ignore[no-any-return]

    def reduce(self, op_type: str, x: Tensor, axes: tuple[int, ...] | None, keepdims: bool) -> Tensor:
        """A reduction; its axes became an operand in opset 18, for sums in 13."""
        gone = normalize_axes(axes, x.rank)
        if not gone:
            return x
        if self.opset >= 18 or op_type == "ReduceSum":
            return self.append(op_type, x, gone, keepdims=int(keepdims))  # type: ignore[no-any-return]
        return self.append(op_type, x, axes=gone, keepdims=int(keepdims))  # type: ignore[no-any-return]

    def cast(self, x: str, dtype: DType) -> Tensor:
        return self.Cast(x, to=element_type(dtype))  # type: ignore[no-any-return]

    def bitcast(self, x: str, dtype: DType) -> Tensor:
        return self.BitCast(x, to=element_type(dtype))  # type: ignore[no-any-return]

    def swap(self, x: str, perm: Sequence[int]) -> Any:
        """`x` with its axes in another order."""
        return x if list(perm) == sorted(perm) else self.Transpose(x, perm=tuple(perm))


def element_type(dtype: DType) -> int:
    """ONNX's number for an element type."""
    return int(onnx.helper.np_dtype_to_tensor_dtype(dtype.numpy))
