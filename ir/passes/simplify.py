"""Take out what computes nothing, one local rule for each op; no result changes by a bit.

1. `x * 1`, `x / 1`, `x ** 1`, `x - 0`, `x + (-0.0)`, integer `x + 0` and `-(-x)` are x. A float's `x + 0.0` stays: it
   turns -0.0 into 0.0, and a later `1 / x` would show it. Complex numbers stay: `inf * 1` has a nan part.
2. A transpose of a transpose is one, or none; so are a reshape of a reshape and a broadcast of a broadcast. A
   transpose, reshape, broadcast or cast to what its operand is already is the operand.
3. A cast of a cast is one, where the inner one is exact; but not from an integer by a float to an integer, since there
   the outer one decides what is out of range.
4. A slice of everything, a pad by nothing, a concatenation of one part, a reversal of no axis are their operand;
   `where` with equal branches is the branch.
5. An elementwise op takes what is underneath a `broadcast_to` that it would do itself, and what is underneath a
   `reshape` that only puts axes of size 1 in front.

A result that would have another type than the node's stays as it is. A sum of a broadcast stays too: n times a float
is not the sum of n of it. `stop_gradient` stays, since a gradient may yet be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..dims import collecting_guards
from ..errors import TypeMismatchError
from ..graph import Graph, Node, Value
from ..op import Op
from ..rewrite import Rewriter, rewrite
from ..types import holds

Inputs = Sequence[Any]  # a node's operands in the new graph
Call = tuple[Op, Inputs, dict[str, Any]]
Rule = Callable[[Node, Inputs], "Value | Call | None"]


def simplify(graph: Graph) -> Graph:
    return rewrite(graph, _simplify)


def _simplify(rewriter: Rewriter, node: Node) -> bool:
    inputs = rewriter.inputs(node)
    found = RULES[node.op](node, inputs) if node.op in RULES else None
    if found is None and node.op.broadcasts:
        found = _without_broadcasts(node, inputs)
    if isinstance(found, tuple):
        found = _applied(rewriter, node, *found)
    if found is None or found.type != node.outputs[0].type:
        return False
    rewriter.replace(node, (found,))
    return True


def _applied(rewriter: Rewriter, node: Node, op: Op, inputs: Inputs, attributes: dict[str, Any]) -> Value | None:
    """The call in the place of the node, if it gives the node's type and demands nothing new of the sizes."""
    if not _gives(op, inputs, attributes, node):
        return None
    with rewriter.within(node):
        return rewriter.new.append(op, tuple(inputs), attributes, (node.outputs[0].type,)).outputs[0]


def _gives(op: Op, inputs: Inputs, attributes: dict[str, Any], node: Node) -> bool:
    try:
        with collecting_guards() as guards:
            types = op.output_types(tuple(None if v is None else v.type for v in inputs), attributes)
    except TypeMismatchError:
        return False
    return types == (node.outputs[0].type,) and all(g in node.outputs[0].graph.guards for g in guards)


def _made_by(value: Value | None, op: Op) -> Node | None:
    return value.node if value is not None and value.node is not None and value.node.op is op else None


# 1: arithmetic


def _is_all(value: Value, number: float) -> bool:
    """Whether a value is a constant of this number alone, with its sign."""
    node = _made_by(value, ops.constant)
    if node is None or value.dtype.kind not in ("float", "int", "uint"):
        return False
    array = node.attributes["value"]
    return bool(np.all(array == number)) and (number != 0 or not value.dtype.is_float or bool(np.all(np.signbit(array) == np.signbit(number))))


def _neutral(right: float, left: float | None = None) -> Rule:
    """The first operand where the second is all `right`; the second where the first is all `left`."""

    def rule(node: Node, inputs: Inputs) -> Value | None:
        x, y = inputs
        if _is_all(y, right):
            return x  # type: ignore[no-any-return]
        return y if left is not None and _is_all(x, left) else None

    return rule


def _negative(node: Node, inputs: Inputs) -> Value | None:
    inner = _made_by(inputs[0], ops.negative)
    return inner.inputs[0] if inner else None


# 2 and 3: moves and casts


