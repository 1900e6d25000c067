"""PyTorch: dilated, adaptive and fractional poolings, sums and norms, channels first."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ...ir.types import int64
from ..rules import When
from .convolution import are, before, is_even, is_in_order, one_or_each

_omitted: Any = None  # an argument that is its default is not written


def _max_pool_with_indices(x: Any, *, window: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    return (F.max_pool1d if len(window) == 1 else F.max_pool2d if len(window) == 2 else F.max_pool3d)(
        x,
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        return_indices=True,
    )


def _dilated_max_pool(x: Any, *, window: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    return (F.max_pool1d if len(window) == 1 else F.max_pool2d if len(window) == 2 else F.max_pool3d)(
        x,
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _adaptive_average_pool(x: Any, *, sizes: Any) -> Any:
    return (
        F.adaptive_avg_pool1d
        if len(sizes) == 1
        else F.adaptive_avg_pool2d
        if len(sizes) == 2
        else F.adaptive_avg_pool3d
    )(x, one_or_each(sizes))


def _adaptive_max_pool(x: Any, *, sizes: Any) -> Any:
    return (
        F.adaptive_max_pool1d
        if len(sizes) == 1
        else F.adaptive_max_pool2d
        if len(sizes) == 2
        else F.adaptive_max_pool3d
    )(x, one_or_each(sizes), return_indices=True)


def _fractional_max_pool(x: Any, samples: Any, *, window: Any, sizes: Any) -> Any:
    return (F.fractional_max_pool2d if len(sizes) == 2 else F.fractional_max_pool3d)(
        x, one_or_each(window), output_size=one_or_each(sizes), return_indices=True, _random_samples=samples
    )


def _sum_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return (F.avg_pool2d if len(window) == 2 else F.avg_pool3d)(
        x,
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        divisor_override=1,
    )


def _lp_pool(x: Any, *, power: Any, window: Any, strides: Any) -> Any:
    return (F.lp_pool1d if len(window) == 1 else F.lp_pool2d if len(window) == 2 else F.lp_pool3d)(
        x, power, one_or_each(window), stride=_omitted if strides == window else one_or_each(strides)
    )


# Which rule fits.


def _is_first(node: Node) -> bool:
    return is_in_order(node.attributes["layout"])


def _pads_itself(node: Node) -> bool:
    """Alike on both sides, by half a window's reach at most."""
    a = node.attributes
    dilations = a.get("dilations", (1,) * len(a["window"]))
    reach = ((k - 1) * d + 1 for k, d in zip(a["window"], dilations, strict=True))
    fits = all(2 * p <= r for (p, _), r in zip(a["padding"], reach, strict=True))
    return fits and _is_first(node) and is_even(a["padding"])


def _gives_indices(node: Node) -> bool:
    return _is_first(node) and bool(node.attributes["dtype"] == int64)


def _pads_itself_and_gives_indices(node: Node) -> bool:
    return _pads_itself(node) and _gives_indices(node)


def _sums(node: Node) -> bool:
    return _pads_itself(node) and len(node.attributes["window"]) > 1


def _is_even_norm(node: Node) -> bool:
    a = node.attributes
    return _is_first(node) and a["power"] % 2 == 0 and all(pair == (0, 0) for pair in a["padding"])


rows = {
    ops.max_pool_with_indices: When(_pads_itself_and_gives_indices, _max_pool_with_indices),
    ops.dilated_max_pool: When(_pads_itself, _dilated_max_pool),
    ops.adaptive_average_pool: When(_is_first, _adaptive_average_pool),
    ops.adaptive_max_pool: When(_gives_indices, _adaptive_max_pool),
    ops.fractional_max_pool: When(_gives_indices, _fractional_max_pool),
    ops.sum_pool: When(_sums, _sum_pool),
    ops.lp_pool: When(_is_even_norm, _lp_pool),
}
