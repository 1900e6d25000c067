"""Factorizations of stacks of matrices, and what is made of them: pseudoinverses, least squares, the nuclear norm.

A factorization is unique up to signs (of columns, and rows that meet them); here the signs are part of what it means,
so that all backends give the same numbers. Where what tells columns apart (singular values, eigenvalues) is equal, the
columns are not determined, and their gradient is not finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, broadcast_shapes, minimum, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype
from .comparison import greater, where
from .contraction import swap_last
from .linalg import check_square, lower_part, on_diagonal, triangular_solve
from .reduction import reduce_max, reduce_sum
from .shape import concatenate, expand_dims, slice_axis
from .structure import matrix_diag

_BOUND = Bound("parts", floor=1e-5)


def _check(name: str, x: TensorType) -> tuple[Size, Size, Size]:
    """How many rows, columns, and the smaller of both."""
    check_kind(name, ("float",), x)
    if x.dtype.bits < 32:
        raise TypeMismatchError(f"{name} works on float32 and float64, not on {x}: LAPACK has no other; cast first")
    if x.rank < 2:
        raise TypeMismatchError(f"{name} takes matrices, not {x}")
    return (*x.shape[-2:], minimum(*x.shape[-2:]))  # type: ignore[return-value]


def _qr_type(x: TensorType) -> tuple[TensorType, TensorType]:
    """Q [.., m, k] with orthonormal columns and R [.., k, n], upper triangular, no number on its diagonal negative.

    k is the smaller of m and n. Both are unique where the first k columns are independent.
    """
    m, n, k = _check("qr", x)
    return x.with_shape((*x.shape[:-2], m, k)), x.with_shape((*x.shape[:-2], k, n))


def _qr(x: Any) -> Any:
    """Q and R, no number on R's diagonal negative."""
    q, r = np.linalg.qr(x)
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1, 1).astype(x.dtype)
    return q * signs[..., None, :], r * signs[..., None]


def _qr_gradient(g: Any, out: Any, x: Value) -> tuple[Value]:
    """Of more columns than rows, those behind are Q's transpose times R's (Roberts and Roberts, arXiv 2009.10071)."""
    (g_q, g_r), (q, r), (m, n) = g, out, x.shape[-2:]
    if m == n or not _is_wide(x):
        return (_qr_gradient_of_tall(g_q, g_r, q, r),)
    if g_r is None:
        first = _qr_gradient_of_tall(g_q, None, q, slice_axis(r, -1, 0, m))
        return (concatenate(first, 0.0 * slice_axis(x, -1, m, n), axis=-1),)
    behind = slice_axis(g_r, -1, m, n)
    through = slice_axis(x, -1, m, n) @ swap_last(behind)
    g_q = through if g_q is None else g_q + through
    first = _qr_gradient_of_tall(g_q, slice_axis(g_r, -1, 0, m), q, slice_axis(r, -1, 0, m))
    return (concatenate(first, q @ behind, axis=-1),)


def _is_wide(x: Value) -> bool:
    m, n = x.shape[-2:]
    if not isinstance(m, int) or not isinstance(n, int):
        raise TypeMismatchError(
            f"the gradient of qr of {x} needs to know whether there are more rows or columns; "
            f"isograd.specialize(model, ...) fixes them"
        )
    return n > m


def _qr_gradient_of_tall(g_q: Value | None, g_r: Value | None, q: Value, r: Value) -> Value:
    """Liao, Liu, Wang and Xiang, 'Differentiable programming tensor networks', arXiv 1903.09650, equation 7."""
    inner: Any = None if g_r is None else r @ swap_last(g_r)
    if g_q is not None:
        turned = swap_last(g_q) @ q
        inner = -turned if inner is None else inner - turned
    below = where(on_diagonal(inner), 0.5 * inner, lower_part(inner))
    whole = q @ (below + swap_last(below))
    whole = whole if g_q is None else g_q + whole
    return swap_last(triangular_solve(r, swap_last(whole), lower=False))


def _svd_type(x: TensorType) -> tuple[TensorType, TensorType, TensorType]:
    """x = U diag(S) VH, U [.., m, k], S [.., k] descending, VH [.., k, n]; k is the smaller of m and n.

    The largest number of each column of U (by magnitude, of equals the first) is positive.
    """
    m, n, k = _check("svd", x)
    lead = x.shape[:-2]
    return x.with_shape((*lead, m, k)), x.with_shape((*lead, k)), x.with_shape((*lead, k, n))


