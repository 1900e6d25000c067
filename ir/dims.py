"""Sizes of axes: ints, and symbolic integer expressions with one normal form."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from .errors import GuardError, TypeMismatchError


class Dim:
    """A size that is not known when the graph is built: an integer expression over non-negative symbols.

    Arithmetic gives an int again where the symbols cancel. Division is `floor_div` or `divide_exact`;
    the operator `//` is an error, since two ways to write one size would not compare equal.

    >>> n = symbol("N")
    >>> n + 1 - n, str(2 * n + 1), 2 * n == n + n
    (1, '2*N + 1', True)
    """

    __slots__ = ("expression",)

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def __add__(self, other: Size) -> Size:
        return _size(self.expression + _expression(other))

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        return _size(self.expression - _expression(other))

    def __rsub__(self, other: Size) -> Size:
        return _size(_expression(other) - self.expression)

    def __mul__(self, other: Size) -> Size:
        return _size(_symbolic().multiply(self.expression, _expression(other)))

    __rmul__ = __mul__

    def __neg__(self) -> Size:
        return _size(-self.expression)

    def __floordiv__(self, other: object) -> Size:
        raise TypeError("a dim has no operator //; use floor_div or divide_exact of isograd.ir.dims")

    def __int__(self) -> int:
        raise TypeError(f"the size {self} is not known yet; isograd.specialize(model, ...) fixes it")

    __index__ = __int__

    def __bool__(self) -> bool:
        raise TypeError(f"whether the size {self} is zero is not known yet")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.expression == other.expression

    def __hash__(self) -> int:
        return hash(self.expression)

    def __str__(self) -> str:
        return str(_symbolic().text(self.expression))

    __repr__ = __str__

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(s.name for s in self.expression.free_symbols)


Size = int | Dim


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition on sizes that could not be decided when the graph was built: `left relation right`."""

    relation: str  # "==" or ">="
    left: Size
    right: Size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Guard) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> Any:
        """Two sizes are equal either way round."""
        return self.relation, frozenset((self.left, self.right)) if self.relation == "==" else (self.left, self.right)

    def holds(self, bindings: Mapping[str, int]) -> bool:
        left, right = evaluate_dim(self.left, bindings), evaluate_dim(self.right, bindings)
        return left == right if self.relation == "==" else left >= right

    def check(self, bindings: Mapping[str, int], places: Mapping[str, str] | None = None) -> None:
        """Raise `GuardError` unless it is true; `places` say in words what each symbol is the size of."""
        if not self.holds(bindings):
            known = places or {}
            sizes = ", ".join(f"{s} = {bindings[s]}{(known.get(s) and f' ({known[s]})') or ''}" for s in self.symbols)
            raise GuardError(f"these sizes do not fit: {self} is not true for {sizes}")

    @property
    def symbols(self) -> list[str]:
        return sorted(symbols_of(self.left) | symbols_of(self.right))

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"


_guards: ContextVar[list[Guard] | None] = ContextVar("guards", default=None)


@contextlib.contextmanager
def collecting_guards() -> Iterator[list[Guard]]:
    """Gather the guards that type rules make while the block runs."""
    guards: list[Guard] = []
    token = _guards.set(guards)
    try:
        yield guards
    finally:
        _guards.reset(token)


def require(relation: str, left: Size, right: Size) -> None:
    """Demand `left relation right` (== or >=) now if it can be decided, and as a guard otherwise."""
    difference = left - right
    holds: bool | None
    if isinstance(difference, int):
        holds = difference == 0 if relation == "==" else difference >= 0
    else:
        holds = _decided(relation, difference)
    if holds is False:
        raise TypeMismatchError(f"the sizes do not fit: {left} {relation} {right} is false")
    guards = _guards.get()
    if holds is None and guards is not None and (guard := _guard(relation, difference)) not in guards:
        guards.append(guard)


@lru_cache(maxsize=4096)
def _decided(relation: str, difference: Dim) -> bool | None:
    """Whether a difference is zero (or is not negative), for all sizes or for none; None where it depends."""
    least, most = bounds(difference)
    if relation == "==":
        return False if least > 0 or most < 0 else None
    return True if least >= 0 else False if most < 0 else None


