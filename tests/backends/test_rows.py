"""Every op on every Python backend, whole and taken apart, forward and gradients, held to its own bound. Names no op."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rows import BATCH, graph_of_unknown_batch, sample_graph, samples_of

from isograd.backends import is_installed, runtime
from isograd.backends.rules import GradientOf, Table, When, find_rule
from isograd.backends.template import function_ast, is_ours, single_return
from isograd.ir import Graph, Op, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import widen

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow") if is_installed(b)]
OPS = [op for op in ops.ALL if op.samples]
FIRST_FORM = 64.0  # ulps of the largest magnitude, for what several roundings lead to
# (backend, op) -> why a sample of it cannot run there; strict, so a gap that closes must be taken out
KNOWN_GAPS: Mapping[tuple[str, str], str] = {}

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning", "ignore::DeprecationWarning")


def without(table: Table, op: Op) -> Table:
    """The table without the op's row and that of its gradient: the op is taken apart."""
    return {k: v for k, v in table.items() if k not in (op, GradientOf(op))}


def program(backend: str, graph: Graph, table: Table | None = None) -> Any:
    """The printed module of a graph, by a table of rows, on the CPU."""
    changed: Any = copy.copy(runtime(backend))
    if table is not None:
        changed.target = replace(changed.target, table=table)
    return changed.compile(graph, device=None if backend == "numpy" else "cpu")


def run(backend: str, graph: Graph, arrays: list[np.ndarray], table: Table | None = None) -> list[np.ndarray]:
    compiled = program(backend, graph, table)
    return [np.asarray(compiled.to_numpy(result)) for result in compiled(*arrays)]


def judge(op: Op, graph: Graph, arrays: list[np.ndarray], found: list[np.ndarray], strictness: float = 1.0) -> None:
    """Raise unless each result has its type and lies within the bound of the float64 reference."""
    wide = widen(graph)
    truths = run_reference(wide, arrays)
    summed = op.bound.kind in ("contraction", "reduction")
    sums = run_reference(wide, [abs(a) if a.dtype.kind == "f" else a for a in arrays]) if summed else truths
    for port, result, truth, scale in zip(graph.outputs, found, truths, sums, strict=True):
        assert (result.dtype, result.shape) == (port.value.dtype.numpy, np.shape(truth)), port.path
        if result.dtype.kind not in "fc":
            np.testing.assert_array_equal(result, truth, err_msg=port.path)
            continue
        limit = strictness * allowance(op, "gradient" in port.path, result.dtype, np.asarray(truth), np.asarray(scale))
        same = (result == truth) | (np.isnan(result) & np.isnan(truth))
        off = np.abs(result - truth)
        assert np.all(same | (off <= limit)), f"{port.path}: off by {np.max(off)}, allowed {np.max(limit)}\n{result}\n{truth}"


def allowance(op: Op, is_gradient: bool, dtype: np.dtype[Any], truth: np.ndarray, sums: np.ndarray) -> Any:
    """How far a result may lie from the truth, by the op's bound; of a gradient, by roundings in its formula."""
    bound = op.bound
    eps = float(np.finfo(dtype).eps) * (2.0 if dtype == np.float64 else 1.0)  # the reference rounds there too
    floor = bound.floor * eps / 2.0**-23
    if is_gradient or bound.kind == "parts":
        return FIRST_FORM * eps * np.max(np.abs(truth), initial=0.0, where=np.isfinite(truth)) + floor
    if bound.kind == "elementwise":
        return bound.factor * eps * np.abs(truth) + floor
    return bound.factor * eps * np.abs(sums) if bound.kind in ("contraction", "reduction") else 0.0


def check(backend: str, op: Op, dtype: str = "float32", table: Table | None = None) -> None:
    graph, arrays = sample_graph(op, dtype=dtype)
    judge(op, graph, arrays, run(backend, graph, arrays, table))


def expect_gap(request: pytest.FixtureRequest, backend: str, op: Op) -> None:
    if (backend, op.name) in KNOWN_GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=KNOWN_GAPS[backend, op.name], strict=True))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_whole(backend: str, op: Op, request: pytest.FixtureRequest) -> None:
    expect_gap(request, backend, op)
    check(backend, op)


