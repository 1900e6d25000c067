"""ONNX: division in whole numbers, and what it leaves over."""

from __future__ import annotations

from ...ir import Node, ops
from ..fold import divides_safely
from ..rules import When
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by, is_float, op

# ONNX Runtime fails where an integer is divided by 0, and the process ends where the smallest is by -1: by 1 is divided
# instead. The Mod that keeps the dividend's sign goes through double, so of integers it is not taken.


def _truncated_divide(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """The quotient times 0 where the divisor is 0, and times -1 where it is -1."""
    is_zero, is_minus_one = _special(b, y)
    factor = b.Sub(number(b, 1), is_zero)
    if is_minus_one:
        factor = b.Sub(factor, b.Mul(is_minus_one, number(b, 2)))
    return b.Mul(b.Div(x, _divisor(b, y)), factor)  # type: ignore[no-any-return]


def _remainder(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.Mod(x, _divisor(b, y))  # type: ignore[no-any-return]


def _truncated_remainder(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    divisor = _divisor(b, y)
    return b.Sub(x, b.Mul(b.Div(x, divisor), divisor))  # type: ignore[no-any-return]


def _truncated_remainder_of_number(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.Sub(x, b.Mul(b.Div(x, y), y))  # type: ignore[no-any-return]


def _divisor(b: Builder, y: Tensor) -> Tensor:
    """The divisor, with 1 for 0 and -1."""
    is_zero, is_minus_one = _special(b, y)
    divisor = b.Add(y, is_zero)
    return b.Add(divisor, b.Mul(is_minus_one, number(b, 2))) if is_minus_one else divisor  # type: ignore[no-any-return]


def _special(b: Builder, y: Tensor) -> tuple[Tensor, Tensor | None]:
    """1 where the divisor is 0, and 1 where it is -1, which an unsigned one never is."""
    is_zero = b.cast(b.Equal(y, number(b, 0)), y.dtype)
    return is_zero, b.cast(b.Equal(y, number(b, -1)), y.dtype) if y.dtype.kind == "int" else None


def _divides_integers_safely(node: Node) -> bool:
    return divides_safely(node) and not is_float(node)


def _is_integer(node: Node) -> bool:
    return not is_float(node)


_QUOTIENT = ("Div", "Mul", "Sub")
rows = {
    ops.truncated_remainder: (
        When(is_float, op("Mod", fmod=1)), When(divides_safely, by(_truncated_remainder_of_number, *_QUOTIENT)),
        by(_truncated_remainder, *_QUOTIENT),
    ),
    ops.remainder: (
        When(_divides_integers_safely, op("Mod")), When(_is_integer, by(_remainder, "Mod", "Add")),
    ),
    ops.truncated_divide: (When(divides_safely, op("Div")), by(_truncated_divide, *_QUOTIENT)),
}  # fmt: skip
