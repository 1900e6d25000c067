"""ONNX: Scan, Loop and If, whose bodies see what is around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Graph, TensorType, ops
from ...ir.types import bool_, int64
from .builder import Builder, Subgraph, Tensor
from .lowering import by, lower_nodes

_COUNT, _TRUTH = TensorType(int64, ()), TensorType(bool_, ())


def _scan(b: Builder, *operands: Tensor, body: Graph, carries: int, xs: int, reverse: bool, length: Any) -> Any:
    if not xs:
        return _counted(b, operands, body, carries, length, reverse)
    with b.body(body, operands[carries + xs :]) as inner:
        _take_all(b, inner, body, carries + xs)
        lower_nodes(b, body)
        _give_all(b, inner, body)
    rows = len(body.outputs) - carries
    backwards = {"scan_input_directions": (1,) * xs, "scan_output_directions": (1,) * rows} if reverse else {}
    found = b.Scan(
        *operands[: carries + xs], body=inner, num_scan_inputs=xs, outputs=len(body.outputs),
        **{k: v for k, v in backwards.items() if v},
    )  # fmt: skip
    return _several(found)


def _counted(b: Builder, operands: tuple[Tensor, ...], body: Graph, carries: int, length: Any, reverse: bool) -> Any:
    """A scan along nothing is a Loop of so many iterations; in the other direction its rows are turned round."""
    with b.body(body, operands[carries:]) as inner:
        b.take(inner, _COUNT)
        goes_on = b.take(inner, _TRUTH)
        _take_all(b, inner, body, carries)
        lower_nodes(b, body)
        b.give(inner, goes_on, _TRUTH)
        _give_all(b, inner, body)
    count = b.Squeeze(b.size(length), (0,))
    start = [b.constant(np.array(True)), *operands[:carries]]
    found = list(_several(b.Loop(count, *start, body=inner, outputs=len(body.outputs))))
    for i in range(carries, len(found)) if reverse else ():
        found[i] = b.Slice(found[i], (-1,), (np.iinfo(np.int64).min,), (0,), (-1,))
    return tuple(found)


def _while_loop(
    b: Builder, *operands: Tensor, condition: Graph, body: Graph, carries: int, max_iterations: Any
) -> Any:  # fmt: skip
    captured = operands[carries:]
    holds = _inline(b, condition, operands)
    with b.body(body, captured) as inner:
        b.take(inner, _COUNT)
        b.take(inner, _TRUTH)
        _take_all(b, inner, body, carries)
        lower_nodes(b, body)
        news = [b.tensors[p.value] for p in body.outputs]
        b.give(inner, _inline(b, condition, (*news, *captured)), _TRUTH)
        _give_all(b, inner, body)
    count = None if max_iterations is None else b.Squeeze(b.size(max_iterations), (0,))
    return _several(b.Loop(count, holds, *operands[:carries], body=inner, outputs=carries))


def _cond(b: Builder, predicate: Tensor, *operands: Tensor, then: Graph, otherwise: Graph) -> Any:
    sides = []
    for side in (then, otherwise):
        with b.body(side, operands) as inner:
            lower_nodes(b, side)
            _give_all(b, inner, side)
        sides.append(inner)
    return _several(b.If(predicate, then_branch=sides[0], else_branch=sides[1], outputs=len(then.outputs)))


def _take_all(b: Builder, inner: Subgraph, graph: Graph, count: int) -> None:
    for port in graph.inputs[:count]:
        b.take(inner, port.value.type, port.value)


def _give_all(b: Builder, inner: Subgraph, graph: Graph) -> None:
    for port in graph.outputs:
        b.give(inner, b.tensors[port.value], port.value.type)


def _inline(b: Builder, graph: Graph, operands: tuple[Tensor, ...]) -> Tensor:
    """What a graph of one output gives for tensors, written where we are."""
    before = b.node
    for port, tensor in zip(graph.inputs, operands, strict=True):
        b.bind(port.value, tensor)
    lower_nodes(b, graph)
    b.node = before
    return b.tensors[graph.outputs[0].value]


def _several(found: Any) -> tuple[Any, ...]:
    return (found,) if isinstance(found, str) else tuple(found)


rows = {ops.scan: by(_scan), ops.while_loop: by(_while_loop), ops.cond: by(_cond)}
