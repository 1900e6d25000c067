"""The examples that the lectures work out by hand, on every backend: outputs and gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import isograd
from isograd.backends import installed
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.model import Model
from isograd.ir.types import dtype_of

pytestmark = pytest.mark.parametrize("backend", installed())

Arrays = Mapping[str, Any]


def model_of(
    formula: Callable[..., Value | tuple[Value, ...]], inputs: Arrays, parameters: Arrays | None = None
) -> Model:
    """A model that computes a formula of named arrays, all float32 unless they are integers."""
    given = {k: _array(v) for k, v in inputs.items()}
    stored = {k: _array(v) for k, v in (parameters or {}).items()}

    def capture(mode: str) -> Graph:
        graph = Graph("worked_example")
        values = {k: graph.input(k, _type(a), "parameter") for k, a in stored.items()}
        values |= {k: graph.input(k, _type(a)) for k, a in given.items()}
        results = formula(**values)
        for i, value in enumerate(results if isinstance(results, tuple) else (results,)):
            graph.output(value, f"out{i}")
        return graph

    return Model("worked_example", capture, stored)


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" or array.dtype == np.int64 else array


def _type(array: np.ndarray) -> TensorType:
    return TensorType(dtype_of(array.dtype), array.shape)


def run(backend: str, formula: Any, inputs: Arrays, parameters: Arrays | None = None) -> Any:
    return model_of(formula, inputs, parameters).compile(backend)(*map(_array, inputs.values()))


def gradients(
    backend: str, formula: Any, inputs: Arrays, parameters: Arrays | None = None, wrt: Any = None
) -> dict[str, np.ndarray]:
    names = wrt or [*(parameters or {}), *inputs]
    model = isograd.grad(model_of(formula, inputs, parameters), wrt=names)
    results = model.compile(backend)(*map(_array, inputs.values()))
    return dict(zip(names, results if isinstance(results, tuple) else (results,), strict=True))


def close(actual: Any, expected: Any, tolerance: float = 2e-6) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def test_sum_times(backend: str) -> None:
    inputs = {"x": -2.0, "y": 5.0, "z": -4.0}
    assert run(backend, lambda x, y, z: (x + y) * z, inputs) == -12.0
    assert gradients(backend, lambda x, y, z: (x + y) * z, inputs) == {"x": -4.0, "y": -4.0, "z": 3.0}


def test_square_of_a_line(backend: str) -> None:
    inputs = {"x": 2.0, "w": 3.0, "b": -4.0}
    q, z, f = run(backend, lambda x, w, b: (w * x, w * x + b, ops.square(w * x + b)), inputs)
    assert (q, z, f) == (6.0, 2.0, 4.0)
    assert gradients(backend, lambda x, w, b: ops.square(w * x + b), inputs) == {"x": 12.0, "w": 8.0, "b": 4.0}


def test_sum_of_products(backend: str) -> None:
    state = np.random.RandomState(0)
    inputs = {name: state.randn(3, 4).astype(np.float32) for name in "xyz"}
    c = run(backend, lambda x, y, z: ops.reduce_sum(x * y + z), inputs)
    close(c, np.sum(inputs["x"].astype(float) * inputs["y"] + inputs["z"]))
    found = gradients(backend, lambda x, y, z: ops.reduce_sum(x * y + z), inputs)
    close(found["x"], inputs["y"])
    close(found["y"], inputs["x"])
    close(found["z"], np.ones((3, 4)))


INPUT, TARGET = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])  # a row a unit
B1, B2 = 0.35, 0.60


def two_layers(w1: Value, w2: Value, i: Value, t: Value, **_: Value) -> tuple[Value, ...]:
    h = ops.sigmoid(i @ ops.transpose(w1, axes=(1, 0)) + B1)
    o = ops.sigmoid(h @ ops.transpose(w2, axes=(1, 0)) + B2)
    errors = 0.5 * ops.square(t - o)
    return h, o, errors, ops.reduce_sum(errors)


def test_two_hidden_units(backend: str) -> None:
    h, o, errors, total = run(backend, two_layers, {"i": INPUT, "t": TARGET}, {"w1": W1, "w2": W2})
    close(h, [[0.5932699921052087, 0.5968843782577157]])
    close(o, [[0.7513650695475076, 0.772928465316421]])
    close(errors, [[0.2748110831725904, 0.023560025584942117]])
    close(total, 0.29837110875753253)


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """The gradients of the two weight matrices, in float64, by the chain rule as the lecture writes it."""
    h = 1 / (1 + np.exp(-(INPUT @ W1.T + B1)))
    o = 1 / (1 + np.exp(-(h @ W2.T + B2)))
    delta_o = (o - TARGET) * o * (1 - o)
    delta_h = (delta_o @ W2) * h * (1 - h)
    return delta_h.T @ INPUT, delta_o.T @ h


def test_two_hidden_units_gradients_and_one_step(backend: str) -> None:
    weights = {"w1": W1, "w2": W2}
    found = gradients(backend, lambda **v: two_layers(**v)[3], {"i": INPUT, "t": TARGET}, weights, list(weights))
    d1, d2 = by_hand()
    close(found["w1"], d1)
    close(found["w2"], d2)
    close(d2[0, 0], 0.08216704056423077)  # the lecture's dE/dw5
    after = {"w1": W1 - 0.5 * found["w1"], "w2": W2 - 0.5 * found["w2"]}
    close(after["w2"], [[0.35891648, 0.408666186], [0.511301270, 0.561370121]])
    close(after["w1"], [[0.149780716, 0.19956143], [0.24975114, 0.29950229]])
    total = run(backend, two_layers, {"i": INPUT, "t": TARGET}, after)[3]
    close(total, 0.291027774)


X = np.array([[0.5, 0.9, -0.3]])
HIDDEN = np.array([[1.0, -2.0, 2.0], [2.0, 1.0, -4.0], [1.0, -1.0, 0.0]])
OUT = np.array([[-3.0, 1.0, -3.0], [0.0, 1.0, 2.0]])


def three_three_two(x: Value, hidden: Value, out: Value, bias: Value) -> tuple[Value, ...]:
    sums = x @ ops.transpose(hidden, axes=(1, 0))
    h = ops.sigmoid(sums + bias)
    return sums, h, ops.sigmoid(h @ ops.transpose(out, axes=(1, 0)))


def test_three_three_two(backend: str) -> None:
    inputs = {"x": X, "hidden": HIDDEN, "out": OUT, "bias": 0.0}
    sums, h, o = run(backend, three_three_two, inputs)
    close(sums, [[-1.9, 3.1, -0.4]])
    close(np.round(h, 2), [[0.13, 0.96, 0.40]])
    close(np.round(o, 2), [[0.35, 0.85]])
    _, h, _ = run(backend, three_three_two, inputs | {"bias": 0.1})
    close(np.round(h, 2), [[0.14, 0.96, 0.43]])  # the lecture prints 0.4


def test_neuron(backend: str) -> None:
    y = run(backend, lambda x1, x2: ops.sigmoid(1.0 + 3.0 * x1 - 2.0 * x2), {"x1": -1.0, "x2": 2.0})
    close(y, 1 / (1 + np.exp(6.0)))
    assert round(float(y), 3) == 0.002


def test_slopes_of_activations(backend: str) -> None:
    x = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    s, t = 1 / (1 + np.exp(-x)), np.tanh(x)
    for function, slope in ((ops.sigmoid, s * (1 - s)), (ops.tanh, 1 - t * t), (ops.relu, x > 0)):
        close(gradients(backend, lambda x, f=function: ops.reduce_sum(f(x)), {"x": x})["x"], slope)


def test_softmax(backend: str) -> None:
    close(run(backend, lambda x: ops.softmax(x), {"x": np.array([[4.0, 5.0], [10.0, 1.0]])}),
          [[0.26894143, 0.7310586], [0.99987662, 0.00012339458]])  # fmt: skip
    scores = np.array([[3.2, 5.1, -1.7]])
    close(np.round(run(backend, lambda x: ops.softmax(x), {"x": scores}), 2), [[0.13, 0.87, 0.00]])
    loss = run(
        backend,
        lambda x, label: ops.sparse_softmax_cross_entropy(x, label),
        {"x": scores, "label": np.array([0], np.int32)},
    )
    p = np.exp(scores) / np.exp(scores).sum()
    close(loss, -np.log(p[:, 0]))
    assert round(float(np.exp(-loss[0])), 2) == 0.13


def test_activations(backend: str) -> None:
    x = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0])
    cases = {
        "identity": (lambda x: x + 0.0, x),
        "step": (ops.step, (x > 0).astype(float)),
        "sigmoid": (ops.sigmoid, 1 / (1 + np.exp(-x))),
        "tanh": (ops.tanh, np.tanh(x)),
        "arctan": (ops.arctan, np.arctan(x)),
        "softsign": (ops.softsign, x / (1 + abs(x))),
        "relu": (ops.relu, np.maximum(x, 0)),
        "leaky relu": (ops.leaky_relu, np.where(x > 0, x, 0.01 * x)),
        "elu": (ops.elu, np.where(x > 0, x, np.expm1(x))),
        "maxout": (lambda x: ops.maxout(ops.reshape(x, shape=(1, 6)), pieces=3), [[-0.25, 2.0]]),
    }
    for function, expected in cases.values():
        close(run(backend, lambda x, f=function: f(x), {"x": x}), expected)


def test_gates(backend: str) -> None:
    """Backwards, add distributes, multiply swaps, max routes, copy adds."""
    inputs = {"x": 3.0, "y": -4.0}
    assert gradients(backend, lambda x, y: 2.0 * (x + y), inputs) == {"x": 2.0, "y": 2.0}
    assert gradients(backend, lambda x, y: 2.0 * (x * y), inputs) == {"x": -8.0, "y": 6.0}
    assert gradients(backend, lambda x, y: 2.0 * ops.maximum(x, y), inputs) == {"x": 2.0, "y": 0.0}
    assert gradients(backend, lambda x: 2.0 * x + 5.0 * x, {"x": 3.0}) == {"x": 7.0}


ROWS = np.array([[2.0, 1.0, 3.0, 2.0], [4.0, 1.0, 0.0, 4.0], [3.0, 1.0, 3.0, 0.0]])


def test_batch_norm(backend: str) -> None:
    def formula(x: Value) -> tuple[Value, ...]:
        return ops.batch_norm(x, None, None, axis=-1, epsilon=1e-5)

    y, mean, variance = run(backend, formula, {"x": ROWS})
    close(mean, [3.0, 1.0, 2.0, 2.0])
    close(np.round(np.sqrt(variance), 2), [0.82, 0.0, 1.41, 1.63])
    close(y, (ROWS - ROWS.mean(0)) / np.sqrt(ROWS.var(0) + 1e-5))


def test_layer_norm(backend: str) -> None:
    means, deviations = run(
        backend, lambda x: (ops.reduce_mean(x, axes=(1,)), ops.sqrt(ops.reduce_variance(x, axes=(1,)))), {"x": ROWS}
    )
    close(means, [2.0, 2.25, 1.75])
    close(np.round(deviations, 2), [0.71, 1.79, 1.30])
    y = run(backend, lambda x: ops.layer_norm(x, None, None, epsilon=1e-5), {"x": ROWS})
    close(y, (ROWS - ROWS.mean(1, keepdims=True)) / np.sqrt(ROWS.var(1, keepdims=True) + 1e-5))


def test_sizes_of_layers(backend: str) -> None:
    generator = np.random.default_rng(0)
    images, kernels = generator.normal(size=(100, 7, 7, 1)), generator.normal(size=(3, 3, 1, 16))
    y = run(
        backend,
        lambda x, w: ops.conv(x, w, strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(1, 1)),
        {"x": images, "w": kernels},
    )
    assert y.shape == (100, 5, 5, 16)
    z = run(
        backend, lambda x, w: x @ w, {"x": generator.normal(size=(100, 784)), "w": generator.normal(size=(784, 512))}
    )
    assert z.shape == (100, 512)
