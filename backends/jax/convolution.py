"""JAX: convolutions and their gradients, all by `lax.conv_general_dilated`."""

from __future__ import annotations

from typing import Any

import jax
from jax import lax

from ...ir import Node, ops
from ..rules import When


def without_zeros(padding: Any) -> Any:
    return padding if any(map(any, padding)) else "VALID"


def _plain(x: Any, w: Any, *, strides: Any, padding: Any, layout: Any, filter_layout: Any) -> Any:
    return lax.conv_general_dilated(
        x, w, strides, without_zeros(padding), dimension_numbers=(layout, filter_layout, layout)
    )


def _conv(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any
) -> Any:
    return lax.conv_general_dilated(
        x,
        w,
        strides,
        without_zeros(padding),
        rhs_dilation=dilations,
        dimension_numbers=(layout, filter_layout, layout),
        feature_group_count=groups,
    )


def _conv_input_gradient(
    g: Any,
    w: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    """The gradient of a convolution to its input: a convolution is linear in it, so its transpose."""
    channels = w.shape[filter_layout.index("I")] * groups
    known = {"N": g.shape[layout.index("N")], "C": channels}
    known |= zip([c for c in layout if c not in "NC"], sizes, strict=True)

    def conv(x: Any) -> Any:
        numbers = (layout, filter_layout, layout)
        return lax.conv_general_dilated(x, w, strides, padding, None, dilations, numbers, groups)

    return jax.linear_transpose(conv, jax.ShapeDtypeStruct([known[c] for c in layout], g.dtype))(g)[0]  # type: ignore[no-untyped-call]


def _conv_filter_gradient(
    x: Any,
    g: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    """The gradient of a convolution to its filter: a convolution is linear in it, so its transpose."""
    channels, features = x.shape[layout.index("C")], g.shape[layout.index("C")]
    known = {"I": channels // groups, "O": features}
    known |= zip([c for c in layout if c not in "NC"], sizes, strict=True)

    def conv(w: Any) -> Any:
        numbers = (layout, filter_layout, layout)
        return lax.conv_general_dilated(x, w, strides, padding, None, dilations, numbers, groups)

    return jax.linear_transpose(conv, jax.ShapeDtypeStruct([known[c] for c in filter_layout], g.dtype))(g)[0]  # type: ignore[no-untyped-call]


def _is_plain(node: Node) -> bool:
    return node.attributes["groups"] == 1 and set(node.attributes["dilations"]) == {1}


rows = {
    ops.conv: (When(_is_plain, _plain), _conv),
    ops.conv_input_gradient: _conv_input_gradient,
    ops.conv_filter_gradient: _conv_filter_gradient,
}
