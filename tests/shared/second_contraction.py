"""Products that sum, written a second time as loops over every axis."""

from __future__ import annotations

import math

import numpy as np


def matmul(x, y):
    shape = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = np.broadcast_to(x, (*shape, *x.shape[-2:])), np.broadcast_to(y, (*shape, *y.shape[-2:]))
    result = np.zeros((*shape, x.shape[-2], y.shape[-1]))
    for place in np.ndindex(*result.shape):
        *stack, i, j = place
        result[place] = math.fsum(x[(*stack, i, k)] * y[(*stack, k, j)] for k in range(x.shape[-1]))
    return result


def summed(xs, terms, result):
    """The sum of products over the labels that the result lacks; terms and result name the axes."""
    sizes = {label: n for x, term in zip(xs, terms, strict=True) for label, n in zip(term, x.shape, strict=True)}
    total = np.zeros([sizes[label] for label in result])
    for place in np.ndindex(*sizes.values()):
        at = dict(zip(sizes, place, strict=True))
        factors = (x[tuple(at[label] for label in term)] for x, term in zip(xs, terms, strict=True))
        total[tuple(at[label] for label in result)] += math.prod(factors)
    return total


def einsum(*xs, equation):
    left, result = equation.split("->")
    return summed(xs, left.split(","), result)


def dot_general(x, y, *, contracting, batch=((), ())):
    terms = []
    for own, v, summed_axes, batch_axes in zip("xy", (x, y), contracting, batch, strict=True):
        names = {a: ("batch", k) for k, a in enumerate(batch_axes)} | {a: ("sum", k) for k, a in enumerate(summed_axes)}
        terms.append([names.get(a, (own, a)) for a in range(v.ndim)])
    paired = [("batch", k) for k in range(len(batch[0]))]
    return summed((x, y), terms, paired + [label for term in terms for label in term if label[0] in ("x", "y")])


def tensordot(x, y, *, axes):
    return dot_general(x, y, contracting=tuple([a % v.ndim for a in own] for v, own in zip((x, y), axes, strict=True)))


def bilinear(x, y, weight, offset=None):
    result = np.zeros((*x.shape[:-1], len(weight)))
    for *place, o in np.ndindex(*result.shape):
        result[(*place, o)] = math.fsum(np.ravel(np.multiply.outer(x[tuple(place)], y[tuple(place)]) * weight[o]))
    return result + (0.0 if offset is None else offset)


def kron(x, y):
    rank = max(x.ndim, y.ndim)
    x, y = (v.reshape((1,) * (rank - v.ndim) + v.shape) for v in (x, y))
    result = np.zeros([m * n for m, n in zip(x.shape, y.shape, strict=True)])
    for place in np.ndindex(*result.shape):
        pairs = [divmod(i, n) for i, n in zip(place, y.shape, strict=True)]
        result[place] = x[tuple(q for q, _ in pairs)] * y[tuple(r for _, r in pairs)]
    return result


def group_of(row, sizes):
    """The number of the group that a row is in, or None after the last."""
    return next((k for k in range(len(sizes)) if row < sum(sizes[: k + 1])), None)


def grouped_matmul(x, w, sizes):
    groups = [group_of(i, sizes) for i in range(len(x))]
    return np.array([np.zeros(w.shape[2]) if k is None else row @ w[k] for row, k in zip(x, groups, strict=True)])


def grouped_outer(x, y, sizes):
    result = np.zeros((len(sizes), x.shape[1], y.shape[1]))
    for i, (a, b) in enumerate(zip(x, y, strict=True)):
        if (k := group_of(i, sizes)) is not None:
            result[k] += np.multiply.outer(a, b)
    return result


SECOND = {
    "matmul": matmul,
    "einsum": einsum,
    "dot_general": dot_general,
    "tensordot": tensordot,
    "bilinear": bilinear,
    "outer": lambda x, y: [[a * b for b in y] for a in x],
    "kron": kron,
    "grouped_matmul": grouped_matmul,
    "grouped_outer": grouped_outer,
}
