"""Linear algebra, written a second time: Leibniz's and Cramer's formulas, Jacobi's rotations, Gram-Schmidt."""

from __future__ import annotations

import itertools
import math

import numpy as np


def stacked(function):
    """A function of matrices as one of stacks of them, whose first axes broadcast."""

    def of(*arrays, **attributes):
        stack = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
        wide = [np.broadcast_to(a, (*stack, *a.shape[-2:])) for a in arrays]
        made = [function(*(a[place] for a in wide), **attributes) for place in np.ndindex(*stack)]
        if isinstance(made[0], tuple):
            return tuple(np.reshape(v, (*stack, *np.shape(v[0]))) for v in zip(*made, strict=True))
        return np.reshape(made, (*stack, *np.shape(made[0])))

    return of


def determinant(x):
    """Leibniz: over all permutations, with the sign of their inversions."""
    total = []
    for order in itertools.permutations(range(len(x))):
        turned = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
        total.append((-1) ** turned * math.prod(x[i, j] for i, j in enumerate(order)))
    return math.fsum(total)


def solve(a, b):
    """Cramer: each unknown is a quotient of determinants."""
    result = np.zeros(b.shape)
    for i, j in np.ndindex(*b.shape):
        exchanged = a.copy()
        exchanged[:, i] = b[:, j]
        result[i, j] = determinant(exchanged) / determinant(a)
    return result


def triangular_solve(a, b, *, lower=True, transposed=False):
    """Substitution, from the row that has one unknown."""
    triangle = np.array([[v if (j <= i) == lower or i == j else 0.0 for j, v in enumerate(r)] for i, r in enumerate(a)])
    triangle = triangle.T if transposed else triangle
    n, result = len(a), np.zeros(b.shape)
    for i in range(n) if lower != transposed else reversed(range(n)):
        result[i] = (b[i] - triangle[i] @ result) / triangle[i, i]
    return result


def cholesky(x):
    """Cholesky's recurrence, row after row, of the symmetric part."""
    x, factor = (x + x.T) / 2, np.zeros(x.shape)
    for i in range(len(x)):
        for j in range(i + 1):
            rest = x[i, j] - math.fsum(factor[i] * factor[j])
            factor[i, j] = math.sqrt(rest) if i == j else rest / factor[j, j]
    return factor


def matrix_power(x, *, exponent):
    result = np.diag([1.0] * len(x))
    for _ in range(exponent):
        result = result @ x
    return result


def eigh(x, sweeps=20):
    """Jacobi's rotations (1846): each makes one element beside the diagonal zero."""
    x = (x + x.T) / 2
    vectors = np.diag([1.0] * len(x))
    for _, (i, j) in itertools.product(range(sweeps), itertools.combinations(range(len(x)), 2)):
        angle = math.atan2(2.0 * x[i, j], x[j, j] - x[i, i]) / 2
        turn = np.diag([1.0] * len(x))
        turn[i, i] = turn[j, j] = math.cos(angle)
        turn[i, j], turn[j, i] = math.sin(angle), -math.sin(angle)
        x, vectors = turn.T @ x @ turn, vectors @ turn
    order = sorted(range(len(x)), key=lambda i: x[i, i])
    return np.array([x[i, i] for i in order]), oriented(vectors[:, order])


def oriented(vectors):
    """Columns, the largest number in each positive."""
    return np.stack([v if v[list(abs(v)).index(max(abs(v)))] > 0 else -v for v in vectors.T], 1)


def svd(x):
    """From the eigenvectors of the smaller of both products of x and its transpose."""
    if x.shape[0] > x.shape[1]:
        squares, right = eigh(x.T @ x)
        sizes = np.sqrt(squares[::-1])
        left = x @ right[:, ::-1] / sizes
    else:
        squares, left = eigh(x @ x.T)
        sizes, left = np.sqrt(squares[::-1]), left[:, ::-1]
    left = oriented(left)
    return left, sizes, (left.T @ x) / sizes[:, None]


def qr(x):
    """Gram and Schmidt: each column without what lies along those before it."""
    columns = []
    for column in x.T[: len(x)]:
        for unit in columns:
            column = column - math.fsum(unit * column) * unit
        columns.append(column / math.hypot(*column))
    q = np.stack(columns, 1)
    return q, np.array([[math.fsum(u * c) if i <= j else 0.0 for j, c in enumerate(x.T)] for i, u in enumerate(q.T)])


def pinv(x, *, rtol=None):
    """Of full rank by the normal equations; of rank one x's transpose over the sum of squares."""
    if x.shape[1] == 2 and abs(determinant(x.T @ x)) < 1e-9:
        return x.T / np.sum(x * x)
    return solve(x.T @ x, x.T) if x.shape[0] > x.shape[1] else solve(x @ x.T, x).T


SECOND = {
    "determinant": stacked(determinant),
    "slogdet": stacked(lambda x: (math.copysign(1.0, determinant(x)), math.log(abs(determinant(x))))),
    "solve": stacked(solve),
    "inverse": stacked(lambda x: solve(x, np.diag([1.0] * len(x)))),
    "triangular_solve": stacked(triangular_solve),
    "cholesky": stacked(cholesky),
    "matrix_power": stacked(matrix_power),
    "qr": stacked(qr),
    "svd": stacked(svd),
    "eigh": stacked(eigh),
    "singular_values": stacked(lambda x: svd(x)[1]),
    "nuclear_norm": stacked(lambda x: math.fsum(svd(x)[1])),
    "pinv": stacked(pinv),
    "lstsq": stacked(lambda a, b, *, rtol=None: pinv(a, rtol=rtol) @ b),
}
