"""Attention, with Keras's names, options and defaults; operands of bool are masks, whatever their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.types import bool_, int32
from ..initializers import GLOROT_UNIFORM, ONES, ZEROS, Fanned, InitializerOption
from ..options import Count, Rate
from ..penalties import PenaltyOption
from .base import Layer, Results, Site, check_axes, check_float, fixed


def _sorted_out(operands: Sequence[Value]) -> tuple[Value, Value, Value, list[Value]]:
    """Query, value and key, in Keras's order and with Keras's defaults, and the masks."""
    tensors, masks = ([x for x in operands if (x.dtype == bool_) == wanted] for wanted in (False, True))
    if not 1 <= len(tensors) <= 3:
        raise TypeMismatchError(f"takes [query, value, key] and masks of bool, not {len(tensors)} tensors")
    query, value, key = (*tensors, *tensors[-1:] * 2)[:3] if len(tensors) < 3 else tensors
    for x in (query, value, key):
        check_axes(x, "NTC")
        check_float(x)
    return query, value, key, masks


def _visible(masks: Sequence[Value]) -> Value | None:
    """One mask that broadcasts to [batch, heads, queries, keys], of masks over keys, or over queries and keys."""
    found: Value | None = None
    for mask in masks:
        if not 2 <= mask.rank <= 4:
            raise TypeMismatchError(
                f"a mask is bool[N, keys], bool[N, queries, keys] or bool[N, heads, queries, keys], not {mask.type}"
            )
        raised = ops.expand_dims(mask, *range(1, 5 - mask.rank)) if mask.rank < 4 else mask
        found = raised if found is None else ops.logical_and(found, raised)
    return found


class _Heads(Layer):
    """Projections to heads, attention by the scaled dot product, and a projection back."""

    most: ClassVar[int | None] = None
    dropout: Rate = 0.0
    use_bias: bool = True
    sliding_window: Count | None = None
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    bias_initializer: InitializerOption = ZEROS
    kernel_regularizer: PenaltyOption | None = None
    bias_regularizer: PenaltyOption | None = None
    use_gate: bool = False
    use_causal_mask: bool = False
    return_attention_scores: bool = False

    def projected(self, site: Site, name: str, x: Value, heads: int, size: int) -> Value:
        """[N, T, heads, size]: one product, whose kernel is [features, heads, size]."""
        features, dtype = fixed(x, -1), x.dtype
        with site.part(name, "projection", {"x": x}) as inner:
            initializer = Fanned(rest=self.kernel_initializer, fans=(features, heads * size))
            kernel = inner.parameter("kernel", (features, heads, size), dtype, initializer, self.kernel_regularizer)
            y = x @ ops.reshape(kernel, shape=(features, heads * size))
            y = ops.reshape(y, shape=(*x.shape[:-1], heads, size))
            return y + self._bias(inner, (heads, size), x) if self.use_bias else y  # type: ignore[no-any-return]

    def _bias(self, site: Site, shape: tuple[int, ...], x: Value) -> Value:
        return site.parameter("bias", shape, x.dtype, self.bias_initializer, self.bias_regularizer)

    def attended(
        self, site: Site, operands: Sequence[Value], sizes: Mapping[str, tuple[int, int]], out: int
    ) -> Results:
        query, value, key, masks = _sorted_out(operands)
        given = {"query": query, "key": key, "value": value}
        q, k, v = (self.projected(site, name, x, *sizes[name]) for name, x in given.items())
        y, weights = self._weighed(site, q, k, v, masks)
        if self.use_gate:
            y = y * ops.sigmoid(self.projected(site, "gate", query, *sizes["gate"]))
        y = self._back(site, y, out)
        return (y, weights) if self.return_attention_scores else y

    def _weighed(self, site: Site, q: Value, k: Value, v: Value, masks: list[Value]) -> tuple[Value, Value]:
        if self.sliding_window is not None:
            masks = [*masks, _window(q, k, self.sliding_window)]
        turned = [ops.transpose(x, axes=(0, 2, 1, 3)) for x in (q, k, v)]
        kept = self._kept(site, *turned[:2]) if self.dropout else None
        y = ops.dot_product_attention(
            *turned, _visible(masks), kept, causal=self.use_causal_mask, rate=self.dropout if kept is not None else 0.0
        )
        weights = y.node.outputs[1]  # what the op keeps for its gradient
        return ops.transpose(y, axes=(0, 2, 1, 3)), weights

    def _kept(self, site: Site, q: Value, k: Value) -> Value | None:
        """Which weights are kept in training; drawn for their shape [N, heads, queries, keys]."""
        shape = (*q.shape[:3], k.shape[2])
        source = site.random(shape, "dropout_key")
        return None if source is None else ops.random_mask(*source, shape=shape, rate=self.dropout)

    def _back(self, site: Site, y: Value, features: int) -> Value:
        heads, size = fixed(y, -2), fixed(y, -1)
        with site.part("attention_output", "projection", {"x": y}) as inner:
            initializer = Fanned(rest=self.kernel_initializer, fans=(heads * size, features))
            kernel = inner.parameter("kernel", (heads, size, features), y.dtype, initializer, self.kernel_regularizer)
            rows = ops.reshape(y, shape=(*y.shape[:-2], heads * size))
            y = rows @ ops.reshape(kernel, shape=(heads * size, features))
            return y + self._bias(inner, (features,), y) if self.use_bias else y


def _window(q: Value, k: Value, width: int) -> Value:
    """Which keys lie nearer to a query than `width`: bool[1, queries, keys]."""
    rows, columns = (q.graph.apply(ops.arange, size=x.shape[1], dtype=int32) for x in (q, k))
    return ops.expand_dims(ops.absolute(ops.expand_dims(rows, 1) - columns) < width, 0)


class MultiHeadAttention(_Heads):
    """Attention of several heads (Vaswani et al. 2017)."""

    kind = "multi_head_attention"
    aliases = ("MultiHeadAttention",)
    num_heads: Count
    key_dim: Count
    value_dim: Count | None = None
    output_shape: Count | None = None

    def apply(self, site: Site, operands: Sequence[Value]) -> Results:
        keys, values = (self.num_heads, self.key_dim), (self.num_heads, self.value_dim or self.key_dim)
        sizes = {"query": keys, "key": keys, "value": values, "gate": values}
        return self.attended(site, operands, sizes, self.output_shape or fixed(operands[0], -1))


class GroupQueryAttention(_Heads):
    """Attention in which several heads of queries share a head of keys and values (Ainslie et al. 2023)."""

    kind = "group_query_attention"
    aliases = ("GroupQueryAttention",)
    head_dim: Count
    num_query_heads: Count
    num_key_value_heads: Count

    def apply(self, site: Site, operands: Sequence[Value]) -> Results:
        if self.num_query_heads % self.num_key_value_heads:
            raise TypeMismatchError(
                f"{self.num_query_heads} heads of queries cannot share {self.num_key_value_heads} of keys evenly"
            )
        queries, shared = (self.num_query_heads, self.head_dim), (self.num_key_value_heads, self.head_dim)
        sizes = {"query": queries, "key": shared, "value": shared, "gate": queries}
        return self.attended(site, operands, sizes, fixed(operands[0], -1))


class _Scored(Layer):
    """Values weighted by the softmax of scores, [N, queries, keys]; the first mask is over keys, as bool[N, keys]."""

    least = 2
    most: ClassVar[int | None] = None
    dropout: Rate = 0.0
    use_causal_mask: bool = False
    return_attention_scores: bool = False

    def apply(self, site: Site, operands: Sequence[Value]) -> Results:
        query, value, key, masks = _sorted_out(operands)
        scores = self.scores(site, query, key)
        seen = _visible(masks)
        if self.use_causal_mask:
            before = _causal(scores)
            seen = before if seen is None else ops.logical_and(seen, before)
        if seen is not None:
            scores = ops.where(ops.squeeze(seen, 1) if seen.shape[1] == 1 else seen, scores, scores - _hidden(scores))
        weights = ops.softmax(scores)
        source = site.random(weights.shape) if self.dropout else None
        dropped = weights if source is None else ops.dropout(weights, *source, rate=self.dropout)
        y = dropped @ value
        return (y, weights) if self.return_attention_scores else y

    def scores(self, site: Site, query: Value, key: Value) -> Value:
        raise NotImplementedError


def _hidden(scores: Value) -> float:
    return 65504.0 if scores.dtype.name == "float16" else 1e9  # as in Keras: a row without keys weighs all of them


def _causal(scores: Value) -> Value:
    t, s = (scores.graph.apply(ops.arange, size=scores.shape[a], dtype=int32) for a in (-2, -1))
    return ops.expand_dims(ops.expand_dims(t, 1) >= s, 0, 1)


def _sums(query: Value, key: Value) -> Value:
    """query + key, for each pair: [N, queries, keys, features]."""
    return ops.expand_dims(query, 2) + ops.expand_dims(key, 1)


class Attention(_Scored):
    """Attention by dot products (Luong et al. 2015), or by sums within a hyperbolic tangent."""

    kind = "attention"
    aliases = ("Attention",)
    use_scale: bool = False
    score_mode: Literal["dot", "concat"] = "dot"

    def scores(self, site: Site, query: Value, key: Value) -> Value:
        scale = site.parameter("scale", (), query.dtype, ONES) if self.use_scale else None
        if self.score_mode == "dot":
            scores = query @ ops.transpose(key, axes=(0, 2, 1))
            return scores if scale is None else scores * scale  # type: ignore[no-any-return]
        weight = site.parameter("concat_score_weight", (), query.dtype, ONES)
        sums = _sums(query, key)
        return weight * ops.reduce_sum(ops.tanh(sums if scale is None else scale * sums), axes=(-1,))  # type: ignore[no-any-return]


class AdditiveAttention(_Scored):
    """Attention by a weighted sum of hyperbolic tangents (Bahdanau et al. 2014)."""

    kind = "additive_attention"
    aliases = ("AdditiveAttention",)
    use_scale: bool = True

    def scores(self, site: Site, query: Value, key: Value) -> Value:
        terms = ops.tanh(_sums(query, key))
        if self.use_scale:
            terms = site.parameter("scale", (fixed(query, -1),), query.dtype, GLOROT_UNIFORM) * terms
        return ops.reduce_sum(terms, axes=(-1,))  # type: ignore[no-any-return]


LAYERS: tuple[type[Layer], ...] = (MultiHeadAttention, GroupQueryAttention, Attention, AdditiveAttention)
