"""The body of one printed function: expressions nested where they are used once, names where they are not."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir import DType, Node, Scope, Size, Value
from ..ir.dims import Dim
from ..ir.graph import bound_by
from ..ir.ops import broadcast_to, constant, reshape, size, slice_, transpose
from .guards import print_guards
from .regions import Bundle, Call, item_uses, members_of, symbols_read, writes_free_size
from .rules import Statement, find_rule
from .sizes import size_expression, without_placeholders
from .target import number_literal, shape_text
from .template import literal, name_of, operator_expression, substitute

if TYPE_CHECKING:
    from .module import ModuleWriter
    from .repetition import CallParts

WIDTH = 96  # a statement longer than this is broken into several, where it has parts
DEPTH = 5  # and so is an expression nested more deeply than a person would


@dataclass(frozen=True)
class Expression:
    """How a value is written where it is used; `leaves` are the named values in it, and
    `sized` those of which it may read a size."""

    tree: ast.expr
    leaves: frozenset[Value]
    sized: frozenset[Value] = frozenset()
    atomic: bool = True
    depth: int = 0


class Body:
    """Prints items one by one. `roots` names the trees of parameters and of state, `prefix` the branch they are at."""

    def __init__(
        self,
        module: ModuleWriter,
        items: Sequence[Node | Call],
        results: Sequence[Value],
        roots: Mapping[str, str],
        prefix: tuple[str, ...] = (),
        *,
        indent: int = 1,
        by_layer: bool = False,
    ) -> None:
        self.module, self.target = module, module.target
        self.roots, self.prefix, self.by_layer = roots, prefix, by_layer
        self.uses = item_uses(items, members_of(results))
        self.returned = {v for r in results if isinstance(r, Bundle) and r.is_tree for v in r.members}
        self.reads = symbols_read(items)
        self.lines: list[str] = []
        self.indent = indent
        self.known = {}
        self.names: dict[str, Value | None] = dict.fromkeys(roots.values())
        self.sizes: dict[str, tuple[Value, int]] = {}
        self.given: dict[str, str] = {}  # symbols that arguments of the function hold, and their names
        self.parts: dict[Call, CallParts] = {}  # what the calls in this body consist of, once it is known
        self.kept: dict[Value, tuple[str, int]] = {}  # values that a loop put into a list: which, and where
        self.children: dict[str, str] = {}  # submodules that calls in this body use, and how they are made
        self.telling: dict[Value, str] = {}  # values that what reads them has a good name for
        self.places: dict[Value, str] = {}  # values that are kept in an element of a dict, and which
        self.whole: tuple[list[Value], str] = ([], "")  # what a dict holds in all, and how that is written

    # values and names

    @property
    def known(self) -> dict[Value, Expression]:
        """How each value is written that is there."""
        return self._known

    @known.setter
    def known(self, known: dict[Value, Expression]) -> None:
        self._known = known
        self._nested = [v for v, e in known.items() if not e.atomic]  # those to look through for a name in use

    def argument(self, value: Value, tree: ast.expr, *, fresh: bool = True) -> None:
        """A value that is given: by a name, or as an element of a tree. A name that is not fresh is another value's."""
        self.known[value] = Expression(tree, frozenset([value]))
        if fresh and isinstance(tree, ast.Name):
            self.names[tree.id] = value
        self._sizes_of(value)

    def _sizes_of(self, value: Value) -> None:
        for axis, dim in enumerate(value.shape):
            if isinstance(dim, Dim) and {str(dim)} == dim.symbols:
                held = self.sizes.get(str(dim))
                if held is None or not self._holds(held[0]):
                    self.sizes[str(dim)] = (value, axis)

    def _holds(self, value: Value) -> bool:
        e = self.known.get(value)
        return e is not None and (not isinstance(e.tree, ast.Name) or self.names.get(e.tree.id) is value)

    def name_for(self, value: Value, hint: str = "") -> str:
        return self.fresh(hint or self._bundle_name(value) or value.name or _output_name(value) or self._name_of(value))

    def fresh(self, hint: str) -> str:
        """A name that nothing else needs: the hint, or the hint with a number."""
        base = re.sub(r"\W", "_", hint) or "x"
        base = base if base.isidentifier() and not keyword.iskeyword(base) else f"v_{base}".replace("v__", "v_")
        candidate, number = base, 1
        forbidden = self.module.taken | self.module.called
        while candidate in forbidden or (candidate in self.names and not self.is_free(candidate)):
            number += 1
            candidate = f"{base}{number}"
        return candidate

    def name_for_size(self, symbol: str) -> str:
        """A name that no value takes: the symbol's own in lower case, `n` for `N`."""
        name = symbol.lower() if symbol.lower().isidentifier() and not keyword.iskeyword(symbol.lower()) else "size"
        while name in self.module.taken or name in self.names:
            name += "_"
        self.names[name] = None
        return name

    def list_name(self, values: Sequence[Value]) -> str:
        """What a list of values is called that a loop keeps."""
        name = self.fresh(self._bundle_name(values[0]) or f"{self._name_of(values[0]) or 'x'}s")
        self.names[name] = None
        return name

    def _bundle_name(self, value: Value) -> str:
        """What a layer saved, and its gradients, are called by the layer."""
        if not isinstance(value, Bundle):
            return ""
        layer = self._layer(value.scope)
        return f"{'d' if value.is_tree else 'saved'}_{layer}" if layer else value.name

    def _name_of(self, value: Value) -> str:
        """A value is called by the layer that made it, and a gradient by the one that it enters."""
        if value in self.telling:
            return self.telling[value]
        node = value.node
        if node is None or not self.by_layer:
            return ""
        while node.op in _MOVES and not self._layer(node.scope) and node.inputs[0] is not None and node.inputs[0].node:
            node = node.inputs[0].node  # what is only arranged anew keeps its name
        layer = self._layer(node.scope)
        if node.section == "backward":
            return f"d_{layer}" if layer and not self.module.by_scope else "g" if self.module.by_scope else ""
        return "" if self.module.by_scope and layer in self.module.taken else layer

    def _layer(self, scope: Scope | None) -> str:
        """The layer of this body that a scope lies in, by its own name; of a list's element, the list's."""
        own = len(self.prefix)
        inner = scope.path[own : own + 1] if scope else ()
        return next((part for part in reversed(".".join(inner).split(".")) if not part.isdigit()), "")

    def is_free(self, name: str) -> bool:
        held = self.names[name]
        if held is None or self.uses.get(held, 0) > 0:
            return False
        if any(held in e.leaves or held in e.sized for e in self._waiting()):
            return False
        return not any(holder is held and symbol in self.reads for symbol, (holder, _) in self.sizes.items())

    def _waiting(self) -> list[Expression]:
        """The expressions that are yet to be written into others."""
        self._nested = [v for v in self._nested if v in self.known and self.uses.get(v, 0) > 0]
        return [e for v in self._nested if not (e := self.known[v]).atomic]

    # expressions

    def expression(self, value: Value) -> Expression:
        if value not in self.known and value.node is not None and value.node.op is constant:
            return self._constant(value)
        return self.known[value]

    def _constant(self, value: Value) -> Expression:
        assert value.node is not None
        array = value.node.attributes["value"]
        if array.ndim or array.dtype.kind == "c":
            return Expression(self.module.array_constant(array), frozenset())
        return Expression(self._parse(self.target.number(number_literal(array, value.dtype), value.dtype)), frozenset())

    def dim(self, dim: Size) -> ast.expr:
        """A size as an expression: of an int, a literal; of a symbol, the axis of a tensor that has it."""
        if isinstance(dim, int):
            return literal(dim)
        tree = size_expression(dim, self.target.extrema)
        return substitute(tree, {s: self.symbol(s) for s in dim.symbols}, {})

    def symbol(self, symbol: str) -> ast.expr:
        """A symbol, as an argument that holds it or as the size of an axis."""
        if symbol in self.given:
            return name_of(self.given[symbol])
        value, axis = self.sizes[symbol]
        return self._parse(self.target.size(ast.unparse(self.known[value].tree), axis))

    def knows(self, symbol: str) -> bool:
        """Whether the number of a symbol can be written here."""
        return symbol in self.given or symbol in self.sizes

    def attribute(self, value: Any) -> ast.expr:
        if isinstance(value, DType):
            return self._parse(self.target.dtype(value))
        if isinstance(value, tuple):
            return ast.Tuple([self.attribute(v) for v in value], ast.Load())
        if isinstance(value, np.ndarray):
            return self.module.array_constant(value)
        return literal(value)

    @staticmethod
    def _parse(text: str) -> ast.expr:
        return ast.parse(text, mode="eval").body

    # items

    def node(self, node: Node) -> None:
        if node.op is constant:
            return
        if node.op is size:
            self._size(node)
            return
        rule = find_rule(self.target.table, node)
        if isinstance(rule, Statement):
            rule.write(self, node)
            return
        self.define(node.outputs, [v for v in node.inputs if v is not None], lambda: self.node_tree(node))
        if node.op.binds:
            print_guards(self, node.outputs[0].graph, bound_by(node))

    def node_tree(self, node: Node) -> ast.expr:
        """The expression that computes a node."""
        return self._apply(find_rule(self.target.table, node), node)

    def _size(self, node: Node) -> None:
        dtype: DType = node.attributes["dtype"]
        tree = self.dim(node.attributes["dim"])
        if not self.target.size_is_number:
            tree = self._parse(self.target.number(ast.unparse(tree), dtype))
        holders = frozenset(v for v, _ in self.sizes.values())
        self.known[node.outputs[0]] = Expression(tree, frozenset(), holders)

    def define(self, outputs: Sequence[Value], inputs: Sequence[Value], build: Callable[[], ast.expr]) -> None:
        """Bind what an item gives: nested into its only user, or by a statement of its own."""
        tree = build()
        while self._too_big(tree, inputs) and self._flush_one(inputs):
            tree = build()
        leaves = frozenset(leaf for v in inputs if v in self.known for leaf in self.known[v].leaves)
        sized = frozenset(v for v, _ in self.sizes.values()) if self.reads else frozenset()
        depth = 1 + max((self.known[v].depth for v in inputs if v in self.known), default=0)
        if (
            len(outputs) == 1
            and self.uses.get(outputs[0], 0) == 1
            and (not outputs[0].name or outputs[0] in self.returned)
            and outputs[0] not in self.places
            and not (outputs[0].node and outputs[0].node.op.binds)  # a size is read off it by its name
        ):
            self.known[outputs[0]] = Expression(tree, leaves, sized, atomic=False, depth=depth)
            self._nested.append(outputs[0])
            for value in inputs:  # what is nested now is read with this
                if value in self.known and not self.known[value].atomic:
                    self.uses[value] -= 1
            return
        self.consume(inputs)
        whole = bool(outputs[0].node and outputs[0].node.section == "update")  # one function for all shapes
        self.assign(outputs, tree, comment="" if whole else _shape_comment(outputs, inputs))

    def _too_big(self, tree: ast.expr, inputs: Sequence[Value]) -> bool:
        deepest = max((self.known[v].depth for v in inputs if v in self.known), default=0)
        return deepest >= DEPTH or len(ast.unparse(tree)) + 4 * self.indent > WIDTH

    def _flush_one(self, inputs: Sequence[Value]) -> bool:
        """Give the largest nested operand a statement and a name of its own."""
        nested = [v for v in inputs if v in self.known and not self.known[v].atomic]
        if not nested:
            return False
        self.settle(max(nested, key=lambda v: len(ast.unparse(self.known[v].tree))))
        return True

    def settle(self, value: Value) -> None:
        """Give a value that would be nested a statement and a name of its own."""
        expression = self.known.pop(value)
        self._release(expression)
        self.assign((value,), expression.tree)

    def consume(self, inputs: Sequence[Value]) -> None:
        for value in inputs:
            if value in self.known and not self.known[value].atomic:
                self._release(self.known[value])
            self.uses[value] = self.uses.get(value, 1) - 1

    def _release(self, expression: Expression) -> None:
        for leaf in expression.leaves:
            self.uses[leaf] = self.uses.get(leaf, 1) - 1

    def assign(self, outputs: Sequence[Value], tree: ast.expr, comment: str = "") -> None:
        """A statement that binds values: to names, or to the places that are kept for them."""
        direct = sum(len(self.places.get(v, "")) for v in outputs) < WIDTH - 40 or len(outputs) == 1
        targets = [self.target_of(v, direct) for v in outputs]
        for value in outputs:
            if self.uses.get(value, 0):
                self._sizes_of(value)
        self.line(f"{', '.join(targets)} = {ast.unparse(tree)}", comment)
        for value, target in zip(outputs, targets, strict=True):
            if value in self.places and target != "_" and target != self.places[value]:
                self.line(f"{self.places[value]} = {target}")

    def target_of(self, value: Value, direct: bool = True) -> str:
        if self.uses.get(value, 0) == 0:
            return "_"
        if direct and value in self.places:
            self.known[value] = Expression(self._parse(self.places[value]), frozenset([value]))
            return self.places[value]
        name = self.name_for(value)
        self.names[name] = value
        self.known[value] = Expression(name_of(name), frozenset([value]))
        return name

    def line(self, text: str, comment: str = "") -> None:
        padded = "    " * self.indent + text
        self.lines.append(f"{padded}  # {comment}" if comment and len(padded) + len(comment) < WIDTH + 16 else padded)

    def result(self, values: Sequence[Value]) -> list[ast.expr]:
        """The expressions of values that the function returns."""
        return [self._bundle(v) if isinstance(v, Bundle) else self.operand(v) for v in values]

    def _bundle(self, bundle: Bundle) -> ast.expr:
        """What is returned as one: a tuple, or a tree by the names of parameters."""
        members = [self.operand(v) for v in bundle.members]
        return (
            as_branches(dict(zip(bundle.keys, members, strict=True)))
            if bundle.is_tree
            else ast.Tuple(members, ast.Load())
        )

    def finish(self, returned: str) -> None:
        """The return statement; a name that was given in the line before only to be returned is left out."""
        indent = "    " * self.indent
        last, given = (self.lines or [""])[-1], f"{indent}{returned} = "
        if returned.isidentifier() and last.startswith(given):
            self.lines[-1] = f"{indent}return {last[len(given) :]}"
            return
        broken = len(returned) + len(indent) > 112 and isinstance(ast.parse(returned, mode="eval").body, ast.Tuple)
        self.line(f"return ({returned})" if broken else f"return {returned}")

    # rules

    def _apply(self, rule: Any, node: Node) -> ast.expr:
        operands = (
            [ast.Starred(self._parse(self.whole[1]), ast.Load())]
            if self._reads_whole(node)
            else self._operands(rule, node)
        )
        simple = operator_expression(rule, operands)
        if simple is not None:
            return simple
        attributes = {k: self.attribute(v) for k, v in node.attributes.items()}
        if node.op is reshape:
            attributes["shape"] = self._free_dim(node, operands[0])
        if node.op is slice_:
            attributes["stops"] = self.attribute(_stops(node))
        return without_placeholders(self.module.call(rule, operands, attributes), self.dim)

    def _reads_whole(self, node: Node) -> bool:
        """Whether a node takes all that a dict holds; in which order is its own, so it must be no matter of types."""
        held, read = self.whole[0], [v for v in node.inputs if v is not None]
        same = node.op.signature.variadic and len(read) == len(held) > 1 and set(read) == set(held)
        return same and len({v.dtype for v in read}) == 1

    def _free_dim(self, node: Node, operand: ast.expr) -> ast.expr:
        """A shape with one symbolic size and no zero says -1 for it; the rows of an argument keep their size."""
        shape: tuple[Size, ...] = node.attributes["shape"]
        if self.module.by_scope and self.prefix and isinstance(operand, ast.Name) and _keeps_rows(node):
            last = self._parse(f"{operand.id}.shape[-1]")  # of any argument: layers of other sizes share the text
            return ast.Tuple([literal(-1), last], ast.Load())
        if writes_free_size(shape):
            return ast.Tuple([literal(-1) if isinstance(s, Dim) else literal(s) for s in shape], ast.Load())
        return self.attribute(shape)

    def _operands(self, rule: Any, node: Node) -> list[ast.expr]:
        infix = operator_expression(rule, [ast.Constant(0)] * 2) is not None
        takes_numbers = infix or rule in self.target.safe_numbers
        tensors = [v for v in node.inputs if v is not None and not self._is_number(v)]
        typed = any(v.dtype == node.outputs[0].dtype for v in tensors) or node.op.name in _COMPARISONS
        bare = takes_numbers and ((tensors and typed) or (infix and not tensors and self.is_number(node.outputs[0])))
        return [ast.Constant(None) if v is None else self.operand(v, bare) for v in node.inputs]

    def operand(self, value: Value, bare: bool = False) -> ast.expr:
        """A value in its place: a number as a bare literal where the rule takes one, else as a tensor."""
        if not self._is_number(value):
            return self.expression(value).tree
        if self._is_literal(value):
            assert value.node is not None
            text = number_literal(value.node.attributes["value"], value.dtype)
            bare = bare and not self._is_large(value)
        else:
            text = ast.unparse(self.expression(value).tree)
        return self._parse(text if bare else self.target.number(text, value.dtype))

    def _is_large(self, value: Value) -> bool:
        """Whether a number is an integer beyond those that the framework takes from Python."""
        limit = self.target.largest_integer
        assert value.node is not None
        return limit is not None and value.dtype.is_integer and abs(int(value.node.attributes["value"])) > limit

    def _is_literal(self, value: Value) -> bool:
        return value.node is not None and value.node.op is constant and value.node.attributes["value"].ndim == 0

    def _is_number(self, value: Value) -> bool:
        return self._is_literal(value) or self.is_number(value)

    def is_number(self, value: Value) -> bool:
        """Whether a value is written as an expression of Python numbers: a size, or arithmetic on sizes."""
        node = value.node
        if node is None or not self.target.size_is_number or value.rank:
            return False
        if node.op is size:
            return True
        if not value.dtype.is_float:
            return False
        rule = find_rule(self.target.table, node)
        infix = rule is not None and operator_expression(rule, [ast.Constant(0)] * 2) is not None
        operands = [v for v in node.inputs if v is not None]
        return infix and not all(map(self._is_literal, operands)) and all(map(self._is_number, operands))


