"""Losses against Keras's and PyTorch's own, rows N16 to N21, on every backend, and their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from isograd import SpecError
from isograd.backends import is_installed, runtime
from isograd.frontends.spec.recipe import read_loss
from isograd.ir import Graph, TensorType
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.training.losses import LOSSES, loss_rule, loss_value
from isograd.ir.types import dtype_of

BACKENDS = [b for b in ("jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore:reduction")

RANDOM = np.random.default_rng(0)
NUMBERS, OTHERS = RANDOM.normal(size=(2, 5, 3)).astype(np.float32) * 2.0
SHARES, GIVEN = (np.exp(a) / np.exp(a).sum(-1, keepdims=True) for a in (NUMBERS, OTHERS))
ONE_HOT = np.eye(3, dtype=np.float32)[[2, 0, 1, 1, 2]]
BITS = (OTHERS > 0).astype(np.float32)
LABELS = np.array([2, 0, 1, 1, 2], np.int32)
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, 3.0], np.float32)


def graph_of(name: str, options: Mapping[str, Any], prediction: Any, target: Any, weights: Any = None) -> Graph:
    graph = Graph(name)
    given = [
        None if a is None else graph.input(n, TensorType(dtype_of(a.dtype), a.shape))
        for n, a in (("p", prediction), ("t", target), ("w", weights))
    ]
    total = loss_value(name, options, given[0], given[1], given[2])  # type: ignore[arg-type]
    graph.output(total, "loss")
    graph.output(gradients(graph, total, [given[0]])[0], "p", "gradient")  # type: ignore[list-item]
    return graph


def value(name: str, options: Mapping[str, Any], *arrays: Any) -> float:
    return float(run_reference(graph_of(name, options, *arrays), [a for a in arrays if a is not None])[0])


KERAS = [
    ("mean_squared_error", {}, "MeanSquaredError", {}, NUMBERS, OTHERS),
    ("mean_absolute_error", {}, "MeanAbsoluteError", {}, NUMBERS, OTHERS),
    ("mean_absolute_percentage_error", {}, "MeanAbsolutePercentageError", {}, NUMBERS, OTHERS),
    ("mean_squared_logarithmic_error", {}, "MeanSquaredLogarithmicError", {}, NUMBERS, OTHERS),
    ("log_cosh", {}, "LogCosh", {}, NUMBERS, OTHERS),
    ("huber", {"delta": 2.0}, "Huber", {"delta": 2.0}, NUMBERS, OTHERS),
    ("poisson", {}, "Poisson", {}, SHARES, GIVEN),
    ("kl_divergence", {}, "KLDivergence", {}, SHARES, GIVEN),
    ("cosine_similarity", {}, "CosineSimilarity", {}, NUMBERS, OTHERS),
    ("tversky", {"alpha": 0.3, "beta": 0.7}, "Tversky", {"alpha": 0.3, "beta": 0.7}, SHARES, BITS),
    ("dice", {}, "Dice", {}, SHARES, BITS),
    ("categorical_crossentropy", {}, "CategoricalCrossentropy", {}, SHARES, ONE_HOT),
    ("categorical_crossentropy", {"from_logits": True, "label_smoothing": 0.1}, "CategoricalCrossentropy",
     {"from_logits": True, "label_smoothing": 0.1}, NUMBERS, ONE_HOT),
    ("sparse_categorical_crossentropy", {}, "SparseCategoricalCrossentropy", {}, SHARES, LABELS),
    ("sparse_categorical_crossentropy", {"from_logits": True, "ignore_index": 1}, "SparseCategoricalCrossentropy",
     {"from_logits": True, "ignore_class": 1}, NUMBERS, LABELS),
    ("binary_crossentropy", {"label_smoothing": 0.2}, "BinaryCrossentropy", {"label_smoothing": 0.2}, SHARES, BITS),
    ("binary_crossentropy", {"from_logits": True}, "BinaryCrossentropy", {"from_logits": True}, NUMBERS, BITS),
    ("binary_focal_crossentropy", {}, "BinaryFocalCrossentropy", {}, SHARES, BITS),
    ("binary_focal_crossentropy", {"alpha": 0.25, "from_logits": True, "gamma": 1.5}, "BinaryFocalCrossentropy",
     {"apply_class_balancing": True, "from_logits": True, "gamma": 1.5}, NUMBERS, BITS),
    ("categorical_focal_crossentropy", {}, "CategoricalFocalCrossentropy", {}, SHARES, ONE_HOT),
    ("categorical_focal_crossentropy", {"from_logits": True, "label_smoothing": 0.1}, "CategoricalFocalCrossentropy",
     {"from_logits": True, "label_smoothing": 0.1}, NUMBERS, ONE_HOT),
    ("hinge", {}, "Hinge", {}, NUMBERS, BITS),
    ("squared_hinge", {}, "SquaredHinge", {}, NUMBERS, 2 * BITS - 1),
    ("categorical_hinge", {}, "CategoricalHinge", {}, NUMBERS, ONE_HOT),
]  # fmt: skip


@pytest.mark.skipif(not is_installed("tensorflow"), reason="Keras comes with TensorFlow")
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("known", KERAS, ids=lambda c: f"{c[2]}({c[3]})")
def test_keras(known: Any, weights: Any) -> None:
    import keras

    name, options, theirs, arguments, prediction, target = known
    if weights is not None and (name in ("tversky", "dice") or "ignore_index" in options):
        pytest.skip("one number of the batch; or a mask, by which Keras scales sample weights")
    expected = getattr(keras.losses, theirs)(**arguments)(target, prediction, sample_weight=weights)
    np.testing.assert_allclose(value(name, options, prediction, target, weights), float(expected), rtol=3e-6)


TORCH = [
    ("huber", {"delta": 2.0}, "huber_loss", {"delta": 2.0}, NUMBERS, OTHERS),
    ("smooth_l1", {"beta": 2.0}, "smooth_l1_loss", {"beta": 2.0}, NUMBERS, OTHERS),
    ("smooth_l1", {"beta": 0.0}, "smooth_l1_loss", {"beta": 0.0}, NUMBERS, OTHERS),
    ("poisson", {"log_input": True}, "poisson_nll_loss", {}, NUMBERS, GIVEN),
    ("kl_divergence", {"log_input": True, "over_axis": "mean"}, "kl_div", {}, np.log(SHARES), ONE_HOT),
    ("binary_crossentropy", {"epsilon": 0.0}, "binary_cross_entropy", {}, np.float32([[0.0, 1.0, 0.5]]),
     np.float32([[1.0, 1.0, 0.25]])),
    ("categorical_crossentropy", {"from_logits": True, "label_smoothing": 0.1, "class_weights": [1.0, 2.0, 4.0]},
     "cross_entropy", {"label_smoothing": 0.1, "weight": [1.0, 2.0, 4.0]}, NUMBERS, GIVEN),
    ("sparse_categorical_crossentropy",
     {"from_logits": True, "class_weights": [1.0, 2.0, 4.0], "reduction": "weighted_mean"},
     "cross_entropy", {"weight": [1.0, 2.0, 4.0]}, NUMBERS, LABELS),
    ("sparse_categorical_crossentropy",
     {"from_logits": True, "class_weights": [1.0, 2.0, 4.0], "label_smoothing": 0.2, "ignore_index": 1,
      "reduction": "weighted_mean"},
     "cross_entropy", {"weight": [1.0, 2.0, 4.0], "label_smoothing": 0.2, "ignore_index": 1}, NUMBERS, LABELS),
    ("negative_log_likelihood", {"class_weights": [1.0, 2.0, 4.0], "reduction": "weighted_mean"}, "nll_loss",
     {"weight": [1.0, 2.0, 4.0]}, np.log(SHARES), LABELS),
    ("negative_log_likelihood", {"reduction": "sum"}, "nll_loss", {"reduction": "sum"}, np.log(SHARES), LABELS),
    ("soft_margin", {}, "soft_margin_loss", {}, NUMBERS, 2 * BITS - 1),
]  # fmt: skip


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("known", TORCH, ids=lambda c: f"{c[2]}({c[3]})")
def test_torch(known: Any) -> None:
    import torch

    name, options, theirs, arguments, prediction, target = known
    given = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in arguments.items()}
    told = torch.from_numpy(target).long() if target.dtype.kind == "i" else torch.from_numpy(target)
    expected = getattr(torch.nn.functional, theirs)(torch.from_numpy(prediction), told, **given)
    np.testing.assert_allclose(value(name, options, prediction, target), float(expected), rtol=3e-6)


def test_probabilities_of_zero() -> None:
    """N16 and N17: Keras's clip gives 16.118, PyTorch's least logarithm 100."""
    p, t = np.float32([[0.0]]), np.float32([[1.0]])
    assert value("binary_crossentropy", {}, p, t) == pytest.approx(16.118, abs=1e-3)
    assert value("binary_crossentropy", {"epsilon": 0.0}, p, t) == 100.0
    p, t = np.float32([[0.0, 1.0]]), np.float32([[1.0, 0.0]])
    assert value("categorical_crossentropy", {}, p, t) == pytest.approx(16.118, abs=1e-3)


def test_all_ignored_and_weighted_means() -> None:
    """N18: an empty mean is 0 in Keras, NaN in PyTorch. N19: over the number, or over the weights."""
    told = np.int32([1, 1])
    options = {"from_logits": True, "ignore_index": 1}
    assert value("sparse_categorical_crossentropy", options, NUMBERS[:2], told) == 0.0
    other = options | {"reduction": "weighted_mean"}
    assert np.isnan(value("sparse_categorical_crossentropy", other, NUMBERS[:2], told))
    logits = np.float32([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    options = {"from_logits": True, "class_weights": [1.0, 1.0, 4.0]}
    means = [
        value("sparse_categorical_crossentropy", options | {"reduction": r}, logits, np.int32([2, 2]))
        for r in ("weighted_mean", "mean")
    ]
    assert means == pytest.approx([1.4076, 5.6304], abs=1e-4)


def test_kl_divergence_over_the_axis() -> None:
    """N20: PyTorch's default is the mean over all elements, Keras's the sum over each example's."""
    p, t = np.float32([[0.2, 0.8]]), np.float32([[0.5, 0.5]])
    both = [value("kl_divergence", {"over_axis": over}, p, t) for over in ("sum", "mean")]
    assert both[0] == pytest.approx(2 * both[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_loss_and_its_gradient_on(backend: str) -> None:
    seen = set()
    for name, options, _, _, prediction, target in [*KERAS, *TORCH]:
        if (name, len(options)) in seen:
            continue
        seen.add((name, len(options)))
        graph, arrays = graph_of(name, options, prediction, target), [prediction, target]
        program = runtime(backend).compile(graph)
        program.load({})
        for found, expected in zip(program(*arrays), run_reference(graph, arrays), strict=True):
            np.testing.assert_allclose(program.to_numpy(found), expected, rtol=2e-5, atol=1e-6, err_msg=name)
    assert {n for n, _ in seen} == set(LOSSES)


@pytest.mark.parametrize("known", [*KERAS, *TORCH], ids=lambda c: f"{c[0]}({c[1]})")
def test_the_gradient_is_the_slope(known: Any) -> None:
    name, options, _, _, prediction, target = known
    if 0.0 in prediction:
        pytest.skip("at the edge of the logarithm there is no slope")
    p = prediction.astype(np.float64)
    t = target.astype(np.float64) if target.dtype.kind == "f" else target
    graph = graph_of(name, options, p, t)
    direction = np.random.default_rng(1).normal(size=p.shape)
    up, down = (float(run_reference(graph, [p + s * direction, t])[0]) for s in (1e-6, -1e-6))
    slope = float((run_reference(graph, [p, t])[1] * direction).sum())
    assert slope == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("hubr", {}, "did you mean 'huber'"),
        ("huber", {"delt": 1.0}, "did you mean 'delta'"),
        ("nll", {"reduction": "avg"}, "reduction is one of"),
        ("sparse_categorical_crossentropy", {"class_weights": [1.0]}, "1 numbers for 3 classes"),
    ],
)
def test_errors(name: str, options: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        value(name, options, SHARES, LABELS)


def test_a_spec_reads_the_options_of_every_loss() -> None:
    for name, options, *_ in [*KERAS, *TORCH]:
        assert read_loss({name: dict(options)}).options == options
        assert options.keys() <= loss_rule(name).options.keys()
