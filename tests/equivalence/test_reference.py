"""The float64 reference and its perturbed runs."""

import models
import numpy as np
import pytest

from isograd.equivalence.expected import Ensemble
from isograd.equivalence.reference import Noise, Reference, Replica, sum_one_by_one, terms
from isograd.ir import Graph, TensorType, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import widen
from isograd.ir.training import loss_and_gradients, training_step
from isograd.ir.types import float16, float32, int32

EPS = 2.0**-23
generator = np.random.default_rng(0)


def graph_of(build, *shapes, dtype=float32):
    graph = Graph("g")
    result = build(*(graph.input(f"x{i}", TensorType(dtype, s)) for i, s in enumerate(shapes)))
    graph.output(result, "y")
    return graph


def spread(graph, *arrays):
    (expected,) = Ensemble(Reference(graph), {})(*arrays)
    return expected


@pytest.mark.parametrize("spec", [models.PERCEPTRON, models.CONVNET], ids=["perceptron", "convnet"])
def test_runs_what_the_widened_graph_means(spec):
    model = loss_and_gradients(models.model(spec))
    graph, (x, y) = model.training, models.images(8)
    replica = Replica(Reference(graph), model.arrays(graph))
    given = iter((x.astype(float), y))
    arrays = [model.arrays(graph).get((p.role, p.path)) for p in graph.inputs]
    expected = run_reference(widen(graph), [next(given) if a is None else a for a in arrays])
    kept = [e for e, p in zip(expected, graph.outputs, strict=True) if p.role != "state"]
    for found, wanted in zip(replica(x.astype(float), y), kept, strict=True):
        assert np.asarray(found).dtype == np.float64
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


def test_equal_nodes_run_once_and_unused_ones_never():
    def build(x):
        _ = ops.exp(x)
        return ops.tanh(x) + ops.tanh(x)

    reference = Reference(graph_of(build, (3,)))
    assert [n.op.name for n in reference._nodes] == ["tanh", "add"]


def test_a_replica_trains_on_numbers_rounded_to_their_declared_types():
    model = training_step(models.model(models.PERCEPTRON))
    graph, (x, y) = model.training, models.images(16)
    replica = Replica(Reference(graph), {k: np.asarray(a, float) + 1e-12 for k, a in model.arrays(graph).items()})
    before = dict(replica.held)
    key = ("parameter", "dense.kernel")
    assert np.array_equal(before[key], model.parameters["dense.kernel"])
    losses = [float(replica(x.astype(float), y)[0]) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert not np.array_equal(replica.held[key], before[key])


def test_noise_is_one_ulp_at_most_and_equal_for_equal_numbers():
    x = generator.normal(size=10_000)
    x[5_000:] = x[:5_000]
    relative = (Noise(1)(x, EPS) - x) / x / EPS
    assert np.max(np.abs(relative)) < 1.0001
    assert 0.5 < np.std(relative) < 0.65  # even in [-1, 1]
    assert np.array_equal(relative[:5_000], relative[5_000:])
    assert not np.allclose(Noise(2)(x, EPS), Noise(1)(x, EPS), rtol=1e-9)
    assert np.array_equal(Noise(1)(x, EPS), Noise(1)(x, EPS))


def test_sums_of_noise_do_not_lean_to_one_side():
    x = np.abs(generator.normal(size=100_000)) + 1
    totals = [np.sum(Noise(i)(x, EPS) - x) / (EPS * np.sqrt(np.sum(x**2) / 3)) for i in range(40)]
    assert abs(np.mean(totals)) < 0.6
    assert 0.6 < np.std(totals) < 1.6


@pytest.mark.parametrize(
    "build",
    [
        lambda x: ops.transpose(ops.reshape(x, shape=(4, 3)), axes=(1, 0)),
        lambda x: ops.maximum(x, 0.0),
        lambda x: ops.where(ops.greater(x, 0.5), x, -x),
        lambda x: ops.reduce_max(x, axes=(0,)),
        lambda x: ops.one_hot(ops.argmax(x, axis=-1), depth=4),
    ],
)
def test_what_does_not_round_does_not_spread(build):
    expected = spread(graph_of(build, (3, 4)), generator.normal(size=(3, 4)))
    assert not expected.spread.any()


def test_integers_do_not_spread():
    graph = graph_of(lambda x: ops.reduce_sum(x * x), (5,), dtype=int32)
    expected = spread(graph, np.arange(5))
    assert expected.value == 30
    assert expected.spread == 0


def test_products_spread_as_float32_does_where_they_cancel():
    """The first layer of inputs with a large mean: the result is small, its terms are not."""
    x = (generator.normal(size=(16, 400)) + 1000).astype(np.float32)
    w = generator.normal(size=(400, 30)).astype(np.float32)
    w -= w.mean(0, dtype=np.float64).astype(np.float32)
    expected = spread(graph_of(lambda a, b: a @ b, x.shape, w.shape), x, w)
    error = np.abs((x @ w).astype(float) - expected.value)
    assert np.max(error) > 20 * EPS * np.max(np.abs(expected.value))  # no relative error of the result is so large
    share = np.sqrt(np.mean(error**2) / np.mean(expected.spread**2))
    assert 0.05 < share < 2.0


@pytest.mark.parametrize("count", [64, 4096, 65536])
def test_sums_spread_as_float32_does_one_by_one(count):
    """Also where equal terms err to one side, as NumPy's own sum along a leading axis does."""
    x = np.full((count, 3), 0.1, np.float32) * np.array([1, 3, 7], np.float32)
    expected = spread(graph_of(lambda v: ops.reduce_sum(v, axes=(0,)), x.shape), x)
    error = np.abs(x.sum(0).astype(float) - expected.value)
    assert np.all(error <= 4 * expected.spread)


def test_sum_one_by_one_is_what_it_says():
    x = generator.normal(size=(2, 50, 3)).astype(np.float32)
    total = np.zeros((2, 3), np.float32)
    for row in x.transpose(1, 0, 2):
        total = total + row
    found = sum_one_by_one(x.astype(float), axes=(1,), keepdims=True)
    assert np.array_equal(found, total[:, None].astype(float))
    assert sum_one_by_one(np.zeros((0, 2)), axes=(0,), keepdims=False).tolist() == [0.0, 0.0]


def test_terms_are_counted_by_the_op_itself():
    graph = graph_of(lambda a, b: a @ b, (2, 7), (7, 3))
    assert np.all(terms(graph.nodes[0], [np.ones((2, 7)), np.ones((7, 3))], {}) == 7)


def test_a_cast_to_a_narrower_float_spreads_by_its_ulp():
    graph = graph_of(lambda x: ops.cast(ops.cast(x, dtype=float16), dtype=float32), (1000,))
    expected = spread(graph, generator.uniform(1, 2, 1000))
    assert 2.0**-11 < np.max(expected.spread) <= 2.0**-9


def test_runs_are_the_same_every_time():
    graph = graph_of(lambda x: ops.softmax(ops.tanh(x)), (4, 5))
    x = generator.normal(size=(4, 5))
    assert np.array_equal(spread(graph, x).spread, spread(graph, x).spread)