def _svd(x: Any) -> Any:
    """U, S and VH; the largest number in each column of U is positive."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    largest = np.take_along_axis(u, np.abs(u).argmax(-2, keepdims=True), -2)
    signs = np.where(largest < 0, -1, 1).astype(x.dtype)
    return u * signs, s, vh * signs.mT


def _svd_gradient(g: Any, out: Any, x: Value) -> tuple[Value]:
    """Townsend, 'Differentiating the singular value decomposition' (2016)."""
    (g_u, g_s, g_vh), (u, s, vh) = g, out
    column, row = expand_dims(s, -1), expand_dims(s, -2)
    parts = []
    if g_s is not None:
        parts.append(matrix_diag(g_s))
    if g_u is not None:
        parts.append(_turn(swap_last(u) @ g_u, row - column, row + column) * row)
    if g_vh is not None:
        parts.append(_turn(vh @ swap_last(g_vh), row - column, row + column) * column)
    total = u @ _sum(parts) @ vh
    if g_u is not None and u.shape[-1] != u.shape[-2]:  # what leads out of the columns' span
        total = total + ((g_u - u @ (swap_last(u) @ g_u)) / row) @ vh
    if g_vh is not None and vh.shape[-1] != vh.shape[-2]:
        total = total + (u / row) @ (g_vh - (g_vh @ swap_last(vh)) @ vh)
    return (total,)


def _turn(inner: Value, difference: Value, total: Value) -> Value:
    """(inner - its transpose) over the difference of squares; 0 on the diagonal."""
    beside = where(on_diagonal(inner), 1.0, difference * total)
    return (inner - swap_last(inner)) / beside  # type: ignore[no-any-return]


def _sum(parts: list[Value]) -> Value:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _eigh_type(x: TensorType) -> tuple[TensorType, TensorType]:
    """The eigenvalues of the symmetric part of x, ascending, and its eigenvectors as columns.

    The largest number of each column (by magnitude, of equals the first) is positive.
    """
    check_square("eigh", x)
    return x.with_shape(x.shape[:-1]), x


def _eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors; the largest number in each of these is positive."""
    w, v = np.linalg.eigh((x + x.mT) / 2)
    largest = np.take_along_axis(v, np.abs(v).argmax(-2, keepdims=True), -2)
    return w, v * np.where(largest < 0, -1, 1).astype(x.dtype)


def _eigh_gradient(g: Any, out: Any, x: Value) -> tuple[Value]:
    """Giles, 'An extended collection of matrix derivative results', 3.1, for a symmetric matrix."""
    (g_w, g_v), (w, v) = g, out
    parts = []
    if g_w is not None:
        parts.append(matrix_diag(g_w))
    if g_v is not None:
        inner = swap_last(v) @ g_v
        apart = where(on_diagonal(inner), 1.0, expand_dims(w, -2) - expand_dims(w, -1))
        parts.append(where(on_diagonal(inner), 0.0, inner / apart))
    whole = v @ _sum(parts) @ swap_last(v)
    return (0.5 * (whole + swap_last(whole)),)


def _values_type(x: TensorType) -> TensorType:
    """The singular values, descending."""
    return x.with_shape((*x.shape[:-2], _check("singular_values", x)[2]))


def _nuclear_type(x: TensorType) -> TensorType:
    """The sum of the singular values."""
    _check("nuclear_norm", x)
    return x.with_shape(x.shape[:-2])


def _pinv_type(x: TensorType, *, rtol: float | None = None) -> TensorType:
    """The pseudoinverse of Moore and Penrose; singular values up to `rtol` times the largest count as zero.

    By default `rtol` is the larger size times the element type's epsilon, as in NumPy and PyTorch.
    """
    m, n, _ = _check("pinv", x)
    _tolerance(x, rtol)
    return x.with_shape((*x.shape[:-2], n, m))


