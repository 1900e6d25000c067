"""Take out what computes nothing, one local rule for each op; no result changes but, in 5, in the sign of a zero.

1. `x * 1`, `x / 1`, `x ** 1`, `x - 0`, `x + (-0.0)`, integer `x + 0` and `-(-x)` are x. A float's `x + 0.0` stays: it
   turns -0.0 into 0.0, and a later `1 / x` would show it. Complex numbers stay: `inf * 1` has a nan part.
2. A transpose of a transpose is one, or none; so are a reshape of a reshape and a broadcast of a broadcast. A
   transpose, reshape, broadcast or cast to what its operand is already is the operand. A reshape of a number's
   broadcast is a broadcast of the number.
3. A cast of a cast is one, where the inner one is exact; but not by a float to an integer, since what becomes of
   numbers out of the integer's range depends on the type that they come from.
4. A slice of everything, a pad by nothing, a concatenation of one part, a reversal of no axis are their operand;
   `where` with equal branches is the branch.
5. A sum of tensors padded by zeros, which lie side by side, is their concatenation: so is the gradient of a split. Here
   alone -0.0 may take the place of 0.0.
6. An elementwise op takes what is underneath a `broadcast_to` that it would do itself, and what is underneath a
   `reshape` that only puts axes of size 1 in front. Where all its operands are broadcasts, the op comes first and then
   one broadcast; but for `power`, whose last bit depends on how elements lie.

A result that would have another type than the node's stays as it is. A sum of a broadcast stays too: n times a float
is not the sum of n of it. `stop_gradient` stays, since a gradient may yet be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..dims import Guard, collecting_guards
from ..errors import TypeMismatchError
from ..graph import Graph, Node, Scope, Value
from ..op import Op
from ..rewrite import Rewriter, rewrite
from ..types import TensorType, holds


@dataclass(frozen=True)
class Call:
    """What a node computes, on operands of the new graph or on another call."""

    op: Op
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any]
    type: TensorType
    place: Place | None = None  # where operands must be made to be looked into; None: anywhere

    def of(self, op: Op, *inputs: Any, **attributes: Any) -> Call:
        """Another call of the same type."""
        return Call(op, inputs, attributes, self.type, self.place)

    def maker(self, value: Value | Call, op: Op) -> Node | None:
        """The node of `op` that makes a value, where it may be looked into."""
        node = value.node if isinstance(value, Value) else None
        if node is None or node.op is not op:
            return None
        return node if self.place is None or self.place == place_of(node) else None


Place = tuple[Scope | None, str]
Rule = Callable[[Call], "Value | Call | None"]


def place_of(node: Node) -> Place:
    """The layer and the section that a node stands in."""
    return (node.scope.layer if node.scope else None), node.section


def simplify(graph: Graph, within_layers: bool = False) -> Graph:
    """The simpler graph; `within_layers` keeps what crosses the border of a layer, so that equal layers stay equal."""
    guards = set(graph.guards)
    if not any(_found(n, n.inputs, n.scope, guards, within_layers) is not None for n in graph.nodes):
        return graph
    return rewrite(graph, lambda rewriter, node: _simplify(rewriter, node, guards, within_layers))


def _found(
    node: Node, inputs: tuple[Value | None, ...], scope: Scope | None, guards: Set[Guard], within_layers: bool
) -> Value | Call | None:
    """What a node on these operands is simpler than it is."""
    if node.op not in RULES and not node.op.broadcasts:
        return None
    place = (scope.layer if scope else None, node.section) if within_layers else None
    call = Call(node.op, inputs, node.attributes, node.outputs[0].type, place)
    result = _simplest(call, guards)
    return None if result is call else result


def _simplify(rewriter: Rewriter, node: Node, guards: Set[Guard], within_layers: bool) -> bool:
    result = _found(node, rewriter.inputs(node), rewriter.scope(node.scope), guards, within_layers)
    if result is None:
        return False
    with rewriter.within(node):
        rewriter.replace(node, (_made(rewriter.new, result),))
    return True


def _simplest(call: Call, guards: Set[Guard]) -> Value | Call:
    """What is left when no rule finds more."""
    while True:
        rule = RULES.get(call.op)
        found = rule(call) if rule else None
        if found is None and call.op.broadcasts:
            found = _without_broadcasts(call)
        if found is None and call.op.broadcasts:
            found = _broadcast_later(call, guards)
            return call if found is None else found
        if isinstance(found, Value) and found.type == call.type:
            return found
        if not isinstance(found, Call) or not _fits(found, guards):
            return call
        call = found


def _made(graph: Graph, result: Value | Call) -> Value:
    if isinstance(result, Value):
        return result
    inputs = tuple(_made(graph, v) if isinstance(v, Call) else v for v in result.inputs)
    return graph.append(result.op, inputs, dict(result.attributes), (result.type,)).outputs[0]


def _fits(call: Call, known: Set[Guard] | None = None) -> bool:
    """Whether a call gives the type that it should, and demands nothing new of the sizes."""
    return _type_of(call.op, call.inputs, call.attributes, known) == call.type


def _type_of(
    op: Op, inputs: tuple[Any, ...], attributes: Mapping[str, Any], known: Set[Guard] | None = None
) -> TensorType | None:
    try:
        with collecting_guards() as guards:
            types = op.output_types(tuple(None if v is None else v.type for v in inputs), attributes)
    except TypeMismatchError:
        return None
    return types[0] if known is None or known >= set(guards) else None


# 1: arithmetic


def _is_all(value: Value, number: float) -> bool:
    """Whether a value is a constant of this number alone, with its sign."""
    node = value.node
    if node is None or node.op is not ops.constant or value.dtype.kind not in ("float", "int", "uint"):
        return False
    array = node.attributes["value"]
    return bool(np.all(array == number)) and (
        number != 0 or not value.dtype.is_float or bool(np.all(np.signbit(array) == np.signbit(number)))
    )


def _neutral(right: float, left: float | None = None) -> Rule:
    """The first operand where the second is all `right`; the second where the first is all `left`."""

    def rule(call: Call) -> Value | None:
        x, y = call.inputs
        if _is_all(y, right):
            return x  # type: ignore[no-any-return]
        return y if left is not None and _is_all(x, left) else None

    return rule


def _negative(call: Call) -> Value | None:
    inner = call.maker(call.inputs[0], ops.negative)
    return inner.inputs[0] if inner else None


# 2 and 3: moves and casts


def _transpose(call: Call) -> Value | Call | None:
    x = call.inputs[0]
    axes = tuple(a % x.rank for a in call.attributes["axes"])
    inner = call.maker(x, ops.transpose)
    if inner is not None and inner.inputs[0] is not None:
        x, axes = inner.inputs[0], tuple(inner.attributes["axes"][a] % x.rank for a in axes)
    if axes == tuple(range(x.rank)):
        return x  # type: ignore[no-any-return]
    return call.of(ops.transpose, x, axes=axes) if inner else None


def _to_shape(call: Call) -> Value | Call | None:
    inner = call.maker(call.inputs[0], call.op)
    x: Value | Call | None = inner.inputs[0] if inner else call.inputs[0]
    assert x is not None
    if x.type.shape == call.type.shape:
        return x
    if inner is None:
        scalar = call.maker(x, ops.broadcast_to)
        if scalar is None or scalar.inputs[0] is None or scalar.inputs[0].rank:
            return None
        return call.of(ops.broadcast_to, scalar.inputs[0], shape=call.type.shape)
    same = call.of(call.op, x, **call.attributes)
    return same if _fits(same) else call.of(call.op, x, shape=call.type.shape)  # a size of -1 may not be known from x


def _cast(call: Call) -> Value | Call | None:
    middle, to = call.inputs[0].dtype, call.type.dtype
    if middle == to:
        return call.inputs[0]  # type: ignore[no-any-return]
    inner = call.maker(call.inputs[0], ops.cast)
    x = inner.inputs[0] if inner else None
    if x is None or not holds(middle, x.dtype):
        return None
    if x.dtype == to:
        return x
    out_of_range = to.is_integer and not middle.is_integer and x.dtype.kind != "bool"
    return None if out_of_range else call.of(ops.cast, x, dtype=to)


# 4: nothing done


def _slice(call: Call) -> Value | None:
    a = call.attributes
    everything = (
        all(s == 0 for s in a["starts"]) and all(s == 1 for s in a["steps"]) and a["stops"] == call.inputs[0].shape
    )
    return call.inputs[0] if everything else None


def _pad(call: Call) -> Value | None:
    a = call.attributes
    return call.inputs[0] if all(s == 0 for s in (*a["low"], *a["high"], *a["interior"])) else None


def _concatenate(call: Call) -> Value | None:
    return call.inputs[0] if len(call.inputs) == 1 else None


def _reverse(call: Call) -> Value | None:
    return None if call.attributes["axes"] else call.inputs[0]


def _where(call: Call) -> Value | None:
    _, x, y = call.inputs
    return x if x is y and x.type == call.type else None


# 5: sums of what lies side by side


def _add(call: Call) -> Value | Call | None:
    found = _neutral(-0.0, -0.0)(call)
    return _side_by_side(call) if found is None else found


def _side_by_side(call: Call) -> Call | None:
    """The concatenation that a sum of padded tensors is."""
    pads = _padded_terms(call.inputs, call.type) or []
    axes = {a for p in pads for a in range(call.type.rank) if _sizes(p)[a] != call.type.shape[a]}
    if not pads or len(axes) != 1:
        return None
    (axis,) = axes
    parts: list[Any] = []
    end: Any = 0
    waiting = list(pads)
    while waiting:
        following = next((p for p in waiting if p.attributes["low"][axis] == end), None)
        if following is None or _sizes(following)[axis] == 0:
            return None
        waiting.remove(following)
        parts.append(following.inputs[0])
        end = end + _sizes(following)[axis]
    joined = call.of(ops.concatenate, *parts, axis=axis)
    return joined if end == call.type.shape[axis] and _fits(joined) else None


def _sizes(node: Node) -> tuple[Any, ...]:
    assert node.inputs[0] is not None
    return node.inputs[0].shape


def _padded_terms(values: Sequence[Any], t: TensorType) -> list[Node] | None:
    """The tensors padded by zeros that a sum is of, and nothing else."""
    found: list[Node] = []
    for value in values:
        node = value.node if isinstance(value, Value) else None
        if node is None or value.type != t:
            return None
        inner = _padded_terms(node.inputs, t) if node.op is ops.add else [node] if _is_zero_pad(node) else None
        if inner is None:
            return None
        found += inner
    return found


def _is_zero_pad(node: Node) -> bool:
    a = node.attributes
    return node.op is ops.pad and node.inputs[1] is not None and _is_all(node.inputs[1], 0.0) and not any(a["interior"])


# 6: broadcasts


def _without_broadcasts(call: Call) -> Call | None:
    inputs = call.inputs
    for i in range(len(inputs)):
        while (under := _underneath(call, inputs[i])) is not None:
            trial = (*inputs[:i], under, *inputs[i + 1 :])
            if not _fits(call.of(call.op, *trial, **call.attributes)):
                break
            inputs = trial
    return None if inputs == call.inputs else call.of(call.op, *inputs, **call.attributes)


def _broadcast_later(call: Call, guards: Set[Guard]) -> Value | Call | None:
    """The op on what is underneath all of its operands, and one broadcast of that."""
    if call.op in (ops.broadcast_to, ops.power):
        return None
    inputs = tuple(_bottom(call, v) for v in call.inputs)
    small = _type_of(call.op, inputs, call.attributes, guards)
    if small is None or small.shape == call.type.shape:
        return None
    inner = _simplest(Call(call.op, inputs, call.attributes, small, call.place), guards)
    later = call.of(ops.broadcast_to, inner, shape=call.type.shape)
    return _simplest(later, guards) if _fits(later, guards) else None


def _bottom(call: Call, value: Value | None) -> Value | None:
    under = _underneath(call, value)
    return value if under is None else _bottom(call, under)


def _underneath(call: Call, value: Value | Call | None) -> Value | None:
    """What NumPy's broadcasting would make the same of: the operand of a broadcast, or of axes of size 1 in front."""
    if value is None:
        return None
    broadcast, reshape = call.maker(value, ops.broadcast_to), call.maker(value, ops.reshape)
    if broadcast is not None:
        return broadcast.inputs[0]
    x = reshape.inputs[0] if reshape else None
    shape = value.type.shape
    if x is None or len(shape) <= x.rank:
        return None
    extra = len(shape) - x.rank
    return x if shape[extra:] == x.shape and all(s == 1 for s in shape[:extra]) else None


RULES: dict[Op, Rule] = {
    ops.add: _add,
    ops.subtract: _neutral(0.0),
    ops.multiply: _neutral(1.0, 1.0),
    ops.divide: _neutral(1.0),
    ops.power: _neutral(1.0),
    ops.negative: _negative,
    ops.transpose: _transpose,
    ops.reshape: _to_shape,
    ops.broadcast_to: _to_shape,
    ops.cast: _cast,
    ops.slice_: _slice,
    ops.pad: _pad,
    ops.concatenate: _concatenate,
    ops.reverse: _reverse,
    ops.where: _where,
}
