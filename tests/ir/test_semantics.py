"""What ops mean where frameworks differ: the rows of the semantics table (V: special values, G: gradients at kinks).

The rows are those of `NUMERICS.md` 3.6. Each is held by the reference, whole and in parts; the backends have them too.
"""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import decompose
from isograd.ir.types import float32

NAN, INF = np.nan, np.inf


def graph_of(function, operands):
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(float32, np.shape(o))) for i, o in enumerate(operands)]
    return graph, values, function(*values)


def run(graph, operands):
    arrays = [np.asarray(o, np.float32) for o in operands]
    whole = run_reference(graph, arrays)
    parts = run_reference(decompose(graph, keep=lambda node: False), arrays)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a, b)
    return [np.asarray(a) for a in whole]


def result(function, *operands):
    graph, _, out = graph_of(function, operands)
    graph.output(out, "out")
    return run(graph, operands)[0]


def slopes(function, *operands):
    """The gradient of the sum of the result, to each operand."""
    graph, values, out = graph_of(function, operands)
    for i, gradient in enumerate(gradients(graph, ops.reduce_sum(out), values)):
        graph.output(gradient, str(i), "gradient")
    return run(graph, operands)


HEADS = np.arange(24.0).reshape(1, 2, 3, 4) / 10.0
ONE_DEAD = [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]  # the second query sees no key
SHUT = np.where(np.array(ONE_DEAD) > 0.0, 0.0, -INF)


def masked_attention(x, seen):
    return ops.dot_product_attention(x, x, x, seen > 0.0)


def biased_attention(x, bias):
    return ops.dot_product_attention(x, x, x, bias)


def later_attention(query, key):
    return ops.dot_product_attention(query, key, key, causal=True, align="last")


def l2_normalize(x):
    return ops.l2_normalize(x, epsilon=2.0**-40)


def second_query(attention):
    return lambda x, mask: ops.slice_axis(attention(x, mask), 2, 1, 2)


def clip(x, low, high):
    return ops.minimum(ops.maximum(x, low), high)


def descending(x):
    return ops.sort(x, descending=True)


def of_indices(x, *numbers):
    return x.graph.constant(np.array(numbers, np.int32))


def sliced(x, start):
    return ops.dynamic_slice(x, x.graph.constant(start, "int32"), sizes=(3,))


def taken(x, place, mode):
    return ops.take(x, ops.normalize_indices(of_indices(x, place), size=x.shape[0], mode=mode))


