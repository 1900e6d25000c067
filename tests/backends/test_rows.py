"""Every op on every Python backend, whole and taken apart, with gradients, held to its own bound. Names no op."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from rows import BATCH, sample_graph, samples_of, takes_unknown_batch

from isograd.backends import is_installed, runtime
from isograd.backends.program import prepare
from isograd.backends.rules import GradientOf, Table, When, find_rule
from isograd.backends.template import free_names, function_ast, is_ours, single_return
from isograd.ir import Graph, Op, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.op import Sample
from isograd.ir.passes import widen

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow") if is_installed(b)]
OPS = [op for op in ops.ALL if op.samples]
FIRST_FORM = 64.0  # ulps of the largest magnitude, for what several roundings lead to


@dataclass(frozen=True)
class Gap:
    """Samples of an op that do not run on a backend, and why; what runs must be taken out."""

    backend: str
    op: str
    dtype: str
    fits: Callable[[Sample], bool]
    reason: str


def _over_three_axes(s: Sample) -> bool:
    return len(s.attributes["window"]) == 3


KNOWN_GAPS = [
    Gap("tensorflow", op, "float64", _over_three_axes, "there is no kernel")
    for op in ("max_pool", "average_pool", "max_pool_select", "sum_pool")
]

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
    if backend == "tensorflow":  # traced with what the graph knows of sizes, not with what the arrays have
        import tensorflow as tf

        shapes = [[n if isinstance(n, int) else None for n in p.value.shape] for p in graph.inputs]
        signature = [tf.TensorSpec(s, a.dtype) for s, a in zip(shapes, arrays, strict=True)]
        compiled.load({})
        compiled._function = tf.function(compiled._function, input_signature=signature, autograph=False)
    return [np.asarray(compiled.to_numpy(result)) for result in compiled(*arrays)]


def judge(op: Op, graph: Graph, arrays: list[np.ndarray], found: list[np.ndarray], strictness: float = 1.0) -> None:
    """Raise unless each result has its type and lies within the bound of the float64 reference."""
    wide = widen(graph)
    truths = run_reference(wide, arrays)
    summed = op.bound.kind in ("contraction", "reduction")
    sums = run_reference(wide, magnitudes(op, graph, arrays)) if summed else truths
    for port, result, truth, scale in zip(graph.outputs, found, truths, sums, strict=True):
        assert (result.dtype, result.shape) == (port.value.dtype.numpy, np.shape(truth)), port.path
        if result.dtype.kind not in "fc":
            np.testing.assert_array_equal(result, truth, err_msg=port.path)
            continue
        limit = strictness * allowance(op, "gradient" in port.path, result.dtype, np.asarray(truth), np.asarray(scale))
        same = (result == truth) | (np.isnan(result) & np.isnan(truth))
        off = np.abs(result - truth)
        assert np.all(same | (off <= limit)), (
            f"{port.path}: off by {np.max(off)}, allowed {np.max(limit)}\n{result}\n{truth}"
        )


def magnitudes(op: Op, graph: Graph, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Operands of which no term cancels another: of a reduction the first is summed, and others may say how."""
    taken = [op.bound.kind == "contraction" or port.value.name.endswith("_0") for port in graph.inputs]
    return [abs(a) if t and a.dtype.kind == "f" else a for t, a in zip(taken, arrays, strict=True)]


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


def check(
    backend: str,
    op: Op,
    *,
    dtype: str = "float32",
    unknown: bool = False,
    table: Table | None = None,
    only: Sequence[Sample] | None = None,
    differentiated: bool = True,
) -> None:
    gaps = [g for g in KNOWN_GAPS if (g.backend, g.op, g.dtype) == (backend, op.name, dtype)]
    chosen = [s for s in samples_of(op) if not any(g.fits(s) for g in gaps)] if only is None else only
    graph, arrays = sample_graph(op, dtype=dtype, unknown=unknown, only=chosen, differentiated=differentiated)
    judge(op, graph, arrays, run(backend, graph, arrays, table))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_whole(backend: str, op: Op) -> None:
    """JAX compiles slowly, and anew for each size: its sizes are known, its samples more where a row has a choice."""
    if backend == "jax":
        row = runtime(backend).target.table.get(op)  # type: ignore[attr-defined]  # a Python backend's
        check(backend, op, only=None if isinstance(row, tuple) else op.samples)
    else:
        check(backend, op, unknown=True)


