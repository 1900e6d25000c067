"""Attention, written a second time: one query after the other, over the keys that it sees."""

from __future__ import annotations

import math

import numpy as np


def scores_of(query, keys, scale, soft_cap):
    raw = [scale * math.fsum(query * key) for key in keys]
    return [soft_cap * math.tanh(s / soft_cap) for s in raw] if soft_cap else raw


def seen_by(t, counts, mask, causal, align):
    """The numbers of the keys that query t sees, with what is added to each score."""
    queries, keys = counts
    last = t + (keys - queries if align == "last" else 0)
    found = {}
    for s in range(keys):
        added = 0.0 if mask is None else (0.0 if mask[s] else -math.inf) if mask.dtype == bool else mask[s]
        if added > -math.inf and (not causal or s <= last):
            found[s] = added
    return found


def dot_product_attention(
    query, key, value, mask=None, kept=None, *,
    causal=False, align="first", scale=None, soft_cap=0.0, rate=0.0, layout="NHTD",
):  # fmt: skip
    if layout == "NTHD":
        query, key, value = (x.swapaxes(1, 2) for x in (query, key, value))
    n, h, t, d = query.shape
    s = key.shape[2]
    shape, shared = (n, h, t, s), h // key.shape[1]
    mask = None if mask is None else np.broadcast_to(mask, shape)
    out, weights = np.zeros((n, h, t, value.shape[-1])), np.zeros(shape)
    for place in np.ndindex(n, h, t):
        b, head, q = place
        source = (b, head // shared)
        seen = seen_by(q, (t, s), None if mask is None else mask[place], causal, align)
        if not seen:  # the result is zero, and its weights are what a softmax of equals is
            weights[place] = 1.0 / s
            continue
        scores = scores_of(query[place], key[source], 1.0 / math.sqrt(d) if scale is None else scale, soft_cap)
        parts = {k: math.exp(scores[k] + added) for k, added in seen.items()}
        for k, part in parts.items():
            weights[(*place, k)] = part / math.fsum(parts.values())
            if kept is None or kept[(*place, k)]:
                out[place] += weights[(*place, k)] / (1.0 - rate) * value[(*source, k)]
    return (out.swapaxes(1, 2) if layout == "NTHD" else out), weights


SECOND = {"dot_product_attention": dot_product_attention}
