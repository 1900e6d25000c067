"""The text form: a graph printed in Python's syntax, exact; `parse` reads it back.

The text holds all of a graph but its arrays, which it names (`graph_arrays`), and where nodes come from (`origins`).
What a reader of the text can rely on:

- A scalar constant is written where it is used: as a number where the op's rule for numbers gives it its element
  type, as `constant(2.0, f32)` elsewhere. It has no line of its own; one that nothing uses is not written.
- An attribute at its default is not written. Sizes are expressions, element types their short names.
- `scope` and `section` hold for the lines beneath. A scope that comes again has its arguments at its first place
  only; `call=2` tells it from another one of the same name and kind in the same scope.
- A name is the value's hint made unique, `v1`, `v2`... where there is none; it begins with `_` where nothing uses it.
- The gradient of a composite is called like a gradient rule, `(g, out, *inputs)`: g and out are tuples where the
  composite has several outputs, and what is left out is None.
"""

from __future__ import annotations

import hashlib
import inspect
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .collection import uncollected
from .dims import Dim, symbols_of
from .graph import SECTIONS, Graph, Node, Port, Scope, Value, bound_symbols
from .literal import literal, quoted
from .op import Op, attribute_key
from .rewrite import is_scalar_constant
from .types import DType, TensorType

WIDTH = 100
RESERVED = frozenset({"inf", "nan"})  # names that are numbers
AUTOMATIC = re.compile(r"v[0-9]+")  # names of values without a hint
_INDENT = "    "


@uncollected
def print_graph(graph: Graph) -> str:
    """The graph as text, which `parse(text, graph_arrays(graph))` reads back.

    >>> from isograd.ir import Graph, TensorType
    >>> from isograd.ir.types import float32
    >>> graph = Graph()
    >>> x = graph.input("x", TensorType(float32, (2,)))
    >>> _ = graph.output(x * 2.0, "y")
    >>> print(print_graph(graph), end="")
    def model(
        x: f32[2],
    ):
        v1: f32[2] = multiply(x, 2.0)
        return output("y", v1)
    """
    return Printer(graph).text()


def graph_arrays(graph: Graph) -> dict[str, np.ndarray]:
    """The arrays that the graph's text names, each once: `c0`, `c1`... in the order of the text."""
    printer = Printer(graph)
    printer.text()
    return printer.arrays.by_name


def origins(graph: Graph) -> dict[str, str]:
    """Where each line's node comes from, by the first name on the line."""
    printer = Printer(graph)
    named = (
        (printer.names[node.outputs[0]], node.origin) for node in graph.nodes if not printer.is_inline(node.outputs[0])
    )
    return {name: origin for name, origin in named if origin}


def lines_around(graph: Graph, node: Node, count: int = 2) -> str:
    """The line of a node, marked, and those of its neighbours; also where the graph is broken."""
    try:
        printer = Printer(graph)
        shown = [n for n in graph.nodes if n is node or not printer.is_inline(n.outputs[0])]
        place = next(i for i, n in enumerate(shown) if n is node)
        near = shown[max(place - count, 0) : place + count + 1]
        return "\n".join(f"{'>' if n is node else ' '} {line}" for n in near for line in printer.node_lines(n))
    except Exception as error:  # a node that breaks an invariant may break the printer as well
        return f"> {node!r} (the lines around it cannot be printed: {error})"


class Arrays:
    """Names for arrays: equal ones, bit for bit, have one name."""

    def __init__(self) -> None:
        self.by_name: dict[str, np.ndarray] = {}
        self._names: dict[Any, str] = {}

    def name(self, array: np.ndarray) -> str:
        digest = hashlib.blake2b(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).digest()
        name = self._names.setdefault((array.dtype.name, array.shape, digest), f"c{len(self._names)}")
        self.by_name.setdefault(name, array)
        return name


