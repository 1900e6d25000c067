"""Comparing as a user does it."""

import functools

import models
import numpy as np
import pytest

from isograd.backends import BACKENDS, installed, runtime
from isograd.equivalence import compare
from isograd.equivalence.examples import prepare
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import BackendUnavailableError, SpecError, TypeMismatchError
from isograd.ir.evaluate import bind_inputs
from isograd.ir.model import Loss, Model, Optimizer, Recipe
from isograd.ir.types import float32, int32

DYING = """
import os, signal
from isograd.backends.numpy.runtime import NumpyRuntime

class Dying(NumpyRuntime):
    name = "dying"
    def compile(self, graph, **options):
        if graph.results("loss"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().compile(graph, **options)

class Leaving(NumpyRuntime):
    name = "leaving"
    def compile(self, graph, **options):
        print("goodbye")
        os._exit(3)
"""


@functools.cache
def perceptron():
    return models.model(models.PERCEPTRON)


def test_float32_numpy_is_within_the_allowance_and_not_far_below(digits):
    """The allowance is neither so narrow that honest arithmetic fails, nor so wide that nothing could."""
    for spec in (models.PERCEPTRON, models.CONVNET):
        (row,) = compare(models.model(spec), data=digits, backends="numpy", steps=20).rows
        assert row.status == "same"
        for kind in ("outputs", "gradients", "loss", "parameters"):
            assert 0.01 < row.worst(kind).ratio < 0.8, f"{kind}: {row.worst(kind)}"


@pytest.mark.parametrize("backend", [b for b in installed() if b != "numpy"])
def test_every_installed_backend_trains_alike(backend, digits):
    report = compare(perceptron(), data=digits, backends=backend, steps=15)
    (row,) = report.rows
    assert row.status == "same", str(report)
    assert row.switches
    assert row.seconds > 0
    assert report.right is not None
    assert abs(row.right - report.right) <= 1


def test_what_is_compared_grows(digits):
    kinds = {}
    for what in ("inference", "gradients", "training"):
        report = compare(perceptron(), data=digits, backends="numpy", what=what, steps=3)
        assert report.ok
        kinds[what] = set(report.rows[0].verdicts)
    assert kinds["inference"] == {"outputs"}
    assert kinds["gradients"] == {"outputs", "gradients"}
    assert kinds["training"] == {"outputs", "gradients", "loss", "parameters", "accuracy"}


def test_every_parameter_has_a_verdict(digits):
    model = perceptron()
    (row,) = compare(model, data=digits, backends="numpy", steps=2).rows
    assert {v.what for v in row.verdicts["gradients"]} == {"loss loss", *(f"gradient {p}" for p in model.parameters)}
    assert {f"parameter {p}" for p in model.parameters} <= {v.what for v in row.verdicts["parameters"]}
    assert {f"state velocity.{p}" for p in model.parameters} <= {v.what for v in row.verdicts["parameters"]}


def test_comparing_changes_neither_the_model_nor_the_data(digits):
    model = models.model(models.CONVNET)
    before = {k: v.copy() for k, v in (model.parameters | model.state).items()}
    x = digits.x.copy()
    compare(model, data=digits, backends="numpy", steps=2)
    assert all(np.array_equal(v, before[k]) for k, v in (model.parameters | model.state).items())
    assert np.array_equal(x, digits.x)


def test_a_comparison_gives_the_same_twice(digits):
    first, second = (compare(perceptron(), data=digits, backends="numpy", steps=5).rows[0] for _ in range(2))
    assert first.losses == second.losses
    assert first.verdicts == second.verdicts


def test_a_fifth_is_held_out_where_no_test_data_are_given():
    x, y = models.images(100)
    report = compare(perceptron(), data=(x, y), backends="numpy", steps=2)
    assert report.tested == 20
    assert "80 examples" in report.settings["data"]
    assert compare(perceptron(), data=(x, y), test_data=models.images(7), backends="numpy", steps=2).tested == 7


def test_sample_weights_and_batches_of_ones_own():
    x, y = models.images(64)
    weights = np.linspace(0, 2, 64, dtype=np.float32)
    assert compare(perceptron(), data=(x, y, weights), backends="numpy", steps=3).ok
    batches = [(x[i : i + 16], y[i : i + 16]) for i in (0, 16)]
    report = compare(perceptron(), data=batches, backends="numpy", steps=3)
    assert report.ok
    assert len(report.curve.losses) == 3


def test_without_data_they_are_made_up_from_the_types():
    report = compare(perceptron(), backends="numpy", steps=2, batch_size=5)
    assert report.ok
    assert report.right is None
    assert "made up" in report.settings["data"]


