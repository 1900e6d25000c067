"""TensorFlow: loops and branches by `tf.while_loop` and `tf.cond`, on local functions."""

from __future__ import annotations

import ast
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..body import Body
from ..flow import Local, bind_outputs, count_text, group, settled
from ..rules import Statement


def _scan(step: Any, carries: Any, xs: Any, length: Any, dtypes: Any, reverse: Any = False) -> Any:
    """Carry tensors through the elements of sequences; what each step gives is stacked."""
    rows = tuple(tf.TensorArray(dtype, length) for dtype in dtypes)

    def body(i: Any, carries: Any, rows: Any) -> Any:
        at = length - 1 - i if reverse else i
        carries, new = step(carries, tuple(x[at] for x in xs))
        return i + 1, carries, tuple(row.write(at, value) for row, value in zip(rows, new, strict=True))

    _, carries, rows = tf.while_loop(lambda i, *_: i < length, body, (0, carries, rows))
    return carries, tuple(row.stack() for row in rows)


def _write_scan(body: Body, node: Node) -> None:
    a = node.attributes
    operands, carries, xs = settled(body, node.inputs), a["carries"], a["xs"]
    step = Local.of(body, a["body"], operands[carries + xs :])
    names = step.names(0, carries, operands), step.names(carries, xs, operands[carries:])
    for some, argument in zip(names, ("carries", "xs"), strict=True):
        if some:
            step.inner.body.line(f"{_tuple(some)} = {argument}")
    results = step.results()
    step.write(body, "carries, xs", f"{_tuple(results[:carries])}, {_tuple(results[carries:])}")
    given = [ast.unparse(t) for t in body.result(operands)]
    length = count_text(body, a["length"]) if not xs else body.target.size(given[carries], 0)
    dtypes = [body.target.dtype(v.dtype) for v in node.outputs[carries:]]
    arguments = [step.name, _tuple(given[:carries]), _tuple(given[carries : carries + xs]), length, _tuple(dtypes)]
    arguments += ["reverse=True"] if a["reverse"] else []
    body.consume(operands)
    found = bind_outputs(body, node)
    call = f"{body.module.helper(_scan)}({', '.join(arguments)})"
    body.line(f"{_targets(found[:carries])}, {_targets(found[carries:])} = {call}")


def _while_loop(body: Body, node: Node) -> None:
    a = node.attributes
    operands, carries = settled(body, node.inputs), a["carries"]
    functions = []
    for key in ("condition", "body"):
        local = Local.of(body, a[key], operands[carries:])
        arguments = ", ".join(local.names(0, carries, operands))
        results = local.results()
        local.write(body, arguments, results[0] if key == "condition" else _tuple(results))
        functions.append(local.name)
    given = _tuple([ast.unparse(t) for t in body.result(operands[:carries])])
    bound = a["max_iterations"]
    limit = "" if bound is None else f", maximum_iterations={count_text(body, bound)}"
    body.consume(operands)
    body.line(f"{_tuple(bind_outputs(body, node))} = tf.while_loop({', '.join(functions)}, {given}{limit})")


def _cond(body: Body, node: Node) -> None:
    operands = settled(body, node.inputs)
    functions = []
    for key in ("then", "otherwise"):
        local = Local.of(body, node.attributes[key], operands[1:])
        local.write(body, "", group(local.results()))
        functions.append(local.name)
    predicate = ast.unparse(body.result(operands[:1])[0])
    body.consume(operands)
    body.line(f"{group(bind_outputs(body, node))} = tf.cond({predicate}, {', '.join(functions)})")


def _tuple(texts: list[str]) -> str:
    return f"({', '.join(texts)}{',' * (len(texts) == 1)})"


def _targets(names: list[str]) -> str:
    return "_" if all(n == "_" for n in names) else _tuple(names)


rows = {ops.scan: Statement(_write_scan), ops.while_loop: Statement(_while_loop), ops.cond: Statement(_cond)}
