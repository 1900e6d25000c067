"""JAX: resizing, by `jax.image.resize` where it means the same."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ...ir import Node, ops
from ...ir.ops.resize import Sampling
from ..rules import When


def _resize(x: Any, *, axes: Any, sizes: Any, method: Any, antialias: Any) -> Any:
    """x sampled anew along axes."""
    shape = list(x.shape)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    return jax.image.resize(x, shape, method, antialias=antialias)


def _means_the_same(node: Node) -> bool:
    """JAX has half-pixel centers, leaves out what is outside, and its cubic has the coefficient -0.5."""
    a, x = node.attributes, node.inputs[0]
    assert x is not None
    if a["coordinates"] != "half_pixel" or a["scales"] or a["method"] == "area":
        return False
    if a["method"] == "cubic":
        return bool(a["cubic_coefficient"] == -0.5 and a["exclude_outside"])
    if a["method"] != "nearest":
        return True
    how = Sampling("nearest", "half_pixel", a["rounding"], 0.0, False, False)
    return all(_picks_the_same(how, x.shape[i], m) for i, m in zip(a["axes"], a["sizes"], strict=True))


def _picks_the_same(how: Sampling, n: Any, m: Any) -> bool:
    """Whether JAX's float32 places, rounded down, are the elements that are meant."""
    if not isinstance(n, int) or not isinstance(m, int):
        return how.rounding == "round_prefer_ceil"
    places = (np.arange(m, dtype=np.float32) + np.float32(0.5)) * np.float32(n) / np.float32(m)
    return bool(np.array_equal(np.floor(places), how.nearest(n, m, None)))


rows = {ops.resize: When(_means_the_same, _resize)}
