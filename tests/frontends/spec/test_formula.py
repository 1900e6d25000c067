"""Formulas: what each function and operator means, and what is not in the grammar."""

import numpy as np
import pytest

from isograd.frontends.spec.formula import (
    FUNCTIONS,
    LEFT_OUT,
    evaluate_all,
    evaluate_formula,
    formula_types,
    parse_formula,
)  # fmt: skip
from isograd.frontends.spec.options import OptionError
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import TypeMismatchError
from isograd.ir.evaluate import run_reference
from isograd.ir.types import DType, dtype_of, float32

X = np.array([[1.0, -2.0, 0.5], [-0.5, 3.0, 2.0]], np.float32)
W = np.array([[1.0, 2.0], [0.5, -1.0], [-3.0, 0.25]], np.float32)


def values_of(text, evaluate=evaluate_all, **arrays):
    """The results of a formula; `evaluate` takes it, a graph, the tensors and the sizes."""
    graph = Graph()
    tensors = {n: graph.input(n, TensorType(dtype_of(a.dtype), a.shape)) for n, a in arrays.items()}
    for i, value in enumerate(evaluate(parse_formula(text or "x0"), graph, tensors, {})):
        graph.output(value, f"y{i}")
    return run_reference(graph, list(arrays.values()))


def value_of(text, **arrays):
    (value,) = values_of(text, lambda *given: (evaluate_formula(*given),), **arrays)
    return value


MEANINGS = {
    "x @ w": X @ W,
    "x + 2 * x - x / 4": X + 2 * X - X / 4,
    "-x ** 2": -(X**2),
    "2 ** x": np.float32(2) ** X,
    "(1 + 2) * x": 3 * X,
    "1 - 2 ** 3 / 4 + x": X - 1,
    "maximum(x, -1.5)": np.maximum(X, -1.5),
    "where(x > 0, x, 0)": np.maximum(X, 0),
    "where(0.5 <= x, 1, x)": np.where(X >= 0.5, 1, X),
    "where(x == 3, 1, 0 * x)": (X == 3).astype(np.float32),
    "where(x != 3, 1, 0 * x)": (X != 3).astype(np.float32),
    "where(logical_and(x > -1, x < 1), x, 0)": np.where((X > -1) & (X < 1), X, 0),
    "reduce_sum(x, axes=[-1], keepdims=True)": X.sum(-1, keepdims=True),
    "reduce_mean(x)": X.mean(),
    "reshape(x, shape=(3, -1))": X.reshape(3, 2),
    "transpose(x, axes=[1, 0])": X.T,
    "expand_dims(x, axis=1)": X[:, None],
    "squeeze(expand_dims(x, axis=-1), axis=2)": X,
    "concatenate(x, x, axis=-1)": np.concatenate([X, X], -1),
    "leaky_relu(x, alpha=1)": X,
    "linear(swish(x))": X / (1 + np.exp(-X)),
    "exponential(x)": np.exp(X),
    "cast(x > 0, dtype='float32')": (X > 0).astype(np.float32),
    "  x\n  + 0.0": X,
    "x % 2": np.mod(X, 2),
    "x // 2": np.floor_divide(X, 2),
    "clip(x, high=0.5)": np.minimum(X, 0.5),
    "clip(x, None, 0.5)": np.minimum(X, 0.5),
    "clip(x, high=1, low=-0.5)": np.clip(X, -0.5, 1),
    "top_k(x, k=2)[0]": -np.sort(-X)[:, :2],
    "top_k(x, k=2)[-1]": np.argsort(-X)[:, :2],
    "vector_norm(x, order=inf)": np.abs(X).max(),
    "vector_norm(x, order=-inf)": np.abs(X).min(),
    "x[:, 0]": X[:, 0],
    "x[1]": X[1],
    "x[-1, 1:]": X[-1, 1:],
    "x[:, ::2]": X[:, ::2],
    "x[0:9, -2:-1]": X[0:9, -2:-1],
    "x[:, 2:1]": X[:, 2:1],
    "x + cast(arange(size=3, dtype='int32'), dtype='float32')": X + np.arange(3),
    "eye(rows=2, columns=2) @ x": X,
}  # fmt: skip


@pytest.mark.parametrize("text", MEANINGS)
def test_meaning(text):
    arrays = {"x": X} | ({"w": W} if "@" in text else {})
    np.testing.assert_allclose(value_of(text, **arrays), MEANINGS[text], rtol=1e-6)


def written(value):
    """An attribute as a formula has it."""
    return repr(value.name if isinstance(value, DType) else value)


SAMPLES = [(name, k) for name, function in FUNCTIONS.items() for k, _ in enumerate(getattr(function, "samples", ()))]


