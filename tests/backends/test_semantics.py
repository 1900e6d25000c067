"""What ops mean where frameworks differ (`NUMERICS.md` 3.6), on every Python backend: values, kinks, integers."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import semantics_rows

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.types import dtype_of

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow") if is_installed(b)]
NAN, INF = np.nan, np.inf
GAPS = {b: import_module(f"isograd.backends.{b}.gaps").GAPS for b in BACKENDS if b in ("torch", "tensorflow")}
DIFFERING = {  # (backend, op, case) -> rows of the tables below
    ("torch", "gelu", "infinity, in a tensor of some length"): ("V2 gelu of many",),
    ("tensorflow", "softmax", "a NaN or an infinity in a row"): (
        "V15 softmax(inf)",
        "V15 softmax(nan)",
        "V15 softmax, rows",
    ),
    ("tensorflow", "argmax", "a NaN"): ("V6 argmax(1, nan, 3)",),
    ("tensorflow", "argmin", "a NaN"): ("V6 argmin(nan, 1, 3)",),
    ("tensorflow", "max_pool", "a NaN in a window"): tuple(f"V13 max_pool, nan at {p}" for p in range(4)),
    ("tensorflow", "max_pool", "a window of -inf alone"): ("V14 max_pool, all -inf",),
}
KNOWN_GAPS = {  # (backend, row) -> why; strict, so what is mended must be taken out
    (gap[0], row): GAPS[gap[0]][gap[1:]] for gap, rows in DIFFERING.items() if gap[0] in GAPS for row in rows
}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of what these rows are about


def rows_of_the_ir() -> Any:
    """The table as the IR's own tests hold it, of the reference."""
    place = Path(__file__).parents[1] / "ir" / "test_semantics.py"
    spec = importlib.util.spec_from_file_location("semantics_of_the_ir", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pooled(x: Any) -> Any:
    return ops.max_pool(x, window=(2, 2), strides=(1, 1), padding=((0, 0), (0, 0)))


def window_of(*values: float) -> list[Any]:
    return [np.reshape(values, (1, 2, 2, 1))]


def largest_last(length: int, *places: int) -> np.ndarray:
    x = np.zeros(length)
    x[list(places)] = 1.0
    return x


def nan_at(length: int, place: int) -> np.ndarray:
    x = np.arange(float(length))
    x[place] = NAN
    return x


def _line(values: Any) -> np.ndarray:
    return np.asarray(values, np.float32)


IR = rows_of_the_ir()
_BY = np.array([2, 2, -2, -2, 0], np.int32)
_OUT_OF_RANGE = np.array([NAN, INF, -1e20, -1.7, 2.9], np.float32)
VALUES = [  # row, function, operands, result
    *IR.VALUES,
    *semantics_rows.VALUES,
    *(
        (
            f"V1 {f.__name__ if hasattr(f, '__name__') else f.name}(nan {side}, {n})", f,
            [np.full(n, NAN), np.ones(n)][:: 1 if side == "first" else -1], np.full(n, NAN),
        )
        for f in (ops.maximum, ops.minimum) for side in ("first", "second") for n in (1, 37, 100_000)
    ),
    ("V1 maximum(nan, number)", lambda x: ops.maximum(x, 1.0), [[NAN, 0.0, 2.0]], [NAN, 1.0, 2.0]),
    ("V1 minimum(number, nan)", lambda x: ops.minimum(1.0, x), [[NAN, 0.0, 2.0]], [NAN, 0.0, 1.0]),
    ("V2 relu6(nan)", ops.relu6, [[NAN, 7.0]], [NAN, 6.0]),
    ("V2 hard_sigmoid(nan)", ops.hard_sigmoid, [[NAN, 7.0]], [NAN, 1.0]),
    ("V4 absolute(nan)", ops.absolute, [[NAN, -INF]], [NAN, INF]),
    *(
        (f"V5 reduce_max, nan at {p} of {n}", ops.reduce_max, [nan_at(n, p)], NAN)
        for n, p in ((3, 0), (3, 1), (3, 2), (40, 0), (40, 20), (40, 39))
    ),
    *(
        (f"V5 reduce_min, nan at {p} of {n}", ops.reduce_min, [nan_at(n, p)], NAN)
        for n, p in ((3, 0), (3, 1), (3, 2), (40, 0), (40, 20), (40, 39))
    ),
    ("V6 argmax(1, nan, 3)", ops.argmax, [[1.0, NAN, 3.0]], 1),
    ("V6 argmin(nan, 1, 3)", ops.argmin, [[NAN, 1.0, 3.0]], 0),
    ("V7 argmax of 5000", ops.argmax, [largest_last(5000, 1234, 1235, 4999)], 1234),
    ("V7 argmin of 5000", ops.argmin, [-largest_last(5000, 1234, 1235, 4999)], 1234),
    ("V8 argmax to int32", lambda x: ops.argmax(x, dtype=dtype_of("int32")), [[1.0, 3.0]], np.int32(1)),
    ("V11 top_k, nan and inf", lambda x: ops.top_k(x, k=3)[0], [[2.0, NAN, INF, NAN]], [NAN, NAN, INF]),
    *((f"V13 max_pool, nan at {p}", pooled, window_of(*nan_at(4, p)), [[[[NAN]]]]) for p in range(4)),
    ("V14 max_pool, all -inf", pooled, window_of(-INF, -INF, -INF, -INF), [[[[-INF]]]]),
    ("V15 softmax(all equal)", ops.softmax, [[1e30, 1e30]], [0.5, 0.5]),
    ("V18 gelu(inf)", ops.gelu, [[INF]], [INF]),
    ("V18 gelu(-inf)", ops.gelu, [[-INF]], [NAN]),
    ("V19 silu(-inf)", ops.silu, [[-INF]], [NAN]),
    ("V19 silu(inf)", ops.silu, [[INF]], [INF]),
    *(
        (f"V2 {op.name} of many", op, [np.resize([NAN, -INF, INF], 99)], np.resize(result, 99))
        for op, result in (
            (ops.relu, [NAN, 0.0, INF]), (ops.relu6, [NAN, 0.0, 6.0]), (ops.hard_sigmoid, [NAN, 0.0, 1.0]),
            (ops.gelu, [NAN, NAN, INF]),
            (ops.silu, [NAN, NAN, INF]), (ops.softplus, [NAN, 0.0, INF]), (ops.elu, [NAN, -1.0, INF]),
            (ops.sigmoid, [NAN, 0.0, 1.0]),
            (ops.sign, [NAN, -1.0, 1.0]), (ops.leaky_relu, [NAN, -INF, INF]), (ops.log_sigmoid, [NAN, -INF, 0.0]),
            (ops.tanh, [NAN, -1.0, 1.0]),
        )
    ),
    ("V27 saturation", ops.tanh, [[-100.0, 100.0]], [-1.0, 1.0]),
    ("V27 sigmoid saturates", ops.sigmoid, [[-INF, 100.0]], [0.0, 1.0]),
    ("softplus far out", ops.softplus, [[-INF, 50.0, INF]], [0.0, 50.0, INF]),
    ("log_sigmoid far out", ops.log_sigmoid, [[-INF, -50.0, INF]], [-INF, -50.0, 0.0]),
    (
        "I6 int32 wraps", ops.add, [np.array([2**31 - 1], np.int32), np.array([1], np.int32)],
        np.array([-(2**31)], np.int32),
    ),
    ("I6 absolute(INT_MIN)", ops.absolute, [np.array([-(2**31)], np.int32)], np.array([-(2**31)], np.int32)),
    ("I6 uint8 3 - 5", ops.subtract, [np.array([3], np.uint8), np.array([5], np.uint8)], np.array([254], np.uint8)),
    ("I7 sum of int32 wraps", ops.reduce_sum, [np.array([2**31 - 1, 1], np.int32)], np.int32(-(2**31))),
    ("I7 sum of int64 is exact", ops.reduce_sum, [np.array([2**53, 1], np.int64)], np.int64(2**53 + 1)),
    ("I7 sum of int8", ops.reduce_sum, [np.array([100, 100], np.int8)], np.int8(-56)),
    (
        "I2 remainder of integers", ops.remainder, [np.array([7, -7, 7, -7, 5], np.int32), _BY],
        np.array([1, 1, -1, -1, 0], np.int32),
    ),
    (
        "I2 quotients rounded down", ops.floor_divide, [np.array([7, -7, 7, -7, 5], np.int32), _BY],
        np.array([3, -4, -4, 3, 0], np.int32),
    ),
    (
        "I1 quotients cut off", ops.truncated_divide, [np.array([7, -7, 7, -7, 5], np.int32), _BY],
        np.array([3, -3, -3, 3, 0], np.int32),
    ),
    *(
        (f"I5 {f.name} of INT_MIN and -1", f, [np.array([-(2**31)], np.int32), np.array([-1], np.int32)],
         np.array([right], np.int32))
        for f, right in ((ops.floor_divide, -(2**31)), (ops.truncated_divide, -(2**31)), (ops.remainder, 0),
                         (ops.truncated_remainder, 0))
    ),
    (
        "I11 shifts", lambda x: ops.shift_left(ops.shift_right(x, 31), 3), [np.array([-5, 7], np.int32)],
        np.array([-8, 0], np.int32),
    ),
    *(
        (f"I12 I13 I14 to {to}", lambda x, to=to: ops.cast(x, dtype=dtype_of(to)), [_OUT_OF_RANGE],
         np.array([0, np.iinfo(to).max, np.iinfo(to).min, max(-1, np.iinfo(to).min), 2], to))
        for to in ("int8", "uint8", "int16", "uint16", "int32", "uint32")
    ),
    ("I15 nan is true", lambda x: ops.cast(x, dtype=dtype_of("bool")), [[NAN, 0.0]], [True, False]),
    (
        "I16 narrowing wraps", lambda x: ops.cast(x, dtype=dtype_of("uint8")), [np.array([300, -1], np.int32)],
        np.array([44, 255], np.uint8),
    ),
    (
        "I17 float16 overflows", lambda x: ops.cast(x, dtype=dtype_of("float16")), [[65519.0, 65520.0]],
        np.array([65504.0, INF], np.float16),
    ),
    (
        "I21 one_hot(-1), (3 of 3)", lambda x: ops.one_hot(x, depth=3), [np.array([-1, 3, 1], np.int32)],
        [[0, 0, 0], [0, 0, 0], [0, 1, 0]],
    ),
    ("I30 sum of nothing", ops.reduce_sum, [np.zeros(0)], 0.0),
    ("I30 mean of nothing", ops.reduce_mean, [np.zeros(0)], NAN),
    ("I32 conv of no examples", lambda x, w: ops.conv(x, w, strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(1, 1)),
     [np.zeros((0, 5, 5, 2)), np.zeros((3, 3, 2, 1))], np.zeros((0, 3, 3, 1))),
]  # fmt: skip
SLOPES = [  # row, function, operands, gradient to each
    *IR.SLOPES,
    *semantics_rows.SLOPES,
    *(
        (f"G5 max_pool, all {v}", pooled, window_of(v, v, v, v), [np.reshape([1.0, 0.0, 0.0, 0.0], (1, 2, 2, 1))])
        for v in (0.0, -INF)
    ),
    ("G7 minimum(number, x)", lambda x: ops.minimum(1.0, x), [[1.0, 0.0, 2.0]], [[0.5, 1.0, 0.0]]),
    ("G8 relu6 beyond", ops.relu6, [[-1.0, 5.9, 6.1]], [[0.0, 1.0, 0.0]]),
    ("G9 leaky_relu, slope 2", lambda x: ops.leaky_relu(x, alpha=2.0), [[0.0, -1.0, 1.0]], [[2.0, 2.0, 1.0]]),
    ("G10 elu at 0, alpha 2", lambda x: ops.elu(x, alpha=2.0), [[0.0, 1.0]], [[1.0, 1.0]]),
]  # fmt: skip


def as_array(operand: Any) -> np.ndarray:
    array = np.asarray(operand)
    return array.astype(np.float32) if array.dtype == np.float64 else array


@cache
def results(backend: str, wants_slopes: bool) -> dict[str, list[np.ndarray]]:
    """What a backend gives for every row of a table, computed by one module."""
    graph, arrays, names = Graph("semantics"), [], []
    for k, (row, function, operands, _) in enumerate(SLOPES if wants_slopes else VALUES):
        given = [as_array(o) for o in operands]
        arrays += given
        values = [graph.input(f"r{k}_{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(given)]
        out = function(*values)
        for value in gradients(graph, ops.reduce_sum(out), values) if wants_slopes else [out]:
            graph.output(value, f"y{len(names)}")
            names.append(row)
    program = runtime(backend).compile(graph, device="cpu")
    found: dict[str, list[np.ndarray]] = {}
    for row, result in zip(names, program(*arrays), strict=True):
        found.setdefault(row, []).append(np.asarray(program.to_numpy(result)))
    return found


def expect_gap(request: pytest.FixtureRequest, backend: str, row: str) -> None:
    if (backend, row) in KNOWN_GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=KNOWN_GAPS[backend, row], strict=True))


@pytest.mark.parametrize("row", VALUES, ids=lambda row: row[0])
@pytest.mark.parametrize("backend", BACKENDS)
def test_values(backend: str, row: Any, request: pytest.FixtureRequest) -> None:
    expect_gap(request, backend, row[0])
    (found,) = results(backend, False)[row[0]]
    right = np.asarray(row[3])
    assert found.shape == right.shape
    np.testing.assert_allclose(found.astype(np.float64), right.astype(np.float64), rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("row", SLOPES, ids=lambda row: row[0])
@pytest.mark.parametrize("backend", BACKENDS)
def test_slopes(backend: str, row: Any, request: pytest.FixtureRequest) -> None:
    expect_gap(request, backend, row[0])
    for found, right in zip(results(backend, True)[row[0]], row[3], strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=0.0)


def _taken(x: Any, indices: Any) -> Any:
    return ops.take(x, indices)


def _row(n: int) -> np.ndarray:
    return np.ones((n, 5), np.float32)


_OUTSIDE = "an index below 0 or past the end"
_TAKES = [(_taken, [_row(5), np.array([i], np.int32)]) for i in (5, -1)]
_LOSES = [(ops.sparse_softmax_cross_entropy, [_row(1), np.array([i], np.int32)]) for i in (5, -1)]
RAISES = {  # gap -> function, operands
    ("torch", "take", _OUTSIDE): _TAKES,
    ("tensorflow", "take", _OUTSIDE): _TAKES,
    ("torch", "sparse_softmax_cross_entropy", "a label that is no class"): _LOSES,
    ("tensorflow", "sparse_softmax_cross_entropy", "a label that is no class"): _LOSES,
}


@pytest.mark.parametrize("gap", [g for g in RAISES if g[0] in BACKENDS], ids=" ".join)
def test_what_is_an_error_there(gap: Any) -> None:
    for function, arrays in RAISES[gap]:
        graph = Graph()
        values = [graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(arrays)]
        graph.output(function(*values), "y")
        program = runtime(gap[0]).compile(graph, device="cpu")
        with pytest.raises(Exception):  # noqa: B017, PT011  # each framework has its own
            program(*arrays)


ELSEWHERE = {("tensorflow", "pooling", "float64 over three axes")}  # tests/backends/test_rows.py


def test_each_gap_has_a_case() -> None:
    assert {row for _, row in KNOWN_GAPS} <= {row[0] for row in (*VALUES, *SLOPES)}
    listed = {(backend, *gap) for backend, gaps in GAPS.items() for gap in gaps}
    assert listed == {gap for gap in {*DIFFERING, *RAISES, *ELSEWHERE} if gap[0] in GAPS}