def lookup():
    """Integer inputs, two free axes, two outputs, a regression and a classification."""
    graph = Graph("lookup")
    ids = graph.input("ids", TensorType(int32, (symbol("N"), symbol("T"))))
    table = graph.input("table", TensorType(float32, (3, 6)), "parameter", "table")
    rows = ops.take(table, ids, axis=0)
    graph.output(ops.softmax(rows), "word")
    graph.output(ops.reduce_mean(rows, axes=(1,)), "mean")
    recipe = Recipe({"word": Loss("sparse_categorical_crossentropy"), "mean": Loss("mse")}, Optimizer("adam"))
    values = {"table": np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)}
    return Model("lookup", lambda mode: graph, values, recipe=recipe)


def test_inputs_made_up_fit_the_model():
    report = compare(lookup(), backends="numpy", steps=3, batch_size=4)
    assert report.ok, str(report)
    names = [v.what for v in report.rows[0].verdicts["outputs"]]
    assert names == ["output word", "output mean", "output word, at other sizes", "output mean, at other sizes"]


def guarded():
    """Sizes that must be equal, a multiple of three, and at least seven."""
    graph = Graph("guarded")
    x, y = (graph.input(n, TensorType(float32, (symbol(s), symbol("C")))) for n, s in (("x", "N"), ("y", "M")))
    z = graph.input("z", TensorType(float32, (symbol("K"), symbol("L"))))
    graph.output(ops.tanh(x + y), "sum")
    graph.output(ops.reduce_sum(ops.reshape(z, shape=(-1, 3, symbol("L"))), axes=(1,)), "rows")
    graph.output(ops.slice_axis(z, 1, 0, 7), "part")
    return Model("guarded", lambda mode: graph, {})


@pytest.mark.parametrize("model", [lookup(), guarded()], ids=["lookup", "guarded"])
def test_two_of_each_size_are_tried(model):
    graph = model.inference
    examples = prepare(model, None, None, None, None, steps=1, batch_size=4, seed=0)
    first, second = (bind_inputs(graph, [*x, *model.parameters.values()]) for x in examples.test)
    assert all(first[s] != second[s] for s in first)
    assert compare(model, backends="numpy", what="inference").ok


def test_what_differs_at_other_sizes_only_is_seen():
    """A backend that has taken the batch of the first call for granted."""

    class Wrong:
        def __init__(self, program):
            self.program = program

        def __call__(self, *inputs):
            return [r if len(inputs[0]) == 4 else r * np.float32(1.01) for r in self.program(*inputs)]

        def __getattr__(self, name):
            return getattr(self.program, name)

    class Frozen(type(runtime("numpy"))):
        def compile(self, graph, **options):
            return Wrong(super().compile(graph, **options))

    report = compare(lookup(), backends=Frozen(), what="inference", batch_size=4)
    verdicts = report.rows[0].verdicts["outputs"]
    assert [v.outcome == "differs" for v in verdicts] == [False, False, True, True]
    assert not report.ok


def test_given_inputs_are_used_for_inference():
    ids = np.array([[0, 1, 2]], np.int32)
    report = compare(lookup(), inputs=ids, backends="numpy", what="inference")
    assert report.ok
    assert report.rows[0].verdicts["outputs"][0].place in [(0, i, j) for i in range(3) for j in range(6)]
    with pytest.raises(TypeMismatchError, match="ids should be i32"):
        compare(lookup(), inputs=np.zeros((1, 2)), backends="numpy", what="inference")
    with pytest.raises(TypeMismatchError, match="has the shape"):
        compare(lookup(), inputs=np.zeros(3, np.int32), backends="numpy", what="inference")


def test_a_model_without_recipe_is_compared_in_inference():
    model = perceptron()
    bare = Model("bare", lambda mode: model.inference, model.parameters)
    assert compare(bare, backends="numpy").what == "inference"
    assert compare(bare, backends="numpy", what="gradients", loss="sparse_categorical_crossentropy").ok
    assert compare(bare, backends="numpy", loss="sparse_categorical_crossentropy", optimizer="sgd", steps=2).ok
    with pytest.raises(SpecError, match="loss="):
        compare(bare, backends="numpy", what="training")


# backends that are not there, raise or die