UNORDERED = [1.0, -0.0, 2.0, NAN, -INF, NAN, INF, 0.0]
VALUES = [  # row, function, operands, result
    ("V2 relu(nan)", ops.relu, [[NAN, -1.0, 2.0]], [NAN, 0.0, 2.0]),
    ("V3 clip(nan)", lambda x: clip(x, 0.0, 1.0), [[NAN, -3.0, 0.5, 3.0]], [NAN, 0.0, 0.5, 1.0]),
    ("V3 clip, low > high", lambda x: clip(x, 3.0, 1.0), [[0.0, 5.0]], [1.0, 1.0]),
    ("V4 sign", ops.sign, [[NAN, -0.0, -2.0, INF]], [NAN, 0.0, -1.0, 1.0]),
    ("V7 argmax, ties", ops.argmax, [[1.0, 3.0, 3.0, 3.0]], 1),
    ("V7 argmin, ties", ops.argmin, [[3.0, 1.0, 1.0, 3.0]], 1),
    ("V9 sort", ops.sort, [UNORDERED], [-INF, -0.0, 0.0, 1.0, 2.0, INF, NAN, NAN]),
    ("V9 sort, descending", descending, [UNORDERED], [NAN, NAN, INF, 2.0, 1.0, -0.0, 0.0, -INF]),
    ("V9 argsort", ops.argsort, [UNORDERED], [4, 1, 7, 0, 2, 6, 3, 5]),
    ("V9 argsort, descending", lambda x: ops.argsort(x, descending=True), [UNORDERED], [3, 5, 6, 2, 0, 1, 7, 4]),
    ("V10 argsort of 2000 equals", ops.argsort, [np.zeros(2000)], np.arange(2000)),
    (
        "V10 argsort of 2000 equals, descending", lambda x: ops.argsort(x, descending=True), [np.zeros(2000)],
        np.arange(2000),
    ),
    ("V11 top_k, nan", lambda x: ops.top_k(x, k=3)[0], [[2.0, NAN, 1.0, NAN, 0.0]], [NAN, NAN, 2.0]),
    ("V11 top_k, smallest", lambda x: ops.top_k(x, k=3, largest=False)[0], [[2.0, NAN, 1.0, 3.0]], [1.0, 2.0, 3.0]),
    ("V12 top_k, ties", lambda x: ops.top_k(x, k=3)[1], [[3.0, 1.0, 2.0, 3.0, 2.0, 3.0]], [0, 3, 5]),
    ("V12 top_k of 2000 equals", lambda x: ops.top_k(x, k=9)[1], [np.zeros(2000)], np.arange(9)),
    (
        "V12 top_k of 2000 equals, smallest", lambda x: ops.top_k(x, k=9, largest=False)[1], [np.zeros(2000)],
        np.arange(9),
    ),
    ("median of a nan", ops.median, [[[3.0, NAN, 1.0], [5.0, 1.0, 2.0]]], [NAN, 2.0]),
    ("V1 cumulative_maximum(nan)", ops.cumulative_maximum, [[1.0, NAN, 3.0, 2.0]], [1.0, NAN, NAN, NAN]),
    ("V1 cumulative_minimum(nan)", ops.cumulative_minimum, [[1.0, NAN, 3.0, -INF]], [1.0, NAN, NAN, NAN]),
    ("cumulative_argmax, nan and ties", ops.cumulative_argmax, [[1.0, 1.0, NAN, 3.0, NAN]], [0, 1, 2, 2, 4]),
    ("V16 cumulative_log_sum_exp(-inf)", ops.cumulative_log_sum_exp, [[-INF, -INF, 1.0]], [-INF, -INF, 1.0]),
    ("cumulative_log_sum_exp far apart", ops.cumulative_log_sum_exp, [[-500.0, 500.0, INF]], [-500.0, 500.0, INF]),
    ("I24 dynamic_slice past the end", lambda x: sliced(x, 4), [[0.0, 1.0, 2.0, 3.0, 4.0]], [2.0, 3.0, 4.0]),
    ("I24 dynamic_slice before the start", lambda x: sliced(x, -2), [[0.0, 1.0, 2.0, 3.0, 4.0]], [0.0, 1.0, 2.0]),
    ("I20 take(-1)", lambda x: taken(x, -1, "negative"), [[0.0, 1.0, 2.0]], [2.0]),
    ("I19 take(7), clipped", lambda x: taken(x, 7, "clip"), [[0.0, 1.0, 2.0]], [2.0]),
    ("I19 take(-7), clipped", lambda x: taken(x, -7, "clip"), [[0.0, 1.0, 2.0]], [0.0]),
    (
        "I19 take(7) or fill", lambda x: ops.take_or_fill(x, of_indices(x, 7, 1, -1), NAN), [[0.0, 1.0, 2.0]],
        [NAN, 1.0, NAN],
    ),
    (
        "I25 segment_sum of -1 and past the end", lambda x: ops.segment_sum(x, of_indices(x, -1, 1, 5, 1), count=3),
        [[1.0, 2.0, 3.0, 4.0]], [0.0, 6.0, 0.0],
    ),
    (
        "I25 segment_maximum of -1 and of no rows",
        lambda x: ops.segment_maximum(x, of_indices(x, -1, 1, 5, 1), count=3),
        [[1.0, 2.0, 3.0, 4.0]], [-INF, 4.0, -INF],
    ),
    (
        "I21 one_hot of no class", lambda x: x * ops.one_hot(of_indices(x, -1, 3, 1), depth=3),
        [[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    ),
    (
        "an empty bag has zeros",
        lambda x: ops.embedding_bag(x, of_indices(x, 1, 0), of_indices(x, 0, 2), mode="max"),
        [[[-1.0, 5.0], [-2.0, 7.0]]], [[-1.0, 7.0], [0.0, 0.0]],
    ),
    ("I30 product of nothing", ops.reduce_product, [np.zeros(0)], 1.0),
    ("V15 softmax(inf)", ops.softmax, [[INF, 0.0]], [NAN, NAN]),
    ("V15 softmax(nan)", ops.softmax, [[NAN, 0.0]], [NAN, NAN]),
    ("V15 softmax(all -inf)", ops.softmax, [[-INF, -INF]], [NAN, NAN]),
    ("V15 softmax, one -inf", ops.softmax, [[-INF, 1.0]], [0.0, 1.0]),
    ("V15 softmax, rows", ops.softmax, [[[NAN, 0.0], [1.0, 1.0]]], [[NAN, NAN], [0.5, 0.5]]),
    ("V15 log_softmax(nan)", ops.log_softmax, [[NAN, 0.0]], [NAN, NAN]),
    ("V16 log_sum_exp(all -inf)", ops.log_sum_exp, [[-INF, -INF]], -INF),
    ("V16 log_sum_exp(inf)", ops.log_sum_exp, [[INF, 0.0]], INF),
    ("V16 log_sum_exp(nan)", ops.log_sum_exp, [[NAN, 0.0]], NAN),
    ("V17 pow", ops.power, [[0.0, 0.0, -8.0, 1.0], [0.0, -1.0, 1 / 3, NAN]], [1.0, INF, NAN, 1.0]),
    ("V17 pow of inf", ops.power, [[INF, -1.0], [0.0, INF]], [1.0, 1.0]),
    ("V17 pow of -0", ops.power, [[-0.0, NAN], [-1.0, 0.0]], [-INF, 1.0]),
    ("V20 round", ops.round_, [[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]], [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0]),
    ("V21 a query that sees no key, bool", second_query(masked_attention), [HEADS, ONE_DEAD], np.zeros((1, 2, 1, 4))),
    ("V21 a query that sees no key, bias", second_query(biased_attention), [HEADS, SHUT], np.zeros((1, 2, 1, 4))),
    (
        "V21 no query sees a key", masked_attention, [HEADS, np.zeros((3, 3))], np.zeros((1, 2, 3, 4)),
    ),
    ("V21 causal, the last query beside the last key", later_attention, [np.zeros((1, 1, 3, 1)), [[[[2.0], [4.0]]]]],
     [[[[0.0], [2.0], [3.0]]]]),
    ("N1 batch_norm, epsilon", lambda x: ops.batch_norm(x, epsilon=3.0)[0], [[[1.0], [3.0]]], [[-0.5], [0.5]]),
    ("N4 layer_norm, epsilon", lambda x: ops.layer_norm(x, epsilon=3.0), [[1.0, 3.0]], [-0.5, 0.5]),
    ("N4 group_norm, epsilon", lambda x: ops.group_norm(x, groups=1, epsilon=3.0), [[[1.0, 3.0]]], [[-0.5, 0.5]]),
    ("N5 rms_norm, epsilon", lambda x: ops.rms_norm(x, epsilon=3.0), [[1.0, 1.0]], [0.5, 0.5]),
    ("N9 l2_normalize, epsilon bounds the norm", l2_normalize, [[2.0**-24, 0.0]], [1.0, 0.0]),
    ("N9 l2_normalize, epsilon bounds the square", lambda x: ops.l2_normalize(x, epsilon=2.0**-40, bounded="square"),
     [[2.0**-24, 0.0]], [2.0**-4, 0.0]),
    ("N11 the variance is biased", ops.reduce_variance, [[1.0, 2.0, 3.0, 4.0]], 1.25),
    ("P15 alpha is not divided by the size", lambda x: ops.local_response_norm(x, alpha=1.0, beta=1.0),
     [[[1.0, 1.0, 1.0, 1.0, 1.0]]], np.float32([[0.25, 0.2, 1.0 / 6.0, 0.2, 0.25]])),
    ("V28 the norm of large numbers", ops.vector_norm, [[1e30, 1e30]], INF),
    ("I31 a vector before a matrix", ops.matmul_any, [[1.0, 2.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]],
     [9.0, 12.0, 15.0]),
    ("I31 a vector after matrices", ops.matmul_any, [[[[1.0, 2.0]], [[3.0, 4.0]]], [1.0, 10.0]], [[21.0], [43.0]]),
    ("I31 two vectors", ops.matmul_any, [[1.0, 2.0], [3.0, 4.0]], 11.0),
    ("I34 the diagonal", lambda x: ops.einsum(x, equation="ii->i"), [[[1.0, 2.0], [3.0, 4.0]]], [1.0, 4.0]),
    ("V22 einsum", lambda x, y: ops.einsum(x, y, equation="i,i->"), [[0.0, 1.0], [INF, 1.0]], NAN),
    ("V24 remainder", ops.remainder, [[-7.0, 7.0], [2.5, -2.5]], [0.5, -0.5]),
    ("V24 truncated remainder", ops.truncated_remainder, [[-7.0, 7.0], [2.5, -2.5]], [-2.0, 2.0]),
    ("V25 remainder by infinity", ops.remainder, [[-5.0, 5.0, 5.0], [INF, -INF, INF]], [INF, -INF, 5.0]),
    ("V26 infinity // 2", ops.floor_divide, [[INF, -5.0, 6.0], [2.0, INF, 0.1]], [NAN, -1.0, 59.0]),
    ("floor_divide by 0", ops.floor_divide, [[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], [INF, -INF, NAN]),
    ("V3 clip keeps nan", lambda x: ops.clip(x, 0.0, 1.0), [[NAN, -3.0, 0.5, 3.0]], [NAN, 0.0, 0.5, 1.0]),
    ("V3 clip, limits crossed", lambda x: ops.clip(x, 3.0, 1.0), [[0.0, 5.0]], [1.0, 1.0]),
    ("V2 pieces keep nan", lambda x: ops.hard_tanh(x) + ops.hard_swish(x) + ops.celu(x), [[NAN]], [NAN]),
    ("divide_no_nan", ops.divide_no_nan, [[1.0, 0.0, 6.0], [0.0, 0.0, 3.0]], [0.0, 0.0, 2.0]),
    ("xlogy at 0", ops.xlogy, [[0.0, 0.0, 2.0], [0.0, INF, 1.0]], [0.0, 0.0, 0.0]),
    ("logaddexp of infinities", ops.logaddexp, [[-INF, INF, -INF], [-INF, INF, 1.0]], [-INF, INF, 1.0]),
    ("hypot far out", ops.hypot, [[INF, 0.0, 3e30], [-INF, 0.0, 4e30]], [INF, 0.0, np.float32(5e30)]),
    ("copysign of zeros", lambda x: ops.reciprocal(ops.copysign(0.0, x)), [[-0.0, 0.0]], [-INF, INF]),
    ("nan_to_num", lambda x: ops.nan_to_num(x, posinf=2.0), [[NAN, INF, 1.0]], [0.0, 2.0, 1.0]),
    ("erfinv at its ends", ops.erfinv, [[-1.0, 1.0, 2.0]], [-INF, INF, NAN]),
    ("log_gamma at its poles", ops.log_gamma, [[0.0, -1.0, INF]], [INF, INF, INF]),
    ("isinf", lambda x: ops.cast(ops.isinf(x), dtype=float32), [[NAN, -INF, 3.0]], [0.0, 1.0, 0.0]),
    ("V22 matmul", ops.matmul, [[[0.0, 1.0]], [[INF], [1.0]]], [[NAN]]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "operands", "expected"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES])
def test_values(function, operands, expected):
    np.testing.assert_array_equal(result(function, *operands), expected)


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum], ids=["maximum", "minimum"])
@pytest.mark.parametrize("length", [1, 37, 100_000])
@pytest.mark.parametrize("side", [0, 1])
def test_v1_nan_on_either_side(function, length, side):
    operands = [np.ones(length), np.ones(length)]
    operands[side] = np.full(length, NAN)
    assert np.isnan(result(function, *operands)).all()


def test_v7_the_first_of_many_is_the_largest():
    x = np.zeros(5000)
    x[[1234, 1235, 4999]] = 1.0
    assert result(ops.argmax, x) == 1234
    assert result(ops.argmin, -x) == 1234


@pytest.mark.parametrize("function", [ops.reduce_max, ops.reduce_min], ids=["reduce_max", "reduce_min"])
@pytest.mark.parametrize(("length", "place"), [(3, 0), (3, 1), (3, 2), (40, 0), (40, 20), (40, 39)])
def test_v5_nan_anywhere(function, length, place):
    x = np.arange(length, dtype=float)
    x[place] = NAN
    assert np.isnan(result(function, x))


def weighted(values):
    return values * values.graph.constant(np.arange(1.0, values.shape[-1] + 1).astype(np.float32))


SLOPES = [  # row, function, operands, gradient to each
    ("G1 relu at 0", ops.relu, [[-0.0, 0.0]], [[0.0, 0.0]]),
    ("G2 maximum(x, 0) at 0", lambda x: ops.maximum(x, 0.0), [[0.0, -1.0, 1.0]], [[0.5, 0.0, 1.0]]),
    ("G3 maximum, tie", ops.maximum, [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]),
    ("G3 minimum, tie", ops.minimum, [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]),
    ("G4 reduce_max, ties", ops.reduce_max, [[1.0, 2.0, 2.0, 2.0, 2.0]], [[0.0, 0.25, 0.25, 0.25, 0.25]]),
    ("G4 reduce_min, ties", ops.reduce_min, [[1.0, 1.0, 3.0]], [[0.5, 0.5, 0.0]]),
    ("G6 sort, ties", lambda x: weighted(ops.sort(x)), [[2.0, 1.0, 2.0, 1.0]], [[3.0, 1.0, 4.0, 2.0]]),
    ("G6 top_k, ties", lambda x: weighted(ops.top_k(x, k=2)[0]), [[1.0, 2.0, 2.0, 2.0]], [[0.0, 1.0, 2.0, 0.0]]),
    ("G6 cumulative_maximum, ties", ops.cumulative_maximum, [[1.0, 1.0, 3.0, 2.0]], [[1.0, 1.0, 2.0, 0.0]]),
    ("G17 cumulative_product with a zero", ops.cumulative_product, [[2.0, 0.0, 3.0]], [[1.0, 8.0, 0.0]]),
    ("G17 cumulative_product with two zeros", ops.cumulative_product, [[0.0, 2.0, 0.0, 3.0]], [[3.0, 0.0, 0.0, 0.0]]),
    (
        "G17 cumulative_product of those before",
        lambda x: ops.cumulative_product(x, exclusive=True), [[2.0, 0.0, 3.0, 5.0]], [[1.0, 8.0, 0.0, 0.0]],
    ),
    (
        "G17 cumulative_product from the end",
        lambda x: ops.cumulative_product(x, reverse=True), [[3.0, 0.0, 2.0]], [[0.0, 8.0, 1.0]],
    ),
    ("G18 product with a zero", ops.reduce_product, [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    ("G18 product with two zeros", ops.reduce_product, [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
    ("G7 clip at its bounds", lambda x: clip(x, 0.0, 1.0), [[0.0, 1.0, 0.5, 2.0]], [[0.5, 0.5, 1.0, 0.0]]),
    ("G8 relu6 at 0 and 6", ops.relu6, [[0.0, 6.0, 3.0, 7.0]], [[0.0, 0.0, 1.0, 0.0]]),
    ("G9 leaky_relu at 0", lambda x: ops.leaky_relu(x, alpha=0.5), [[0.0, -0.0, -1.0, 1.0]], [[0.5, 0.5, 0.5, 1.0]]),
    ("G10 elu at 0", ops.elu, [[0.0]], [[1.0]]),
    ("G10 selu at 0", ops.selu, [[0.0]], [[np.float32(1.7580993408473766)]]),
    ("G11 absolute at 0", ops.absolute, [[0.0, -0.0, -2.0]], [[0.0, 0.0, -1.0]]),
    ("G12 sqrt at 0", ops.sqrt, [[0.0]], [[INF]]),
    ("G12 rsqrt at 0", ops.rsqrt, [[0.0]], [[-INF]]),
    ("G15 x ** 0 at 0", lambda x: x**0.0, [[0.0, 2.0]], [[0.0, 0.0]]),
    ("G16 x ** y at x = 0", ops.power, [[0.0], [2.0]], [[0.0], [0.0]]),
    ("G16 x ** y at x < 0", ops.power, [[-2.0], [2.0]], [[-4.0], [NAN]]),
    ("V21 a query that sees no key", second_query(masked_attention), [HEADS, ONE_DEAD],
     [np.zeros((1, 2, 3, 4)), np.zeros((3, 3))]),
    ("V21 a query that sees no key, bias", second_query(biased_attention), [HEADS, SHUT],
     [np.zeros((1, 2, 3, 4)), np.zeros((3, 3))]),
    ("G13 vector_norm at 0", ops.vector_norm, [[0.0, 0.0]], [[0.0, 0.0]]),
    *((f"G13 vector_norm of order {n} at 0", lambda x, n=n: ops.vector_norm(x, order=n), [[0.0, 0.0]], [[0.0, 0.0]])
      for n in (1.0, 1.5, 3.0, INF)),
    ("G13 pairwise_distance of one point", ops.pairwise_distance, [[[1.0, 2.0]], [[1.0, 2.0]]], [[[0.0, 0.0]]] * 2),
    ("G14 l2_normalize at 0, epsilon bounds the norm", lambda x: ops.l2_normalize(x, epsilon=2.0**-20), [[0.0]],
     [[2.0**20]]),
    ("G14 l2_normalize at 0, epsilon bounds the square", lambda x: ops.l2_normalize(
        x, epsilon=2.0**-20, bounded="square"), [[0.0]], [[2.0**10]]),
    ("I34 the diagonal", lambda x: ops.einsum(x, equation="ii->i"), [[[1.0, 2.0], [3.0, 4.0]]],
     [[[1.0, 0.0], [0.0, 1.0]]]),
    ("G7 clip", lambda x: ops.clip(x, 0.0, 1.0), [[0.0, 1.0, 0.5, 2.0]], [[1.0, 1.0, 1.0, 0.0]]),
    ("G15 power with 0", ops.power, [[0.0], [0.0]], [[0.0], [0.0]]),
    ("G22 xlogy at 0", lambda x: ops.xlogy(x, x), [[0.0, 1.0]], [[0.0, 1.0]]),
    ("G23 arctan2 at 0", ops.arctan2, [[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, -1.0]]),
    ("G24 remainder", ops.remainder, [[-7.0, 7.0], [2.5, -2.5]], [[1.0, 1.0], [3.0, 3.0]]),
    ("hypot at 0", ops.hypot, [[0.0], [0.0]], [[0.0], [0.0]]),
    ("G27 hard_tanh at -1 and 1", ops.hard_tanh, [[-1.0, 1.0, 0.5]], [[0.0, 0.0, 1.0]]),
    ("G27 hard_swish at -3 and 3", ops.hard_swish, [[-3.0, 3.0]], [[0.0, 1.0]]),
    ("G27 sparse_sigmoid at -1 and 1", ops.sparse_sigmoid, [[-1.0, 1.0]], [[0.0, 0.0]]),
    ("prelu at 0", ops.prelu, [[0.0, -2.0], [0.5, 0.5]], [[0.5, 0.5], [0.0, -2.0]]),
    ("celu at 0", ops.celu, [[0.0]], [[1.0]]),
    ("huber at delta", lambda x: ops.huber(x, 0.0 * x), [[-1.0, 1.0, 3.0]], [[-1.0, 1.0, 1.0]]),
    ("G27 hard_sigmoid at -3 and 3", ops.hard_sigmoid, [[-3.0, 3.0]], [[0.0, 0.0]]),
    ("G28 log_sum_exp of all -inf", ops.log_sum_exp, [[-INF, -INF]], [[NAN, NAN]]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "operands", "expected"), [s[1:] for s in SLOPES], ids=[s[0] for s in SLOPES])
def test_slopes(function, operands, expected):
    for found, right in zip(slopes(function, *operands), expected, strict=True):
        np.testing.assert_array_equal(found, np.asarray(right, np.float32))


def test_g5_the_first_of_equals_in_a_window_has_the_gradient():
    x = np.zeros((1, 2, 2, 1))
    window = {"window": (2, 2), "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    assert slopes(lambda v: ops.max_pool(v, **window), x)[0].ravel().tolist() == [1.0, 0.0, 0.0, 0.0]