@lru_cache(maxsize=4096)
def _guard(relation: str, difference: Dim) -> Guard:
    """The shortest condition that says it; equal conditions are one guard."""
    symbolic = _symbolic()
    short = symbolic.simplest(difference.expression) if relation == ">=" else difference.expression
    left, right = map(_size, symbolic.sides(short))
    if relation == "==":
        left, right = (right, left) if isinstance(left, int) else (left, right)
    return Guard(relation, left, right)


def strongest(guards: Sequence[Guard]) -> list[Guard]:
    """The guards that say all: without those that follow from another one.

    >>> n = symbol("N")
    >>> [str(g) for g in strongest([Guard(">=", n, 1), Guard(">=", n, 3), Guard("==", n, symbol("M"))])]
    ['N >= 3', 'N == M']
    """
    kept = list(guards)
    for guard in guards:
        if guard.relation == ">=" and any(g is not guard and _implies(g, guard) for g in kept):
            kept.remove(guard)
    return kept


def _implies(guard: Guard, other: Guard) -> bool:
    return guard.relation == ">=" and bounds(other.left - other.right - (guard.left - guard.right))[0] >= 0


def bounds(size: Size) -> tuple[float, float]:
    """Numbers between which a size lies, whatever its symbols are.

    >>> n = symbol("N")
    >>> bounds(n + 2), bounds(n - 4 * floor_div(n, 4))
    ((2.0, inf), (0.0, 3.0))
    """
    if isinstance(size, int):
        return size, size
    return float(_symbolic().lower(size.expression)), float(_symbolic().upper(size.expression))


def same_dim(a: Size, b: Size) -> Size:
    """The size that `a` and `b` both are; the known one where one is symbolic (and a guard says so)."""
    require("==", a, b)
    return a if isinstance(a, int) else b


def broadcast_dim(a: Size, b: Size) -> Size:
    """The size of an axis after NumPy broadcasting; a symbolic size is never assumed to be 1.

    >>> broadcast_dim(1, 4), broadcast_dim(symbol("N"), 1)
    (4, N)
    """
    if a == 1 and isinstance(a, int):
        return b
    if b == 1 and isinstance(b, int):
        return a
    return same_dim(a, b)


def broadcast_shapes(*shapes: tuple[Size, ...]) -> tuple[Size, ...]:
    """The shape that all `shapes` broadcast to, as NumPy does it."""
    rank = max((len(s) for s in shapes), default=0)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(reduce(broadcast_dim, axis) for axis in zip(*padded, strict=True))


def product(sizes: Iterable[Size]) -> Size:
    result: Size = 1
    for size in sizes:
        result = result * size
    return result


def floor_div(a: Size, b: Size) -> Size:
    """`a` divided by the positive `b`, rounded down, in normal form.

    >>> h = symbol("H")
    >>> str(floor_div(floor_div(h + 1, 2) + 1, 2)), str(floor_div(4 * h + 3, 2)), floor_div(7, 2)
    ('floor((H + 3)/4)', '2*H + 1', 3)
    """
    _check_divisor(b)
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    return _size(_symbolic().floor_quotient(_expression(a), _expression(b)))


def ceil_div(a: Size, b: Size) -> Size:
    """`a` divided by the positive `b`, rounded up."""
    return floor_div(a + (b - 1), b)


def modulo(a: Size, b: Size) -> Size:
    """What is left of `a` divided by the positive `b`.

    >>> n = symbol("N")
    >>> str(modulo(n, 4)), modulo(4 * n + 3, 4), modulo(-1, 4)
    ('N % 4', 3, 3)
    """
    return a - b * floor_div(a, b)


def _check_divisor(b: Size) -> None:
    try:
        require(">=", b, 1)
    except TypeMismatchError:
        raise TypeMismatchError(f"cannot divide a size by {b}") from None


def maximum(*sizes: Size) -> Size:
    """The largest of several sizes.

    >>> n = symbol("N")
    >>> str(maximum(n - 3, 0)), str(maximum(n, n + 1)), str(maximum(2 * n, 6)), maximum(2, 3)
    ('max(N - 3, 0)', 'N + 1', '2*max(N - 3, 0) + 6', 3)
    """
    return _extremum("Maximum", max, sizes)


