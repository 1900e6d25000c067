"""What resizing means (P10-P14 of `NUMERICS.md`): on every backend, and beside the frameworks' own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.errors import TypeMismatchError
from isograd.ir.types import dtype_of, float32

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
GENERATOR = np.random.default_rng(3)
FLOOR = {"method": "nearest", "coordinates": "asymmetric", "rounding": "floor"}  # PyTorch's nearest
KEYS = {"method": "cubic", "cubic_coefficient": -0.5, "exclude_outside": True}  # TensorFlow's and JAX's bicubic


def computed(backend: str, x: np.ndarray, free: tuple[str | int, ...] = (), **attributes: Any) -> np.ndarray:
    graph = Graph()
    shape = tuple(symbol(n) if isinstance(n, str) else n for n in free) or x.shape
    value = graph.input("x", TensorType(dtype_of(x.dtype), shape))
    given = {k: v(value) if callable(v) else v for k, v in attributes.items()}
    graph.output(ops.resize(value, **given), "y")
    program = runtime(backend).compile(graph, device="cpu")
    return np.asarray(program.to_numpy(program(x)[0]))


def image(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(-1, 1, shape).astype(np.float32)


LINES = [  # row, length after, attributes, 1-based elements or values of 1, 2, .. (NUMERICS 3.6)
    ("P10 4 to 8", 4, 8, {}, [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]),
    ("P11 7 to 3", 7, 3, {}, [1.6666667, 4, 6.3333333]),
    ("P11 7 to 3, antialias", 7, 3, {"antialias": True}, [1.8571429, 4, 6.1428571]),
    ("P12 floor", 4, 7, FLOOR, [1, 1, 2, 2, 3, 3, 4]),
    ("P12 exact", 4, 7, {"method": "nearest"}, [1, 1, 2, 3, 3, 4, 4]),
    ("P12 round_prefer_floor", 4, 7, {"method": "nearest", "rounding": "round_prefer_floor"}, [1, 1, 2, 2, 3, 4, 4]),
    ("P12 floor, 7 to 3", 7, 3, FLOOR, [1, 3, 5]),
    ("P12 exact, 7 to 3", 7, 3, {"method": "nearest"}, [2, 4, 6]),
    ("P14 size", 5, 7, {}, [1, 1.5714286, 2.2857143, 3, 3.7142857, 4.4285714, 5]),
    ("P14 scale 1.5", 5, 7, {"scales": (1.0, 1.5)}, [1, 1.5, 2.1666667, 2.8333333, 3.5, 4.1666667, 4.8333333]),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("row", "n", "m", "attributes", "right"), LINES, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("backend", BACKENDS)
def test_rows(backend: str, row: str, n: int, m: int, attributes: Any, right: list[float], layout: str) -> None:
    x = np.arange(1, n + 1, dtype=np.float32).reshape((1, 1, 1, n) if layout == "NCHW" else (1, 1, n, 1))
    axes = (2, 3) if layout == "NCHW" else (1, 2)
    found = computed(backend, x, axes=axes, sizes=(1, m), **attributes)
    np.testing.assert_allclose(found.ravel(), right, rtol=1e-6)


SIZES = [(4, 8), (7, 3), (5, 7), (6, 9), (8, 3), (3, 3), (1, 4), (4, 1)]


def check(right: Any, x: np.ndarray, sizes: Any, axes: Any, **attributes: Any) -> None:
    found = computed("numpy", x, axes=axes, sizes=sizes, **attributes)
    np.testing.assert_allclose(found, np.asarray(right), rtol=2e-5, atol=3e-6)


@pytest.mark.parametrize(
    ("mode", "attributes"),
    [("nearest", FLOOR), ("nearest-exact", {"method": "nearest"}), ("bilinear", {}), ("bicubic", {"method": "cubic"})],
)
def test_it_means_what_pytorch_means(mode: str, attributes: Any) -> None:
    torch = pytest.importorskip("torch")
    for (h, p), (w, q) in zip(SIZES, SIZES[1:] + SIZES[:1], strict=True):
        x = image(2, 3, h, w)
        for aligned in (False, True)[: 1 if mode.startswith("nearest") else 2]:
            right = torch.nn.functional.interpolate(
                torch.tensor(x), (p, q), mode=mode, align_corners=None if mode.startswith("nearest") else aligned
            )
            given = {**attributes, "coordinates": "align_corners"} if aligned else attributes
            check(right, x, (p, q), (2, 3), **given)
        if mode.startswith("bi"):
            smoothed = torch.nn.functional.interpolate(torch.tensor(x), (p, q), mode=mode, antialias=True)
            check(smoothed, x, (p, q), (2, 3), antialias=True, **(KEYS if mode == "bicubic" else {}))


def test_scales_mean_what_pytorch_means() -> None:
    torch = pytest.importorskip("torch")
    for scale in (1.5, 0.6, 2.0, 1.7):
        x = image(2, 3, 5, 7)
        sizes = (int(5 * scale), int(7 * scale))
        for mode, attributes in (("nearest", FLOOR), ("bilinear", {}), ("bicubic", {"method": "cubic"})):
            right = torch.nn.functional.interpolate(torch.tensor(x), scale_factor=scale, mode=mode)
            check(right, x, sizes, (2, 3), scales=(scale, scale), **attributes)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", ["nearest", "linear", "cubic", "lanczos3", "lanczos5"])
def test_it_means_what_jax_means(method: str, antialias: bool) -> None:
    jax = pytest.importorskip("jax")
    for (h, p), (w, q) in zip(SIZES, SIZES[1:] + SIZES[:1], strict=True):
        x = image(2, h, w, 3)
        right = jax.image.resize(x, (2, p, q, 3), method, antialias=antialias)
        check(right, x, (p, q), (1, 2), **(KEYS if method == "cubic" else {"method": method}), antialias=antialias)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "lanczos3", "lanczos5", "area"])
def test_it_means_what_tensorflow_means(method: str) -> None:
    tf = pytest.importorskip("tensorflow")
    for (h, p), (w, q) in zip(SIZES, SIZES[1:] + SIZES[:1], strict=True):
        x = image(2, h, w, 3)
        for antialias in (False, True)[: 1 if method in ("nearest", "area") else 2]:
            right = tf.image.resize(x, (p, q), method, antialias=antialias)
            check(right, x, (p, q), (1, 2), method="linear" if method == "bilinear" else method, antialias=antialias)


@pytest.mark.parametrize(
    "coordinates",
    ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric"],
)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_it_means_what_the_onnx_standard_means(mode: str, coordinates: str) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    for n, m in SIZES:
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")[: 4 if mode == "nearest" else 1]:
            x = image(1, 1, n)
            outside = {"exclude_outside": 1} if mode == "cubic" and coordinates == "half_pixel" else {}
            node = onnx.helper.make_node(
                "Resize", ["x", "", "", "sizes"], ["y"], mode=mode, nearest_mode=rounding,
                coordinate_transformation_mode=coordinates, axes=[2], **outside,
            )  # fmt: skip
            types = [
                onnx.helper.make_tensor_value_info("x", 1, [1, 1, n]),
                onnx.helper.make_tensor_value_info("sizes", 7, [1]),
            ]
            out = onnx.helper.make_tensor_value_info("y", 1, [1, 1, m])
            model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", types, [out]))
            (right,) = ReferenceEvaluator(model).run(None, {"x": x, "sizes": np.array([m], np.int64)})
            if mode == "nearest" and _is_a_tie(n, m, coordinates, rounding):
                continue
            if coordinates == "pytorch_half_pixel" and m == 1 and mode == "cubic":
                continue  # the standard's text says 0, as ONNX Runtime has it, and its evaluator -0.5
            given = {"exclude_outside": bool(outside)} if outside else {}
            check(right, x, (m,), (2,), method=mode, coordinates=coordinates, rounding=rounding, **given)


def _is_a_tie(n: int, m: int, coordinates: str, rounding: str) -> bool:
    """The evaluator's places are float32 here, and may fall to the other side."""
    from isograd.ir.ops.resize import Sampling

    places = Sampling("nearest", coordinates, rounding, 0.0, False, False).places(n, m, None)
    shifted = places * 2
    return bool(np.any(np.abs(shifted - np.round(shifted)) < 1e-5)) and (n, m) not in ((4, 8), (3, 3))


