"""All samples of an op as one graph: one module an op is compiled. And more samples, for what rules tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import spatial_rows
from bodies import of_type
from draws import drawn

from isograd.ir import Graph, Op, TensorType, Value, ops
from isograd.ir.autodiff import backward
from isograd.ir.dims import symbol
from isograd.ir.errors import IsogradError
from isograd.ir.evaluate import resolve
from isograd.ir.op import NO_GRADIENT, Sample, sample
from isograd.ir.types import dtype_of

_IMAGE = {"padding": ((1, 1), (1, 1)), "dilations": (1, 1)}
_PLAIN = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilations": (1, 1)}
_FIRST = {"layout": "NCHW", "filter_layout": "OIHW"}
_POOL = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
_LINE = {"window": (2,), "strides": (2,), "padding": ((0, 0),), "layout": "NWC"}
_SOLID = {"window": (2, 1, 3), "strides": (2, 1, 2), "padding": ((0, 1), (0, 0), (1, 1)), "layout": "NDHWC"}
_CUBE = {
    "strides": (1, 2, 1),
    "padding": ((0, 0), (1, 1), (0, 1)),
    "dilations": (1, 1, 1),
    "layout": "NDHWC",
    "filter_layout": "DHWIO",
}
_UNEVEN = {"window": (3, 2), "strides": (1, 2), "padding": ((0, 1), (1, 0)), "layout": "NCHW"}
_EVEN = {"window": (3, 2), "strides": (1, 2), "padding": ((1, 1), (0, 0)), "dilations": (1, 1), "layout": "NCHW"}
_Q, _K, _V = (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7)
_SEEN = np.array([[1, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]], bool)
_ZEROS = np.array([[2.0, 0.0, 3.0, 0.5, 0.0], [1.0, 2.0, -1.0, 0.0, 4.0]], np.float32)
_WORDS = np.array([1, 2**31 + 5, 2**32 - 1], np.uint32)


_NUMBERS = (
    sample((2, 3), 0.3),
    sample(1.7, (2, 3)),
    sample(np.array([3, -4], np.int64), 2),
    sample(2, np.array([3, -4], np.int32)),
)
_QUOTIENTS = (
    sample(np.array([7, -7, 0], np.int64), 2), sample(np.array([7, -7, -(2**31)], np.int32), -3),
    sample(7, np.array([2, -2, 0], np.int32)), sample(_WORDS, np.array([3, 2**31, 0], np.uint32)),
    sample(np.array([100, -128, 5], np.int8), np.array([-1, -1, 0], np.int8)),
)  # fmt: skip
_ORDERS = (
    sample(_WORDS, _WORDS[::-1].copy()),
    sample(np.array([2**63 + 1, 3], np.uint64), np.array([5, 4], np.uint64)),
    *_NUMBERS,
)


def _conv(*shapes: tuple[int, ...], **attributes: Any) -> Sample:
    return sample(*shapes, **attributes)


def _recurrent(
    gates_: int, states: int, d: int, h: int, *, bias: bool = True, biases: int = 1, **attributes: Any
) -> Sample:  # fmt: skip
    """A layer that is not differentiated: then frameworks run it whole."""
    x = (4, 2, d) if attributes.get("time_axis") == 0 else (2, 4, d)
    operands = [x, *[(2, h)] * states, (d, gates_ * h), (h, gates_ * h), *[(gates_ * h,)] * (biases * bias)]
    return sample(*operands, between=(-0.7, 0.7), differentiable=False, **attributes)


# Backends choose by padding, strides, groups, layouts, dtypes and absent operands; the ops' own samples need not.
MORE: Mapping[Op, Sequence[Sample]] = {
    ops.nuclear_norm: (sample((2, 3, 4), differentiable=False),),
    ops.lstm: (
        _recurrent(4, 2, 3, 5), _recurrent(4, 2, 3, 5, reverse=True, gates="iofg"),
        _recurrent(4, 2, 3, 5, bias=False, time_axis=0), _recurrent(4, 2, 3, 5, activation="relu"),
    ),
    ops.gru: (
        _recurrent(3, 1, 3, 5, biases=2), _recurrent(3, 1, 3, 5, reverse=True, gates="rzn"),
        _recurrent(3, 1, 3, 5, bias=False, time_axis=0), _recurrent(3, 1, 3, 5, reset_after=False),
    ),
    ops.simple_rnn: (
        _recurrent(1, 1, 3, 5), _recurrent(1, 1, 3, 5, reverse=True, activation="relu"),
        _recurrent(1, 1, 3, 5, bias=False, time_axis=0),
    ),
    ops.conv: (
        _conv((2, 7, 6, 3), (3, 3, 3, 4), strides=(1, 1), **_IMAGE),
        _conv((2, 7, 6, 3), (3, 3, 3, 4), strides=(2, 2), **_IMAGE),
        _conv((2, 8, 6, 3), (3, 3, 3, 4), strides=(2, 2), padding=((0, 1), (0, 1)), dilations=(1, 1)),
        _conv((2, 7, 6, 4), (3, 2, 2, 6), groups=2, **_PLAIN), _conv((2, 7, 6, 3), (3, 2, 1, 6), groups=3, **_PLAIN),
        _conv((2, 7, 6, 3), (3, 2, 1, 6), groups=3, strides=(1, 2), padding=((0, 0), (0, 0)), dilations=(1, 1)),
        _conv((2, 3, 7, 6), (4, 3, 3, 3), strides=(2, 2), **_IMAGE, **_FIRST),
        _conv((2, 7, 6, 3), (4, 3, 3, 2), filter_layout="OIHW", **_PLAIN),
        _conv((2, 3, 7, 6), (3, 2, 3, 4), layout="NCHW", **_PLAIN),
        _conv((2, 9, 8, 3), (3, 2, 3, 4), strides=(2, 1), padding=((1, 1), (0, 0)), dilations=(2, 3)),
        _conv((2, 7, 3), (3, 3, 4), strides=(1,), padding=((1, 1),), dilations=(1,), layout="NWC", filter_layout="WIO"),
        _conv((2, 3, 9), (4, 3, 2), strides=(2,), padding=((0, 0),), dilations=(3,), layout="NCW", filter_layout="OIW"),
        _conv((1, 5, 4, 3, 2), (2, 3, 1, 2, 6), **_CUBE), _conv((1, 5, 4, 3, 4), (2, 3, 1, 2, 6), groups=2, **_CUBE),
        _conv((1, 5, 4, 3, 2), (3, 3, 1, 2, 6), **{**_CUBE, "strides": (1, 1, 1), "padding": ((1, 1), (1, 1), (0, 0))}),
        _conv((1, 2, 5, 4, 3), (6, 2, 2, 3, 1), **{**_CUBE, "layout": "NCDHW", "filter_layout": "OIDHW"}),
    ),
    ops.max_pool: (
        sample((2, 4, 6, 3), **_POOL), sample((2, 3, 5, 4), **_POOL, layout="NCHW"),
        sample((2, 7, 6, 3), **{**_POOL, "window": (3, 3), "padding": ((1, 1), (0, 1))}),
        sample((2, 6, 3), **_LINE), sample((2, 7, 3), **{**_LINE, "window": (3,), "padding": ((1, 1),)}),
        sample((2, 3, 2, 6, 4), **_SOLID),
        sample((2, 3, 5, 4), **_UNEVEN),
        sample((2, 5, 6, 3), **{**_POOL, "window": (3, 3), "padding": ((2, 2), (1, 1))}),
    ),
    ops.max_pool_select: (sample((2, 3, 2, 6, 4), (2, 3, 2, 6, 4), **_SOLID), sample((2, 6, 3), (2, 6, 3), **_LINE)),
    ops.average_pool: (
        sample((2, 4, 6, 3), **_POOL), sample((2, 3, 5, 4), **_POOL, layout="NCHW"),
        sample((2, 5, 4, 3), **{**_POOL, "padding": ((1, 1), (1, 1))}),
        sample((2, 7, 6, 3), **{**_POOL, "window": (3, 3), "padding": ((1, 1), (0, 1))}),
        sample((2, 5, 4, 3), count_padding=True, **{**_POOL, "padding": ((1, 1), (1, 1))}),
        sample((2, 6, 3), **_LINE), sample((2, 7, 3), **{**_LINE, "window": (3,), "padding": ((1, 1),)}),
        sample((2, 3, 2, 6, 4), **_SOLID),
        sample((2, 3, 5, 4), **_UNEVEN), sample((2, 3, 5, 4), count_padding=True, **_UNEVEN),
        sample((2, 3, 2, 6, 4), count_padding=True, **_SOLID),
    ),
    ops.batch_norm: (
        sample((4, 2, 5, 3), (3,), (3,)), sample((4, 3), (3,), None), sample((2, 3, 5), (3,), (3,), axis=1),
        sample((2, 3, 4, 5), (4,), (4,), axis=2),
    ),
    ops.batch_norm_inference: tuple(
        sample(shape, *affine, (3,), np.array([0.5, 1.5, 1.0], np.float32), axis=axis, epsilon=1e-2)
        for shape, axis in (((2, 4, 5, 3), -1), ((2, 3, 5, 4), 1), ((2, 4, 3), 2))
        for affine in (((3,), (3,)), (None, (3,)), ((3,), None))
    ),
    ops.layer_norm: (
        sample((2, 4, 3), None, None), sample((2, 4, 3), (3,), (4, 3), axes=(1,)),
        sample((2, 4, 3), (4, 3), (4, 3), axes=(-2, -1), epsilon=1e-2),
    ),
    ops.group_norm: (
        sample((2, 4, 3), (4,), (4,), groups=2, axis=1), sample((2, 6, 5, 3), None, (6,), groups=3, axis=-3),
        sample((2, 5, 6), (6,), None, groups=2), sample((2, 5, 4, 3), None, None, groups=2, axis=2),
        sample((2, 4, 3), None, None, groups=2, axis=1, epsilon=1e-5),
        sample((3, 6), (6,), (6,), groups=2, epsilon=0.1),
    ),
    ops.instance_norm: (
        sample((2, 4, 3), (4,), None, axis=1, epsilon=1e-5), sample((2, 5, 4, 3), None, None),
        sample((2, 4, 3, 6), (3,), (3,), axis=2), sample((2, 5, 3), (3,), (3,), epsilon=1e-5),
    ),
    ops.vector_norm: (
        sample((2, 3, 4), order=1.0, axes=(0, 2)), sample((2, 3), axes=(1,), keepdims=True), sample((2, 3), axes=()),
        sample((2, 3), order=np.inf), sample((2, 3, 4), order=3.0, axes=(1, 2)),
    ),
    ops.l2_normalize: (sample((2, 3, 4), axes=(0, 2), bounded="square", epsilon=5.0),),
    ops.local_response_norm: (
        sample((2, 3, 6), window=(0, 3)), sample((2, 5, 3, 7), window=(1, 1), alpha=0.3),
        sample((2, 5, 3, 4), axis=1, window=(1, 2), alpha=0.2),
    ),
    ops.pairwise_distance: (sample((2, 4, 3), (2, 5, 3)), sample((4, 3), (5, 3), order=np.inf)),
    ops.einsum: (
        sample((3, 3), equation="ii->i"), sample((3, 2, 3), equation="iji->j"),
        sample((3, 3), (3, 4), equation="ii,ij->j"),
        sample((2, 3, 3), (3,), equation="bii,i->bi"), sample((3, 3), equation="ii->"),
        sample(np.array([[2, 3], [4, 5]], np.int32), np.array([1, 7], np.int32), equation="ij,j->i"),
        sample((2, 3), (2, 3), (3, 4), equation="ij,ij,jk->ik"),
        sample(np.array([[2, 3], [4, 2**32 - 1]], np.uint32), np.array([1, 7], np.uint32), equation="ij,j->i"),
    ),
    ops.from_patches: (sample((2, 18, 5, 4), sizes=(5, 9), **_EVEN),),
    ops.tensordot: (sample((2, 3), (3, 4), axes=((), ())),),
    ops.dot_general: (sample((2, 3, 4), (2, 4, 5), contracting=((2,), (1,)), batch=((0,), (0,))),),
    ops.rms_norm: (sample((2, 4, 3), None, axes=(1, 2)), sample((2, 4, 3), (4, 3), axes=(1,)), sample((2, 4, 3), (3,))),
    ops.dot_product_attention: (
        sample(_Q, _K, _V, np.where(_SEEN, 0.5, -np.inf).astype(np.float32)),
        sample(_Q, _K, _V, np.where(_SEEN, 0.5, -np.inf).astype(np.float32), causal=True, align="last"),
        sample(_Q, _K, _V, _SEEN, causal=True), sample(_Q, _K, _V, _SEEN, np.roll(_SEEN, 1), rate=0.2, soft_cap=0.5),
        sample(_Q, _K, _V, causal=True, scale=0.4),
        sample((2, 6, 4, 5), (2, 3, 7, 5), (2, 3, 7, 4)), sample(_Q, _K, _V, (6,)),
        sample(_Q, _K, _V, (3, 4, 6)),
        sample((2, 4, 6, 5), (2, 7, 3, 5), (2, 7, 3, 4), np.arange(7)[None] % 3 > 0, layout="NTHD"),
        sample((2, 4, 3, 5), (2, 7, 3, 5), (2, 7, 3, 6), layout="NTHD", scale=1.0),
    ),
    ops.take: (
        sample((5, 4), np.array([3, 1], np.int64), axis=-2), sample((5, 4), np.array([[3], [1]], np.uint8)),
        sample((5, 4), np.array(2, np.int32)),
    ),
    ops.scatter_add: (
        sample((2, 4), np.array([1, 1], np.int64), size=3),
        sample((2, 3, 4), np.array([[1, 0], [2, 1], [1, 1]], np.uint8).T, size=3, axis=-2),
        sample((4,), np.array(1, np.int32), size=3),
    ),
    ops.one_hot: (sample(np.array([0, 2, 7], np.uint8), depth=3),),
    ops.softmax_cross_entropy: (sample((3, 4), (3, 4)),),
    ops.sparse_softmax_cross_entropy: (
        sample((4, 3), np.array([2, 0, 1, 2], np.int64)), sample((2, 3), np.array([2, 0], np.uint8)),
    ),
    ops.pad: (
        sample((2, 3), 0.3, low=(1, 0), high=(2, 1), interior=(0, 0)),
        sample((2, 3), 0.0, low=(1, 0), high=(0, 0), interior=(0, 0)),
        sample((2, 3), np.float32(0), low=(1, 0), high=(2, 1), interior=(0, 0)),
        sample((1, 3), np.float32(2), low=(1, 0), high=(2, 1), interior=(1, 2)),
        sample((2, 3, 4), np.float32(0.5), low=(0, 1, 2), high=(0, 0, 1), interior=(1, 0, 2)),
    ),
    ops.slice_: (sample((3, 4, 5), starts=(0, 1, 4), stops=(3, 1, 5), steps=(1, 1, 2)),),
    ops.transpose: (sample((2, 3, 4), axes=(0, 2, 1)), sample((2, 3, 4, 5), axes=(0, 1, -1, -2))),
    ops.broadcast_to: (sample((), shape=()), sample((2, 1), shape=(2, 3))),
    ops.cast: (
        sample((2, 3), dtype=dtype_of("float64"), differentiable=False),
        sample(np.array([[1 - 2j, 3j]], np.complex64), dtype=dtype_of("float32"), differentiable=False),
        sample(np.array([300, -1], np.int32), dtype=dtype_of("uint8")),
        sample(np.array([-1, 2**40 + 3], np.int64), dtype=dtype_of("uint32")),
        sample(np.array([np.nan, 0.0], np.float32), dtype=dtype_of("bool"), differentiable=False),
    ),
    ops.reduce_sum: (
        sample((2, 3), axes=()), sample(np.array([[100, 100], [2, 3]], np.int8), axes=(1,)),
        sample(np.array([2**31 - 1, 1], np.int32)),
        sample(np.array([2**53, 1], np.int64)), sample(_WORDS, keepdims=True), sample((2, 3), keepdims=True),
        sample((2, 3, 4), axes=(1, 2)),
    ),
    ops.reduce_max: (sample((2, 3), axes=()), sample(np.array([3, -7], np.int32)), sample((2, 3), keepdims=True)),
    ops.reduce_min: (sample((2, 3), axes=()), sample(np.array([3, -7], np.int64)), sample((2, 3), keepdims=True)),
    ops.reduce_mean: (sample((2, 3), axes=()), sample((2, 3), keepdims=True)),
    ops.reduce_variance: (sample((2, 3), axes=()), sample((2, 3), keepdims=True)),
    ops.log_sum_exp: (sample((2, 3), axes=()), sample((2, 3), keepdims=True)),
    ops.reduce_product: (
        sample(np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0]], np.float32), axes=(1,)), sample((2, 3), axes=()),
        sample(np.array([[3, -4, 5], [2**16, 2**16, 3]], np.int32), axes=(1,)), sample((2, 3), keepdims=True),
        sample(np.array([[3, -4, 5]], np.int64)), sample((2, 3, 4), axes=(0, 2)),
    ),
    ops.reduce_any: (sample(np.array([[True, False]]), axes=()), sample(np.array([[True, False]]), keepdims=True)),
    ops.reduce_all: (sample(np.array([[True, False]]), axes=()), sample(np.array([[True, False]]), keepdims=True)),
    ops.cumulative_sum: (sample(np.array([2**31 - 1, 1], np.int32)), sample((3, 2), axis=0, exclusive=True)),
    ops.cumulative_product: (sample(_ZEROS), sample(_ZEROS, reverse=True, exclusive=True)),
    ops.cumulative_maximum: (sample(np.array([3, 2**40, 2**40 + 1, 1], np.int64)),),
    ops.cumulative_minimum: (sample(np.array([3, -(2**40), -(2**40) - 1, 1], np.int64)),),
    ops.argmax: (sample((2, 3), axis=0, dtype=dtype_of("uint8"), differentiable=False),),
    ops.argmin: (
        sample((2, 3), axis=0, dtype=dtype_of("int32"), differentiable=False),
        sample((2, 3), axis=0, dtype=dtype_of("uint8"), differentiable=False),
    ),
    ops.add: (
        *_NUMBERS, sample(_WORDS, _WORDS[::-1].copy()),
        sample(np.array([2**31 - 1], np.int32), np.array([1], np.int32)),
    ),
    ops.subtract: (
        *_NUMBERS, sample(_WORDS, _WORDS[::-1].copy()), sample(np.array([3], np.uint8), np.array([5], np.uint8)),
    ),
    ops.divide: (sample((2, 3), 0.3, between=(0.5, 2.0)), sample(1.7, (2, 3), between=(0.5, 2.0))),
    ops.power: (sample((2, 3), 1.5, between=(0.5, 2.0)), sample(1.7, (2, 3))),
    ops.matmul: (sample(_WORDS[None, :2], np.array([[3, 2**31, 5], [7, 2**32 - 1, 11]], np.uint32)),),
    ops.maximum: _NUMBERS,
    ops.minimum: _NUMBERS,
    ops.where: tuple(
        sample(np.array([True, False, True]), *branches)
        for branches in (((2, 3), 0.3), (0.3, (2, 3)), (1, np.array([[2], [3]], np.int64)))
    ),
    ops.equal: _ORDERS,
    ops.not_equal: _ORDERS,
    ops.multiply: (
        *_NUMBERS, sample(_WORDS, _WORDS[::-1].copy()),
        sample(np.array([2**40 + 1], np.int64), np.array([2**40 - 1], np.int64)),
    ),
    ops.negative: (sample(_WORDS), sample(np.array([3, -4], np.int32))),
    ops.sign: (sample(np.array([3, 0, -4], np.int32)),),
    ops.absolute: (sample(np.array([3, 0, -4], np.int32)),),
    ops.less: _ORDERS,
    ops.less_equal: _ORDERS,
    ops.greater: _ORDERS,
    ops.greater_equal: _ORDERS,
    ops.isnan: (sample(np.array([3, 0], np.int32)),),
    ops.isfinite: (sample(np.array([3, 0], np.int32)),),
    ops.isinf: (sample(np.array([3, 0], np.int32)),),
    ops.clip: (sample((2, 3), -0.5, 1.0), sample(np.array([3, -4, 7], np.int64), -2, 5)),
    ops.bitwise_not: (sample(_WORDS),),
    ops.bitwise_and: (sample(_WORDS, _WORDS[::-1].copy()), sample(_WORDS, np.uint32(255))),
    ops.shift_left: (sample(_WORDS, np.array([1, 31, 0], np.uint32)), sample(np.array([3, -4], np.int32), 2)),
    ops.shift_right: (
        sample(_WORDS, np.array([1, 31, 0], np.uint32)), sample(np.array([3, -4], np.int32), 2),
        sample(np.array([2**63 + 5, 7, 2**63], np.uint64), np.array([1, 2, 63], np.uint64)),
        sample(np.array([2**63 + 5], np.uint64), np.array([0], np.uint64)),
    ),
    ops.remainder: _QUOTIENTS,
    ops.truncated_remainder: _QUOTIENTS,
    ops.floor_divide: _QUOTIENTS,
    ops.truncated_divide: _QUOTIENTS,
    ops.elu: (sample((2, 3), alpha=0.7, between=(0.5, 2.0)),),
    ops.arange: (sample(size=4, dtype=dtype_of("float64")), sample(size=3, dtype=dtype_of("uint8"))),
    ops.advance_counter: (
        sample(np.array([2**32 - 1, 2**32 - 1], np.uint32), amount=2),
        sample(np.array([5, 7], np.uint32), amount=2**40 + 3),
    ),
    **spatial_rows.MORE,
}  # fmt: skip


def samples_of(op: Op) -> tuple[Sample, ...]:
    return (*op.samples, *MORE.get(op, ()))


BATCH = 13  # what an unknown size is when a graph runs; no sample has it
Arrays = list[np.ndarray]


def sample_graph(
    op: Op,
    *,
    dtype: str = "float32",
    unknown: bool = False,
    only: Sequence[Sample] | None = None,
    differentiated: bool = True,
) -> tuple[Graph, Arrays]:
    """A graph that applies `op` to each of its samples and differentiates them, and its arrays.

    The gradients are those of a random projection of all outputs, and of the first alone where there are several: a
    rule may claim that and not the other. Float32 operands become `dtype`. Where `unknown` is said, the leading axis is
    of unknown size wherever it can be.
    """
    graph, arrays = Graph(op.name), []
    generator = np.random.default_rng(7)
    for k, s in enumerate(samples_of(op) if only is None else only):
        operands = [_as(o, dtype) for o in s.operands]
        change = next((c for c in (_first_alone, _all_alike) if unknown and _fits(op, s, c)), _as_is)
        types, attributes = change(s, operands)
        tensors = [(t, o) for t, o in zip(types, operands, strict=True) if isinstance(t, TensorType)]
        arrays += [np.resize(o, resolve(t.shape, {"N": BATCH})) if t.shape != o.shape else o for t, o in tensors]
        given = of_type(attributes, dtype)
        arrays += _add(graph, op, s, types, given, f"s{k}", generator if differentiated else None)
    return graph, arrays


def _as(operand: Any, dtype: str) -> Any:
    """A number and None stay; a float32 array, or a NumPy scalar, becomes one of the type; a complex one as wide."""
    if operand is None or isinstance(operand, float | int):
        return operand
    array = np.asarray(operand)
    if array.dtype == np.complex64 and dtype == "float64":
        return array.astype(np.complex128)
    return array.astype(dtype) if array.dtype == np.float32 else array


def _types(operands: Sequence[Any]) -> list[Any]:
    return [TensorType(dtype_of(o.dtype), o.shape) if isinstance(o, np.ndarray) else o for o in operands]


def _add(
    graph: Graph,
    op: Op,
    s: Sample,
    types: Sequence[Any],
    attributes: Mapping[str, Any],
    name: str,
    generator: np.random.Generator | None,
) -> Arrays:
    """Append one sample on operands of these types (or numbers), differentiated where a generator draws a projection.

    Gives the arrays of the projection.
    """
    values = [graph.input(f"{name}_{i}", t) if isinstance(t, TensorType) else t for i, t in enumerate(types)]
    results = graph.apply(op, *values, **attributes)
    outputs = results if isinstance(results, tuple) else (results,)
    for j, value in enumerate(outputs):
        graph.output(value, f"{name}.out{j}")
    wrt = [v for v in values if isinstance(v, Value) and v.dtype.is_differentiable]
    floats = [v for v in outputs if v.dtype.is_differentiable]
    if generator is None or not s.differentiable or op.gradient == NO_GRADIENT or not wrt or not floats:
        return []
    arrays: Arrays = []
    for chosen in [floats, floats[:1]][: len(floats)]:
        seeds = []
        for value in chosen:
            shape = resolve(value.shape, {"N": BATCH})
            arrays.append(drawn(generator, shape, value.dtype.numpy))
            seeds.append(graph.input(f"{name}_seed{len(arrays)}", value.type))
        for i, gradient in enumerate(backward(chosen, seeds, wrt)):
            if gradient is not None:
                graph.output(gradient, f"{name}.gradient{len(chosen)}.{i}")
    return arrays


def takes_unknown_batch(op: Op) -> bool:
    """Whether some sample of the op can have a leading axis of unknown size."""
    return any(_fits(op, s, change) for s in samples_of(op) for change in (_first_alone, _all_alike))


Change = tuple[list[Any], Mapping[str, Any]]


def _as_is(s: Sample, operands: Sequence[Any]) -> Change:
    return _types(operands), s.attributes


def _first_alone(s: Sample, operands: Sequence[Any]) -> Change:
    """The first operand begins with an axis of unknown size."""
    types = _types(operands)
    types[0] = types[0].with_shape((symbol("N"), *types[0].shape[1:]))
    return types, s.attributes


def _all_alike(s: Sample, operands: Sequence[Any]) -> Change:
    """So do all operands, and an attribute `shape`, that begin as the first does."""
    n = operands[0].shape[0]
    types = [
        t.with_shape((symbol("N"), *t.shape[1:])) if isinstance(t, TensorType) and t.shape[:1] == (n,) else t
        for t in _types(operands)
    ]
    shape = s.attributes.get("shape", ())
    return types, {**s.attributes, "shape": (symbol("N"), *shape[1:])} if shape[:1] == (n,) else s.attributes


def _fits(op: Op, s: Sample, change: Any) -> bool:
    if op.binds or not s.operands or np.shape(s.operands[0])[:1] in ((), (0,)):
        return False
    graph = Graph()
    try:
        types, attributes = change(s, [_as(o, "float32") for o in s.operands])
        _add(graph, op, s, types, attributes, "s", np.random.default_rng(0))
    except (IsogradError, TypeError, ValueError):
        return False
    return not graph.guards and any(not isinstance(n, int) for p in graph.outputs for n in p.value.shape)
