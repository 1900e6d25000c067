"""Equal calls in a row: a loop over the list of their parameters, forwards or backwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..ir import Node, Value
from .body import Body, Expression
from .regions import Call
from .template import literal, name_of

if TYPE_CHECKING:
    from .module import ModuleWriter


@dataclass(eq=False)
class CallParts:
    """The call of a printed function: its name, what it reads and gives, and its own branches of the trees.

    `elements` are the names of the branches in a loop. A method is called on its branch. `place` is the list that the
    source has the layer in, and its number there.
    """

    name: str
    outputs: Sequence[Value]
    leaves: list[Value]
    values: list[Value]
    branches: list[ast.expr]
    elements: list[str]
    place: tuple[str, int] | None = None
    is_method: bool = False
    sizes: Sequence[str] = ()  # symbols that are given by arguments of their own

    @property
    def inputs(self) -> list[Value]:
        return [*self.leaves, *self.values]

    def tree(self, body: Body) -> ast.expr:
        return self.call(body, self.branches, [body.expression(v).tree for v in self.values])

    def call(self, body: Body, branches: Sequence[ast.expr], values: Sequence[ast.expr]) -> ast.expr:
        sizes = map(body.symbol, self.sizes)
        if self.is_method:
            return ast.Call(branches[0], [*values, *sizes], [])
        return ast.Call(name_of(self.name), [*branches, *values, *sizes], [])

    def define(self, body: Body) -> None:
        body.define(self.outputs, self.inputs, lambda: self.tree(body))


@dataclass(eq=False)
class Run:
    """Calls of one function on neighbouring elements of a list, and how each differs from the one before it.

    `carried` says of an argument which output of the call before it is; `lists` of an argument in which list it is the
    element of the call's own number. The other arguments are the same in all calls.
    """

    calls: list[CallParts]
    step: int = 1
    carried: dict[int, int] = field(default_factory=dict)
    lists: dict[int, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        return [c.place[1] for c in self.calls if c.place]


def items_in_runs(writer: ModuleWriter, body: Body, items: Sequence[Node | Call]) -> Iterator[Node | Run]:
    """Items in order, the calls as runs: of one, or of equal ones in a row; nodes between these come after them."""
    joined: set[Call] = set()
    for i, item in enumerate(items):
        if isinstance(item, Node):
            yield item
        elif item not in joined:
            run, others = _run_from(writer, body, items, i)
            joined.update(others)
            yield run


def _run_from(writer: ModuleWriter, body: Body, items: Sequence[Node | Call], start: int) -> tuple[Run, list[Call]]:
    """The calls from one on that can be one loop, and all of them but that one."""
    first = items[start]
    assert isinstance(first, Call)
    run = Run([writer.parts_of(body, first)])
    others: list[Call] = []
    late: set[Value] = set()  # what nodes between the calls give
    if run.calls[0].place is None:
        return run, others
    for i in range(start + 1, len(items)):
        item = items[i]
        if isinstance(item, Node):
            late.update(item.outputs)
        elif item.scope.name and _joins(run, writer.parts_of(body, item), body, late):
            others.append(item)
        else:
            break
    return run, others


def _joins(run: Run, following: CallParts, body: Body, late: Set[Value]) -> bool:
    """Whether a call goes on with a run; then it is added."""
    before = run.calls[-1]
    if following.name != before.name or following.place is None or before.place is None:
        return False
    step = following.place[1] - before.place[1]
    if following.place[0] != before.place[0] or step not in (1, -1) or not late.isdisjoint(following.values):
        return False
    found = _relation(before, following, body)
    if found is None or (len(run.calls) > 1 and (step, *found) != (run.step, run.carried, run.lists)):
        return False
    run.step, (run.carried, run.lists) = step, found
    run.calls.append(following)
    return True


def _relation(before: CallParts, after: CallParts, body: Body) -> tuple[dict[int, int], dict[int, str]] | None:
    """How the arguments of a call follow from those of the one before, or None."""
    if len(before.values) != len(after.values) or before.sizes != after.sizes:
        return None
    carried, lists = {}, {}
    for i, (a, b) in enumerate(zip(before.values, after.values, strict=True)):
        if b in before.outputs and a.type == b.type:
            carried[i] = list(before.outputs).index(b)
        elif a is not b:
            one, two = _element(a, before, body), _element(b, after, body)
            if one is None or one != two:
                return None
            lists[i] = one
    return (carried, lists) if len(set(carried.values())) == len(carried) else None


def _element(value: Value, parts: CallParts, body: Body) -> str | None:
    """The list that an earlier loop kept a value in, by the number of the call."""
    place = body.kept.get(value)
    return place[0] if place and parts.place and place[1] == parts.place[1] else None


_INSIDE = {"p": "layer", "s": "layer_state"}  # in a function that has a `p` of its own


def print_loop(body: Body, run: Run) -> None:
    """`for p in params["block"]: x = block(p, x)`, with what later code reads of each call kept in lists.

    Where it also reads what the first call was given, the list is of what each call was given, not of what it gave.
    """
    first = run.calls[0]
    before = {first.values[i]: body.expression(first.values[i]) for i in run.carried}
    names = {run.carried[i]: _own_name(body, first.values[i]) for i in sorted(run.carried)}
    outputs = list(zip(*(c.outputs for c in run.calls), strict=True))
    kept = {o: body.list_name(v) for o, v in enumerate(outputs) if _is_kept(body, v, o in names)}
    entering = {i: kept.pop(o) for i, o in run.carried.items() if o in kept and body.uses.get(first.values[i], 0) > 1}
    lists = [*entering.values(), *kept.values()]
    number = body.fresh("i") if lists or run.lists or not _over(run, _length(body, run)) else ""
    _print_head(body, run, lists, number)
    for i, name in entering.items():
        body.line(f"    {name}[{number}] = {names[run.carried[i]]}")
    targets = [names.get(o) or f"{kept[o]}[{number}]" if o in names or o in kept else "_" for o in range(len(outputs))]
    branches = _branches(body, run, number)
    values = [_argument(body, run, i, names, number) for i in range(len(first.values))]
    body.line(f"    {', '.join(targets)} = {ast.unparse(first.call(body, branches, values))}")
    for o in sorted(kept.keys() & names.keys()):
        body.line(f"    {kept[o]}[{number}] = {names[o]}")
    _after(body, run, outputs, names, kept)
    for i, name in entering.items():
        _keep(body, run, [c.values[i] for c in run.calls], name)
    body.known |= {v: e for v, e in before.items() if body.uses.get(v, 0) > 0}  # who reads on reads what was before


def _is_kept(body: Body, values: Sequence[Value], is_carried: bool) -> bool:
    """Whether more is read of the calls' outputs than the next call and, at the end, their last."""
    used = [body.uses.get(v, 0) for v in values]
    return any(u > 1 for u in used[:-1]) if is_carried else any(used)


