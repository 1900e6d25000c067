"""Patches, pixel shuffles and blocks, written a second time: where each element goes."""

from __future__ import annotations

import itertools
import math

import numpy as np
from second_convolution import arranged, taps


def letters_of(layout):
    return "".join(c for c in layout if c not in "NC")


def channel(layout, c, inside, window):
    """The number of the channel of a patch: channels count first where the layout has them first."""
    tap, channels = np.ravel_multi_index(inside, window), c[1]
    return c[0] * math.prod(window) + tap if layout[1] == "C" else tap * channels + c[0]


def patches(x, *, window, strides, padding, dilations, layout="NHWC"):
    x = arranged(x, layout, "NC" + letters_of(layout))
    every = list(taps(x.shape[2:], window, strides, padding, dilations))
    counts = [
        (n + a + b - (k - 1) * d - 1) // s + 1
        for n, (a, b), k, d, s in zip(x.shape[2:], padding, window, dilations, strides, strict=True)
    ]
    result = np.zeros((len(x), x.shape[1] * math.prod(window), *counts))
    for (out, inside, place), c in itertools.product(every, range(x.shape[1])):
        made = channel(layout, (c, x.shape[1]), inside, window)
        result[(slice(None), made, *out)] = x[(slice(None), c, *place)]
    return arranged(result, "NC" + letters_of(layout), layout)


def from_patches(g, *, sizes, window, strides, padding, dilations, layout="NHWC"):
    g = arranged(g, layout, "NC" + letters_of(layout))
    channels = g.shape[1] // math.prod(window)
    result = np.zeros((len(g), channels, *sizes))
    for (out, inside, place), c in itertools.product(taps(sizes, window, strides, padding, dilations), range(channels)):
        made = channel(layout, (c, channels), inside, window)
        result[(slice(None), c, *place)] += g[(slice(None), made, *out)]
    return arranged(result, "NC" + letters_of(layout), layout)


def depths(shape, block, blocks_first, layout):
    """Pairs of places, fine [N, C, space] and coarse, which hold the same."""
    n, c, *space = shape
    count = block ** len(space)
    for place in np.ndindex(n, c, *space):
        sample, c_fine, *fine = place
        inside = np.ravel_multi_index([i % block for i in fine], (block,) * len(space))
        deep = inside * c + c_fine if blocks_first else c_fine * count + inside
        yield place, (sample, deep, *(i // block for i in fine))


def depth_to_space(x, *, block, blocks_first=False, layout="NHWC"):
    x = arranged(x, layout, "NC" + letters_of(layout))
    n, c, *space = x.shape
    result = np.zeros((n, c // block ** len(space), *(s * block for s in space)))
    for fine, coarse in depths(result.shape, block, blocks_first, layout):
        result[fine] = x[coarse]
    return arranged(result, "NC" + letters_of(layout), layout)


def space_to_depth(x, *, block, blocks_first=False, layout="NHWC"):
    x = arranged(x, layout, "NC" + letters_of(layout))
    n, c, *space = x.shape
    result = np.zeros((n, c * block ** len(space), *(s // block for s in space)))
    for fine, coarse in depths(x.shape, block, blocks_first, layout):
        result[coarse] = x[fine]
    return arranged(result, "NC" + letters_of(layout), layout)


def channel_shuffle(x, *, groups, axis=-1):
    """Dealt out: one of each group in turn."""
    each = x.shape[axis] // groups
    return np.stack([x.take(g * each + e, axis) for e in range(each) for g in range(groups)], axis)


def blocks_of(batch, fine, offsets, blocks):
    """Where in the batch of blocks a place of the whole lies: TensorFlow's rule, the first block counts most."""
    whole = [i + a for i, a in zip(fine, offsets, strict=True)]
    number = np.ravel_multi_index([i % b for i, b in zip(whole, blocks, strict=True)], blocks)
    return lambda n: (number * batch + n, *(i // b for i, b in zip(whole, blocks, strict=True)))


def batch_to_space(x, *, blocks, crops):
    k, batch = len(blocks), len(x) // math.prod(blocks)
    space = [n * b - low - high for n, b, (low, high) in zip(x.shape[1:], blocks, crops, strict=False)]
    result = np.zeros((batch, *space, *x.shape[1 + k :]))
    for n, *fine in np.ndindex(batch, *space):
        result[(n, *fine)] = x[blocks_of(batch, fine, [low for low, _ in crops], blocks)(n)]
    return result


def space_to_batch(x, *, blocks, padding):
    k, batch = len(blocks), len(x)
    space = [(n + a + b) // c for n, (a, b), c in zip(x.shape[1:], padding, blocks, strict=False)]
    result = np.zeros((batch * math.prod(blocks), *space, *x.shape[1 + k :]))
    for n, *fine in np.ndindex(*x.shape[: 1 + k]):
        result[blocks_of(batch, fine, [low for low, _ in padding], blocks)(n)] = x[(n, *fine)]
    return result


SECOND = {
    "patches": patches,
    "from_patches": from_patches,
    "depth_to_space": depth_to_space,
    "space_to_depth": space_to_depth,
    "channel_shuffle": channel_shuffle,
    "batch_to_space": batch_to_space,
    "space_to_batch": space_to_batch,
}