def _tolerance(x: Any, rtol: float | None) -> float:
    if rtol is not None:
        return rtol
    sizes = [s for s in x.shape[-2:] if isinstance(s, int)]
    if len(sizes) < 2:
        raise TypeMismatchError(f"pinv of {x}, whose sizes are not known, needs to be told which rtol")
    return max(sizes) * float(np.finfo(x.dtype.numpy).eps)


def _pinv_parts(x: Value, *, rtol: float | None) -> Value:
    u, s, vh = svd(x)
    kept = greater(s, _tolerance(x, rtol) * reduce_max(s, axes=(-1,), keepdims=True))
    inverse = where(kept, 1.0 / where(kept, s, 1.0), 0.0)
    return swap_last(vh) * expand_dims(inverse, -2) @ swap_last(u)


def _pinv_gradient(g: Value, out: Value, x: Value, *, rtol: float | None) -> tuple[Value]:
    """Golub and Pereyra (1973), 4.12, where the rank stays the same: it needs no singular vectors."""
    turned, g_turned = swap_last(out), swap_last(g)
    behind, before = g_turned @ out @ turned, turned @ out @ g_turned
    outside = (behind - x @ (out @ behind)) + (before - (before @ out) @ x)
    return (outside - turned @ g @ turned,)


def _lstsq_type(a: TensorType, b: TensorType, *, rtol: float | None = None) -> TensorType:
    """The shortest x of those that make a @ x - b shortest, for each column of b; `rtol` is that of `pinv`."""
    m, n, _ = _check("lstsq", a)
    check_same_dtype("lstsq", a, b)
    if b.rank < 2:
        raise TypeMismatchError(f"lstsq takes right-hand sides as columns of matrices, not {b}")
    require("==", m, b.shape[-2])
    _tolerance(a, rtol)
    return b.with_shape((*broadcast_shapes(a.shape[:-2], b.shape[:-2]), n, b.shape[-1]))


def _lstsq_parts(a: Value, b: Value, *, rtol: float | None) -> Value:
    return pinv(a, rtol=rtol) @ b  # type: ignore[no-any-return]


_RANK_ONE = np.array([[1.0, 2.0], [2.0, 4.0], [-3.0, -6.0]], np.float32)
qr: Op = Op(
    "qr", _qr_type, _qr, _qr_gradient, output_names=("q", "r"), bound=_BOUND, smooth=True,
    samples=(sample((4, 3)), sample((2, 3, 5)), sample((5, 2, 3), between=(-1.0, 3.0))),
)  # fmt: skip
svd: Op = Op(
    "svd", _svd_type, _svd, _svd_gradient, output_names=("u", "s", "vh"), bound=_BOUND, smooth=True,
    samples=(sample((4, 3)), sample((2, 3, 5))),
)  # fmt: skip
eigh: Op = Op(
    "eigh", _eigh_type, _eigh, _eigh_gradient, output_names=("w", "v"), bound=_BOUND, smooth=True,
    samples=(sample((3, 3)), sample((2, 4, 4))),
)  # fmt: skip
singular_values: Op = Op(
    "singular_values", _values_type, None, None, lambda x: svd(x)[1], bound=_BOUND, smooth=True,
    samples=(sample((4, 3)), sample((2, 3, 5))),
)  # fmt: skip
nuclear_norm: Op = Op(
    "nuclear_norm", _nuclear_type, None, None, lambda x: reduce_sum(singular_values(x), axes=(-1,)), bound=_BOUND,
    smooth=True, samples=(sample((4, 3)), sample((2, 3, 5))),
)  # fmt: skip
pinv: Op = Op(
    "pinv", _pinv_type, None, _pinv_gradient, _pinv_parts, bound=_BOUND, smooth=True,
    samples=(sample((4, 3)), sample((2, 3, 5), rtol=1e-4), sample(_RANK_ONE, rtol=1e-3, differentiable=False)),
)  # fmt: skip
lstsq: Op = Op(
    "lstsq", _lstsq_type, None, None, _lstsq_parts, bound=_BOUND, smooth=True,
    samples=(sample((4, 3), (4, 2)), sample((2, 3, 5), (3, 4), rtol=1e-4),
             sample(_RANK_ONE, (3, 4), rtol=1e-3, differentiable=False)),
)  # fmt: skip

OPS = (qr, svd, eigh, singular_values, nuclear_norm, pinv, lstsq)