def minimum(*sizes: Size) -> Size:
    """The smallest of several sizes.

    >>> n = symbol("N")
    >>> str(minimum(n, n - 4)), str(minimum(n, symbol("M"))), minimum(2, 3)
    ('N - 4', 'min(M, N)', 2)
    """
    return _extremum("Minimum", min, sizes)


def _extremum(kind: str, of_ints: Callable[..., int], sizes: Sequence[Size]) -> Size:
    known = [s for s in sizes if isinstance(s, int)]
    if len(known) == len(sizes):
        return of_ints(known)
    symbolic = _symbolic()
    return _size(symbolic.extremum(getattr(symbolic, kind), [_expression(s) for s in sizes]))


def divide_exact(a: Size, b: Size) -> Size:
    """`a / b`, which must be a whole number; where that depends on the symbols, a guard says so.

    >>> str(divide_exact(12 * symbol("N"), 4)), str(divide_exact(symbol("N"), 4))
    ('3*N', 'floor(N/4)')
    """
    if isinstance(a, int) and isinstance(b, int):
        if b == 0 or a % b:
            raise TypeMismatchError(f"{a} is not a multiple of {b}")
        return a // b
    quotient = None if b == 0 else _symbolic().exact_quotient(_expression(a), _expression(b))
    if quotient is not None:
        return _size(quotient)
    try:
        require("==", modulo(a, b), 0)
    except TypeMismatchError:
        raise TypeMismatchError(f"{a} is not a multiple of {b}") from None
    return floor_div(a, b)


def symbol(name: str) -> Dim:
    """The size called `name`, a non-negative integer that an input's shape gives."""
    return Dim(_symbolic().symbol(name))


def symbols_of(size: object) -> frozenset[str]:
    return size.symbols if isinstance(size, Dim) else frozenset()


def evaluate_dim(size: Size, bindings: Mapping[str, int]) -> int:
    """The number that `size` stands for when each symbol has its number in `bindings`."""
    return (
        size if isinstance(size, int) else _evaluate_cached(size, tuple(sorted((k, bindings[k]) for k in size.symbols)))
    )


@lru_cache(maxsize=4096)
def _evaluate_cached(size: Dim, bindings: tuple[tuple[str, int], ...]) -> int:
    return int(_symbolic().substitute(size.expression, dict(bindings)))


def substitute_dim(size: Size, replacements: Mapping[str, Size]) -> Size:
    """`size` with symbols replaced by other sizes."""
    if isinstance(size, int) or not (size.symbols & replacements.keys()):
        return size
    return _size(_symbolic().substitute(size.expression, {k: _expression(v) for k, v in replacements.items()}))


def parse_dim(text: str) -> Size:
    """Read what `str` of a size wrote; names are symbols, `floor(a/b)` is `floor_div`, `%` is `modulo`."""
    return _size(_symbolic().parse(text))


def bind_shape(shape: tuple[Size, ...], actual: tuple[int, ...], bindings: dict[str, int], name: str) -> None:
    """Give each symbol of `shape` its number from `actual`, and check what is already known."""
    if len(shape) != len(actual):
        raise TypeMismatchError(
            f"{name}: expected {len(shape)} axes, {list(map(str, shape))}, but the array has shape {actual}"
        )
    for axis, (size, number) in enumerate(zip(shape, actual, strict=True)):
        if isinstance(size, Dim) and len(size.symbols) == 1 and str(size) in size.symbols:
            bindings.setdefault(str(size), number)
        if isinstance(size, int) or size.symbols <= bindings.keys():
            expected = evaluate_dim(size, bindings)
            if expected != number:
                raise TypeMismatchError(
                    f"{name}: axis {axis} should have size {size} = {expected}, but the array has shape {actual}"
                )


def _expression(size: Size) -> Any:
    return size.expression if isinstance(size, Dim) else size


def _size(expression: Any) -> Size:
    expanded = _symbolic().normal(expression)
    return int(expanded) if expanded.is_Integer else Dim(expanded)


def _symbolic() -> Any:
    from . import symbolic  # sympy takes half a second to import, and most graphs of fixed size never need it

    return symbolic