@pytest.mark.parametrize("op", [op for op in OPS if op.saved], ids=lambda op: op.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_without_gradient(backend: str, op: Op) -> None:
    """A rule may save nothing where no gradient wants it."""
    check(backend, op, unknown=backend != "jax", differentiated=False)


@pytest.mark.parametrize("op", [op for op in OPS if op.is_composite], ids=lambda op: op.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_apart(backend: str, op: Op) -> None:
    check(backend, op, table=without(runtime(backend).target.table, op))  # type: ignore[attr-defined]  # a Python backend's


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize(
    "backend", [b for b in BACKENDS if b != "jax"]
)  # which computes so only where a graph asks for it
def test_float64(backend: str, op: Op) -> None:
    check(backend, op, dtype="float64")


@pytest.mark.parametrize("gap", [g for g in KNOWN_GAPS if g.backend in BACKENDS], ids=lambda g: f"{g.backend}-{g.op}")
def test_gaps_are_still_there(gap: Gap) -> None:
    op = ops.BY_NAME[gap.op]
    chosen = [s for s in samples_of(op) if gap.fits(s)]
    assert chosen
    for s in chosen:
        with pytest.raises(Exception):  # noqa: B017, PT011  # each framework has its own
            check(gap.backend, op, dtype=gap.dtype, only=[s])


def test_most_ops_take_an_unknown_batch() -> None:
    assert sum(map(takes_unknown_batch, OPS)) > 0.8 * len(OPS)
    assert not any(s.operands and BATCH in np.shape(s.operands[0]) for op in OPS for s in samples_of(op))


# The tables themselves


def rules_of(row: Any) -> list[Any]:
    return [r.rule if isinstance(r, When) else r for r in (row if isinstance(row, tuple) else (row,))]


UNREACHED = {
    ("numpy", "_matmul"): "is for bfloat16",
    ("numpy", "_einsum"): "is for bfloat16",
    **{
        ("jax", name): "is not compiled: tests/backends/test_selection.py"
        for name in ("_nonzero", "_arange_to", "_repeat_each", "_unique")
    },
    **{
        ("torch", f"_{name}"): "needs one gradient alone: tests/backends/test_recurrent.py"
        for name in (
            "lstm_on_leaves",
            "gru_on_leaves",
            "rnn_on_leaves",
            "rows_gradient",
            "last_gradient",
            "both_gradient",
            "all_gradient",
        )
    },
    ("torch", "_unique"): "gives no first places: tests/backends/test_selection.py",
    ("jax", "_jax_bits"): "needs a counter that is known to be zero: tests/backends/test_random.py",
    ("jax", "_jax_top"): "needs a counter that is known to be zero: tests/backends/test_random.py",
    ("tensorflow", "_advance_counter_by_size"): "needs a size that no operand has: tests/backends/test_random.py",
}


def unreached(backend: str) -> set[str]:
    """The rules for ops that no sample comes to, of those that stand in a table of their own."""
    target = runtime(backend).target  # type: ignore[attr-defined]
    table = target.table
    graphs = [sample_graph(op, only=[s])[0] for op in OPS for s in samples_of(op)]
    graphs += [sample_graph(op, only=[s], differentiated=False)[0] for op in OPS if op.saved for s in samples_of(op)]
    graphs += [sample_graph(op, dtype="float64")[0] for op in OPS]
    ready = [prepare(graph, table, backend, wish=target.layout) for graph in graphs]
    reached = {find_rule(table, node) for graph in ready for node in graph.nodes}
    rows = [row for key, row in table.items() if (key.op if isinstance(key, GradientOf) else key) in OPS]
    return {getattr(rule, "__name__", str(rule)) for row in rows for rule in rules_of(row) if rule not in reached}


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_reach_every_rule(backend: str) -> None:
    assert unreached(backend) == {name for b, name in UNREACHED if b == backend}


def helpers(function: Any) -> set[Any]:
    """What comes along with a rule: itself if longer than an expression, and the functions of ours that it calls."""
    names = free_names(function_ast(function))
    called = [v for n, v in function.__globals__.items() if n in names and inspect.isfunction(v) and is_ours(v)]
    return {function} - ({function} if single_return(function) else set()) | {
        h for f in called for h in helpers(f) | {f}
    }


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "numpy"])  # whose rows are the references
def test_helpers_have_names_of_their_own(backend: str) -> None:
    """Two helpers of one name would be one in the printed module; the underscore of a row's name is not printed."""
    table = runtime(backend).target.table  # type: ignore[attr-defined]
    ours = [r for row in table.values() for r in rules_of(row) if inspect.isfunction(r) and is_ours(r)]
    found: dict[str, set[Any]] = {}
    for helper in {h for rule in ours for h in helpers(rule)}:
        found.setdefault(function_ast(helper).name, set()).add(helper)
    assert [names for names in found.values() if len(names) > 1] == []


# That a wrong row is seen


def _swapped(x: Any, y: Any) -> Any:
    return y - x


def _scaled(x: Any) -> Any:
    return x * 0.999


def _forgetful(x: Any, *, axis: Any) -> Any:
    return x


def _cold(g: Any, out: Any, x: Any) -> Any:
    return g * out


MUTATIONS = {
    ops.subtract: _swapped,
    ops.tanh: _scaled,
    ops.gelu: _scaled,
    ops.softmax: _forgetful,
    GradientOf(ops.relu): _cold,
}


@pytest.mark.parametrize("key", MUTATIONS, ids=str)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b in ("numpy", "torch")])
def test_a_wrong_row_fails(backend: str, key: Any) -> None:
    op = key.op if isinstance(key, GradientOf) else key
    table = {**runtime(backend).target.table, key: MUTATIONS[key]}  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        check(backend, op, table=table, only=op.samples)
