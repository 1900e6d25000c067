"""Let convolutions and poolings work in the layout that a target wants, and what lies between them too.

1. A convolution or a pooling works on its operands transposed to the target's order of axes.
2. Its result stays transposed. An elementwise op, a cast, a normalization, a reduction, padding, a slice or a
   concatenation of it works on it as it lies, with other axes (`axes.py` says which op how); its other operands are
   transposed or reshaped to fit.
3. A parameter that is a filter is stored as the target wants it: its port becomes a *view* of the source's array, and
   so do the ports of its slots, whose update then works on them as they lie. Where that takes more transposes than it
   saves (an optimizer whose slots have other axes), parameters stay as they are, and so does the update.
4. Anything else, and the graph's outputs, get a value transposed back. Each value is transposed once each way.

The pass works on a finished graph, with its gradients: the gradients of convolutions and poolings carry layouts as
these do, so what a forward graph would gain before it is differentiated, the step's graph gains after; and one step
serves all targets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import ops
from ..dims import collecting_guards
from ..errors import TypeMismatchError
from ..graph import Graph, Node, Port, Scope, Value
from ..op import Op
from ..ops import spatial
from ..rewrite import Rewriter
from ..types import TensorType
from .axes import CHANGES, REDUCING, Order, is_elementwise, kinds_of
from .remove_dead import remove_dead
from .simplify import simplify

Views = Mapping[tuple[str, str], Order]  # by role and path of a port


@dataclass(frozen=True)
class Layout:
    """The order of axes that a target wants; `@` stands for those of space."""

    data: str
    filters: str

    def of(self, kind: str, letters: str) -> str:
        return (self.data if kind == "data" else self.filters).replace("@", letters)


CHANNELS_FIRST, CHANNELS_LAST = Layout("NC@", "OI@"), Layout("N@C", "@IO")


def layout(graph: Graph, wish: Layout, *, views: bool = True) -> Graph:
    """The same graph in the target's layout; with `views`, filters are stored in it."""
    if not any(has_layout(n) for n in graph.nodes):
        return graph
    moved = _moved(graph, wish, {})
    wanted = _wanted_views(graph, wish) if views else {}
    if not wanted:
        return moved
    viewed = _moved(graph, wish, wanted)
    return viewed if _transposes(viewed) < _transposes(moved) else moved


def has_layout(node: Node) -> bool:
    """Whether a node is one that the pass moves to a layout."""
    return kinds_of(node) is not None


def _moved(graph: Graph, wish: Layout, views: Views) -> Graph:
    layout = _Layout(graph, wish, views)
    for node in graph.nodes:
        layout.place(node)
    return layout.finish()


def _transposes(graph: Graph) -> int:
    return sum(n.op is ops.transpose for n in remove_dead(simplify(graph)).nodes)


def _wanted_views(graph: Graph, wish: Layout) -> dict[tuple[str, str], Order]:
    """The orders in which parameters are filters, and the same for the slots of each."""
    ports = {p.value: p for p in graph.ports("parameter")}
    found: dict[tuple[str, str], Order] = {}
    for node in graph.nodes:
        for kind, value in zip(_operand_kinds(node), node.inputs, strict=False):
            if kind == "filter" and value in ports:
                order = _filter_order(node, wish)
                if order != tuple(range(len(order))):
                    found.setdefault(("parameter", ports[value].path), order)
    shapes = {p.path: p.value.shape for p in graph.ports("parameter")}
    slots = {
        ("state", p.path): order for (_, path), order in found.items() for p in graph.ports("state")
        if p.path.endswith(f".{path}") and p.value.shape == shapes[path]
    }  # fmt: skip
    return found | slots


def _operand_kinds(node: Node) -> tuple[str, ...]:
    kinds = kinds_of(node)
    return kinds[0] if kinds else ()


def _data_order(node: Node, wish: Layout) -> Order:
    given = node.attributes["layout"]
    return tuple(given.index(c) for c in wish.of("data", spatial(given)))


def _filter_order(node: Node, wish: Layout) -> Order:
    given = node.attributes["filter_layout"]
    return tuple(given.index(c) for c in wish.of("filter", spatial(node.attributes["layout"])))