@pytest.mark.parametrize(("name", "number"), SAMPLES)
def test_every_op_is_a_function_of_its_name(name, number):
    op = FUNCTIONS[name]
    sample = op.samples[number]
    arrays = {f"x{i}": np.asarray(a) for i, a in enumerate(sample.operands) if a is not None}
    operands = ["None" if a is None else f"x{i}" for i, a in enumerate(sample.operands)]
    attributes = [f"{key}={written(value)}" for key, value in sample.attributes.items()]
    found = values_of(f"{name}({', '.join([*operands, *attributes])})", **arrays)
    wanted = values_of("", lambda _, graph, tensors, __: applied(op, sample, graph, tensors), **arrays)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def applied(op, sample, graph, tensors):
    """The results of an op itself on a sample."""
    operands = tuple(tensors.get(f"x{i}") for i in range(len(sample.operands)))
    results = op.append(graph, operands, sample.attributes)
    return results if isinstance(results, tuple) else (results,)


def test_every_attribute_can_be_checked():
    assert formula_types() == set()


def test_what_is_left_out():
    assert {name for name in ops.BY_NAME if name not in FUNCTIONS} == LEFT_OUT.keys()


def test_sizes_can_be_attributes():
    graph, n = Graph(), symbol("N")
    x = graph.input("x", TensorType(float32, (n, 6)))
    y = evaluate_formula(parse_formula("reshape(x, shape=[N, 2, 3])"), graph, {"x": x}, {"N": n})
    assert y.shape == (n, 2, 3)
    with pytest.raises(OptionError, match=r"^unknown size 'M'; there is only N$"):
        evaluate_formula(parse_formula("reshape(x, shape=[M, 2, 3])"), graph, {"x": x}, {"N": n})


GRAMMAR = "a formula has names, numbers, + - * / // % ** @, comparisons, x[...], and calls of functions"
REFUSALS = {
    "__import__('os').system('ls')": f"`__import__('os').system('ls')` cannot stand in a formula: {GRAMMAR}",
    "lambda: x": f"`lambda: x` cannot stand in a formula: {GRAMMAR}",
    "(y := x)": f"`(y := x)` cannot stand in a formula: {GRAMMAR}",
    "[x for x in y]": f"`[x for x in y]` cannot stand in a formula: {GRAMMAR}",
    "x if y else z": f"`x if y else z` cannot stand in a formula: {GRAMMAR}",
    "x and y": f"`x and y` cannot stand in a formula: {GRAMMAR}",
    "x + True": f"`True` cannot stand in a formula: {GRAMMAR}",
    "x + 'a'": f"`'a'` cannot stand in a formula: {GRAMMAR}",
    "x + 1j": f"`1j` cannot stand in a formula: {GRAMMAR}",
    "f'{x}'": f"`f'{{x}}'` cannot stand in a formula: {GRAMMAR}",
    "relu(*x)": f"`*x` cannot stand in a formula: {GRAMMAR}",
    "relu(**x)": f"`relu(**x)` cannot stand in a formula: {GRAMMAR}",
    "x << 2": f"`x << 2` cannot stand in a formula: {GRAMMAR}",
    "x[0.5]": "`[0.5]`: places are whole numbers, or slices such as 1:4 and ::2",
    "x[1:f(x)]": "`[1:f(x)]`: places are whole numbers, or slices such as 1:4 and ::2",
    "scan(x)": (
        "scan cannot stand in a formula: its attributes are graphs, and a spec has no words for them; "
        "the layers lstm, gru and simple_rnn are loops"
    ),
    "random_normal(x)": (
        "random_normal cannot stand in a formula: layers such as dropout and gaussian_noise draw random numbers"
    ),
    "None": f"`None` cannot stand in a formula: {GRAMMAR}",
    "clip(x, low=y, low=z)": "the attribute 'low' of clip stands there twice",
    "clip(x, y, low=z)": "the function clip has no attribute 'low'; it has none",
    "+x": f"`+x` cannot stand in a formula: {GRAMMAR}",
    "not x": f"`not x` cannot stand in a formula: {GRAMMAR}",
    "x in y": f"`x in y` cannot stand in a formula: {GRAMMAR}",
    "0 < x < 1": "`0 < x < 1`: compare two things at a time; logical_and(a < b, b < c) joins comparisons",
    "rleu(x)": "unknown function 'rleu'; did you mean 'relu'?",
    "eval(x)": "unknown function 'eval'; did you mean 'real'?",
    "softmax(x, axes=1)": "the function softmax has no attribute 'axes'; did you mean 'axis'?",
    "relu(x, alpha=1)": "the function relu has no attribute 'alpha'; it has none",
    "softmax(x, axis=1, axis=0)": "the attribute 'axis' of softmax stands there twice",
    "softmax(x, axis=f(x))": (
        "an attribute is a number, a text, True, False, None, a size or a list of these, not `f(x)`"
    ),
    "x + 1e999": "a number in a formula is finite, not 1e309",
    "x +": "'x +' is not a formula: invalid syntax",
    "": "'' is not a formula: invalid syntax",
    "x\0": "'x\\x00' is not a formula: source code string cannot contain null bytes",
    "x + " * 2000 + "x": "a formula has at most 4,096 characters, and this one has 8,001",
    "-" * 150 + "x": "a formula nests at most 100 deep; tensors under names of their own can hold its parts",
    "-" * 4000 + "x": "a formula nests at most 100 deep; tensors under names of their own can hold its parts",
    "x" + "+x" * 2000: "a formula nests at most 100 deep; tensors under names of their own can hold its parts",
    "(" * 300 + "x" + ")" * 300: f"'{'(' * 56}... is not a formula: too many nested parentheses",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS, ids=lambda text: text[:24].replace("\0", "0"))