def _print_head(body: Body, run: Run, lists: Sequence[str], number: str) -> None:
    count, numbers = len(run.calls), run.numbers
    length = _length(body, run)
    size = max(length, *(n + 1 for n in numbers))
    if lists:
        body.line(f"{', '.join(lists)} = {', '.join([f'[None] * {size}'] * len(lists))}")
    over = _over(run, length)
    if not over:
        span = f"range({count})" if min(numbers) == 0 else f"range({min(numbers)}, {max(numbers) + 1})"
        body.line(f"for {number} in {span if run.step == 1 else f'reversed({span})'}:")
    elif number:
        body.line(f"for {number}, {_bracketed(_elements(body, run))} in enumerate({over}):", f"{count} times")
    else:
        body.line(f"for {', '.join(_elements(body, run))} in {over}:", f"{count} times")


def _elements(body: Body, run: Run) -> list[str]:
    """The names of the branches in the loop, which must not hide those of the function that it stands in."""
    return [_INSIDE[e] if e in body.roots.values() else e for e in run.calls[0].elements]


def _length(body: Body, run: Run) -> int:
    """How many elements the list has that the calls' layers are in."""
    place = run.calls[0].place
    return body.module.length(place[0]) if place else 0


def _bracketed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _over(run: Run, length: int) -> str:
    """What the loop runs over, where it takes each element of the lists in turn."""
    if run.step != 1 or run.numbers != list(range(length)) or not run.calls[0].branches:
        return ""
    lists = [ast.unparse(b.value) for b in run.calls[0].branches if isinstance(b, ast.Subscript)]
    return lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"


def _branches(body: Body, run: Run, number: str) -> list[ast.expr]:
    first = run.calls[0]
    if _over(run, _length(body, run)):
        return [name_of(e) for e in _elements(body, run)]
    return [ast.Subscript(b.value, name_of(number), ast.Load()) for b in first.branches if isinstance(b, ast.Subscript)]


def _argument(body: Body, run: Run, i: int, names: dict[int, str], number: str) -> ast.expr:
    if i in run.carried:
        return name_of(names[run.carried[i]])
    if i in run.lists:
        return ast.Subscript(name_of(run.lists[i]), name_of(number), ast.Load())
    return body.expression(run.calls[0].values[i]).tree


def _after(
    body: Body, run: Run, outputs: Sequence[Sequence[Value]], names: dict[int, str], kept: dict[int, str]
) -> None:
    """What the names mean behind the loop."""
    for parts in run.calls:
        for value in parts.inputs:
            body.uses[value] = body.uses.get(value, 1) - 1
    for o, values in enumerate(outputs):
        if o in kept:
            _keep(body, run, values, kept[o])
        if o in names:
            body.names[names[o]] = values[-1]
            body.known[values[-1]] = Expression(name_of(names[o]), frozenset([values[-1]]))


def _keep(body: Body, run: Run, values: Sequence[Value], name: str) -> None:
    """A list has the calls' values, each in the place of its layer."""
    for parts, value in zip(run.calls, values, strict=True):
        assert parts.place is not None
        body.kept[value] = name, parts.place[1]
        tree = ast.Subscript(name_of(name), literal(parts.place[1]), ast.Load())
        body.known[value] = Expression(tree, frozenset([value]))


def _own_name(body: Body, value: Value) -> str:
    """Give the carried value a name that the loop may bind anew."""
    expression = body.expression(value)
    if not (isinstance(expression.tree, ast.Name) and body.uses.get(value) == 1):
        if expression.atomic:
            body.assign((value,), expression.tree)
        else:
            body.settle(value)
    return ast.unparse(body.expression(value).tree)
