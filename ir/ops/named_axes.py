"""Products that sum over named axes, and forms of them that have names of their own."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dims import Size, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType, int32
from .arithmetic import check_kind, check_same_dtype
from .comparison import equal, where
from .constant import arange
from .contraction import matmul
from .shape import broadcast_to, expand_dims, normalize_axes, normalize_axis, reshape, squeeze, transpose

_KINDS = ("int", "uint", "float", "complex")
_BOUND = Bound("contraction", 4.0)
Axes = tuple[int, ...]


def _terms(equation: str) -> tuple[list[str], str]:
    """The labels of the operands and of the result."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = set(left) - {","}
    if not arrow or not (letters | set(result)) <= set(string.ascii_letters):
        raise TypeMismatchError(
            f"einsum takes letters and an explicit result, as in 'ij,jk->ik', not {equation!r}; "
            "einsum_of resolves an ellipsis and an implicit result"
        )
    if len(set(result)) < len(result) or not set(result) <= letters:
        raise TypeMismatchError(f"einsum: each letter of the result stands in it once and in an operand: {equation!r}")
    return terms, result


def _sizes(terms: Sequence[str], xs: Sequence[Any]) -> dict[str, Size]:
    sizes: dict[str, Size] = {}
    for term, x in zip(terms, xs, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            require("==", sizes.setdefault(letter, size), size)
    return sizes


def _einsum_type(*xs: TensorType, equation: str) -> TensorType:
    check_kind("einsum", _KINDS, *xs)
    check_same_dtype("einsum", *xs)
    terms, result = _terms(equation)
    if [len(t) for t in terms] != [x.rank for x in xs]:
        raise TypeMismatchError(f"einsum {equation!r} does not name the axes of {', '.join(map(str, xs))}")
    sizes = _sizes(terms, xs)
    return xs[0].with_shape(tuple(sizes[c] for c in result))


def _einsum(*xs: Any, equation: str) -> Any:
    wide = [x.astype(np.float32) if x.dtype.name == "bfloat16" else x for x in xs]  # NumPy sums no bfloat16
    return np.asarray(np.einsum(equation, *wide, optimize=len(xs) > 2)).astype(xs[0].dtype)


def _einsum_gradient(g: Value, out: Value, *xs: Value, equation: str) -> tuple[Value, ...]:
    """Each operand's gradient is an einsum of g and the others; what g lacks is spread out afterwards."""
    terms, result = _terms(equation)
    found = []
    for k, x in enumerate(xs):
        others = [(t, v) for i, (t, v) in enumerate(zip(terms, xs, strict=True)) if i != k]
        once = "".join(dict.fromkeys(terms[k]))
        held = "".join(c for c in once if c in result or any(c in t for t, _ in others))
        left = ",".join([result, *(t for t, _ in others)])
        d = g if left == held else einsum(g, *(v for _, v in others), equation=f"{left}->{held}")
        found.append(_on_diagonal(_spread(d, held, once, x, terms[k]), once, x, terms[k]))
    return tuple(found)


def _spread(d: Value, held: str, once: str, x: Value, term: str) -> Value:
    """d[held], the same along each axis of `once` that it lacks."""
    if held == once:
        return d
    shape = tuple(x.shape[term.index(c)] for c in once)
    return broadcast_to(expand_dims(d, *(i for i, c in enumerate(once) if c not in held)), shape=shape)  # type: ignore[no-any-return]


def _on_diagonal(d: Value, once: str, x: Value, term: str) -> Value:
    """d[once] on the diagonals of x's axes that share a letter, and zero beside them."""
    if term == once:
        return d
    spots = [arange_along(x, i) for i in range(x.rank)]
    d = reshape(_ordered(d, once, term), shape=tuple(s if term.index(c) == i else 1 for i, (c, s) in _places(term, x)))
    for i, c in enumerate(term):
        if term.index(c) < i:
            d = where(equal(spots[term.index(c)], spots[i]), d, 0.0)
    return d


def _places(term: str, x: Value) -> Any:
    return enumerate(zip(term, x.shape, strict=True))


def _ordered(d: Value, once: str, term: str) -> Value:
    order = tuple(sorted(range(len(once)), key=lambda i: term.index(once[i])))
    return d if order == tuple(range(len(once))) else transpose(d, axes=order)


def arange_along(x: Value, axis: int) -> Value:
    """The positions along an axis of x, shaped to broadcast against it."""
    places = x.graph.apply(arange, size=x.shape[axis], dtype=int32)
    return expand_dims(places, *(i for i in range(x.rank) if i != axis))


def einsum_of(equation: str, *xs: Value) -> Value:
    """`einsum` as NumPy takes it: with an ellipsis, and with a result that may be implicit.

    Axes of an ellipsis broadcast. An implicit result has the ellipsis, then each letter that stands once, in the order
    of the alphabet.
    """
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise TypeMismatchError(f"einsum {equation!r} has {len(terms)} operands, not {len(xs)}")
    if not arrow:
        letters = left.replace(".", "").replace(",", "")
        result = ("..." if "..." in left else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    extra = [x.rank - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, xs, strict=True)]
    if min(extra) < 0:
        raise TypeMismatchError(f"einsum {equation!r} names more axes than {', '.join(str(x.type) for x in xs)} have")
    free = [c for c in string.ascii_letters if c not in equation][: max(extra)]
    named = [t.replace("...", "".join(free[len(free) - n :])) for t, n in zip(terms, extra, strict=True)]
    wide = {c for t, x in zip(named, xs, strict=True) for c, s in zip(t, x.shape, strict=False) if c in free and s != 1}
    operands = [_without_ones(t, x, wide) for t, x in zip(named, xs, strict=True)]
    equation = ",".join(t for t, _ in operands) + "->" + result.replace("...", "".join(free))
    return einsum(*(x for _, x in operands), equation=equation)  # type: ignore[no-any-return]


def _without_ones(term: str, x: Value, wide: set[str]) -> tuple[str, Value]:
    """An operand without the axes of size 1 that broadcast against others."""
    gone = [i for i, (c, s) in enumerate(zip(term, x.shape, strict=False)) if c in wide and s == 1]
    if not gone:
        return term, x
    kept = [i for i in range(x.rank) if i not in gone]
    return "".join(term[i] for i in kept), reshape(x, shape=tuple(x.shape[i] for i in kept))


def _dot_general_type(
    x: TensorType, y: TensorType, *, contracting: tuple[Axes, Axes], batch: tuple[Axes, Axes] = ((), ())
) -> TensorType:
    check_kind("dot_general", _KINDS, x, y)
    check_same_dtype("dot_general", x, y)
    free = []
    for t, summed, paired in zip((x, y), contracting, batch, strict=True):
        normalize_axes((*summed, *paired), t.rank)
        if min((*summed, *paired), default=0) < 0:
            raise TypeMismatchError(f"dot_general counts axes from the front, as JAX does: {contracting}, {batch}")
        used = {normalize_axis(a, t.rank) for a in (*summed, *paired)}
        free.append([s for i, s in enumerate(t.shape) if i not in used])
    for pair in (contracting, batch):
        if len(pair[0]) != len(pair[1]):
            raise TypeMismatchError(f"dot_general needs as many axes of {x} as of {y}, not {pair}")
        for i, j in zip(*pair, strict=True):
            require("==", x.shape[i], y.shape[j])
    return x.with_shape((*(x.shape[i] for i in batch[0]), *free[0], *free[1]))


def _dot_general_parts(x: Value, y: Value, *, contracting: tuple[Axes, Axes], batch: tuple[Axes, Axes]) -> Value:
    """One product of stacks of matrices: batch, rows, summed times batch, summed, columns."""
    left, rows = _as_matrices(x, batch[0], contracting[0], summed_last=True)
    right, columns = _as_matrices(y, batch[1], contracting[1], summed_last=False)
    out = matmul(left, right)
    shape = (*(x.shape[i] for i in batch[0]), *rows, *columns)
    return out if out.shape == shape else reshape(out, shape=shape)  # type: ignore[no-any-return]


def _as_matrices(x: Value, batch: Axes, summed: Axes, *, summed_last: bool) -> tuple[Value, list[Size]]:
    paired, gone = ([normalize_axis(a, x.rank) for a in axes] for axes in (batch, summed))
    free = [i for i in range(x.rank) if i not in (*paired, *gone)]
    order = (*paired, *free, *gone) if summed_last else (*paired, *gone, *free)
    x = x if order == tuple(range(x.rank)) else transpose(x, axes=order)
    sizes = [product(_picked(x, order, axes)) for axes in ((free, gone) if summed_last else (gone, free))]
    shape = (*_picked(x, order, paired), *sizes)
    return x if x.shape == shape else reshape(x, shape=shape), _picked(x, order, free)


def _picked(x: Value, order: Axes, axes: Sequence[int]) -> list[Size]:
    return [x.shape[order.index(a)] for a in axes]


def _tensordot_type(x: TensorType, y: TensorType, *, axes: tuple[Axes, Axes]) -> TensorType:
    return _dot_general_type(x, y, contracting=_counted(x, y, axes))


def _counted(x: Any, y: Any, axes: tuple[Axes, Axes]) -> tuple[Axes, Axes]:
    """The axes counted from the front."""
    left, right = (tuple(normalize_axis(a, v.rank) for a in of) for v, of in zip((x, y), axes, strict=True))
    return left, right


def _tensordot_parts(x: Value, y: Value, *, axes: tuple[Axes, Axes]) -> Value:
    return dot_general(x, y, contracting=_counted(x, y, axes))  # type: ignore[no-any-return]


def _bilinear_type(x: TensorType, y: TensorType, weight: TensorType, offset: TensorType | None = None) -> TensorType:
    check_kind("bilinear", ("float",), x, y, weight)
    check_same_dtype("bilinear", *(t for t in (x, y, weight, offset) if t is not None))
    if weight.rank != 3 or x.rank != y.rank or x.rank < 1:
        raise TypeMismatchError(f"bilinear takes [..., i], [..., j] and [out, i, j], not {x}, {y} and {weight}")
    for a, b in (*zip(x.shape[:-1], y.shape[:-1], strict=True), (x.shape[-1], weight.shape[1])):
        require("==", a, b)
    require("==", y.shape[-1], weight.shape[2])
    if offset is not None and offset.shape != weight.shape[:1]:
        raise TypeMismatchError(f"bilinear gives {weight.shape[0]} numbers a row, so the offset is not {offset}")
    return x.with_shape((*x.shape[:-1], weight.shape[0]))


def _bilinear_parts(x: Value, y: Value, weight: Value, offset: Value | None) -> Value:
    """x and weight first, so that no step has more than one axis beside those of its result."""
    rows = string.ascii_uppercase[: x.rank - 1]
    half = einsum(x, weight, equation=f"{rows}i,oij->{rows}oj")
    out = einsum(half, y, equation=f"{rows}oj,{rows}j->{rows}o")
    return out if offset is None else out + offset  # type: ignore[no-any-return]


def _outer_type(x: TensorType, y: TensorType) -> TensorType:
    check_kind("outer", _KINDS, x, y)
    check_same_dtype("outer", x, y)
    if (x.rank, y.rank) != (1, 1):
        raise TypeMismatchError(f"outer takes two vectors, not {x} and {y}")
    return x.with_shape((*x.shape, *y.shape))


def _kron_type(x: TensorType, y: TensorType) -> TensorType:
    check_kind("kron", _KINDS, x, y)
    check_same_dtype("kron", x, y)
    rank = max(x.rank, y.rank)
    return x.with_shape(tuple(a * b for a, b in zip(_padded(x, rank), _padded(y, rank), strict=True)))


def _padded(x: Any, rank: int) -> tuple[Size, ...]:
    return (*[1] * (rank - x.rank), *x.shape)


def _kron_parts(x: Value, y: Value) -> Value:
    """Blocks of y, one for each element of x."""
    rank = max(x.rank, y.rank)
    a, b = _padded(x, rank), _padded(y, rank)
    left = reshape(x, shape=tuple(s for n in a for s in (n, 1)))
    right = reshape(y, shape=tuple(s for n in b for s in (1, n)))
    return reshape(left * right, shape=tuple(m * n for m, n in zip(a, b, strict=True)))  # type: ignore[no-any-return]


def matmul_any(x: Value, y: Value) -> Value:
    """`matmul` as NumPy takes it, with vectors too: a row before a matrix, a column after one, a sum between two."""
    left = expand_dims(x, 0) if x.rank == 1 else x
    right = expand_dims(y, 1) if y.rank == 1 else y
    gone = [axis for axis, v in ((-2, x), (-1, y)) if v.rank == 1]
    out = matmul(left, right)
    return squeeze(out, *gone) if gone else out


einsum: Op = Op(
    "einsum", _einsum_type, _einsum, _einsum_gradient, bound=_BOUND, smooth=True,
    samples=(sample((2, 3), (3, 4), equation="ij,jk->ik"), sample((2, 3, 4), (4, 5), (5, 3), equation="bij,jk,ki->b"),
             sample((2, 3), equation="ij->"), sample((2, 3, 4), equation="bij->jb"),
             sample((3, 4), (5,), equation="ij,k->ik"), sample((2, 5), (3, 5), equation="bc,dc->dbc")),
)  # fmt: skip
# As JAX has it: the result has the batch axes, the free axes of x, then those of y.
dot_general = Op(
    "dot_general", _dot_general_type, None, None, _dot_general_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 3, 4), (4, 5), contracting=((2,), (0,))),
             sample((2, 3, 4), (3, 5, 2), contracting=((1,), (0,)), batch=((0,), (2,))),
             sample((3, 2), (2, 3), contracting=((0, 1), (1, 0))), sample((3,), (2,), contracting=((), ()))),
)  # fmt: skip
tensordot = Op(
    "tensordot", _tensordot_type, None, None, _tensordot_parts, bound=_BOUND, smooth=True,
    samples=(sample((2, 3, 4), (4, 3, 5), axes=((1, 2), (1, 0))), sample((2, 3), (4, 3), axes=((-1,), (-1,)))),
)  # fmt: skip
bilinear = Op(
    "bilinear", _bilinear_type, None, None, _bilinear_parts, bound=_BOUND, smooth=True,
    samples=(sample((4, 2), (4, 3), (5, 2, 3), (5,)), sample((6, 4, 2), (6, 4, 3), (5, 2, 3))),
)  # fmt: skip
outer = Op(
    "outer", _outer_type, None, None, lambda x, y: expand_dims(x, 1) * y, samples=(sample((2,), (3,)),), smooth=True
)
kron = Op(
    "kron", _kron_type, None, None, _kron_parts, smooth=True,
    samples=(sample((2, 3), (4, 2)), sample((3,), (2, 5)), sample((2, 3, 1), (4,))),
)  # fmt: skip

OPS = (einsum, dot_general, tensordot, bilinear, outer, kron)