def _stops(node: Node) -> tuple[Size | None, ...]:
    """Where a slice stops, with None for the end of an axis."""
    assert node.inputs[0] is not None
    return tuple(None if s == n else s for s, n in zip(node.attributes["stops"], node.inputs[0].shape, strict=True))


def as_branches(leaves: Mapping[tuple[str, ...], ast.expr]) -> ast.expr:
    """A tree as a literal of dicts; branches that count from 0 are a list, by its name where a loop made it."""
    if () in leaves:
        return leaves[()]
    branches: dict[str, dict[tuple[str, ...], ast.expr]] = {}
    for key, tree in leaves.items():
        branches.setdefault(key[0], {})[key[1:]] = tree
    made = {name: as_branches(inner) for name, inner in branches.items()}
    if made.keys() != {str(i) for i in range(len(made))}:
        return ast.Dict([ast.Constant(k) for k in made], list(made.values()))
    elements = [made[str(i)] for i in range(len(made))]
    return _whole_list(elements) or ast.List(elements, ast.Load())


def _whole_list(elements: Sequence[ast.expr]) -> ast.expr | None:
    """The list whose elements these are, one by one, where a loop made it."""
    first = elements[0]
    if not isinstance(first, ast.Subscript) or not isinstance(first.value, ast.Name):
        return None
    name = first.value.id
    return first.value if [ast.unparse(e) for e in elements] == [f"{name}[{i}]" for i in range(len(elements))] else None


def _keeps_rows(node: Node) -> bool:
    """Whether a reshape puts all axes but the last into one."""
    (x,), shape = node.inputs, node.attributes["shape"]
    return x is not None and x.rank > 2 and len(shape) == 2 and isinstance(shape[-1], int) and shape[-1] == x.shape[-1]


_MOVES = (reshape, transpose, broadcast_to)


def _output_name(value: Value) -> str:
    names = value.node.op.output_names if value.node is not None else ()
    return names[value.index] if value.index < len(names) else ""


_COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


def _shape_comment(outputs: Sequence[Value], inputs: Sequence[Value]) -> str:
    if len(outputs) != 1 or not inputs or outputs[0].shape == inputs[0].shape or not outputs[0].shape:
        return ""
    return shape_text(outputs[0].shape)
