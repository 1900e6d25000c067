"""JAX: convolutions and their gradients, all by `lax.conv_general_dilated`."""

from __future__ import annotations

from typing import Any

from jax import lax

from ...ir import ops


def _conv(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any
) -> Any:
    return lax.conv_general_dilated(
        x,
        w,
        strides,
        padding,
        rhs_dilation=without_ones(dilations),
        dimension_numbers=(layout, filter_layout, layout),
        feature_group_count=groups,
    )


def without_ones(dilations: Any) -> Any:
    return None if all(d == 1 for d in dilations) else dilations


def transposed(filter_layout: str) -> str:
    """The layout of a filter whose inputs and outputs are exchanged."""
    return filter_layout.translate(str.maketrans("IO", "OI"))


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
    """The gradient of a convolution to its input: the flipped filter over the spread gradient."""
    spatial = [i for i, c in enumerate(filter_layout) if c not in "IO"]
    kernel = [(w.shape[i] - 1) * d + 1 for i, d in zip(spatial, dilations, strict=True)]
    spread = [(g.shape[layout.index(filter_layout[i])] - 1) * s + 1 for i, s in zip(spatial, strides, strict=True)]
    before = [k - 1 - p for k, (p, _) in zip(kernel, padding, strict=True)]
    after = [n + k - 1 - m - b for n, k, m, b in zip(sizes, kernel, spread, before, strict=True)]
    inputs, outputs = filter_layout.index("I"), filter_layout.index("O")
    if groups > 1:  # each group's filter exchanges its own inputs and outputs
        w = lax.reshape(
            lax.transpose(w, (outputs, inputs, *spatial)),
            (groups, w.shape[outputs] // groups, w.shape[inputs], *(w.shape[i] for i in spatial)),
        )
        w = lax.reshape(lax.transpose(w, (1, 0, *range(2, w.ndim))), (w.shape[1], groups * w.shape[2], *w.shape[3:]))
        filter_layout = "IO" + "".join(filter_layout[i] for i in spatial)
        spatial = list(range(2, w.ndim))
    else:
        filter_layout = filter_layout.translate(str.maketrans("IO", "OI"))
    return lax.conv_general_dilated(
        g,
        lax.rev(w, spatial),
        (1,) * len(spatial),
        list(zip(before, after, strict=True)),
        lhs_dilation=strides,
        rhs_dilation=dilations,
        dimension_numbers=(layout, filter_layout, layout),
        feature_group_count=groups,
    )


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
    """The gradient of a convolution to its filter: the gradient slides over the input, summed over the batch."""
    swapped = layout.translate(str.maketrans("NC", "CN"))
    spatial = [c for c in layout if c not in "NC"]
    ends = []
    for c, n, s, d, (before, _) in zip(spatial, sizes, strides, dilations, padding, strict=True):
        span = (g.shape[layout.index(c)] - 1) * s + 1
        ends.append((n - 1) * d + span - x.shape[layout.index(c)] - before)
    return lax.conv_general_dilated(
        x,
        g,
        dilations,
        [(p, e) for (p, _), e in zip(padding, ends, strict=True)],
        rhs_dilation=strides,
        dimension_numbers=(
            swapped,
            layout.replace("N", "I").replace("C", "O"),
            filter_layout.replace("I", "N").replace("O", "C"),
        ),
        batch_group_count=groups,
    )


rows = {
    ops.conv: _conv,
    ops.conv_input_gradient: _conv_input_gradient,
    ops.conv_filter_gradient: _conv_filter_gradient,
}
