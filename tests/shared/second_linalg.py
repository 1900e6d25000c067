"""Linear algebra, written a second time: Leibniz's and Cramer's formulas, Cholesky's recurrence, substitution."""

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


SECOND = {
    "determinant": stacked(determinant),
    "slogdet": stacked(lambda x: (math.copysign(1.0, determinant(x)), math.log(abs(determinant(x))))),
    "solve": stacked(solve),
    "inverse": stacked(lambda x: solve(x, np.diag([1.0] * len(x)))),
    "triangular_solve": stacked(triangular_solve),
    "cholesky": stacked(cholesky),
    "matrix_power": stacked(matrix_power),
}
