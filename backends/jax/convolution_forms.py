"""JAX: transposed convolutions, by `lax.conv_transpose`."""

from __future__ import annotations

from typing import Any

from jax import lax

from ...ir import Node, ops
from ...ir.ops.windows import transposed_same, transposed_valid
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def dilations_or_none(dilations: Any) -> Any:
    return None if all(d == 1 for d in dilations) else dilations


def _conv_transpose_same(x: Any, w: Any, *, strides: Any, dilations: Any, layout: Any, filter_layout: Any) -> Any:
    return lax.conv_transpose(
        x,
        w,
        strides,
        "SAME",
        rhs_dilation=_omitted if dilations_or_none(dilations) is None else dilations,
        dimension_numbers=(layout, filter_layout, layout),
        transpose_kernel=True,
    )


def _conv_transpose_valid(x: Any, w: Any, *, strides: Any, dilations: Any, layout: Any, filter_layout: Any) -> Any:
    return lax.conv_transpose(
        x,
        w,
        strides,
        "VALID",
        rhs_dilation=_omitted if dilations_or_none(dilations) is None else dilations,
        dimension_numbers=(layout, filter_layout, layout),
        transpose_kernel=True,
    )


def _conv_transpose(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, layout: Any, filter_layout: Any
) -> Any:
    """A transposed convolution, of whose full result `padding` is cut off."""
    kernel = [n for n, c in zip(w.shape, filter_layout, strict=True) if c not in "IO"]
    reach = [(k - 1) * d for k, d in zip(kernel, dilations, strict=True)]
    around = [(r - a, r - b) for r, (a, b) in zip(reach, padding, strict=True)]
    numbers = (layout, filter_layout, layout)
    return lax.conv_transpose(x, w, strides, around, dilations, numbers, transpose_kernel=True)


def _cuts(rule: Any) -> Any:
    """A condition on nodes: one group, and what is cut off each axis is what a rule of the frameworks says."""

    def condition(node: Node) -> bool:
        a, w = node.attributes, node.inputs[1]
        assert w is not None
        kernel = [n for n, c in zip(w.shape, a["filter_layout"], strict=True) if c not in "IO"]
        axes = zip(kernel, a["strides"], a["dilations"], a["padding"], strict=True)
        return a["groups"] == 1 and all(rule(k, s, d) == pads for k, s, d, pads in axes)

    return condition


def _is_ungrouped(node: Node) -> bool:
    return bool(node.attributes["groups"] == 1)


rows = {
    ops.conv_transpose: (
        When(_cuts(transposed_same), _conv_transpose_same),
        When(_cuts(transposed_valid), _conv_transpose_valid),
        When(_is_ungrouped, _conv_transpose),
    ),
}
