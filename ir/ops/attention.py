"""Attention: values weighted by how well their keys match a query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import Size, broadcast_shapes, divide_exact, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import DType, TensorType, bool_, int32
from .activation import softmax
from .arithmetic import check_kind, check_same_dtype, tanh
from .comparison import greater, greater_equal, logical_and, not_equal, where
from .constant import arange
from .contraction import sum_to, swap_last
from .reduction import reduce_max, reduce_sum
from .shape import cast, expand_dims, reshape, transpose

_LAYOUTS = {"NHTD": (0, 1, 2, 3), "NTHD": (0, 2, 1, 3)}  # either order is its own inverse
_ALIGNMENTS = ("first", "last")
_HIDDEN = {"float16": -6e4}  # where -1e30 is infinite: a masked score must not be, lest a row have no number


def _type(
    query: TensorType,
    key: TensorType,
    value: TensorType,
    mask: TensorType | None = None,
    kept: TensorType | None = None,
    *,
    causal: bool = False,
    align: str = "first",
    scale: float | None = None,
    soft_cap: float = 0.0,
    rate: float = 0.0,
    layout: str = "NHTD",
) -> tuple[TensorType, TensorType]:
    _check_operands(query, key, value)
    if layout not in _LAYOUTS or align not in _ALIGNMENTS:
        raise TypeMismatchError(
            f"dot_product_attention has the layouts {', '.join(_LAYOUTS)} and the alignments "
            f"{', '.join(_ALIGNMENTS)}, not {layout} and {align}"
        )
    (n, h, t, d), (nk, hk, s, dk), (nv, hv, sv, dv) = (_heads_first_shape(x, layout) for x in (query, key, value))
    for a, b in ((n, nk), (n, nv), (hk, hv), (s, sv), (d, dk)):
        require("==", a, b)
    divide_exact(h, hk)
    if scale is None and not isinstance(d, int):
        raise TypeMismatchError(f"dot_product_attention of {query} needs a scale: the size {d} of a head is not known")
    weights = query.with_shape((n, h, t, s))
    _check_mask("mask", mask, weights, bool_, query.dtype)
    _check_mask("kept", kept, weights, bool_)
    return query.with_shape(_arranged((n, h, t, dv), layout)), weights


def _check_operands(*operands: TensorType) -> None:
    check_kind("dot_product_attention", ("float",), *operands)
    check_same_dtype("dot_product_attention", *operands)
    if any(x.rank != 4 for x in operands):
        raise TypeMismatchError(
            f"dot_product_attention takes batches of heads, four axes each, not {', '.join(map(str, operands))}; "
            "reshape them first"
        )


def _check_mask(name: str, mask: TensorType | None, weights: TensorType, *dtypes: DType) -> None:
    if mask is None:
        return
    if mask.dtype not in dtypes or broadcast_shapes(mask.shape, weights.shape) != weights.shape:
        wanted = " or ".join(d.name for d in dtypes)
        raise TypeMismatchError(
            f"dot_product_attention: {name} is {wanted} and broadcasts to [batch, heads, queries, keys], "
            f"{list(weights.shape)}; it is {mask}"
        )


def _heads_first_shape(x: TensorType, layout: str) -> tuple[Size, ...]:
    return tuple(x.shape[a] for a in _LAYOUTS[layout])


def _arranged(shape: tuple[Size, ...], layout: str) -> tuple[Size, ...]:
    return tuple(shape[a] for a in _LAYOUTS[layout])


def _turned(x: Value, layout: str) -> Value:
    """From the layout to heads before places, or back."""
    return x if layout == "NHTD" else transpose(x, axes=_LAYOUTS[layout])


def _scale(query: Value, scale: float | None) -> float:
    return 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale


def _by_group(x: Value, heads: Size) -> Value:
    """The queries (or their scores) of all heads that share a key head, one after another."""
    n, h, t, d = x.shape
    return x if h == heads else reshape(x, shape=(n, heads, divide_exact(h, heads) * t, d))


def _times(x: Value, y: Value) -> Value:
    """x[n, h] @ y[n, h // group]: no key or value is repeated for the heads that share it."""
    product = _by_group(x, y.shape[1]) @ y
    shape = (*x.shape[:-1], y.shape[-1])
    return product if product.shape == shape else reshape(product, shape=shape)


def _collected(x: Value, y: Value, heads: Size) -> Value:
    """The sum over the heads of a group of x's transpose times y."""
    return swap_last(_by_group(x, heads)) @ _by_group(y, heads)


def _before(weights: tuple[Size, ...], graph: Any, align: str) -> Value:
    """Which keys lie no later than each query: bool[queries, keys]."""
    t, s = weights[-2:]
    queries, keys = (graph.apply(arange, size=n, dtype=int32) for n in (t, s))
    if align == "last" and t != s:
        queries = queries + (s - t)
    return greater_equal(expand_dims(queries, 1), keys).named("causal")  # type: ignore[no-any-return]


def _masks(
    query: Value, key: Value, mask: Value | None, causal: bool, align: str
) -> tuple[Value | None, Value | None, Value | None]:
    """What may be seen (bool), what is added to the scores, and which queries see any key; None where not needed."""
    is_bool = mask is not None and mask.dtype == bool_
    t, s = query.shape[-2], key.shape[-2]
    before = _before((t, s), query.graph, align) if causal else None
    if mask is None:
        leads = align == "first" or t == s or (isinstance(t, int) and isinstance(s, int) and t < s)
        return before, None, None if before is None or leads else _any(before, query.dtype)
    if is_bool:
        seen = mask if before is None else logical_and(mask, before).named("visible")
        return seen, None, _any(seen, query.dtype)
    bias = mask if before is None else where(before, mask, -math.inf)
    some = not_equal(reduce_max(bias, axes=(-1,), keepdims=True), -math.inf)
    return None, where(some, bias, 0.0), some


def _any(seen: Value, dtype: DType) -> Value:
    return greater(reduce_max(cast(seen, dtype=dtype), axes=(-1,), keepdims=True), 0.0)  # type: ignore[no-any-return]


def _dropped(weights: Value, kept: Value | None, rate: float) -> Value:
    """What is kept is scaled up; a rate of 1 keeps nothing."""
    scale = 1.0 / (1.0 - rate) if rate < 1.0 else 0.0
    return weights if kept is None else where(kept, weights * scale, 0.0)


def _parts(
    query: Value, key: Value, value: Value, mask: Value | None, kept: Value | None, *,
    causal: bool, align: str, scale: float | None, soft_cap: float, rate: float, layout: str,
) -> tuple[Value, Value]:  # fmt: skip
    q, k, v = (_turned(x, layout) for x in (query, key, value))
    seen, bias, some = _masks(q, k, mask, causal, align)
    scores = _times(q * _scale(q, scale), swap_last(k))
    scores = soft_cap * tanh(scores / soft_cap) if soft_cap else scores
    scores = scores if seen is None else where(seen, scores, _HIDDEN.get(q.dtype.name, -1e30))
    weights = softmax(scores if bias is None else scores + bias).named("weights")
    out = _times(_dropped(weights, kept, rate), v)
    return _turned(out if some is None else where(some, out, 0.0), layout), weights


def _gradient(
    g: Any, out: Any, query: Value, key: Value, value: Value, mask: Value | None, kept: Value | None, *,
    causal: bool, align: str, scale: float | None, soft_cap: float, rate: float, layout: str,
) -> Any:  # fmt: skip
    if g[0] is None or g[1] is not None or soft_cap:
        return NotImplemented  # the weights are differentiated too, or are no plain softmax: derive it from the parts
    q, k, v, g_out = (_turned(x, layout) for x in (query, key, value, g[0]))
    some = _masks(q, k, mask, causal, align)[2]
    g_out = g_out if some is None else where(some, g_out, 0.0)
    weights, factor = out[1], _scale(q, scale)
    d_weights = _dropped(_times(g_out, swap_last(v)), kept, rate)
    d_scores = (weights * (d_weights - reduce_sum(d_weights * weights, axes=(-1,), keepdims=True))).named("d_scores")
    d_query = _times(d_scores, k) * factor
    d_key = _collected(d_scores, q * factor, k.shape[1])
    d_value = _collected(_dropped(weights, kept, rate), g_out, k.shape[1])
    d_mask = None if mask is None or mask.dtype == bool_ else sum_to(d_scores, mask.shape)
    return (*(_turned(d, layout) for d in (d_query, d_key, d_value)), d_mask, None)


# query [N, heads, T, d], key [N, key heads, S, d], value [N, key heads, S, e] -> [N, heads, T, e]: query head h reads
# key head h // (heads / key heads). A bool mask says which keys are seen, another one is added to the scores, after
# the soft cap. What sees no key gives zero, as in PyTorch and ONNX; Keras and JAX give the mean of the values.
# `causal` hides later keys: counted from the first query and key (PyTorch, JAX, ONNX), or from the last (`align`).
# `kept` and `rate` drop weights. The weights are saved for the gradient.
_Q, _K, _V = (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7)
_SEEN = np.array([[1, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]], bool)
_KEPT = np.random.default_rng(1).random((2, 3, 4, 6)) > 0.3
dot_product_attention = Op(
    "dot_product_attention", _type, None, _gradient, _parts, output_names=("", "weights"), saved=1,
    bound=Bound("parts", floor=1e-6), smooth=True,
    samples=(
        sample(_Q, _K, _V), sample(_Q, _K, _V, _SEEN, scale=0.3), sample(_Q, _K, _V, (2, 1, 1, 6)),
        sample(_Q, _K, _V, None, _KEPT, rate=0.3, causal=True), sample(_Q, _K, _V, causal=True, align="last"),
        sample((2, 4, 6, 5), (2, 6, 1, 5), (2, 6, 1, 7), layout="NTHD", soft_cap=1.5),
        sample((2, 6, 7, 5), (2, 3, 4, 5), (2, 3, 4, 5), causal=True, align="last"),
    ),
)  # fmt: skip

OPS = (dot_product_attention,)