class _Forms(dict[Value, Value]):
    """New values by old ones, in the source's order of axes; made when they are asked for."""

    def __init__(self, make: Callable[[Value], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Value) -> Value:
        self[value] = self._make(value)
        return self[value]


class _Layout(Rewriter):
    def __init__(self, graph: Graph, wish: Layout, views: Views) -> None:
        self._wish, self._views = wish, views
        self._moved: dict[tuple[Value, Order], Value] = {}
        self._home: dict[Value, Order] = {}
        self._asking: Scope | None = None  # the old scope of the node that is placed
        super().__init__(graph)
        natural = _Forms(self._natural)
        natural.update(self.values)
        self.values = natural
        self._parameters = {self.values[p.value] for p in graph.ports("parameter") if p.value in self.values}

    def take(self, port: Port) -> None:
        order = self._views.get((port.role, port.path))
        if order is None:
            super().take(port)
            return
        old = port.value
        axes = order if port.view is None else tuple(port.view[i] for i in order)
        new = self.new.input(old.name, _permuted(old, order), port.role, port.path, axes)
        self._home[old], self._moved[old, order] = order, new

    def scope(self, scope: Scope | None) -> Scope | None:
        """Arguments that lie in another order are those of the new scope."""
        if scope is None or scope in self._scopes:
            return super().scope(scope)
        forms = {v: self._moved[v, self._home[v]] for _, v in scope.arguments if v in self._home}
        arguments = tuple(
            (n, self.values[v] if v in self.values else forms[v])
            for n, v in scope.arguments if v in self.values or v in forms
        )  # fmt: skip
        self._scopes[scope] = Scope(self.scope(scope.parent), scope.name, scope.kind, scope.call, arguments)
        return self._scopes[scope]

    def place(self, node: Node) -> None:
        self._asking = node.scope
        if has_layout(node):
            self._windowed(node)
            return
        order = next((self._home[v] for v in node.inputs if v in self._home), None)
        stays = node.section == "update" and not self._views
        if order is None or stays or not self._carried(node, order):
            self.copy(node)

    def finish(self) -> Graph:
        """New values of views lie as these do."""
        self._asking = None
        for port in self.old.outputs:
            order = self._views.get((port.role, port.path))
            value = self.values[port.value] if order is None else self._in(port.value, order)
            self.new.output(value.named(port.value.name), port.path, port.role)
        return self.new

    # values in another order of axes

    def _natural(self, value: Value) -> Value:
        order = self._home[value]
        back = tuple(order.index(i) for i in range(len(order)))
        moved = self._moved[value, order]
        with self._beside(moved):
            return ops.transpose(moved, axes=back)  # type: ignore[no-any-return]

    def _in(self, value: Value, order: Order) -> Value:
        """A value with its axes in an order; what a broadcast repeats is moved before it is."""
        if (value, order) not in self._moved and value.node is not None and value.node.op is ops.broadcast_to:
            (source,) = value.node.inputs
            with self._beside(self.values[value]):
                small = self._fitted(source, order)
                self._moved[value, order] = ops.broadcast_to(small, shape=_permuted(value, order).shape)
        if (value, order) in self._moved:
            return self._moved[value, order]
        missing = len(order) - value.rank
        given = self.values[value]
        with self._beside(given):
            made = _ordered(ops.expand_dims(given, *range(missing)) if missing else given, order)
        if given not in self._parameters:  # what is made of a parameter stands in each layer that asks for it
            self._moved[value, order] = made
        return made

    @contextlib.contextmanager
    def _beside(self, value: Value) -> Iterator[None]:
        """Nodes appended in the block stand in the scope that the value's node shares with the one that asks for it.

        What is made of an input is of the first section; of a parameter, it stands in the scope that asks.
        """
        asking = self.scope(self._asking)
        with contextlib.ExitStack() as stack:
            if value.node is not None:
                stack.enter_context(self.new.like(value.node))
                stack.enter_context(self.new.scope_set(_common(value.node.scope, asking)))
            else:
                stack.enter_context(self.new.scope_set(asking if value in self._parameters else None))
                stack.enter_context(self.new.section("forward"))
            yield

    def _fitted(self, value: Value | None, order: Order) -> Value | None:
        """An operand of an elementwise op: of lower rank it is as if axes of size 1 stood before its own."""
        if value is None or value.rank == 0:
            return None if value is None else self.values[value]
        return self._in(value, order)

    def _came(
        self, node: Node, op: Op, inputs: tuple[Value | None, ...], attributes: dict[str, Any],
        orders: tuple[Order | None, ...],
    ) -> None:  # fmt: skip
        """Append the node as it now is; each output lies in its order, or in the source's."""
        types = tuple(v.type if o is None else _permuted(v, o) for v, o in zip(node.outputs, orders, strict=True))
        made = self.new.append(op, inputs, attributes, types)
        for old, new, order in zip(node.outputs, made.outputs, orders, strict=True):
            if order is not None and order != tuple(range(old.rank)):
                self._home[old], self._moved[old, order] = order, new
            else:
                self.values[old] = new
            new.named(old.name)

    # nodes

    def _windowed(self, node: Node) -> None:
        kinds = kinds_of(node)
        assert kinds is not None
        letters = spatial(node.attributes["layout"])
        orders: dict[str, Order | None] = {"data": _data_order(node, self._wish), "same": None}
        changed = node.attributes | {"layout": self._wish.of("data", letters)}
        if "filter_layout" in node.attributes:
            orders["filter"] = _filter_order(node, self._wish)
            changed["filter_layout"] = self._wish.of("filter", letters)
        with self.within(node):
            inputs = tuple(
                None if v is None else self.values[v] if (order := orders[kind]) is None else self._in(v, order)
                for v, kind in zip(node.inputs, kinds[0], strict=True)
            )
            self._came(node, node.op, inputs, changed, tuple(orders[kind] for kind in kinds[1]))

    def _carried(self, node: Node, order: Order) -> bool:
        """Let the node work on operands that lie in `order`; false where it can not."""
        rank = len(order)
        elementwise = is_elementwise(node) and all(v.rank == rank for v in node.outputs)
        change = CHANGES.get(node.op.derivative_of or node.op)
        if not elementwise and (change is None or not _reads(node, rank)):
            return False
        if node.op in REDUCING and not _keeps_order(node, order):
            return False
        attributes = node.attributes if change is None else change(node.attributes, order)
        orders = tuple(order if v.rank == rank else None for v in node.outputs)
        if not _fits(node, order, attributes, orders, elementwise):
            return False
        with self.within(node):
            inputs = tuple(
                self._fitted(v, order) if elementwise
                else None if v is None else self._in(v, order) if v.rank == rank else self.values[v]
                for v in node.inputs
            )  # fmt: skip
            self._came(node, node.op, inputs, attributes, orders)
        return True


def _common(a: Scope | None, b: Scope | None) -> Scope | None:
    """The innermost scope that encloses both."""
    around = set(b.ancestry) if b else set()
    return next((s for s in reversed(a.ancestry) if s in around), None) if a else None


def _permuted(value: Value, order: Order) -> TensorType:
    return value.type.with_shape(tuple(value.shape[i] for i in order))


def _fits(
    node: Node, order: Order, attributes: Mapping[str, Any], orders: tuple[Order | None, ...], elementwise: bool
) -> bool:
    """Whether the node's type rule takes the operands as they would lie, and gives what it should."""

    def moved(v: Value) -> TensorType:
        if v.rank == len(order):
            return _permuted(v, order)
        if not elementwise or v.rank == 0:
            return v.type
        return v.type.with_shape(tuple(((1,) * (len(order) - v.rank) + v.shape)[i] for i in order))

    types = tuple(None if v is None else moved(v) for v in node.inputs)
    wanted = tuple(v.type if o is None else _permuted(v, o) for v, o in zip(node.outputs, orders, strict=True))
    try:
        with collecting_guards():
            return node.op.output_types(types, attributes) == wanted
    except TypeMismatchError:
        return False


def _ordered(value: Value, order: Order) -> Value:
    """A transpose, or a reshape where that is the same."""
    if order == tuple(range(len(order))):
        return value
    shape = tuple(value.shape[i] for i in order)
    long = [i for i in order if value.shape[i] != 1]
    if long == sorted(long):
        return ops.reshape(value, shape=shape)  # type: ignore[no-any-return]
    return ops.transpose(value, axes=order)  # type: ignore[no-any-return]


def _reads(node: Node, rank: int) -> bool:
    """Whether a node's first operand, or its first gradient, has the axes in question."""
    first = node.inputs[0]
    return first is not None and first.rank == rank


def _keeps_order(node: Node, order: Order) -> bool:
    """Whether what a reduction leaves lies in the source's order, or keeps all axes."""
    gone = ops.normalize_axes(node.attributes["axes"], len(order))
    left = [i for i in order if i not in gone]
    return bool(node.attributes["keepdims"]) or left == sorted(left)
