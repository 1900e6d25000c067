"""What ops refuse, and how they say it: one line for each thing that a type rule checks."""

import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.errors import TypeMismatchError
from isograd.ir.types import dtype_of

CONV = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilations": (1, 1)}
POOL = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
LINE = {"window": (2,), "strides": (2,), "padding": ((0, 0),), "layout": "NWC"}
IMAGE, FILTER, WORDS = "f32 1 5 6 3", "f32 2 2 3 4", "u32 2"

REFUSED = [  # op, operands' types, attributes, what the error says
    (ops.add, "f32 2", "f32 3", {}, "the sizes do not fit: 2 == 3 is false"),
    (ops.add, "f32 2", "f64 2", {}, "one element type, not f32[2] and f64[2]; cast one of them"),
    (ops.add, "bool 2", "bool 2", {}, "add works on int and uint and float and complex tensors, not on bool[2]"),
    (ops.divide, "i32 2", "i32 2", {}, "divide works on float and complex tensors, not on i32[2]; cast first"),
    (ops.sqrt, "i32 2", {}, "sqrt works on float and complex tensors"),
    (ops.less, "f32 2", "i32 2", {}, "less: the operands must have one element type, not f32[2] and i32[2]"),
    (ops.logical_and, "bool 2", "f32 2", {}, "logical_and works on bool tensors, not on f32[2]; compare first"),
    (ops.logical_not, "i32 2", {}, "logical_not works on bool tensors"),
    (ops.where, "f32 2", "f32 2", "f32 2", {}, "where works on bool tensors"),
    (ops.where, "bool 2", "f32 2", "i32 2", {}, "where: the operands must have one element type"),
    # shapes
    (ops.reshape, "f32 2 3", {"shape": (-1, -1)}, "only one size of (-1, -1) may be -1"),
    (ops.reshape, "f32 2 3", {"shape": (4, -1)}, "6 is not a multiple of 4"),
    (ops.reshape, "f32 2 3", {"shape": (0, -1)}, "6 is not a multiple of 0"),
    (ops.reshape, "f32 2 3", {"shape": (-2, -3)}, "reshape would give f32[-2, -3], but a size cannot be negative"),
    (ops.reshape, "f32 2 3", {"shape": (7,)}, "f32[2, 3] cannot take the shape (7,): 6 elements are not 7"),
    (ops.transpose, "f32 2 3", {"axes": (0,)}, "transpose of f32[2, 3] needs each of its axes once, not (0,)"),
    (ops.transpose, "f32 2 3", {"axes": (0, 2)}, "there is no axis 2 in a tensor of rank 2"),
    (ops.broadcast_to, "f32 2 3", {"shape": (3,)}, "cannot be broadcast to the lower rank of (3,)"),
    (ops.broadcast_to, "f32 2 3", {"shape": (1, 3)}, "f32[2, 3] cannot be broadcast to (1, 3)"),
    (ops.broadcast_to, "f32 2 3", {"shape": (4, 3)}, "2 == 4 is false"),
    (ops.concatenate, "f32 2 3", "f32 2", {}, "one element type and rank, not f32[2, 3], f32[2]"),
    (ops.concatenate, "f32 2 3", "f64 2 3", {}, "one element type and rank"),
    (ops.concatenate, "f32 2 3", "f32 2 4", {}, "4 == 3 is false"),
    (ops.concatenate, "f32 2 3", "f32 2 4", {"axis": 2}, "there is no axis 2"),
    (ops.concatenate, {}, "concatenate needs a part"),
    (ops.slice_, "f32 5", {"starts": (0,), "stops": (3, 3), "steps": (1,)}, "needs a start, a stop and a"),
    (ops.slice_, "f32 5", {"starts": (0,), "stops": (3,), "steps": (0,)}, "a positive step per axis"),
    (ops.slice_, "f32 5", {"starts": (-1,), "stops": (3,), "steps": (1,)}, "-1 >= 0 is false"),
    (ops.slice_, "f32 5", {"starts": (3,), "stops": (2,), "steps": (1,)}, "2 >= 3 is false"),
    (ops.slice_, "f32 5", {"starts": (3,), "stops": (6,), "steps": (1,)}, "5 >= 6 is false"),
    (ops.pad, "f32 2", "f32", {"low": (1, 1), "high": (0,), "interior": (0,)}, "low, high and interior padding"),
    (ops.pad, "f32 2", "f32", {"low": (1,), "high": (0,), "interior": ()}, "low, high and interior padding per axis"),
    (ops.pad, "f32 2", "f32 1", {"low": (1,), "high": (0,), "interior": (0,)}, "pad of f32[2] needs a scalar"),
    (ops.pad, "f32 2", "i32", {"low": (1,), "high": (0,), "interior": (0,)}, "a scalar of its element type"),
    (ops.pad, "f32 2", "f32", {"low": (-1,), "high": (0,), "interior": (0,)}, "-1 >= 0 is false"),
    (ops.pad, "f32 2", "f32", {"low": (0,), "high": (-1,), "interior": (0,)}, "-1 >= 0 is false"),
    (ops.reverse, "f32 2 3", {"axes": (0, -2)}, "the axes (0, -2) name one axis twice"),
    (ops.cast, "f32 2", {"dtype": "float64"}, "cast: 'float64' is not an element type; dtype_of gives one by its name"),
    (ops.arange, {"size": -1, "dtype": dtype_of("i32")}, "a size cannot be negative"),
    # reductions
    (ops.reduce_sum, "bool 2", {}, "reduce_sum works on int and uint and float and complex tensors"),
    (ops.reduce_max, "c64 2", {}, "reduce_max works on int and uint and float tensors"),
    (ops.reduce_mean, "i32 2", {}, "reduce_mean works on float and complex tensors"),
    (ops.reduce_sum, "f32 2", {"axes": (1,)}, "there is no axis 1 in a tensor of rank 1"),
    (ops.argmax, "f32 2", {"axis": -2}, "there is no axis -2"),
    # contractions
    (ops.matmul, "f32 3", "f32 3 2", {}, "matmul needs two matrices (or stacks of them), not f32[3] and f32[3, 2]"),
    (ops.matmul, "f32 2 3", "f32 3", {}, "reshape vectors first"),
    (ops.matmul, "f32 2 3", "f32 4 2", {}, "matmul of f32[2, 3] and f32[4, 2]: the last axis of the first"),
    (ops.matmul, "f32 2 2 3", "f32 3 3 2", {}, "2 == 3 is false"),
    (ops.matmul, "bool 2 3", "bool 3 2", {}, "matmul works on int and uint and float and complex"),
    (ops.conv, IMAGE, "f32 2 2 4 4", CONV, "conv: the input has 3 channels, but the filter f32[2, 2, 4, 4] takes 4"),
    (ops.conv, "f32 5 6 3", FILTER, CONV, "conv: the input f32[5, 6, 3] does not have the axes NHWC"),
    (ops.conv, IMAGE, "f32 2 3 4", CONV, "conv: the filter f32[2, 3, 4] does not have the axes HWIO"),
    (ops.conv, IMAGE, FILTER, {**CONV, "strides": (1,)}, "a stride, a padding pair and a dilation for each of the 2"),
    (ops.conv, IMAGE, FILTER, {**CONV, "padding": ((0, 0),)}, "a stride, a padding pair and a dilation for each"),
    (ops.conv, IMAGE, FILTER, {**CONV, "dilations": (1, 1, 1)}, "a stride, a padding pair and a dilation for each"),
    (ops.conv, IMAGE, FILTER, {**CONV, "filter_layout": "WIO"}, "each of the 2 spatial axes of NHWC"),
    (ops.conv, IMAGE, FILTER, {**CONV, "strides": (1, 0)}, "conv: strides, dilations and groups are positive"),
    (ops.conv, IMAGE, FILTER, {**CONV, "dilations": (0, 1)}, "conv: strides, dilations and groups are positive"),
    (ops.conv, IMAGE, FILTER, {**CONV, "groups": 0}, "conv: strides, dilations and groups are positive"),
    (ops.conv, IMAGE, "f32 2 2 1 4", {**CONV, "groups": 3}, "4 is not a multiple of 3"),
    (ops.conv, IMAGE, "f32 6 2 3 4", CONV, "-1 >= 0 is false"),
    (ops.conv, "i32 1 5 6 3", "i32 2 2 3 4", CONV, "conv works on float tensors"),
    (ops.conv, IMAGE, "f64 2 2 3 4", CONV, "conv: the operands must have one element type"),
    (ops.average_pool, "f32 1 5 6 3", {**POOL, "window": (2,)}, "a window, a stride and a padding pair for each"),
    (ops.average_pool, "f32 1 5 6 3", LINE, "pooling of f32[1, 5, 6, 3] as NWC needs a window"),
    (ops.max_pool, "f32 1 5 6 3", {**POOL, "padding": ((0, 2), (0, 0))}, "some windows would hold padding alone"),
    (ops.max_pool, "f32 1 1 6 3", POOL, "-1 >= 0 is false"),
    (ops.max_pool, "i32 1 5 6 3", POOL, "pooling works on float tensors"),
    (ops.max_pool_gradient, "f32 1 2 4 3", IMAGE, POOL, "4 == 3 is false"),
    (ops.max_pool_gradient, "f64 1 2 3 3", IMAGE, POOL, "the gradient is f64[1, 2, 3, 3], but should"),
    (ops.max_pool_select, "f32 1 5 6", IMAGE, POOL, "max_pool_select: the gradient is f32[1, 5, 6], but should be"),
    (ops.average_pool_gradient, "f32 1 2 4 3", {"sizes": (5, 6), **POOL}, "4 == 3 is false"),
    # positions that are data
    (ops.take, "f32 5", "f32 2", {}, "take: indices are integers, not f32[2]"),
    (ops.take, "f32 5", "i32 2", {"axis": 1}, "there is no axis 1"),
    (ops.scatter_add, "f32 2", "bool 2", {"size": 3}, "scatter_add: indices are integers"),
    (ops.scatter_add, "f32 2 4", "i32 3", {"size": 3}, "2 == 3 is false"),
    (ops.scatter_add, "f32 2 4", "i32 2", {"size": -3}, "a size cannot be negative"),
    (ops.one_hot, "f32 2", {"depth": 3}, "one_hot: indices are integers"),
    (ops.one_hot, "i32 2", {"depth": -3}, "a size cannot be negative"),
    # activations, normalization, losses
    (ops.relu, "i32 2", {}, "relu works on float tensors, not on i32[2]; cast first"),
    (ops.leaky_relu, "i32 2", {}, "leaky_relu works on float tensors"),
    (ops.gelu, "i32 2", {}, "gelu works on float tensors"),
    (ops.softmax, "f32 2", {"axis": 1}, "there is no axis 1"),
    (ops.softmax, "f32", {}, "there is no axis -1 in a tensor of rank 0"),
    (ops.maxout, "f32 2 6", {"pieces": 4}, "6 is not a multiple of 4"),
    (ops.maxout, "i32 2 6", {"pieces": 3}, "maxout works on float tensors"),
    (ops.batch_norm, "f32 4 3", "f32 4", {}, "4 == 3 is false"),
    (ops.batch_norm, "f32 4 3", None, "f32 1 3", {}, "along axis -1 takes vectors f32[3], not f32[1, 3]"),
    (ops.batch_norm, "f32 4 3", "f64 3", {}, "takes vectors f32[3], not f64[3]"),
    (ops.batch_norm_inference, "f32 4 3", None, None, "f32 3", "f32 4", {}, "4 == 3 is false"),
    (ops.batch_norm_inference, "f32 4 3", None, None, "f32 3", {}, "batch_norm_inference needs its operand variance"),
    (ops.batch_norm_inference, "f32 4 3", None, None, None, "f32 3", {}, "batch_norm_inference needs its operand mean"),
    (ops.layer_norm, "f32 4 3", "f32 4", {}, "4 == 3 is false"),
    (ops.layer_norm, "f32 4 3", "f32 2 1 3", {}, "takes a scale and an offset that broadcast to it, not f32[2, 1, 3]"),
    (ops.layer_norm, "f32 4 3", None, "f64 3", {}, "layer_norm of f32[4, 3] takes a scale and an offset"),
    (ops.softmax_cross_entropy, "f32 2 3", "f32 2 4", {}, "logits f32[2, 3] and targets f32[2, 4] must have one type"),
    (ops.sigmoid_cross_entropy, "f32 2 3", "f32 2", {}, "logits f32[2, 3] and targets f32[2] must have one type"),
    (ops.sparse_softmax_cross_entropy, "f32 2 3", "f32 2", {}, "need integer labels of shape [2], not f32[2]"),
    (ops.sparse_softmax_cross_entropy, "f32 2 3", "i32 3", {}, "need integer labels of shape [2], not i32[3]"),
    # randomness
    (ops.random_uniform, "u32 2", "u64 1", {"shape": (2,)}, "random_uniform: key and counter are u32[2]"),
    (ops.random_mask, "u32 3", WORDS, {"shape": (2,), "rate": 0.5}, "random_mask: key and counter are u32[2]"),
    (ops.random_mask, WORDS, WORDS, {"shape": (2,), "rate": 1.5}, "the rate 1.5 is not between 0 and 1"),
    (ops.random_mask, WORDS, WORDS, {"shape": (2,), "rate": -0.1}, "the rate -0.1 is not between 0 and 1"),
    (ops.random_bits, WORDS, WORDS, {"shape": (2,), "generator": "mt"}, "no generator 'mt'; there are squares, philox"),
    (ops.random_bits, WORDS, WORDS, {"shape": (2,), "generator": "philox"}, "philox has a key u32[2] and a counter"),
    (ops.random_bits, WORDS, WORDS, {"shape": (2,), "width": 33}, "the width 33 is not between 1 and 32"),
    (ops.threefry_2x32, WORDS, "u32 3", "u32 2", {}, "both words are u32 tensors of one shape"),
    (ops.dropout, "f32 2", WORDS, WORDS, {"rate": 1.5}, "the rate 1.5 is not between 0 and 1"),
    (ops.dropout, "i32 2", WORDS, WORDS, {"rate": 0.5}, "dropout works on float tensors"),
    (ops.advance_counter, "u32 3", {"amount": 1}, "advance_counter: key and counter are u32[2]"),
]  # fmt: skip


def type_of(text):
    name, *sizes = text.split()
    return TensorType(dtype_of(name), tuple(map(int, sizes)))


@pytest.mark.parametrize("row", REFUSED, ids=[f"{row[0].name}-{row[-1][:40]}" for row in REFUSED])
def test_refused(row):
    op, *operands, attributes, message = row
    graph = Graph()
    values = [None if t is None else graph.input(f"x{i}", type_of(t)) for i, t in enumerate(operands)]
    with pytest.raises(TypeMismatchError) as caught:
        graph.apply(op, *values, **attributes)
    assert message in str(caught.value)
    assert caught.value.__notes__[0].startswith(f"in {op.name}(")
    assert not graph.nodes