def test_a_backend_that_is_not_installed_is_a_row(monkeypatch, digits):
    monkeypatch.setitem(BACKENDS, "elsewhere", ("elsewhere:Runtime", "a_framework_that_nobody_has", "elsewhere"))
    report = compare(perceptron(), data=digits, backends=["elsewhere", "numpy"], steps=2)
    assert [r.status for r in report.rows] == ["not installed", "same"]
    assert report.ok
    none = compare(perceptron(), data=digits, backends=["elsewhere"], steps=2)
    assert not none.ok
    assert none.summary == "No backend ran: nothing was compared."


def test_an_unknown_backend_is_an_error(digits):
    with pytest.raises(BackendUnavailableError, match="there is no backend 'nupmy'"):
        compare(perceptron(), data=digits, backends="nupmy", steps=2)


def test_a_backend_that_raises_is_a_row_and_the_others_run(faulty, digits):
    def fault(node, rule):
        raise RuntimeError("no kernel for <this>")

    report = compare(perceptron(), data=digits, backends=[faulty(fault), "numpy"], steps=2)
    assert [r.status for r in report.rows] == ["error", "same"]
    assert "RuntimeError: no kernel for <this>" in report.rows[0].error
    assert not report.ok


def test_a_backend_may_run_in_a_process_of_its_own(digits):
    model = models.model(models.CONVNET, optimizer="sgd")
    apart, here = (
        compare(model, data=digits, backends="numpy", steps=3, isolate=isolate).rows[0] for isolate in (True, False)
    )
    assert apart.status == "same"
    assert apart.losses == here.losses
    assert apart.verdicts == here.verdicts


def test_a_child_that_dies_is_a_row_with_the_signals_name(tmp_path, monkeypatch, digits):
    (tmp_path / "dying.py").write_text(DYING)
    monkeypatch.syspath_prepend(tmp_path)
    backends = ["dying:Dying", "dying:Leaving", "nowhere:Runtime", "numpy"]
    report = compare(perceptron(), data=digits, backends=backends, steps=2, isolate=True)
    assert [r.status for r in report.rows] == ["error", "error", "error", "same"]
    errors = [r.error for r in report.rows]
    assert "the process of dying was ended by SIGKILL" in errors[0]
    assert "the process of leaving ended with status 3: goodbye" in errors[1]
    assert "No module named 'nowhere'" in errors[2]


def test_a_fault_is_found_in_a_child_too(tmp_path, monkeypatch, digits):
    (tmp_path / "wrong.py").write_text(
        "import dataclasses\n"
        "from isograd.backends.numpy.runtime import NumpyRuntime\n"
        "from isograd.ir import ops\n"
        "def tanh(x):\n    return x - x * x * x / 3\n"
        "class Wrong(NumpyRuntime):\n"
        "    target = dataclasses.replace(\n"
        "        NumpyRuntime.target, table=dict(NumpyRuntime.target.table) | {ops.tanh: tanh})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    layers = ["flatten", {"dense": {"units": 8, "activation": "tanh"}}, {"dense": {"units": 10}}]
    model = models.model(models.PERCEPTRON, layers=layers)
    report = compare(model, data=digits, backends="wrong:Wrong", what="inference", isolate=True)
    assert report.first_divergence.op == "tanh"


# several models, other objects


def test_several_models_are_held_to_the_first(digits):
    first = perceptron()
    other = first.with_arrays({"dense.bias": first.parameters["dense.bias"] + np.float32(0.01)}, {})
    report = compare(first, first, other, data=digits, backends="numpy", what="gradients")
    assert [r.status for r in report.rows] == ["same", "same", "differs"]


def test_models_that_differ_in_kind_are_errors(digits):
    with pytest.raises(TypeMismatchError, match="take or give different things"):
        compare(perceptron(), lookup(), backends="numpy", what="inference")
    renamed = models.model(models.PERCEPTRON, layers=["flatten", {"dense": {"units": 10, "activation": "softmax"}}])
    assert not compare(perceptron(), renamed, data=digits, backends="numpy", what="inference", find=False).ok
    with pytest.raises(SpecError, match="have different names"):
        compare(perceptron(), renamed, data=digits, backends="numpy")


def test_objects_of_other_frameworks_are_an_error_that_says_what_to_do():
    class Module:
        __module__ = "torch.nn.modules.module"

    with pytest.raises(TypeMismatchError, match=r"not Module: make one of it by isograd\.from_torch"):
        compare(Module())
    with pytest.raises(TypeMismatchError, match="not dict; comparing"):
        compare({})
    with pytest.raises(SpecError, match="at least one"):
        compare()


def test_progress_is_told(digits):
    told = []
    compare(perceptron(), data=digits, backends="numpy", steps=2, progress=told.append)
    assert told[0] == "perceptron on numpy"
    assert "reference: 2 training steps" in told
