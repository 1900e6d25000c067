"""The typed graph: values, nodes, scopes, and the builder that appends to them."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .dims import Dim, Guard, Size, symbol, symbols_of
from .errors import TypeMismatchError
from .types import DType, TensorType, dtype_of, float32

if TYPE_CHECKING:
    from .op import Op

Number = bool | int | float | complex
SECTIONS = ("forward", "backward", "update")  # in the order in which they stand
_INSIDE = tuple(f"{__package__.rpartition('.')[0]}.{part}" for part in ("ir", "frontends", "backends", "equivalence"))


@dataclass(frozen=True, eq=False)
class Scope:
    """A call in the source: a layer, a module, or a composite that was taken apart.

    `kind` is the source's class, `name` what this instance is called there, `call` tells repeated calls apart,
    `arguments` are the values that the call was given, by the callee's names.
    """

    parent: Scope | None
    name: str
    kind: str
    call: int = 0
    arguments: tuple[tuple[str, Value], ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        return (
            ((*self.parent.path, self.name) if self.parent else (self.name,))
            if self.name
            else (self.parent.path if self.parent else ())
        )

    @property
    def layer(self) -> Scope | None:
        """The innermost scope with a name: this one, or the one that a composite was taken apart in."""
        return self if self.name else self.parent.layer if self.parent else None

    @property
    def ancestry(self) -> tuple[Scope, ...]:
        return (*self.parent.ancestry, self) if self.parent else (self,)

    def __repr__(self) -> str:
        return f"<scope {'/'.join(self.path)}: {self.kind}>"


class Value:
    """One tensor of a graph: a graph's input, or an output of one node. Identity is equality.

    Values have Python's operators; each appends a node to `graph`.
    """

    __slots__ = ("graph", "index", "name", "node", "type")
    __array_priority__ = 1000  # NumPy scalars on the left of an operator leave it to us

    def __init__(self, graph: Graph, type: TensorType, node: Node | None, index: int = 0, name: str = "") -> None:
        self.graph, self.type, self.node, self.index, self.name = graph, type, node, index, name

    @property
    def shape(self) -> tuple[Size, ...]:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def rank(self) -> int:
        return len(self.type.shape)

    def named(self, name: str) -> Value:
        """Suggest a name for printing; an earlier suggestion stays."""
        self.name = self.name or name
        return self

    def __repr__(self) -> str:
        return f"<{self.name or '_'}: {self.type}>"

    def __bool__(self) -> bool:
        raise TypeError(
            "a value of a graph has no truth value: its number is known when the graph runs; use where(...)"
        )

    def __add__(self, other: Operand) -> Value:
        return _one(_ops().add, self, other)

    def __radd__(self, other: Operand) -> Value:
        return _one(_ops().add, other, self)

    def __sub__(self, other: Operand) -> Value:
        return _one(_ops().subtract, self, other)

    def __rsub__(self, other: Operand) -> Value:
        return _one(_ops().subtract, other, self)

    def __mul__(self, other: Operand) -> Value:
        return _one(_ops().multiply, self, other)

    def __rmul__(self, other: Operand) -> Value:
        return _one(_ops().multiply, other, self)

    def __truediv__(self, other: Operand) -> Value:
        return _one(_ops().divide, self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return _one(_ops().divide, other, self)

    def __pow__(self, other: Operand) -> Value:
        return _one(_ops().power, self, other)

    def __rpow__(self, other: Operand) -> Value:
        return _one(_ops().power, other, self)

    def __matmul__(self, other: Value) -> Value:
        return _one(_ops().matmul, self, other)

    def __neg__(self) -> Value:
        return _one(_ops().negative, self)

    def __lt__(self, other: Operand) -> Value:
        return _one(_ops().less, self, other)

    def __le__(self, other: Operand) -> Value:
        return _one(_ops().less_equal, self, other)

    def __gt__(self, other: Operand) -> Value:
        return _one(_ops().greater, self, other)

    def __ge__(self, other: Operand) -> Value:
        return _one(_ops().greater_equal, self, other)


Operand = Value | Number | Dim


def _one(op: Op, *operands: Any) -> Value:
    """Apply an op that has one output."""
    value: Value = op(*operands)
    return value


def _ops() -> Any:
    from . import ops  # ops are made of values; the operators are the one way back

    return ops


class Node:
    """One application of an op. `attributes` are complete: defaults are filled in."""

    __slots__ = ("attributes", "inputs", "lowering", "op", "origin", "outputs", "scope", "section")

    def __init__(
        self,
        op: Op,
        inputs: tuple[Value | None, ...],
        attributes: dict[str, Any],
        scope: Scope | None,
        section: str,
        origin: str,
    ) -> None:
        self.op, self.inputs, self.attributes = op, inputs, attributes
        self.scope, self.section, self.origin = scope, section, origin
        self.outputs: tuple[Value, ...] = ()
        self.lowering: Any = None  # the rule by which a backend writes it, once chosen

    def __repr__(self) -> str:
        outputs = ", ".join(str(v.type) for v in self.outputs)
        operands = ", ".join("None" if v is None else repr(v) for v in self.inputs)
        return f"{outputs} = {self.op.name}({operands})"


@dataclass(frozen=True, eq=False)
class Port:
    """An input or output of a graph: its value, what it is for, and its path in the source.

    Roles: input, parameter, state, constant; and for outputs: output, parameter and state (their new values),
    gradient, loss, metric. A parameter or a state may be a `view` of the source's array: its axes in this order.
    """

    value: Value
    role: str
    path: str
    view: tuple[int, ...] | None = None


class Graph:
    """Inputs, nodes in an order in which they can run, and outputs. Static single assignment, pure, strictly typed."""

    def __init__(self, name: str = "model") -> None:
        self.name = name
        self.inputs: list[Port] = []
        self.nodes: list[Node] = []
        self.outputs: list[Port] = []
        self.guards: list[Guard] = []
        self._scope: Scope | None = None
        self._section = "forward"
        self._origin = ""
        self._scalars: dict[tuple[Any, ...], Value] = {}
        self._known_guards: tuple[list[Guard], set[Guard]] = (self.guards, set())

    # building

    def input(
        self, name: str, type: TensorType, role: str = "input", path: str = "", view: tuple[int, ...] | None = None
    ) -> Value:
        value = Value(self, type, None, len(self.inputs), name)
        self.inputs.append(Port(value, role, path or name, view))
        return value

    def output(self, value: Value, path: str, role: str = "output") -> Value:
        self.outputs.append(Port(value, role, path))
        return value

    def constant(self, value: Any, dtype: DType | str | None = None) -> Value:
        """A tensor known now: a number (float32 unless said) or an array."""
        array = np.asarray(value)
        if dtype is None:
            dtype = float32 if isinstance(value, float) else dtype_of(array.dtype)
        dtype = dtype_of(dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            cast = array.astype(dtype.numpy)
        if (
            dtype.is_integer
            and array.dtype != cast.dtype
            and not np.array_equal(cast.astype(object), array.astype(object))
        ):
            raise TypeMismatchError(f"the number {value} cannot be written as {dtype.name}")
        return self.apply(_ops().constant, value=cast) if array.ndim else self._scalar(cast, dtype)

    def _scalar(self, value: Any, dtype: DType) -> Value:
        """Equal numbers are one node, which stands outside all scopes and in the first section: anything may use it."""
        key = (value.tobytes(), dtype)
        if key not in self._scalars:
            with self.scope_set(None), self.section(SECTIONS[0]):
                self._scalars[key] = self.apply(_ops().constant, value=value)
        return self._scalars[key]

    def size(self, dim: Size, dtype: DType | str) -> Value:
        """The number that a dim stands for, as a scalar of the graph."""
        return (
            self.constant(dim, dtype)
            if isinstance(dim, int)
            else self.apply(_ops().size, dim=dim, dtype=dtype_of(dtype))
        )

    def fresh_size(self, name: str) -> Dim:
        """A size that only data tells, under a name that no other size of the graph has."""
        taken = {s for p in self.inputs for n in p.value.shape for s in symbols_of(n)} | bound_symbols(self)
        number = next(i for i in itertools.count(1) if f"{name}_{i}" not in taken)
        return symbol(f"{name}_{number}")

    def apply(self, op: Op, *operands: Operand | None, **attributes: Any) -> Any:
        """Append one node; what `op(...)` does, for ops that may have no tensor operand to find the graph by."""
        return op.append(self, operands, attributes)

    def append(
        self, op: Op, inputs: tuple[Value | None, ...], attributes: dict[str, Any], types: tuple[TensorType, ...]
    ) -> Node:
        node = Node(op, inputs, attributes, self._scope, self._section, self._origin or _user_line())
        node.outputs = tuple([Value(self, t, node, i) for i, t in enumerate(types)])
        self.nodes.append(node)
        return node

    def demand(self, guards: Sequence[Guard]) -> None:
        """Add the guards that are not there yet."""
        listed, known = self._known_guards
        if guards and (
            listed is not self.guards or len(known) != len(self.guards)
        ):  # the list was changed from outside
            known = set(self.guards)
            self._known_guards = (self.guards, known)
        for guard in guards:
            if guard not in known:
                known.add(guard)
                self.guards.append(guard)

    # where what is appended comes from

    @contextlib.contextmanager
    def scope(self, name: str, kind: str, arguments: Mapping[str, Value] | None = None) -> Iterator[Scope]:
        """Nodes appended in the block belong to a call of `kind` named `name`."""
        with self.scope_set(Scope(self._scope, name, kind, len(self.nodes), tuple((arguments or {}).items()))) as scope:
            assert scope is not None
            yield scope

    @contextlib.contextmanager
    def scope_set(self, scope: Scope | None) -> Iterator[Scope | None]:
        before, self._scope = self._scope, scope
        try:
            yield scope
        finally:
            self._scope = before

    @contextlib.contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Nodes appended in the block belong to the section forward, backward or update."""
        before, self._section = self._section, name
        try:
            yield
        finally:
            self._section = before

    @contextlib.contextmanager
    def at(self, origin: str) -> Iterator[None]:
        """Nodes appended in the block come from this place of the user's model."""
        before, self._origin = self._origin, origin
        try:
            yield
        finally:
            self._origin = before

    @contextlib.contextmanager
    def like(self, node: Node) -> Iterator[None]:
        """Nodes appended in the block take scope, section and origin of `node`, unless an origin is set."""
        with self.scope_set(node.scope), self.section(node.section), self.at(node.origin):
            yield

    # reading

    def ports(self, role: str) -> list[Port]:
        return [p for p in self.inputs if p.role == role]

    def results(self, role: str) -> list[Port]:
        return [p for p in self.outputs if p.role == role]

    def uses(self) -> dict[Value, int]:
        """How often each value is used, by nodes and by the outputs."""
        counts: dict[Value, int] = {}
        for node in self.nodes:
            for value in node.inputs:
                if value is not None:
                    counts[value] = counts.get(value, 0) + 1
        for port in self.outputs:
            counts[port.value] = counts.get(port.value, 0) + 1
        return counts

    def __str__(self) -> str:
        from .text import print_graph

        return print_graph(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs>"


def bound_by(node: Node) -> frozenset[str]:
    """The symbol that the node gives a number to when it runs, if it does."""
    return symbols_of(node.attributes[node.op.binds]) if node.op.binds else frozenset()


def bound_symbols(graph: Graph) -> frozenset[str]:
    """The symbols that nodes of the graph give numbers to."""
    return frozenset().union(*(bound_by(n) for n in graph.nodes if n.op.binds))


def _user_line() -> str:
    """File and line of the innermost caller outside isograd's own machinery."""
    frame = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_INSIDE):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return ""
