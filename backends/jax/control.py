"""JAX: loops and branches by `jax.lax`, on local functions."""

from __future__ import annotations

import ast

from ...ir import Node, ops
from ..body import Body
from ..flow import Local, bind_outputs, count_text, group, settled, targets
from ..rules import Statement


def _scan(body: Body, node: Node) -> None:
    a = node.attributes
    operands, carries, xs = settled(body, node.inputs), a["carries"], a["xs"]
    step = Local.of(body, a["body"], operands[carries + xs :])
    carry = step.unpack(step.names(0, carries, operands), "carry")
    element = step.unpack(step.names(carries, xs, operands[carries:]), "elements")
    results = step.results()
    step.write(body, f"{carry}, {element}", f"{group(results[:carries])}, {group(results[carries:])}")
    given = [ast.unparse(t) for t in body.result(operands)]
    arguments = [step.name, group(given[:carries]), group(given[carries : carries + xs])]
    arguments += [f"length={count_text(body, a['length'])}"] if not xs else []
    arguments += ["reverse=True"] if a["reverse"] else []
    body.consume(operands)
    names = bind_outputs(body, node)
    body.line(f"{targets(names[:carries])}, {targets(names[carries:])} = jax.lax.scan({', '.join(arguments)})")


def _while_loop(body: Body, node: Node) -> None:
    a = node.attributes
    operands, carries, bound = settled(body, node.inputs), a["carries"], a["max_iterations"]
    counter = [] if bound is None else ["count"]
    for key in ("condition", "body"):
        local = Local.of(body, a[key], operands[carries:])
        carry = local.unpack([*counter, *local.names(0, carries, operands)], "carry")
        results = local.results()
        if key == "condition":
            holds = results[0] if bound is None else f"(count < {count_text(body, bound)}) & ({results[0]})"
            local.write(body, carry, holds)
            names = [local.name]
        else:
            local.write(body, carry, group([*(["count + 1"] if counter else []), *results]))
            names.append(local.name)
    given = [ast.unparse(t) for t in body.result(operands[:carries])]
    body.consume(operands)
    found = [*(["_"] if counter else []), *bind_outputs(body, node)]
    start = group([*(["0"] if counter else []), *given])
    body.line(f"{', '.join(found)} = jax.lax.while_loop({', '.join(names)}, {start})")


def _cond(body: Body, node: Node) -> None:
    operands = settled(body, node.inputs)
    names = []
    for key in ("then", "otherwise"):
        local = Local.of(body, node.attributes[key], operands[1:])
        local.write(body, "", group(local.results()))
        names.append(local.name)
    predicate = ast.unparse(body.result(operands[:1])[0])
    body.consume(operands)
    found = bind_outputs(body, node)
    body.line(f"{group(found)} = jax.lax.cond({predicate}, {', '.join(names)})")


rows = {ops.scan: Statement(_scan), ops.while_loop: Statement(_while_loop), ops.cond: Statement(_cond)}
