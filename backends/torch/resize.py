"""PyTorch: resizing, by `F.interpolate` where it means the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F

from ...ir import Node, ops
from ...ir.ops.resize import Sampling
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def mode_of(method: str, coordinates: str, axes: Any) -> str:
    if method == "nearest":
        return "nearest" if coordinates == "asymmetric" else "nearest-exact"
    return {"linear": ("linear", "bilinear", "trilinear"), "cubic": ("", "bicubic", "")}[method][len(axes) - 1]


def _resize(x: Any, *, axes: Any, sizes: Any, method: Any, coordinates: Any, scales: Any, antialias: Any) -> Any:
    return F.interpolate(
        x,
        size=_omitted if len(scales) else sizes,
        scale_factor=_omitted if not len(scales) else scales,
        mode=mode_of(method, coordinates, axes),
        align_corners=_omitted if coordinates != "align_corners" else True,
        antialias=_omitted if not antialias else True,
    )


def _resize_last(x: Any, *, axes: Any, sizes: Any, method: Any, coordinates: Any, scales: Any, antialias: Any) -> Any:
    return F.interpolate(
        x.movedim(-1, 1),
        size=_omitted if len(scales) else sizes,
        scale_factor=_omitted if not len(scales) else scales,
        mode=mode_of(method, coordinates, axes),
        align_corners=_omitted if coordinates != "align_corners" else True,
        antialias=_omitted if not antialias else True,
    ).movedim(1, -1)


# Which rule fits.


def _sampling(node: Node) -> Sampling:
    a = node.attributes
    names = ("method", "coordinates", "rounding", "cubic_coefficient", "exclude_outside", "antialias")
    return Sampling(*(a[n] for n in names))


def _axes(node: Node) -> list[tuple[Any, Any, Any]]:
    """Size before, size after and scale of each axis."""
    a, x = node.attributes, node.inputs[0]
    assert x is not None
    scales = a["scales"] or (None,) * len(a["axes"])
    return [(x.shape[i], m, s) for i, m, s in zip(a["axes"], a["sizes"], scales, strict=True)]


def _means_the_same(node: Node) -> bool:
    a, axes = node.attributes, _axes(node)
    if any(s is not None and not (isinstance(n, int) and m == int(np.floor(n * s))) for n, m, s in axes):
        return False
    if a["method"] == "nearest":
        return all(_picks_the_same(_sampling(node), *axis) for axis in axes) and node.outputs[0].dtype.is_float
    image = len(axes) == 2
    if a["method"] == "linear":
        plain = a["coordinates"] in ("half_pixel", "align_corners") and not a["antialias"]
        return plain or (image and a["coordinates"] == "half_pixel" and not a["scales"])
    if a["method"] == "cubic" and image and not a["antialias"]:
        fits = a["coordinates"] in ("half_pixel", "align_corners") and not a["exclude_outside"]
        return bool(fits and a["cubic_coefficient"] == -0.75)
    return bool(
        a["method"] == "cubic" and image and a["coordinates"] == "half_pixel" and a["cubic_coefficient"] == -0.5
        and a["exclude_outside"] and not a["scales"]
    )  # fmt: skip


def _picks_the_same(how: Sampling, n: Any, m: Any, scale: Any) -> bool:
    """Whether PyTorch's float32 places, rounded down, are the elements that are meant."""
    if how.coordinates == "asymmetric":
        shift = 0.0
    elif how.coordinates == "half_pixel":
        shift = 0.5
    else:
        return False
    if how.rounding != ("floor" if shift == 0.0 else "round_prefer_ceil"):
        return False
    if not isinstance(n, int) or not isinstance(m, int):
        return True  # a whole number of times as long, or as short: these places are exact
    step = np.float32(n) / np.float32(m) if scale is None else np.float32(1.0 / scale)
    places = np.floor((np.arange(m, dtype=np.float32) + np.float32(shift)) * step)
    return bool(np.array_equal(np.minimum(places, n - 1), how.nearest(n, m, scale)))


def _is_first(node: Node) -> bool:
    rank = node.outputs[0].rank
    return rank in (3, 4, 5) and node.attributes["axes"] == tuple(range(2, rank)) and _means_the_same(node)


def _is_last(node: Node) -> bool:
    rank = node.outputs[0].rank
    return rank in (3, 4, 5) and node.attributes["axes"] == tuple(range(1, rank - 1)) and _means_the_same(node)


rows = {ops.resize: (When(_is_first, _resize), When(_is_last, _resize_last))}