FREE = [
    {"method": "nearest"}, FLOOR, {}, {"method": "cubic"}, {"coordinates": "asymmetric"},
    {"method": "cubic", "coordinates": "asymmetric"},
]  # fmt: skip


@pytest.mark.parametrize("attributes", FREE, ids=str)
@pytest.mark.parametrize("backend", BACKENDS)
def test_free_sizes(backend: str, attributes: Any) -> None:
    """Up by whole numbers, with batch and space unknown when the graph is made."""
    x = image(2, 5, 6, 3)
    right = computed("numpy", x, axes=(1, 2), sizes=(10, 18), **attributes)
    found = computed(
        backend, x, ("N", "H", "W", 3), axes=(1, 2), sizes=lambda v: (v.shape[1] * 2, v.shape[2] * 3), **attributes
    )
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("attributes", FREE, ids=str)
@pytest.mark.parametrize("backend", BACKENDS)
def test_free_sizes_become_smaller(backend: str, attributes: Any) -> None:
    graph = Graph()
    n = symbol("N")
    x = graph.input("x", TensorType(float32, (n * 3, n)))
    graph.output(ops.resize(x, axes=(0,), sizes=(n,), **attributes), "y")
    array = image(12, 4)
    right = computed("numpy", array, axes=(0,), sizes=(4,), **attributes)
    program = runtime(backend).compile(graph, device="cpu")
    np.testing.assert_allclose(np.asarray(program.to_numpy(program(array)[0])), right, rtol=1e-5, atol=1e-6)


def test_a_free_size_by_no_whole_number_is_refused() -> None:
    graph = Graph()
    x = graph.input("x", TensorType(float32, (symbol("N"), 2)))
    with pytest.raises(TypeMismatchError, match="needs to know them"):
        ops.resize(x, axes=(0,), sizes=(7,))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_images(backend: str) -> None:
    """That of channels-last images goes through a layout pass for ONNX."""
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2, 4, 5, 3)))
    w = graph.input("w", TensorType(float32, (3, 2, 3, 4)))
    h = ops.resize(x, axes=(1, 2), sizes=(7, 10))
    y = ops.conv(h, w, strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(1, 1))
    for i, g in enumerate(gradients(graph, ops.reduce_sum(y * y), [x, w])):
        graph.output(g, f"g{i}", "gradient")
    arrays = [image(2, 4, 5, 3), image(3, 2, 3, 4)]
    program, reference = runtime(backend).compile(graph, device="cpu"), runtime("numpy").compile(graph)
    for found, right in zip(program(*arrays), reference(*arrays), strict=True):
        np.testing.assert_allclose(np.asarray(program.to_numpy(found)), right, rtol=1e-4, atol=1e-4)
