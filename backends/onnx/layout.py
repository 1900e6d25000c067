"""Put channels first, as ONNX's convolutions want them.

1. A convolution or a pooling works on its operands transposed to N, C, space (filters to O, I, space).
2. Its result stays transposed. An elementwise op, a cast, a normalization, a reduction, padding, a slice or a
   concatenation of it works on it as it lies, with other axes; its other operands are transposed or reshaped to fit.
3. The update works in the source's order, since parameters and slots lie so.
4. Anything else, and the graph's outputs, get it transposed back. Each value is transposed once each way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ...ir import Graph, Node, Op, Value, ops
from ...ir.ops import activation, arithmetic, comparison, convolution, pooling, spatial
from ...ir.rewrite import Rewriter

Order = tuple[int, ...]  # the axes of the source in the order in which they lie
Change = Callable[[dict[str, Any], Order], dict[str, Any]]
_WINDOWED = (*convolution.OPS, *pooling.OPS, ops.dilated_max_pool, ops.lp_pool)


def channels_first(graph: Graph) -> Graph:
    """The same graph with channels-first convolutions and poolings."""
    if not any(n.op in _WINDOWED for n in graph.nodes):
        return graph
    layout = _Layout(graph)
    for node in graph.nodes:
        layout.place(node)
    return layout.finish()


class _Forms(dict[Value, Value]):
    """New values by old ones, in the source's order of axes; made when they are asked for."""

    def __init__(self, make: Callable[[Value], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Value) -> Value:
        self[value] = self._make(value)
        return self[value]


class _Layout(Rewriter):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        natural = _Forms(self._natural)
        natural.update(self.values)
        self.values = natural
        self._moved: dict[tuple[Value, Order], Value] = {}
        self._home: dict[Value, Order] = {}

    def place(self, node: Node) -> None:
        if node.op in _WINDOWED:
            self._windowed(node)
            return
        order = next((self._home[v] for v in node.inputs if v in self._home), None)
        if order is None or node.section == "update" or not self._carried(node, order):
            self.copy(node)

    # values in another order of axes

    def _natural(self, value: Value) -> Value:
        order = self._home[value]
        back = tuple(order.index(i) for i in range(len(order)))
        moved = self._moved[value, order]
        with self._beside(moved):
            return ops.transpose(moved, axes=back)  # type: ignore[no-any-return]

    def _in(self, value: Value, order: Order) -> Value:
        if (value, order) not in self._moved:
            missing = len(order) - value.rank
            given = self.values[value]
            with self._beside(given):
                self._moved[value, order] = _ordered(
                    ops.expand_dims(given, *range(missing)) if missing else given, order
                )
        return self._moved[value, order]

    @contextlib.contextmanager
    def _beside(self, value: Value) -> Iterator[None]:
        """Nodes appended in the block stand where the value's own node stands; those of an input before all others."""
        with contextlib.ExitStack() as stack:
            if value.node is not None:
                stack.enter_context(self.new.like(value.node))
            else:
                stack.enter_context(self.new.scope_set(None))
                stack.enter_context(self.new.section("forward"))
            yield

    def _fitted(self, value: Value | None, order: Order) -> Value | None:
        """An operand of an elementwise op: of lower rank it is as if axes of size 1 stood before its own."""
        if value is None or value.rank == 0:
            return None if value is None else self.values[value]
        return self._in(value, order)

    def _came(
        self, node: Node, op: Op, inputs: tuple[Value | None, ...], attributes: dict[str, Any], order: Order
    ) -> None:
        """Append the node as it now is; outputs of the rank of `order` lie so."""
        types = op.output_types(tuple(None if v is None else v.type for v in inputs), attributes)
        for old, new in zip(node.outputs, self.new.append(op, inputs, attributes, types).outputs, strict=True):
            if old.rank == len(order) and order != tuple(range(old.rank)):
                self._home[old], self._moved[old, order] = order, new
            else:
                self.values[old] = new
            new.named(old.name)

    # nodes

    def _windowed(self, node: Node) -> None:
        a = node.attributes
        letters = spatial(a["layout"])
        orders = [tuple(a["layout"].index(c) for c in "NC" + letters)] * len(node.inputs)
        result = orders[0]
        changed = a | {"layout": "NC" + letters}
        if "filter_layout" in a:
            filters = tuple(a["filter_layout"].index(c) for c in "OI" + letters)
            changed["filter_layout"] = "OI" + letters
            if node.op is ops.conv_filter_gradient:
                result = filters
            else:
                orders[1] = filters
        with self.within(node):
            inputs = tuple(
                None if v is None else self._in(v, order) for v, order in zip(node.inputs, orders, strict=True)
            )
            self._came(node, node.op, inputs, changed, result)

    def _carried(self, node: Node, order: Order) -> bool:
        """Let the node work on operands that lie in `order`; false where it can not."""
        rank = len(order)
        elementwise = node.op in ELEMENTWISE and node.outputs[0].rank == rank
        change = CHANGES.get(node.op)
        if not elementwise and (change is None or not _reads(node, rank)):
            return False
        if node.op in _REDUCING and not _keeps_order(node, order):
            return False
        with self.within(node):
            if elementwise:
                inputs = tuple(self._fitted(v, order) for v in node.inputs)
                self._came(node, node.op, inputs, node.attributes, order)
                return True
            assert change is not None
            inputs = tuple(
                None if v is None else self._in(v, order) if v.rank == rank else self.values[v] for v in node.inputs
            )
            self._came(node, node.op, inputs, change(node.attributes, order), order)
        return True


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
    first = node.inputs[0]
    return first is not None and first.rank == rank


def _keeps_order(node: Node, order: Order) -> bool:
    """Whether what a reduction leaves lies in the source's order, or keeps all axes."""
    gone = ops.normalize_axes(node.attributes["axes"], len(order))
    left = [i for i in order if i not in gone]
    return bool(node.attributes["keepdims"]) or left == sorted(left)


def _one_axis(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return a | {"axis": order.index(a["axis"] % len(order))}


def _some_axes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return a | {"axes": tuple(sorted(order.index(i) for i in ops.normalize_axes(a["axes"], len(order))))}


def _all_axes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else tuple(v[i] for i in order) for k, v in a.items()}


def _axes_with_sizes(a: dict[str, Any], order: Order) -> dict[str, Any]:
    """The axes in the order in which they lie, with what each of them has."""
    places = [order.index(i % len(order)) for i in a["axes"]]
    by_place = sorted(range(len(places)), key=places.__getitem__)
    each = {k: tuple(a[k][i] for i in by_place) for k in ("sizes", "scales") if a[k]}
    return a | each | {"axes": tuple(sorted(places))}


WAITS = (
    ops.batch_norm_inference,
    ops.resize,
)  # what is claimed with channels first alone, so not to be taken apart before
_REDUCING = (ops.reduce_sum, ops.reduce_max, ops.reduce_min, ops.reduce_mean, ops.log_sum_exp)
_ALONG_AXES = (ops.softmax, ops.log_softmax, ops.maxout)
ELEMENTWISE = frozenset(
    {*arithmetic.OPS, *comparison.OPS, *activation.OPS, ops.sigmoid_cross_entropy, ops.cast, ops.stop_gradient}
    - {*_ALONG_AXES}
)
CHANGES: dict[Op, Change] = (
    dict.fromkeys((ops.softmax, ops.log_softmax, ops.batch_norm_inference, ops.concatenate), _one_axis)
    | dict.fromkeys((*_REDUCING, ops.reverse), _some_axes)
    | dict.fromkeys((ops.slice_, ops.pad, ops.pad_border), _all_axes)
    | {ops.resize: _axes_with_sizes}
)  # fmt: skip
