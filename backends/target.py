"""What a printer of Python modules must know of a framework."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np

from ..ir import DType, Graph, Size, Value
from ..ir.errors import UnsupportedOpError
from ..ir.graph import bound_by, bound_symbols
from ..ir.passes.layout import Layout
from .rules import Table, nodes_within

Style = str  # "functions": pure functions over a tree of parameters; "modules": classes that hold them


@dataclass(frozen=True)
class Target:
    """A framework as the printer sees it.

    `imports`: alias -> import statement, for every alias that rules and templates use. `namespaces`: alias -> module,
    searched in order for the public name of a function. `safe_numbers`: functions besides Python's operators that
    take a Python number beside a tensor without changing the element type.
    """

    name: str
    table: Table
    imports: Mapping[str, str]
    namespaces: Mapping[str, ModuleType]
    style: Style
    dtype: Callable[[DType], str]
    size: Callable[[str, int], str]  # (expression, axis) -> expression of the axis's size
    number: Callable[[str, DType], str]  # (literal, dtype) -> expression of a scalar tensor
    array: Callable[[str], str]  # expression of a NumPy array -> of a tensor
    size_is_number: bool = True  # a size is a Python int when the code runs
    size_check: Mapping[str, str] = field(default_factory=dict)  # relation -> format of a check, where not an `if`
    extrema: tuple[str, str] = ("max", "min")  # functions of sizes
    safe_numbers: frozenset[Any] = frozenset()
    largest_integer: int | None = None  # that a Python number may be, where there is a limit
    in_place: frozenset[Any] = frozenset()  # rules that overwrite operands whose values are not needed any more
    store: str = "{place} = {value}"  # how a parameter or a state gets its new value, in place
    decorator: str = ""  # of a flat function
    step_decorator: str = ""  # of one that gives every parameter and state a new value
    compiles_any_size: bool = True  # whether the decorators take sizes that only data tells
    wide: str = ""  # a context that programs with 64-bit values must open
    layout: Layout | None = None  # that its convolutions want
    passes: tuple[Callable[[Graph], Graph], ...] = ()  # on the graph of ops that have rows: what the framework fuses
    options: Mapping[str, Any] = field(default_factory=dict)

    def decorated(self, graph: Graph, updates: bool) -> str:
        """The decorator of a flat function, if it has one: none that compiles it, where only data tells sizes."""
        decorator = self.step_decorator if updates else self.decorator
        return decorator if self.compiles_any_size or not bound_symbols(graph) else ""

    def check_sizes(self, graph: Graph) -> None:
        """Raise where a body that is compiled, as loops and branches are, finds sizes that only data tells."""
        if self.compiles_any_size:
            return
        bodies = [a for n in graph.nodes for a in n.attributes.values() if isinstance(a, Graph)]
        found = [n for n in nodes_within([n for b in bodies for n in b.nodes]) if bound_by(n)]
        if found:
            places = ", ".join(dict.fromkeys(f"{n.op.name} at {n.origin or '?'}" for n in found))
            raise UnsupportedOpError(
                f"{self.name} compiles loops and branches, and cannot where only data tells a size: {places}; "
                "say how many there are with size=, or take it out of the loop"
            )

    def opened(self, graph: Graph, lines: Sequence[str]) -> list[str]:
        """The lines of a function's body, within the context that its 64-bit values need."""
        if not self.wide or not has_wide_types(graph):
            return list(lines)
        return [f"    with {self.wide}:", *(f"    {line}" for line in lines)]

    @cached_property
    def public_names(self) -> Mapping[int, str]:
        """id of a function -> its shortest public name."""
        names: dict[int, str] = {}
        for alias, module in self.namespaces.items():
            for attribute in dir(module):
                if not attribute.startswith("_") and callable(getattr(module, attribute, None)):
                    names.setdefault(id(getattr(module, attribute)), f"{alias}.{attribute}")
        return names


def has_wide_types(graph: Graph) -> bool:
    """Whether a graph has 64-bit values."""
    values = [v for n in nodes_within(graph.nodes) for v in n.outputs] + [p.value for p in graph.inputs]
    return any(v.dtype.name in ("float64", "int64", "uint64", "complex128") for v in values)


def number_literal(value: Any, dtype: DType) -> str:
    """The shortest text of a scalar that reads back to the same bits in its dtype.

    >>> from isograd.ir.types import float32, int32
    >>> number_literal(np.float32(0.1), float32), number_literal(np.int32(3), int32)
    ('0.1', '3')
    """
    scalar = np.asarray(value).reshape(())[()]
    if dtype.is_float and dtype.bits < 64:
        wide = float(scalar)
        short = np.format_float_positional(np.float32(scalar), unique=True, trim="0") if np.isfinite(wide) else ""
        compact = repr(float(short)) if short else repr(wide)
        rounds_down = abs(float(compact)) > abs(wide) == float(ml_dtypes.finfo(dtype.numpy).max)  # type: ignore[no-untyped-call]  # frameworks refuse it
        exact = bool(np.isfinite(wide)) and scalar.dtype.type(float(compact)) == scalar and not rounds_down
        return compact if exact else _special(wide)
    return _special(scalar.item()) if dtype.is_float else repr(scalar.item())


def _special(value: float) -> str:
    return repr(value) if np.isfinite(value) else f'float("{value}")'


def drop_defaults(function: Any, attributes: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
    """The attributes that a call must name: those that differ from the function's own defaults."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return dict(attributes)
    return {
        k: v for k, v in attributes.items()
        if k not in parameters or ast.unparse(v) != repr(parameters[k].default)
    }  # fmt: skip


def shape_text(values: Sequence[Size]) -> str:
    return f"[{', '.join(map(str, values))}]"


def type_text(value: Value) -> str:
    return f"{value.dtype.name}{shape_text(value.shape)}"