def test_what_is_not_in_the_grammar(text):
    with pytest.raises(OptionError) as caught:
        parse_formula(text)
    assert caught.value.message == REFUSALS[text]


MISTAKES = {
    "top_k(x, k=2)": "the formula 'top_k(x, k=2)' gives 2 tensors: take one with `[0]`, or name each",
    "1 + top_k(x, k=2)": "`top_k(x, k=2)` gives 2 tensors: take one with `[0]`",
    "top_k(x, k=2)[2]": "`[2]` of 2 tensors: a place from 0 to 1 takes one",
    "top_k(x, k=2)[:1]": "`[:1]` of 2 tensors: a place from 0 to 1 takes one",
    "x[0, 0, 0]": "`[0, 0, 0]` has more places than f32[2, 3] has axes",
    "2[0] * x": "`[0]` of a number: only tensors have places",
    "x[:, 3]": "axis 1 of f32[2, 3] has no place 3",
    "x[::-1]": "the step of `[::-1]` must be a positive whole number; reverse turns an axis round",
    "x[:M]": "unknown size 'M'",
    "clip(None, x)": "clip needs its operand x",
    "vector_norm(x, order=None)": "order of vector_norm must be a number, not None",
    "10 ** 10 ** 10 * x": "`10 ** 10000000000.0` is not a finite number",
    "x / (1 / 0)": "`1 / 0` is not a finite number",
    "(1 @ 2) * x": "`1 @ 2` has no tensor",
    "2 * 3": "the formula '2 * 3' is the number 6.0; a tensor is needed",
    "relu(2)": "the function relu needs a tensor",
    "softmax(x, axis=0.5)": "axis of softmax must be a whole number, not 0.5",
    "softmax(x, axis=True)": "axis of softmax must be a whole number, not True",
    "leaky_relu(x, alpha='a')": "alpha of leaky_relu must be a number, not 'a'",
    "gelu(x, approximate=1)": "approximate of gelu must be True or False, not 1",
    "reduce_sum(x, axes=1)": "axes of reduce_sum must be a list of axes, not 1",
    "reshape(x, shape=[2.0])": "shape of reshape must be a list of sizes, not [2.0]",
    "transpose(x, axes=['a'])": "axes of transpose must be a list of whole numbers, not ['a']",
    "cast(x, dtype='float33')": "dtype of cast must be the name of an element type such as 'float32', not 'float33'",
    "max_pool(x, window=[2])": "the function max_pool needs the attribute 'strides'",
    "max_pool(x, window=[2], strides=[1], padding=[1])": (
        "padding of max_pool must be a list of pairs of whole numbers, not [1]"
    ),
    "expand_dims(x, x, axis=0)": "the function expand_dims takes one tensor, not 2",
    "x @ x": (
        "matmul of f32[2, 3] and f32[2, 3]: "
        "the last axis of the first must be as long as the last but one of the second"
    ),
    "x + w": "the sizes do not fit: 2 == 3 is false",
    "relu(x, x)": "relu takes the operands (x), not 2 of them",
    "squeeze(x, axis=0)": "squeeze removes axes of size 1, but axis 0 of f32[2, 3] has the size 2",
    "one_hot(x, depth=3)": "one_hot: indices are integers, not f32[2, 3]",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_what_does_not_fit(text):
    with pytest.raises((OptionError, TypeMismatchError)) as caught:
        value_of(text, x=X, w=W)
    assert str(caught.value) == MISTAKES[text]