class Names:
    """Unique identifiers made of hints."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._taken = set(reserved) | RESERVED
        self._next: dict[str, int] = {}
        self._automatic = 0

    def make(self, hint: str) -> str:
        base = re.sub(r"\W", "_", hint, flags=re.ASCII).lstrip("_")
        if not base or AUTOMATIC.fullmatch(base):
            return self._numbered()
        base = f"v_{base}" if base[0].isdigit() else base + "_" * keyword.iskeyword(base)
        name = base
        while name in self._taken:
            number = self._next[base] = self._next.get(base, 1) + 1
            name = f"{base}{'_' * (base[-1].isdigit() or base == 'v')}{number}"  # v2 is an automatic name
        self._taken.add(name)
        return name

    def _numbered(self) -> str:
        self._automatic += 1
        return f"v{self._automatic}"


class Printer:
    """Writes one graph, and with the same arrays the graphs in its attributes."""

    def __init__(self, graph: Graph, arrays: Arrays | None = None) -> None:
        self.graph, self.arrays = graph, arrays or Arrays()
        self._types: dict[TensorType, str] = {}
        self._functions: dict[int, str] = {}
        self._unique = Names(_symbols(graph))
        self.names = self._value_names()
        self._calls = _scope_numbers(graph)
        self._entered: set[Scope] = set()

    def text(self) -> str:
        return "\n".join(self._lines(function_name(self.graph.name))) + "\n"

    def is_inline(self, value: Value | None) -> bool:
        """Whether a value is written where it is used."""
        return value is not None and is_scalar_constant(value) and self._literal(value) is not None

    def node_lines(self, node: Node) -> list[str]:
        """The line that makes a node, after those of the graphs in its attributes."""
        before = [line for v in node.attributes.values() if isinstance(v, Graph) for line in self._body(v)]
        targets = ", ".join(self.names[v] for v in node.outputs)
        types = [self._type(v.type) for v in node.outputs]
        if len(node.outputs) == 1:
            return [*before, f"{targets}: {types[0]} = {node.op.name}({self._arguments(node)})"]
        return [*before, f"{targets} = {node.op.name}[{', '.join(types)}]({self._arguments(node)})"]

    # the whole

    def _lines(self, name: str) -> Iterator[str]:
        yield from self._head(name)
        if name != self.graph.name:
            yield f"{_INDENT}name({quoted(self.graph.name)})"
        yield from (f"{_INDENT}guard({guard})" for guard in self.graph.guards)
        place: tuple[Any, ...] = ()
        for node in self.graph.nodes:
            if self.is_inline(node.outputs[0]):
                continue
            there = (node.section, *(node.scope.ancestry if node.scope else ()))
            yield from self._blocks(place, there)
            place, indent = there, _INDENT * (len(there) + (node.section != SECTIONS[0]))
            yield from (indent + line for line in self.node_lines(node))
        yield from self._return()

    def _head(self, name: str) -> Iterator[str]:
        if not self.graph.inputs:
            yield f"def {name}():"
            return
        yield f"def {name}("
        defaults = False
        for port in self.graph.inputs:
            plain = port.role == "input" and port.path == self.names[port.value]
            defaults = defaults or not plain  # Python wants a default after a default
            view = "" if port.view is None else f", {port.view!r}"
            default = f" = {port.role}({quoted(port.path)}{view})" if defaults else ""
            yield f"{_INDENT}{self.names[port.value]}: {self._type(port.value.type)}{default},"
        yield "):"

    def _return(self) -> Iterator[str]:
        results = [self._result(port) for port in self.graph.outputs]
        line = f"{_INDENT}return {', '.join(results)}".rstrip()
        if len(line) <= WIDTH:
            yield line
        else:
            yield from (f"{_INDENT}return (", *(f"{_INDENT * 2}{result}," for result in results), f"{_INDENT})")

    def _result(self, port: Port) -> str:
        return f"{port.role}({quoted(port.path)}, {self._operand(port.value)})"

    def _blocks(self, here: tuple[Any, ...], there: tuple[Any, ...]) -> Iterator[str]:
        """The `with` lines between the place of one node and that of the next."""
        same = next(
            (i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there))
        )
        sections = there[0] != SECTIONS[0]
        for depth in range(same, len(there)):
            item = there[depth]
            if depth or sections:
                head = self._scope(item) if depth else f"section({quoted(item)})"
                yield f"{_INDENT * (depth + sections)}with {head}:"

    def _scope(self, scope: Scope) -> str:
        number = self._calls[scope]
        parts = [quoted(scope.name), f"kind={quoted(scope.kind)}"] + [f"call={number}"] * (number > 1)
        if scope not in self._entered:
            self._entered.add(scope)
            parts += [_keyword(name, self._operand(value)) for name, value in scope.arguments]
        return f"scope({', '.join(parts)})"

    # one node

    def _arguments(self, node: Node) -> str:
        operands = self._operands(node)
        if node.op.derivative_of:
            operands = _grouped(node.op, iter(operands))
        elif not node.op.signature.variadic:
            while operands and operands[-1] == "None":
                operands.pop()
        schema = node.op.signature.attributes
        changed = (f"{k}={self._attribute(v)}" for k, v in node.attributes.items() if not _is_default(v, schema.get(k)))
        return ", ".join([*operands, *changed])

    def _operands(self, node: Node) -> list[str]:
        inline = [self.is_inline(v) for v in node.inputs]
        if not any(inline):
            return ["None" if v is None else self._name(v) for v in node.inputs]
        full = _written_in_full(node, inline)
        return [
            str(self._literal(v)) if v is not None and inline[i] and i not in full else self._operand(v)
            for i, v in enumerate(node.inputs)
        ]  # fmt: skip

    def _operand(self, value: Value | None) -> str:
        if value is None:
            return "None"
        return f"constant({self._literal(value)}, {value.dtype.short})" if self.is_inline(value) else self._name(value)

    def _name(self, value: Value) -> str:
        return self.names.get(value) or f"<{value.name or '?'}>"  # of another graph: the verifier prints such nodes

    def _literal(self, constant: Value) -> str | None:
        assert constant.node is not None
        return literal(constant.node.attributes["value"], constant.dtype)

    def _attribute(self, value: Any) -> str:
        if isinstance(value, tuple):
            return f"({', '.join(map(self._attribute, value))}{',' * (len(value) == 1)})"
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, np.ndarray):
            return f"array({quoted(self.arrays.name(value))})"
        if isinstance(value, Graph):
            return self._functions[id(value)]
        if isinstance(value, complex):
            return f"complex({value.real!r}, {value.imag!r})"
        return value.short if isinstance(value, DType) else str(value) if isinstance(value, Dim) else repr(value)

    def _body(self, graph: Graph) -> list[str]:
        """The definition of a graph that is an attribute."""
        name = self._functions[id(graph)] = self._unique.make(function_name(graph.name))
        return list(Printer(graph, self.arrays)._lines(name))

    def _type(self, t: TensorType) -> str:
        if t not in self._types:
            self._types[t] = str(t) if t.shape else t.dtype.short  # f32[] is not Python
        return self._types[t]

    def _value_names(self) -> dict[Value, str]:
        used = self.graph.uses()
        values = [p.value for p in self.graph.inputs]
        names = {v: self._unique.make(v.name) for v in values}
        for value in (v for n in self.graph.nodes for v in n.outputs if not self.is_inline(v)):
            names[value] = "_" * (value not in used) + self._unique.make(value.name)
        return names


def function_name(name: str) -> str:
    return (
        name
        if name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
        else Names(()).make(name or "model")
    )


def _symbols(graph: Graph) -> set[str]:
    sizes = {s for port in graph.inputs for size in port.value.shape for s in symbols_of(size)}
    return sizes | bound_symbols(graph)


def _scope_numbers(graph: Graph) -> dict[Scope, int]:
    """Tell scopes of one parent, name and kind apart, in the order in which they come."""
    numbers: dict[Scope, int] = {}
    count: dict[Any, int] = {}
    for node in graph.nodes:
        if node.scope is None or node.scope in numbers:
            continue
        for scope in node.scope.ancestry:
            if scope not in numbers:
                key = (scope.parent, scope.name, scope.kind)
                numbers[scope] = count[key] = count.get(key, 0) + 1
    return numbers


def _keyword(name: str, text: str) -> str:
    plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and name not in ("kind", "call")
    return f"{name}={text}" if plain else f"**{{{quoted(name)}: {text}}}"


def _is_default(value: Any, default: Any) -> bool:
    return default is not inspect.Parameter.empty and attribute_key(value) == attribute_key(default)


def _written_in_full(node: Node, inline: Sequence[bool]) -> set[int]:
    """Which constants need their element type: the op's rule for numbers would not give it to them."""
    names, numbers = node.op.signature.operands, node.op.numbers
    says = [
        i
        for i, v in enumerate(node.inputs)
        if v is not None and (numbers is None or names[min(i, len(names) - 1)] in numbers)
    ]
    full: set[int] = set()
    while True:
        dtype = next(
            (v.dtype for i in says if (v := node.inputs[i]) is not None and (not inline[i] or i in full)), None
        )
        wrong = {
            i for i, v in enumerate(node.inputs) if inline[i] and i not in full and v is not None and v.dtype != dtype
        }
        if dtype is None:  # the first one says it for the others
            wrong = set(says[:1]) or wrong
        if not wrong:
            return full
        full |= wrong


def _grouped(op: Op, flat: Iterator[str]) -> list[str]:
    """Operands of a gradient op as its rule takes them."""
    base = op.derivative_of
    if base is None:
        raise ValueError(op)
    g = [next(flat) if x else "None" for x in op.given]
    out = [next(flat) for _ in op.given]
    inputs = _grouped(base, flat) if base.derivative_of else [next(flat) if x else "None" for x in op.present]
    return [_group(g), _group(out), *inputs]


def _group(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
