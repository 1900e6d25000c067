"""ONNX: resizing, channels first (the layout pass has seen to that)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Node, ops
from ...ir.ops.resize import Sampling
from ...ir.types import float32
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def _resize(
    b: Builder, x: Tensor, *, axes: Any, sizes: Any, method: str, coordinates: str, scales: Any, rounding: str,
    cubic_coefficient: float, exclude_outside: bool, antialias: bool,
) -> Any:  # fmt: skip
    cubic = {"cubic_coeff_a": cubic_coefficient, "exclude_outside": int(exclude_outside)} if method == "cubic" else {}
    nearest = {"nearest_mode": rounding} if method == "nearest" else {}
    given = (np.asarray(scales, np.float32), None) if scales else (None, tuple(sizes))
    return b.Resize(
        x, None, *given, axes=axes, mode=method, coordinate_transformation_mode=coordinates, **cubic, **nearest
    )


def _means_the_same(node: Node) -> bool:
    """Images alone, and of them what ONNX Runtime computes as the standard says."""
    a, x = node.attributes, node.inputs[0]
    assert x is not None
    if x.rank != 4 or a["axes"] != (2, 3) or x.dtype != float32 or a["antialias"]:
        return False
    if a["coordinates"] not in ("half_pixel", "align_corners", "asymmetric"):
        return False
    scales = a["scales"] or (None, None)
    axes = [(x.shape[i], m, s) for i, m, s in zip(a["axes"], a["sizes"], scales, strict=True)]
    if not all(isinstance(n, int) and isinstance(m, int) for n, m, _ in axes):
        return False
    if any(s is not None and m != int(np.floor(n * s)) for n, m, s in axes):
        return False
    if a["method"] == "nearest":
        how = Sampling("nearest", a["coordinates"], a["rounding"], 0.0, False, False)
        return all(_is_far_from_ties(how, *axis) for axis in axes)
    return a["method"] in ("linear", "cubic")


def _is_far_from_ties(how: Sampling, n: int, m: int, scale: float | None) -> bool:
    """Whether a place that is a little off would be rounded to the same element."""
    places = how.places(n, m, scale) + (0.0 if how.rounding in ("floor", "ceil") else 0.5)
    off = np.abs(places - np.round(places))
    return bool(np.all((off > 1e-4) | (places <= 0) | (places >= n - 1)))


rows = {ops.resize: When(_means_the_same, by(_resize, "Resize", since=18))}
