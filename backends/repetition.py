"""Equal calls in a row: a loop over the list of their parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..ir import Node, Value
from .body import Body, Expression
from .regions import Call
from .template import name_of

if TYPE_CHECKING:
    from .module import ModuleWriter


@dataclass
class CallParts:
    """The call of a printed function: its name, what it reads and gives, and its own branches of the trees.

    `elements` are the names of the branches in a loop. A method is called on its branch.
    """

    name: str
    outputs: Sequence[Value]
    leaves: list[Value]
    values: list[Value]
    branches: list[ast.expr]
    elements: list[str]
    is_method: bool = False
    sizes: Sequence[str] = ()  # symbols that are given by arguments of their own

    @property
    def inputs(self) -> list[Value]:
        return [*self.leaves, *self.values]

    def tree(self, body: Body, branches: Sequence[ast.expr] | None = None) -> ast.expr:
        given = self.branches if branches is None else list(branches)
        arguments = [*(body.expression(v).tree for v in self.values), *map(body.symbol, self.sizes)]
        if self.is_method:
            return ast.Call(given[0], arguments, [])
        return ast.Call(name_of(self.name), [*given, *arguments], [])

    def define(self, body: Body) -> None:
        body.define(self.outputs, self.inputs, lambda: self.tree(body))


def repeated(writer: ModuleWriter, body: Body, first: Call, rest: Sequence[Node | Call]) -> list[CallParts]:
    """The calls from `first` on that are one function, on elements 0, 1, 2... of a list, each fed by the one before."""
    run = [writer.call_parts(body, first, writer.outputs_of(body, first))]
    if _element(run[0]) != 0 or len(run[0].outputs) != 1:
        return run
    for item in rest:
        if not isinstance(item, Call) or not item.scope.name:
            break
        following = writer.call_parts(body, item, writer.outputs_of(body, item))
        if following.name != run[0].name or _element(following) != len(run) or not _feeds(run[-1], following, body):
            break
        run.append(following)
    return run


def _element(parts: CallParts) -> int | None:
    """The number of the list's element that a call's branch is."""
    tree = parts.branches[0] if parts.branches else None
    if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Constant) and isinstance(tree.slice.value, int):
        return tree.slice.value
    return None


def _feeds(before: CallParts, after: CallParts, body: Body) -> bool:
    """Whether the second call differs from the first in one argument only: it takes what the first gave to it alone."""
    (carried,) = before.outputs
    pairs = list(zip(before.values, after.values, strict=False))
    changed = [(a, b) for a, b in pairs if a is not b]
    return (
        len(before.values) == len(after.values) and [b for _, b in changed] == [carried] and body.uses.get(carried) == 1
    )


def print_loop(body: Body, run: Sequence[CallParts]) -> None:
    """`for p in params["block"]: x = block(p, x)`."""
    first, last = run[0], run[-1]
    start = next(a for a, b in zip(first.values, run[1].values, strict=True) if a is not b)
    _own_name(body, start)
    name = ast.unparse(body.expression(start).tree)
    lists = [ast.unparse(b.value) for b in first.branches if isinstance(b, ast.Subscript)]
    over = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
    body.line(f"for {', '.join(first.elements)} in {over}:", f"{len(run)} times")
    call = first.tree(body, [name_of(e) for e in first.elements])
    body.line(f"    {name} = {ast.unparse(call)}")
    for parts in run:
        for value in parts.inputs:
            body.uses[value] = body.uses.get(value, 1) - 1
    result = last.outputs[0]
    body.names[name] = result
    body.known[result] = Expression(name_of(name), frozenset([result]))


def _own_name(body: Body, value: Value) -> None:
    """Give the carried value a name that the loop may bind anew."""
    expression = body.expression(value)
    if isinstance(expression.tree, ast.Name) and body.uses.get(value) == 1:
        return
    if expression.atomic:
        body.assign((value,), expression.tree)
    else:
        body.settle(value)


__all__ = ["CallParts", "print_loop", "repeated"]
