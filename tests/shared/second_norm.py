"""Normalizations, written a second time from their definitions."""

from __future__ import annotations

import math
import statistics

import numpy as np
from second_reduction import reduction, variance


def normalized(x, mean, variance, scale, offset, epsilon):
    y = (x - mean) / np.sqrt(variance + epsilon)
    return y * (1.0 if scale is None else scale) + (0.0 if offset is None else offset)


def along(v, x, axis):
    return None if v is None else np.asarray(v).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def batch_norm_inference(x, scale, offset, mean, variance, *, axis=-1, epsilon=1e-3):
    return normalized(x, *(along(v, x, axis) for v in (mean, variance, scale, offset)), epsilon)


def batch_norm(x, scale=None, offset=None, *, axis=-1, epsilon=1e-3):
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, spread = reduction(lambda v: math.fsum(v) / len(v))(x, axes=others), reduction(variance)(x, axes=others)
    return batch_norm_inference(x, scale, offset, mean, spread, axis=axis, epsilon=epsilon), mean, spread


def layer_norm(x, scale=None, offset=None, *, axes=(-1,), epsilon=1e-3):
    mean = reduction(lambda v: math.fsum(v) / len(v))(x, axes=axes, keepdims=True)
    return normalized(x, mean, reduction(variance)(x, axes=axes, keepdims=True), scale, offset, epsilon)


def rms_norm(x, scale=None, *, axes=(-1,), epsilon=1e-6):
    size = reduction(lambda v: math.sqrt(statistics.fmean(a * a for a in v) + epsilon))(x, axes=axes, keepdims=True)
    return x / size * (1.0 if scale is None else scale), 1.0 / size


def group_norm(x, scale=None, offset=None, *, groups, axis=-1, epsilon=1e-3):
    channels = np.moveaxis(x, axis, 1)
    each = channels.shape[1] // groups
    result, means, deviations = np.zeros(channels.shape), np.zeros((len(x), groups)), np.zeros((len(x), groups))
    for n, g in np.ndindex(len(x), groups):
        part = channels[n, g * each : (g + 1) * each]
        elements = list(part.flat)
        means[n, g] = statistics.fmean(elements)
        deviations[n, g] = 1.0 / math.sqrt(variance(elements) + epsilon)
        result[n, g * each : (g + 1) * each] = (part - means[n, g]) * deviations[n, g]
    result = np.moveaxis(result, 1, axis)
    result = result * (1.0 if scale is None else along(scale, x, axis))
    return result + (0.0 if offset is None else along(offset, x, axis)), means, deviations


def instance_norm(x, scale=None, offset=None, *, axis=-1, epsilon=1e-3):
    return group_norm(x, scale, offset, groups=x.shape[axis], axis=axis, epsilon=epsilon)


def length(order):
    def of(v):
        sizes = [abs(a) for a in v]
        if math.isinf(order):
            return max(sizes) if order > 0 else min(sizes)
        return sum(map(bool, sizes)) if order == 0 else math.fsum(a**order for a in sizes) ** (1.0 / order)

    return of


def vector_norm(x, *, order=2.0, axes=None, keepdims=False):
    return reduction(length(order))(x, axes=axes, keepdims=keepdims)


def l2_normalize(x, *, axes=(-1,), epsilon=1e-12, bounded="norm"):
    least = epsilon if bounded == "norm" else math.sqrt(epsilon)
    return x / reduction(lambda v: max(math.hypot(*v), least))(x, axes=axes, keepdims=True)


def weight_norm(x, scale, *, axis=0):
    rows = np.moveaxis(x, axis, 0)
    made = [row / math.hypot(*row.flat) * s for row, s in zip(rows, scale.flat, strict=True)]
    return np.moveaxis(np.array(made), 0, axis)


def local_response_norm(x, *, window=(2, 2), axis=-1, alpha=1e-4, beta=0.75, bias=1.0):
    """Krizhevsky, Sutskever and Hinton (2012), 3.3, whose windows are symmetric."""
    before, after = window

    def of_row(row):
        near = (row[max(i - before, 0) : i + after + 1] for i in range(len(row)))
        return [v / (bias + alpha * math.fsum(a * a for a in part)) ** beta for v, part in zip(row, near, strict=True)]

    return np.apply_along_axis(of_row, axis, x)


def cosine_similarity(x, y, *, axis=-1, epsilon=1e-8):
    rank = max(x.ndim, y.ndim)
    x, y = np.broadcast_arrays(*(v.reshape((1,) * (rank - v.ndim) + v.shape) for v in (x, y)))
    x, y = (np.moveaxis(v, axis, -1) for v in (x, y))
    result = np.zeros(x.shape[:-1])
    for place in np.ndindex(*result.shape):
        a, b = x[place], y[place]
        result[place] = math.fsum(a * b) / max(math.hypot(*a), epsilon) / max(math.hypot(*b), epsilon)
    return result


def pairwise_distance(x, y, *, order=2.0):
    stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = (np.broadcast_to(v, (*stack, *v.shape[-2:])) for v in (x, y))
    result = np.zeros((*stack, x.shape[-2], y.shape[-2]))
    for *place, i, j in np.ndindex(*result.shape):
        result[(*place, i, j)] = length(order)([a - b for a, b in zip(x[(*place, i)], y[(*place, j)], strict=True)])
    return result


SECOND = {
    "batch_norm": batch_norm,
    "batch_norm_inference": batch_norm_inference,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "vector_norm": vector_norm,
    "l2_normalize": l2_normalize,
    "weight_norm": weight_norm,
    "local_response_norm": local_response_norm,
    "cosine_similarity": cosine_similarity,
    "pairwise_distance": pairwise_distance,
}
