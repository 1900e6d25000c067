"""Control flow: loops and branches, whose bodies are graphs in attributes.

Bodies are closed: what they use from outside is an operand, the same in every iteration. `isograd.ir.control` builds
them from Python functions, `isograd.ir.loops` holds their gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Graph
from ..op import Bound, Op, Sample, sample
from ..types import TensorType, bool_, float32
from .arithmetic import add, multiply, tanh
from .comparison import greater
from .contraction import matmul
from .reduction import reduce_sum


def types_of(ports: Sequence[Any]) -> tuple[TensorType, ...]:
    return tuple(p.value.type for p in ports)


def _check(name: str, what: str, found: Sequence[TensorType | None], wanted: Sequence[TensorType]) -> None:
    if len(found) != len(wanted) or any(a != b for a, b in zip(found, wanted, strict=True)):
        listed = [", ".join(map(str, side)) or "nothing" for side in (found, wanted)]
        raise TypeMismatchError(f"{name}: {what} ({listed[0]}), where ({listed[1]}) is expected")


def element_type(t: TensorType) -> TensorType:
    """The type of one element of a sequence: without its first axis."""
    if not t.rank:
        raise TypeMismatchError(f"scan: {t} has no first axis to go along")
    return t.with_shape(t.shape[1:])


def scan_length(xs: Sequence[TensorType], length: Size | None) -> Size:
    """The number of iterations, at least one: the first axis of every sequence, or `length` where there is none."""
    n = xs[0].shape[0] if xs else length
    if n is None:
        raise TypeMismatchError("scan: without sequences it needs `length`")
    for t in xs[1:]:
        require("==", n, t.shape[0])
    require(">=", n, 1)
    return n


def _scan_type(
    *operands: TensorType, body: Graph, carries: int, xs: int = 0, reverse: bool = False, length: Size | None = None
) -> tuple[TensorType, ...]:
    if len(operands) < carries + xs or min(carries, xs) < 0:
        raise TypeMismatchError(f"scan: {len(operands)} operands are fewer than {carries} carries and {xs} sequences")
    init, sequences, captured = operands[:carries], operands[carries : carries + xs], operands[carries + xs :]
    _check("scan", "the body takes", types_of(body.inputs), (*init, *map(element_type, sequences), *captured))
    results = types_of(body.outputs)
    _check("scan", "the body gives as its carries", results[:carries], init)
    n = scan_length(sequences, length)
    return (*init, *(t.with_shape((n, *t.shape)) for t in results[carries:]))


def _scan(*operands: Any, body: Any, carries: int, xs: int, reverse: bool, length: int | None) -> Any:
    """Carry values through the elements of sequences, one after the other; what each iteration gives is stacked."""
    carry, sequences, captured = operands[:carries], operands[carries : carries + xs], operands[carries + xs :]
    n = len(sequences[0]) if length is None else length
    rows: list[Any] = [None] * n
    for i in reversed(range(n)) if reverse else range(n):
        results = body(*carry, *(s[i] for s in sequences), *captured)
        carry, rows[i] = tuple(results[:carries]), results[carries:]
    stacked = [np.stack(column) for column in zip(*rows, strict=True)]
    results = (*carry, *stacked)
    return results if len(results) > 1 else results[0]


def _while_type(
    *operands: TensorType, condition: Graph, body: Graph, carries: int, max_iterations: Size | None = None
) -> tuple[TensorType, ...]:
    if not 1 <= carries <= len(operands):
        raise TypeMismatchError(f"while_loop: {len(operands)} operands cannot hold {carries} carries; it needs one")
    for name, graph in (("condition", condition), ("body", body)):
        _check("while_loop", f"the {name} takes", types_of(graph.inputs), operands)
    _check("while_loop", "the condition gives", types_of(condition.outputs), (TensorType(bool_, ()),))
    _check("while_loop", "the body gives", types_of(body.outputs), operands[:carries])
    return operands[:carries]


def _while_loop(*operands: Any, condition: Any, body: Any, carries: int, max_iterations: int | None) -> Any:
    """Repeat the body while the condition holds, at most `max_iterations` times."""
    carry, captured, count = operands[:carries], operands[carries:], 0
    while (max_iterations is None or count < max_iterations) and condition(*carry, *captured)[0]:
        carry, count = tuple(body(*carry, *captured)), count + 1
    return carry if carries > 1 else carry[0]


def _cond_type(predicate: TensorType, *operands: TensorType, then: Graph, otherwise: Graph) -> tuple[TensorType, ...]:
    _check("cond", "the predicate is", (predicate,), (TensorType(bool_, ()),))
    for name, graph in (("then", then), ("otherwise", otherwise)):
        _check("cond", f"the branch `{name}` takes", types_of(graph.inputs), operands)
    _check("cond", "the branch `otherwise` gives", types_of(otherwise.outputs), types_of(then.outputs))
    return types_of(then.outputs)


def _cond(predicate: Any, *operands: Any, then: Any, otherwise: Any) -> Any:
    """One of two branches."""
    results = (then if predicate else otherwise)(*operands)
    return tuple(results) if len(results) > 1 else results[0]


def _gradient_of(name: str) -> Any:
    """The rule of `ir/loops.py`, which is made of these ops."""

    def rule(g: Any, out: Any, *inputs: Any, **attributes: Any) -> Any:
        from .. import loops

        several = isinstance(g, tuple)
        return getattr(loops, name)(g if several else (g,), out if several else (out,), *inputs, **attributes)

    return rule


def _body(name: str, types: Sequence[tuple[int, ...]], build: Any) -> Graph:
    """A body for the samples."""
    graph = Graph(name)
    values = [graph.input("xyzwuv"[i], TensorType(float32, shape)) for i, shape in enumerate(types)]
    for i, value in enumerate(build(*values)):
        graph.output(value, str(i))
    return graph


def _recurrent(h: Any, x: Any, w: Any, v: Any) -> Any:
    new = tanh(add(x, matmul(matmul(h, w), v)))
    return new, multiply(new, x)


_CELL = _body("cell", ((2, 3), (2, 3), (3, 5), (5, 3)), _recurrent)
_POWERS = _body("powers", ((3,), (3,)), lambda x, a: (multiply(x, a),))
_TWO = _body("two", ((3,), ()), lambda x, s: (multiply(tanh(x), s), add(s, reduce_sum(multiply(x, x)))))
_SUM_ABOVE = _body("is_large", ((3,), (3,), ()), lambda x, a, s: (greater(reduce_sum(multiply(x, x)), s),))
_SHRINK = _body("shrink", ((3,), (3,), ()), lambda x, a, s: (multiply(x, a),))
_FACTORS, _LIMIT = np.array([0.5, -0.4, 0.8], np.float32), np.array(0.1, np.float32)
_TRUE, _FALSE = np.array(True), np.array(False)


def _scan_samples() -> tuple[Sample, ...]:
    return (
        sample((2, 3), (4, 2, 3), (3, 5), (5, 3), between=(-0.5, 0.5), body=_CELL, carries=1, xs=1),
        sample((2, 3), (4, 2, 3), (3, 5), (5, 3), between=(-0.5, 0.5), body=_CELL, carries=1, xs=1, reverse=True),
        sample((3,), (3,), body=_POWERS, carries=1, xs=0, length=4),
        sample((3,), (), body=_TWO, carries=2, xs=0, length=2),
    )


scan: Op = Op(
    "scan", _scan_type, _scan, _gradient_of("scan_gradient"), bound=Bound("parts"), smooth=True,
    conjugates=True, folds=False,
    samples=_scan_samples(),
)  # fmt: skip
while_loop: Op = Op(
    "while_loop", _while_type, _while_loop, _gradient_of("while_gradient"), bound=Bound("parts"), smooth=True,
    conjugates=True, folds=False,
    samples=tuple(
        sample((3,), _FACTORS, _LIMIT, condition=_SUM_ABOVE, body=_SHRINK, carries=1, max_iterations=n,
               differentiable=n is not None) for n in (9, 2, None)
    ),
)  # fmt: skip
_THEN = _body("double", ((3,), (2, 3)), lambda x, y: (add(x, x), multiply(y, x)))
_OTHERWISE = _body("squares", ((3,), (2, 3)), lambda x, y: (multiply(x, x), tanh(y)))
cond: Op = Op(
    "cond", _cond_type, _cond, _gradient_of("cond_gradient"), bound=Bound("parts"), smooth=True,
    conjugates=True, folds=False,
    samples=tuple(sample(p, (3,), (2, 3), then=_THEN, otherwise=_OTHERWISE) for p in (_TRUE, _FALSE)),
)  # fmt: skip

OPS = (scan, while_loop, cond)
