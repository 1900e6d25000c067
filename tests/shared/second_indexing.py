"""Reading and writing where data say, written a second time one element after the other."""

from __future__ import annotations

import functools
import operator
import statistics

import numpy as np
from second_shape import moved_elements


def take(x, indices, *, axis=0):
    axis %= x.ndim
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    end = axis + indices.ndim
    return moved_elements(x, shape, lambda p: (*p[:axis], indices[p[axis:end]], *p[end:]))


def scatter_add(g, indices, *, axis=0, size):
    end = axis + indices.ndim
    result = np.zeros((*g.shape[:axis], size, *g.shape[end:]))
    for place in np.ndindex(*g.shape):
        result[(*place[:axis], indices[place[axis:end]], *place[end:])] += g[place]
    return result


def one_hot(labels, *, depth, dtype=None):
    return np.array([[float(label == i) for i in range(depth)] for label in labels.ravel()]).reshape(
        *labels.shape, depth
    )


COMBINE = {
    "none": lambda old, new: new,
    "add": operator.add,
    "multiply": operator.mul,
    "minimum": min,
    "maximum": max,
}


def indexed(x, indices, axes):
    """The shape of what is read at indices along axes, and for each place in it where that lies in x."""
    axes = [a % x.ndim for a in axes]
    indices = np.broadcast_arrays(*indices)
    others = [n for a, n in enumerate(x.shape) if a not in axes]
    at = axes[0] if axes == list(range(axes[0], axes[-1] + 1)) else 0
    end = at + indices[0].ndim

    def source(place):
        rest = iter((*place[:at], *place[end:]))
        return tuple(indices[axes.index(a)][place[at:end]] if a in axes else next(rest) for a in range(x.ndim))

    return (*others[:at], *indices[0].shape, *others[at:]), source


def put(x, values, source, reduction):
    result = x.copy()
    for place in np.ndindex(*values.shape):
        result[source(place)] = COMBINE[reduction](result[source(place)], values[place])
    return result


def along(indices, axis):
    """Where `take_along_axis` reads for each place of the indices."""
    axis %= indices.ndim
    return lambda place: (*place[:axis], indices[place], *place[axis + 1 :])


def of_tuples(indices, batch=0):
    """Where the tuples in the last axis of the indices point to, for each place of what is read."""
    lead = indices.ndim - 1
    return lambda place: (*place[:batch], *indices[place[:lead]], *place[lead:])


def gather_nd(x, indices, *, batch_dims=0):
    shape = (*indices.shape[:-1], *x.shape[batch_dims + indices.shape[-1] :])
    return moved_elements(x, shape, of_tuples(indices, batch_dims))


def take_or_fill(x, indices, fill, *, axis=0):
    axis %= x.ndim
    rows = [x.take(i, axis) if 0 <= i < x.shape[axis] else np.full_like(x.take(0, axis), fill) for i in indices.flat]
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return np.stack(rows, axis).reshape(shape)


def moved_inside(starts, whole, part):
    return [sorted((0, int(s), n - m))[1] for s, n, m in zip(starts, whole, part, strict=True)]


def dynamic_slice(x, *starts, sizes):
    firsts = moved_inside(starts, x.shape, sizes)
    return moved_elements(x, sizes, lambda place: tuple(a + p for a, p in zip(firsts, place, strict=True)))


def dynamic_update_slice(x, update, *starts):
    firsts = moved_inside(starts, x.shape, update.shape)
    return put(x, update, lambda place: tuple(a + p for a, p in zip(firsts, place, strict=True)), "none")


def scatter_reduce(x, indices, values, *, axis, reduction, include_self=True):
    """What comes to each place, collected first."""
    found, source = {}, along(indices, axis)
    for place in np.ndindex(*values.shape):
        found.setdefault(source(place), []).append(values[place])
    result = x.copy()
    for place, given in found.items():
        together = [x[place]] * include_self + given
        result[place] = (
            statistics.fmean(together) if reduction == "mean" else functools.reduce(COMBINE[reduction], together)
        )
    return result


SECOND = {
    "take": take,
    "scatter_add": scatter_add,
    "one_hot": one_hot,
    "normalize_indices": lambda indices, *, size, mode="negative": np.vectorize(
        lambda i: sorted((0, i, size - 1))[1] if mode == "clip" else range(size)[i]
    )(indices),
    "index": lambda x, *indices, axes: moved_elements(x, *indexed(x, indices, axes)),
    "index_put": lambda x, values, *indices, axes, reduction="none": put(
        x, values, indexed(x, indices, axes)[1], reduction
    ),
    "take_along_axis": lambda x, indices, *, axis: moved_elements(x, indices.shape, along(indices, axis)),
    "gather_nd": gather_nd,
    "take_or_fill": take_or_fill,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
    "scatter_along_axis": lambda x, indices, values, *, axis, reduction="none": put(
        x, values, along(indices, axis), reduction
    ),
    "scatter_nd": lambda x, indices, values, *, reduction="none": put(x, values, of_tuples(indices), reduction),
    "scatter_reduce": scatter_reduce,
}