def _transpose(node: Node, inputs: Inputs) -> Value | Call | None:
    rank = inputs[0].rank
    axes = tuple(a % rank for a in node.attributes["axes"])
    inner = _made_by(inputs[0], ops.transpose)
    x = inputs[0]
    if inner is not None:
        x, axes = inner.inputs[0], tuple(inner.attributes["axes"][a] % rank for a in axes)
    if axes == tuple(range(rank)):
        return x  # type: ignore[no-any-return]
    return (ops.transpose, (x,), {"axes": axes}) if inner else None


def _to_shape(op: Op) -> Rule:
    def rule(node: Node, inputs: Inputs) -> Value | Call | None:
        inner = _made_by(inputs[0], op)
        x = inner.inputs[0] if inner else inputs[0]
        assert x is not None
        if x.shape == node.outputs[0].shape:
            return x  # type: ignore[no-any-return]
        if inner is None:
            return _without_broadcasts(node, inputs) if op.broadcasts else None
        shapes = (node.attributes["shape"], node.outputs[0].shape)  # the second where -1 can not be decided from x
        return next(((op, (x,), {"shape": s}) for s in shapes if _gives(op, (x,), {"shape": s}, node)), None)

    return rule


def _cast(node: Node, inputs: Inputs) -> Value | Call | None:
    middle, to = inputs[0].dtype, node.attributes["dtype"]
    if middle == to:
        return inputs[0]  # type: ignore[no-any-return]
    inner = _made_by(inputs[0], ops.cast)
    x = inner.inputs[0] if inner else None
    if x is None or not holds(middle, x.dtype):
        return None
    if x.dtype == to:
        return x
    return None if x.dtype.is_integer and middle.is_float and to.is_integer else (ops.cast, (x,), {"dtype": to})


# 4: nothing done


def _slice(node: Node, inputs: Inputs) -> Value | None:
    a = node.attributes
    everything = all(s == 0 for s in a["starts"]) and all(s == 1 for s in a["steps"]) and a["stops"] == inputs[0].shape
    return inputs[0] if everything else None


def _pad(node: Node, inputs: Inputs) -> Value | None:
    a = node.attributes
    return inputs[0] if all(s == 0 for s in (*a["low"], *a["high"], *a["interior"])) else None


def _concatenate(node: Node, inputs: Inputs) -> Value | None:
    return inputs[0] if len(inputs) == 1 else None


def _reverse(node: Node, inputs: Inputs) -> Value | None:
    return None if node.attributes["axes"] else inputs[0]


def _where(node: Node, inputs: Inputs) -> Value | None:
    return inputs[1] if inputs[1] is inputs[2] and inputs[1].type == node.outputs[0].type else None


# 5: broadcasts


def _without_broadcasts(node: Node, inputs: Inputs) -> Call | None:
    changed = list(inputs)
    for i in range(len(inputs)):
        while (under := _underneath(changed[i])) is not None:
            trial = [under if j == i else v for j, v in enumerate(changed)]
            if not _gives(node.op, trial, node.attributes, node):
                break
            changed = trial
    return None if changed == list(inputs) else (node.op, changed, node.attributes)


def _underneath(value: Value) -> Value | None:
    """What NumPy's broadcasting would make the same of: the operand of a broadcast, or of axes of size 1 in front."""
    broadcast, reshape = _made_by(value, ops.broadcast_to), _made_by(value, ops.reshape)
    if broadcast is not None:
        return broadcast.inputs[0]
    x = reshape.inputs[0] if reshape else None
    if x is None or value.rank <= x.rank:
        return None
    extra = value.rank - x.rank
    return x if value.shape[extra:] == x.shape and all(s == 1 for s in value.shape[:extra]) else None


RULES: dict[Op, Rule] = {
    ops.add: _neutral(-0.0, -0.0),
    ops.subtract: _neutral(0.0),
    ops.multiply: _neutral(1.0, 1.0),
    ops.divide: _neutral(1.0),
    ops.power: _neutral(1.0),
    ops.negative: _negative,
    ops.transpose: _transpose,
    ops.reshape: _to_shape(ops.reshape),
    ops.broadcast_to: _to_shape(ops.broadcast_to),
    ops.cast: _cast,
    ops.slice_: _slice,
    ops.pad: _pad,
    ops.concatenate: _concatenate,
    ops.reverse: _reverse,
    ops.where: _where,
}
