"""What poolings mean (V13, V14, G5, P3, P4 of `NUMERICS.md`): on every backend, and beside PyTorch's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.types import dtype_of, float32

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
GENERATOR = np.random.default_rng(11)
NAN, INF = np.nan, np.inf
SQUARE: dict[str, Any] = {"window": (2, 2), "strides": (1, 1), "padding": ((0, 0), (0, 0)), "layout": "NCHW"}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


def computed(backend: str, function: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    found = function(*values)
    for i, value in enumerate(found if isinstance(found, tuple) else (found,)):
        graph.output(value, f"y{i}")
    program = runtime(backend).compile(graph, device="cpu")
    return [np.asarray(program.to_numpy(y)) for y in program(*arrays)]


def image(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(-1, 1, shape).astype(np.float32)


def with_indices(x: Any) -> Any:
    return ops.max_pool_with_indices(x, dilations=(1, 1), **SQUARE)


@pytest.mark.parametrize("backend", BACKENDS)
def test_g5_the_first_of_equals_is_chosen(backend: str) -> None:
    for value in (0.0, -INF):
        x = np.full((1, 1, 2, 2), value, np.float32)
        y, place = computed(backend, with_indices, x)
        assert (y.item(), place.item()) == (value, 0)


def takes_nan(backend: str) -> bool:
    return backend in ("numpy", "jax", "torch")  # argmax of a NaN: `GAPS` of the other two


@pytest.mark.parametrize("backend", [b for b in BACKENDS if takes_nan(b)])
def test_v13_a_nan_is_chosen_wherever_it_is(backend: str) -> None:
    for place in range(4):
        x = np.arange(4, dtype=np.float32)
        x[place] = NAN
        y, found = computed(backend, with_indices, x.reshape(1, 1, 2, 2))
        assert np.isnan(y.item())
        assert found.item() == place


@pytest.mark.parametrize("backend", BACKENDS)
def test_v14_padding_is_never_chosen(backend: str) -> None:
    x = np.full((1, 1, 3, 4), -INF, np.float32)
    a = {**SQUARE, "padding": ((1, 1), (1, 0)), "dilations": (1, 2)}
    y, places = computed(backend, lambda x: ops.max_pool_with_indices(x, **a), x)
    assert np.all(y == -INF)
    assert np.all((places >= 0) & (places < 12))


CEILED = [(n, k, s, p) for n in (5, 6, 7) for k in (2, 3) for s in (1, 2, 3) for p in (0, 1)]


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_p3_p4_an_average_counts_what_pytorch_counts(backend: str, counted: bool) -> None:
    torch = pytest.importorskip("torch")
    cases = CEILED if backend == "numpy" else CEILED[::7]
    for n, k, s, p in cases:
        x = image(2, 3, n)
        right = torch.nn.functional.avg_pool1d(torch.tensor(x), k, s, p, True, counted).numpy()
        a: Any = {"window": (k,), "strides": (s,), "padding": ((p, p),), "count_padding": counted, "layout": "NCW"}
        (found,) = computed(backend, lambda x, a=a: ops.average_pool_ceil(x, **a), x)
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6, err_msg=str((n, k, s, p)))


def test_p4_of_a_free_size() -> None:
    for n in (5, 6, 7, 8):
        graph = Graph()
        x = graph.input("x", TensorType(float32, (2, 3, symbol("T"))))
        a: Any = {"window": (3,), "strides": (2,), "padding": ((1, 1),), "count_padding": True, "layout": "NCW"}
        graph.output(ops.average_pool_ceil(x, **a), "y")
        array = image(2, 3, n)
        (right,) = computed("numpy", lambda x, a=a: ops.average_pool_ceil(x, **a), array)
        np.testing.assert_allclose(runtime("numpy").compile(graph)(array)[0], right, rtol=1e-6)


def check(right: Any, function: Any, *arrays: np.ndarray) -> None:
    rights = right if isinstance(right, tuple) else (right,)
    for found, expected in zip(computed("numpy", function, *arrays), rights, strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_pytorch_chooses_the_same_places() -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    x = image(2, 3, 7, 9)
    for k, s, p, d in ((2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 2), (2, 3, 1, 3)):
        right = functional.max_pool2d(torch.tensor(x), k, s, p, d, return_indices=True)
        a: Any = {"window": (k, k), "strides": (s, s), "padding": ((p, p),) * 2, "dilations": (d, d), "layout": "NCHW"}
        check(right, lambda x, a=a: ops.max_pool_with_indices(x, **a), x)
    for sizes in ((3, 4), (7, 9), (1, 5), (4, 1), (8, 10)):
        right = functional.adaptive_max_pool2d(torch.tensor(x), sizes, return_indices=True)
        check(right, lambda x, s=sizes: ops.adaptive_max_pool(x, sizes=s, layout="NCHW"), x)
        right = functional.adaptive_avg_pool2d(torch.tensor(x), sizes)
        check(right, lambda x, s=sizes: ops.adaptive_average_pool(x, sizes=s, layout="NCHW"), x)


@pytest.mark.parametrize("backend", BACKENDS)
def test_unpooling_puts_back(backend: str) -> None:
    torch = pytest.importorskip("torch")
    x = image(2, 3, 6, 8)
    y, places = torch.nn.functional.max_pool2d(torch.tensor(x), 2, return_indices=True)
    right = torch.nn.functional.max_unpool2d(y, places, 2)

    def function(v: Any, i: Any) -> Any:
        return ops.max_unpool(v, i, sizes=(6, 8), layout="NCHW")

    (found,) = computed(backend, function, y.numpy(), places.numpy())
    np.testing.assert_array_equal(found, right.numpy())


@pytest.mark.parametrize("axes", [2, 3])
def test_pytorch_draws_the_same_windows(axes: int) -> None:
    torch = pytest.importorskip("torch")
    sizes, window, after = (9, 11, 8)[:axes], (2, 3, 2)[:axes], (4, 5, 3)[:axes]
    x, samples = image(2, 3, *sizes), GENERATOR.uniform(0, 1, (2, 3, axes)).astype(np.float32)
    pool = torch.nn.functional.fractional_max_pool2d if axes == 2 else torch.nn.functional.fractional_max_pool3d
    right = pool(torch.tensor(x), window, output_size=after, return_indices=True, _random_samples=torch.tensor(samples))
    layout = "NCHW" if axes == 2 else "NCDHW"
    check(right, lambda x, s: ops.fractional_max_pool(x, s, window=window, sizes=after, layout=layout), x, samples)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_free_size_pools_to_one(backend: str) -> None:
    graph = Graph()
    x = graph.input("x", TensorType(float32, (symbol("N"), symbol("H"), symbol("W"), 3)))
    y = ops.adaptive_average_pool(x, sizes=(1, 1))
    graph.output(y, "y")
    graph.output(gradients(graph, ops.reduce_sum(y * y), [x])[0], "g", "gradient")
    array = image(2, 5, 4, 3)
    program = runtime(backend).compile(graph, device="cpu")
    found, g = (np.asarray(program.to_numpy(v)) for v in program(array))
    mean = array.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(g, np.broadcast_to(mean / 10, array.shape), rtol=1e-5, atol=1e-6)
