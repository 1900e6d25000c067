"""Optimizers: each against its library step by step, in its convention and in others; errors; samples."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isograd import Optimizer, SpecError
from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType
from isograd.ir.evaluate import run_reference
from isograd.ir.graph import Port
from isograd.ir.parse import parse
from isograd.ir.passes import decompose
from isograd.ir.text import graph_arrays, print_graph
from isograd.ir.training import OPS, OPTIMIZERS
from isograd.ir.training.step import as_optimizer
from isograd.ir.training.update import update
from isograd.ir.types import dtype_of, float32
from isograd.ir.verify import verify

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import optimizers as measured  # the cases and what they are measured by

LIBRARIES = {"keras": "tensorflow", "torch": "torch", "optax": "jax"}
BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
CASES = [c for c in measured.CASES if is_installed(LIBRARIES[c.convention])]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


@cache
def theirs(place: int) -> Any:
    return measured.run_theirs(CASES[place])


@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda i: str(CASES[i]))
def test_each_step_is_the_librarys(place: int) -> None:
    found = measured.ulps(measured.run_ours(CASES[place].optimizer), theirs(place))
    assert measured.within(found), found


@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda i: str(CASES[i]))
def test_another_convention_gives_other_numbers(place: int) -> None:
    case = CASES[place]
    for other in OPTIMIZERS[case.name].defaults.keys() - {case.convention}:
        found = measured.ulps(measured.run_ours(measured.in_convention(case, other)), theirs(place))
        assert measured.within(found) == measured.is_one_rule(case, other), (other, found.max())


PLAIN = {(c.name, c.convention): i for i, c in reversed(list(enumerate(CASES)))}


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "numpy"])
@pytest.mark.parametrize("place", PLAIN.values(), ids=lambda i: str(CASES[i]))
def test_each_backend_keeps_to_the_library(place: int, backend: str) -> None:
    found = measured.ulps(measured.run_ours(CASES[place].optimizer, backend, 10), theirs(place)[:10])
    assert measured.within(found), found


def test_momentum_differs_where_the_rate_changes() -> None:
    """Keras scales the step into the velocity; PyTorch and Optax scale the velocity (O7)."""
    halving = {"exponential": {"decay_steps": 10, "decay_rate": 0.5}}
    options = {"learning_rate": 0.01, "momentum": 0.9, "schedule": halving}
    runs = {
        c: measured.run_ours(as_optimizer({"sgd": options | {"convention": c}})) for c in ("keras", "torch", "optax")
    }
    assert measured.within(measured.ulps(runs["torch"], runs["optax"]))
    assert not measured.within(measured.ulps(runs["keras"], runs["torch"]))


@pytest.mark.skipif(not is_installed("tensorflow"), reason="Keras comes with TensorFlow")
@pytest.mark.parametrize(
    ("clip", "theirs"),
    [
        ({"global_norm": 2.0}, {"global_clipnorm": 2.0}),
        ({"norm": 2.0}, {"clipnorm": 2.0}),
        ({"value": 0.5}, {"clipvalue": 0.5}),
    ],
    ids=str,
)
def test_keras_accumulates_clips_decays_and_averages(clip: Any, theirs: Any) -> None:
    """All at once, in Keras's order; the averages overwrite the parameters every fifth update."""
    arguments = {"learning_rate": 0.01, "weight_decay": 0.1, **theirs, "gradient_accumulation_steps": 3,
                 "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 5}  # fmt: skip
    expected = measured.run_keras("Adam", arguments)
    given = {"learning_rate": 0.01, "weight_decay": 0.1, "clip": clip, "accumulate": 3,
             "ema": {"momentum": 0.8, "overwrite_every": 5}}  # fmt: skip
    for backend in BACKENDS:
        found = measured.ulps(measured.run_ours(as_optimizer({"adam": given}), backend), expected)
        assert measured.within(found), (backend, found)
    for wrong in ({"accumulate": 2}, {"ema": {"momentum": 0.8}}, {"clip": {next(iter(clip)): 0.1}}):
        other = measured.run_ours(as_optimizer({"adam": given | wrong}))
        assert not measured.within(measured.ulps(other, expected)), wrong


@pytest.mark.skipif(not is_installed("jax"), reason="Optax stands on JAX")
def test_optax_multi_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    import optax

    def both(learning_rate: float) -> Any:
        inner = optax.chain(optax.clip_by_global_norm(2.0), optax.adamw(learning_rate, weight_decay=0.1))
        return optax.MultiSteps(inner, every_k_schedule=3).gradient_transformation()

    monkeypatch.setattr(optax, "both", both, raising=False)
    expected = measured.run_optax("both", {"learning_rate": 0.01})
    given = {"learning_rate": 0.01, "weight_decay": 0.1, "convention": "optax", "clip": {"global_norm": 2.0}}
    found = measured.ulps(measured.run_ours(as_optimizer({"adamw": given | {"accumulate": 3}})), expected)
    assert measured.within(found), found


def test_groups_have_rates_of_their_own() -> None:
    still = measured.run_ours(as_optimizer({"sgd": {"groups": {"vec*": {"learning_rate": 0.0}}}}), steps=2)
    moved = measured.run_ours(as_optimizer("sgd"), steps=2)
    np.testing.assert_array_equal(still[-1]["vector"], measured.start()["vector"])
    np.testing.assert_array_equal(still[-1]["matrix"], moved[-1]["matrix"])
    halved = {"schedule": {"constant": {}}, "groups": {"vec*": {"learning_rate": 0.005}}}
    half = measured.run_ours(as_optimizer({"sgd": halved}), steps=2)
    whole = measured.run_ours(as_optimizer({"sgd": {"learning_rate": 0.005}}), steps=2)
    np.testing.assert_array_equal(half[-1]["vector"], whole[-1]["vector"])


def test_every_optimizer_in_every_convention_is_measured() -> None:
    measured_ones = {(c.name, c.convention) for c in measured.CASES}
    lacking = {(n, c) for n, rule in OPTIMIZERS.items() for c in rule.defaults} - measured_ones
    # which Keras and PyTorch call Adam(amsgrad=True)
    assert lacking == {("amsgrad", "keras"), ("amsgrad", "torch")}


SAMPLES = [(op, i, s) for op in OPS for i, s in enumerate(op.samples)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_whole_and_in_parts(backend: str) -> None:
    """Every op of an update on its samples: what a backend makes of it against the reference of its parts."""
    for op, number, sample in SAMPLES:
        arrays = [a for a in sample.operands if a is not None]
        for whole in (True, False):
            graph = Graph(op.name)
            given = [
                None if a is None else graph.input(f"x{i}", TensorType(dtype_of(np.asarray(a).dtype), np.shape(a)))
                for i, a in enumerate(sample.operands)
            ]
            made = graph.apply(op, *given, **sample.attributes)
            for i, value in enumerate(made if isinstance(made, tuple) else (made,)):
                graph.output(value, f"out{i}")
            graph = graph if whole else decompose(graph, keep=lambda node: False)
            expected = run_reference(graph, [np.asarray(a) for a in arrays])
            program = runtime(backend).compile(graph)
            program.load({})
            for a, b in zip(program(*arrays), expected, strict=True):
                np.testing.assert_allclose(program.to_numpy(a), b, rtol=2e-6, err_msg=f"{op.name} {number}")


@pytest.mark.parametrize("made", OPS, ids=lambda op: op.name)
def test_samples_use_each_attribute_and_each_optional_operand(made: Any) -> None:
    for name in made.signature.optional:
        place = made.signature.operands.index(name)
        assert {len(s.operands) > place and s.operands[place] is not None for s in made.samples} == {True, False}, name
    for name, default in made.signature.attributes.items():
        assert {repr(s.attributes[name]) for s in made.samples if name in s.attributes} - {repr(default)}, name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("sdg", "did you mean 'sgd'"),
        ({"adam": {"beta1": 0.9}}, "did you mean 'beta_1'"),
        ({"lion": {"convention": "torch"}}, "There are: keras, optax"),
        ({"adam": {"convention": "kears"}}, "did you mean 'keras'"),
        ({"adam": {"clip": {"globalnorm": 1.0}}}, "did you mean 'global_norm'"),
        ({"adam": {"clip": {"norm": -1.0}}}, "positive"),
        ({"adam": {"clip": {"norm": 1.0, "value": 1.0}}}, "one clip"),
        ({"adam": {"accumulate": 0}}, "number of batches"),
        ({"adam": {"schedule": {"cosin": {}}}}, "did you mean 'cosine'"),
        ({"adam": {"schedule": {"cosine": {}}}}, "needs decay_steps"),
        ({"adam": {"schedule": {"step": {"stepsize": 3}}}}, "did you mean 'step_size'"),
        ({"adam": {"ema": {"momentun": 0.9}}}, "did you mean 'momentum'"),
        ({"adam": {"groups": {"bias*": {"learning_rate": 0.1}}}}, "no parameter fits the group"),
        ({"adam": {"groups": {"vector": {"lr": 0.1}}}}, "no hyperparameter"),
    ],
    ids=str,
)
def test_errors_name_what_there_is(given: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        measured.run_ours(as_optimizer(given), steps=1)


def test_an_optimizer_that_keras_lacks_has_the_first_of_its_conventions() -> None:
    assert as_optimizer("radam") == Optimizer("radam", {}, "torch")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_text_of_an_update_is_read_back(name: str) -> None:
    for convention in OPTIMIZERS[name].defaults:
        graph, arrays = Graph("update"), measured.start()
        ports = [Port(graph.input(k, TensorType(float32, a.shape), "parameter"), "parameter", k)
                 for k, a in arrays.items()]  # fmt: skip
        given = [graph.input(f"g_{k}", TensorType(float32, a.shape)) for k, a in arrays.items()]
        options = {"convention": convention, "clip": {"global_norm": 1.0}, "accumulate": 2, "swa": {"every": 2}}
        update(graph, ports, given, as_optimizer({name: options}), arrays, {})
        verify(graph)
        assert print_graph(parse(print_graph(graph), graph_arrays(graph))) == print_graph(graph)


@pytest.mark.parametrize("place", [i for i in PLAIN.values() if CASES[i].convention != "optax"],
                         ids=lambda i: str(CASES[i]))  # fmt: skip
def test_defaults_are_the_librarys(place: int) -> None:
    """O9: with nothing said, not even the learning rate."""
    case = CASES[place]
    expected = measured.RUNS[case.convention](case.theirs, {}, 5)
    found = measured.run_ours(Optimizer(case.name, {}, case.convention), steps=5)  # type: ignore[arg-type]
    assert measured.within(measured.ulps(found, expected))
