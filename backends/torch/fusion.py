"""PyTorch: what its kernels do in one call, of which the IR makes several nodes.

1. A convolution and the addition of a number for each of its channels.
2. A max pool and its gradient: the forward pass keeps the places of the largest elements, so that the backward pass
   need not look for them again.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Graph, Node, Op, Value, ops
from ...ir.op import NO_GRADIENT, Signature, attribute_key
from ...ir.rewrite import Rewriter, rewrite
from ...ir.types import TensorType, dtype_of
from .convolution import are, around, before, is_even, one_or_each
from .pooling import fits

_omitted: Any = None  # an argument that is its default is not written


def _biased_type(x: TensorType, w: TensorType, bias: TensorType, **attributes: Any) -> TensorType:
    return ops.conv.output_types((x, w), attributes)[0]


def _places_type(x: TensorType, *, window: Any, strides: Any, padding: Any) -> tuple[TensorType, TensorType]:
    attributes = {"window": window, "strides": strides, "padding": padding, "layout": "NCHW"}
    (y,) = ops.max_pool.output_types((x,), attributes)
    return y, y.with_dtype(dtype_of("int64"))


def _gradient_type(
    g: TensorType, x: TensorType, places: TensorType, *, window: Any, strides: Any, padding: Any
) -> TensorType:
    return x


_SCHEMA = Signature(("x", "w", "bias"), frozenset(), False, ops.conv.signature.attributes)
biased_conv = Op("biased_conv", _biased_type, None, NO_GRADIENT, schema=_SCHEMA)
max_pool_places = Op("max_pool_places", _places_type, None, NO_GRADIENT)  # channels first, as the next
max_pool_gradient_at = Op("max_pool_gradient_at", _gradient_type, None, NO_GRADIENT)


def fuse(graph: Graph) -> Graph:
    return keep_places(add_biases(graph))


def add_biases(graph: Graph) -> Graph:
    """Let a convolution add its bias, where nothing else uses it without."""
    uses = graph.uses()
    found = {node: pair for node in graph.nodes if (pair := _conv_and_bias(node, uses)) is not None}
    convs = {conv for conv, _ in found.values()}

    def rule(rewriter: Rewriter, node: Node) -> bool:
        if node in found:
            conv, bias = found[node]
            operands = (*rewriter.inputs(conv), rewriter.values[bias])
            with rewriter.within(node):
                rewriter.replace(node, (rewriter.new.apply(biased_conv, *operands, **conv.attributes),))
        return node in found or node in convs

    return rewrite(graph, rule)


def _conv_and_bias(node: Node, uses: dict[Value, int]) -> tuple[Node, Value] | None:
    """The convolution and the vector that an addition adds, if that is what it does."""
    if node.op is not ops.add:
        return None
    for x, y in (node.inputs, node.inputs[::-1]):
        conv = x.node if x is not None else None
        if conv is None or conv.op is not ops.conv or uses[conv.outputs[0]] > 1:
            continue
        bias = _vector(y, conv.attributes["layout"].index("C") - conv.outputs[0].rank)
        same_place = (conv.scope, conv.section) == (node.scope, node.section)
        if (
            bias is not None
            and bias.shape == (conv.outputs[0].shape[conv.attributes["layout"].index("C")],)
            and same_place
        ):
            return conv, bias
    return None


def _vector(value: Value | None, axis: int) -> Value | None:
    """The vector that lies along `axis` (from the back), as the value itself or reshaped for that."""
    if value is None or value.rank < -axis:
        return None
    if value.rank == 1:
        return value
    source = value.node.inputs[0] if value.node is not None and value.node.op is ops.reshape else None
    others = [n for i, n in enumerate(value.shape) if i != value.rank + axis]
    return source if source is not None and source.rank == 1 and all(n == 1 for n in others) else None


def keep_places(graph: Graph) -> Graph:
    """Let each max pool keep its places for its gradient."""
    kept: dict[Any, Value] = {}
    wanted = {_pool(node, 1) for node in graph.nodes if node.op is ops.max_pool_gradient}

    def rule(rewriter: Rewriter, node: Node) -> bool:
        is_pool, is_gradient = node.op is ops.max_pool, node.op is ops.max_pool_gradient
        if not (is_pool or is_gradient):
            return False
        key = _pool(node, int(is_gradient))
        if key not in wanted or not _fits_image(node) or (is_gradient and key not in kept):
            return False
        attributes = {k: v for k, v in node.attributes.items() if k != "layout"}
        with rewriter.within(node):
            if is_pool:
                result, places = rewriter.new.apply(max_pool_places, *rewriter.inputs(node), **attributes)
                kept[key] = places.named("places")
            else:
                result = rewriter.new.apply(max_pool_gradient_at, *rewriter.inputs(node), kept[key], **attributes)
            rewriter.replace(node, (result,))
        return True

    return rewrite(graph, rule)


def _pool(node: Node, operand: int) -> Any:
    """What a pool and its gradient have in common."""
    return node.inputs[operand], attribute_key(node.attributes)


def _fits_image(node: Node) -> bool:
    return len(node.attributes["window"]) == 2 and fits(node.attributes["window"], node.attributes["padding"])


def _biased_conv(x: Any, w: Any, bias: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    return (F.conv1d if len(strides) == 1 else F.conv2d if len(strides) == 2 else F.conv3d)(
        x if is_even(padding) else F.pad(x, around(padding)),
        w,
        bias,
        stride=_omitted if are(strides, 1) else one_or_each(strides),
        padding=_omitted if not is_even(padding) or are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        groups=_omitted if groups == 1 else groups,
    )


def _max_pool_places(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return F.max_pool2d(
        x,
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        return_indices=True,
    )


def _max_pool_gradient_at(g: Any, x: Any, places: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return torch.ops.aten.max_pool2d_with_indices_backward(
        g, x, window, strides, before(padding), (1, 1), False, places
    )


rows = {
    biased_conv: _biased_conv,
    max_pool_places: _max_pool_places,
    max_pool_gradient_at: _max_pool_gradient_at,
}