@pytest.mark.parametrize("op", [op for op in OPS if op.is_composite], ids=lambda op: op.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_apart(backend: str, op: Op, request: pytest.FixtureRequest) -> None:
    expect_gap(request, backend, op)
    check(backend, op, table=without(runtime(backend).target.table, op))  # type: ignore[attr-defined]  # a Python backend's


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "jax"])  # which computes so only where a graph asks for it
def test_float64(backend: str, op: Op, request: pytest.FixtureRequest) -> None:
    expect_gap(request, backend, op)
    check(backend, op, dtype="float64")


UNKNOWN = {op: made for op in OPS if (made := graph_of_unknown_batch(op)) is not None}


@pytest.mark.parametrize("op", UNKNOWN, ids=lambda op: op.name)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "jax"])  # which compiles anew for each size
def test_unknown_batch(backend: str, op: Op) -> None:
    """Code for a batch of any size: TensorFlow traces it without knowing the size."""
    graph, arrays = UNKNOWN[op]
    compiled = program(backend, graph)
    if backend == "tensorflow":
        import tensorflow as tf

        shapes = [[n if isinstance(n, int) else None for n in p.value.shape] for p in graph.inputs]
        signature = [tf.TensorSpec(s, a.dtype) for s, a in zip(shapes, arrays, strict=True)]
        compiled.load({})
        compiled._function = tf.function(compiled._function, input_signature=signature)
    judge(op, graph, arrays, [np.asarray(compiled.to_numpy(result)) for result in compiled(*arrays)])


def test_most_ops_take_an_unknown_batch() -> None:
    assert len(UNKNOWN) > 0.8 * len(OPS)
    assert not any(s.operands and BATCH in np.shape(s.operands[0]) for op in OPS for s in samples_of(op))


# The tables themselves


def rules_of(row: Any) -> list[Any]:
    return [r.rule if isinstance(r, When) else r for r in (row if isinstance(row, tuple) else (row,))]


def nodes_of_samples(table: Table, op: Op) -> list[Any]:
    from isograd.backends.program import prepare

    return [node for dtype in ("float32", "float64") for node in prepare(sample_graph(op, dtype=dtype)[0], table, "test").nodes]


def _unreached(backend: str) -> set[str]:
    table = runtime(backend).target.table  # type: ignore[attr-defined]
    families = {key for key in table if (key.op if isinstance(key, GradientOf) else key) in OPS}
    reached = {find_rule(table, node) for op in OPS for node in nodes_of_samples(table, op)}
    return {f"{getattr(rule, '__name__', rule)} for {key}" for key in families for rule in rules_of(table[key]) if rule not in reached}


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_reach_every_rule(backend: str) -> None:
    assert _unreached(backend) == set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_helpers_have_names_of_their_own(backend: str) -> None:
    """Two helpers of one name would be one in the printed module; the underscore of a row's name is not printed."""
    table = runtime(backend).target.table  # type: ignore[attr-defined]
    found: dict[str, set[Any]] = {}
    for row in table.values():
        for rule in rules_of(row):
            if callable(rule) and is_ours(rule):
                for function in [rule] * (single_return(rule) is None) + [v for n, v in rule.__globals__.items() if callable(v) and is_ours(v) and not n.startswith("_") and hasattr(v, "__code__")]:
                    found.setdefault(function_ast(function).name, set()).add(function)
    assert [f for f in found.values() if len(f) > 1] == []


# That a wrong row is seen


def swapped(rule: Callable[..., Any]) -> Callable[..., Any]:
    return {2: _swapped}[2]


def _swapped(x: Any, y: Any) -> Any:
    return y - x


def _scaled(x: Any) -> Any:
    return x * 0.999


def _forgetful(x: Any, *, axis: Any) -> Any:
    return x


def _cold(g: Any, out: Any, x: Any) -> Any:
    return g * out


MUTATIONS = {ops.subtract: _swapped, ops.tanh: _scaled, ops.gelu: _scaled, ops.softmax: _forgetful, GradientOf(ops.relu): _cold}


@pytest.mark.parametrize("key", MUTATIONS, ids=str)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b in ("numpy", "torch")])
def test_a_wrong_row_fails(backend: str, key: Any) -> None:
    op = key.op if isinstance(key, GradientOf) else key
    table = {**runtime(backend).target.table, key: MUTATIONS[key]}  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        check(backend, op, table=table)
