"""What every layer is: a row of options that knows how to append itself to a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, Protocol

from ....ir.dims import Size
from ....ir.errors import TypeMismatchError
from ....ir.graph import Graph, Value
from ....ir.types import DType
from ..initializers import Initializer
from ..options import Name, Row
from ..penalties import Penalty


class Site(Protocol):
    """Where a layer is being built: its graph, its mode, and the arrays that are its own."""

    graph: Graph
    training: bool

    def parameter(
        self, name: str, shape: Sequence[Size], dtype: DType, initializer: Initializer, penalty: Penalty | None = None
    ) -> Value:
        """An array that training changes, `<layer>.<name>`."""

    def state(self, name: str, shape: Sequence[Size], dtype: DType, initializer: Initializer) -> Value:
        """An array that the layer itself may change, `<layer>.<name>`."""

    def update(self, name: str, value: Value) -> None:
        """The new value of a state, in a training graph."""

    def part(self, name: str, kind: str, arguments: Mapping[str, Value]) -> AbstractContextManager[Site]:
        """Where a layer within this one is built: its arrays are `<layer>.<name>.<...>`."""

    def random(self, shape: Sequence[Size], name: str = "key") -> tuple[Value, Value] | None:
        """Key and counter for so many random numbers, or None where nothing is random; the key is `<layer>.<name>`."""


Results = Value | tuple[Value, ...]


class Layer(Row):
    """A layer that takes one tensor. `name` is what its parameters and its output are called."""

    least: ClassVar[int] = 1
    most: ClassVar[int | None] = 1
    name: Name | None = None

    def apply(self, site: Site, operands: Sequence[Value]) -> Results:
        (x,) = operands
        result: Results = self.build(site, x)
        return result

    def build(self, site: Site, x: Value) -> Any:
        raise NotImplementedError


DataFormat = Literal["channels_last", "channels_first"]
SPATIAL = {1: "W", 2: "HW", 3: "DHW"}


def layout(rank: int, data_format: DataFormat) -> str:
    """The axes of a batch of images of so many spatial axes, as ops name them."""
    return f"NC{SPATIAL[rank]}" if data_format == "channels_first" else f"N{SPATIAL[rank]}C"


def check_axes(x: Value, axes: str) -> None:
    """Raise unless x has as many axes as `axes` names."""
    if x.rank != len(axes):
        raise TypeMismatchError(f"takes a tensor [{', '.join(axes)}], not {x.type}")


def check_rank(x: Value, least: int) -> None:
    if x.rank < least:
        raise TypeMismatchError(f"takes a tensor of at least {least} axes, not {x.type}")


def check_float(x: Value) -> None:
    if not x.dtype.is_float:
        raise TypeMismatchError(
            f"takes floating-point numbers, not {x.type}; rescaling, or cast in a formula, makes them"
        )


def fixed(x: Value, axis: int) -> int:
    """The size of an axis that a parameter's shape depends on."""
    size = x.shape[axis]
    if not isinstance(size, int):
        raise TypeMismatchError(
            f"its parameters depend on axis {axis % x.rank} of {x.type}, whose size must be a number"
        )
    return size
