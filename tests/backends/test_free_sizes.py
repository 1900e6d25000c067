"""Every op with symbols for sizes, forward and gradient, on every backend: one program for two sets of sizes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from free import fixed, free, free_graph, symbols_in

from isograd.backends import BACKENDS, is_installed, runtime
from isograd.backends.onnx.gaps import NOT_THERE
from isograd.backends.onnx.model import OPSET
from isograd.ir import Graph, Op, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.parse import parse
from isograd.ir.passes import widen
from isograd.ir.text import graph_arrays, print_graph
from isograd.ir.verify import verify

INSTALLED = [b for b in BACKENDS if is_installed(b)]
SMALL = 2e-5  # of the largest element: sizes go wrong by more; how exact an op is, test_rows says

# Ops some of whose samples keep a size that is a number, not a symbol: op -> why. Sizes 0 and 1 stay everywhere.
_WORDS = "the words of key and counter are so many"
_WINDOWS = "its type rule asks for numbers, or takes them from an attribute, for some axes"
_KERNELS = "the sizes of its kernels are the model's own"
_ATTRIBUTE = "an attribute of the sample goes with one size"
FOUND = "its samples say how many will be found; tests/backends/test_selection.py has symbols for that"
FIXED = {
    "alpha_dropout": _WORDS,
    "gaussian_dropout": _WORDS,
    "gaussian_noise": _WORDS,
    "random_bernoulli": _WORDS,
    "random_categorical": _WORDS,
    "random_integers": _WORDS,
    "random_normal": _WORDS,
    "random_permutation": _WORDS,
    "random_range": _WORDS,
    "fractional_max_pool": _WORDS,
    "adaptive_average_pool": _WINDOWS,
    "adaptive_max_pool": _WINDOWS,
    "dilated_max_pool": _WINDOWS,
    "max_pool_with_indices": _WINDOWS,
    "resize": _WINDOWS,
    "space_to_batch": _WINDOWS,
    "diagonal": _ATTRIBUTE,
    "grouped_matmul": _ATTRIBUTE,
    "instance_norm": _ATTRIBUTE,
    "repeat": _ATTRIBUTE,
    "roll": _ATTRIBUTE,
    "set_diagonal": _ATTRIBUTE,
    "split": _ATTRIBUTE,
    "affine_grid": _WINDOWS,
    "crop_and_resize": _WINDOWS,
    "dilation": _WINDOWS,
    "grid_sample": _WINDOWS,
    "qr": "its gradient is another one where there are more columns than rows",
    "pinv": "how small counts as zero depends on the sizes, where no attribute says it",
    "lstsq": "how small counts as zero depends on the sizes, where no attribute says it",
    "reshape": "one of the sizes stands for the others: only equal numbers of elements fit, as in its last sample",
    "conv_input_gradient": "the sizes of input, filter and output fit together in few ways; conv's gradient has them",
    "conv_filter_gradient": "the sizes of input, filter and output fit together in few ways; conv's gradient has them",
    "max_pool_gradient": "the sizes of input and output fit together in few ways; max_pool's gradient has them",
    "average_pool_gradient": "the sizes of input and output fit together in few ways; average_pool's gradient has them",
    "irfft": "so many points as its size says have so many in the half spectrum; its first sample leaves both free",
    "scan": "the types of its body are part of the sample",
    "while_loop": "the types of its bodies are part of the sample",
    "cond": "the types of its branches are part of the sample",
    "dot_product_attention": "the scale is a number that the size of a head gives",
    "lstm": _KERNELS,
    "gru": _KERNELS,
    "simple_rnn": _KERNELS,
    "gather_nd": "an index has so many numbers as axes are indexed",
    "scatter_nd": "an index has so many numbers as axes are indexed",
    "random_bits": "the key and the counter have two words, or four",
    "threefry_2x32": "the key has two words",
    "random_mask": "the key and the counter have two words",
    "random_uniform": "the key and the counter have two words",
    "advance_counter": "the counter has two words",
    "dropout": "the key and the counter have two words",
}
KNOWN_GAPS = {  # (backend, op) -> why; strict
    ("onnxruntime", name): why for name, (opset, why) in NOT_THERE.items() if opset > OPSET
} | {
    ("torch", "crop_and_resize"): "PyTorch warns where a size that a function is given as a tensor is made one again",
}
_ALIKE = "rows that are repeated to another length are alike: such a matrix has no one factorization"
# Ops that are not run with symbols here: op -> why.
LEFT_OUT = {
    **dict.fromkeys(("nonzero", "boolean_mask", "repeat_each", "unique"), FOUND),
    "scan": FIXED["scan"],
    "while_loop": FIXED["while_loop"],
    "cond": FIXED["cond"],
    "grouped_outer": "counts of rows that are repeated are of more rows than there are",
    "bucketize": "boundaries that are repeated to another length are not in order",
    "embedding_bag": "offsets that are repeated to another length are not in order",
    "cholesky": _ALIKE,
    "svd": _ALIKE,
    "eigh": _ALIKE,
    "singular_values": _ALIKE,
    "nuclear_norm": _ALIKE,
    "max_unpool": "it decomposes only where the sizes of its windows are numbers",
    "from_patches": "a guard bounds its sizes from above, and the second ones are larger",
    "glu": "the gradient of a part from floor(N/2) on is not known to be as long as the first part",
}
OPS = [op for op in ops.ALL if op.name not in LEFT_OUT and any(free(op, s, "S") for s in op.samples)]


@cache
def sampled(op: Op) -> tuple[Graph, list[list[np.ndarray]], list[list[np.ndarray]]]:
    """The op's graph, its arrays for two sets of sizes, and what float64 makes of them."""
    graph, runs = free_graph(op, op.samples)
    return graph, runs, [[np.asarray(r) for r in run_reference(widen(graph), arrays)] for arrays in runs]


def test_the_table_of_fixed_sizes_is_complete() -> None:
    assert {op.name for op in ops.ALL if any(fixed(op, s) for s in op.samples)} == FIXED.keys()


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_the_graph_is_sound_and_its_text_reads_back(op: Op) -> None:
    graph = sampled(op)[0]
    assert symbols_in(graph)
    verify(graph)
    text = print_graph(graph)
    assert print_graph(parse(text, graph_arrays(graph))) == text


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("backend", INSTALLED)
def test_sizes_are_free(backend: str, op: Op, request: pytest.FixtureRequest) -> None:
    """JAX compiles anew for each size: of it the second sizes are enough, the first are what test_rows runs."""
    if (backend, op.name) in KNOWN_GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=KNOWN_GAPS[backend, op.name], strict=True))
    graph, runs, truths = sampled(op)
    program = compiled(backend, graph)
    for arrays, truth in list(zip(runs, truths, strict=True))[backend == "jax" :]:
        found = [np.asarray(program.to_numpy(r)) for r in program(*arrays)]
        for port, result, right in zip(graph.outputs, found, truth, strict=True):
            assert (result.dtype, result.shape) == (port.value.dtype.numpy, right.shape), port.path
            if result.dtype.kind not in "fc":
                np.testing.assert_array_equal(result, right, err_msg=port.path)
                continue
            scale = SMALL * np.max(np.abs(right), initial=0.0, where=np.isfinite(right))
            np.testing.assert_allclose(result, right, rtol=SMALL, atol=scale, err_msg=port.path)


def compiled(backend: str, graph: Graph) -> Any:
    """The program of a graph; TensorFlow traces it once, with None for what is not known."""
    program: Any = runtime(backend).compile(graph, device="cpu" if backend in ("tensorflow", "torch", "jax") else None)
    program.load({})
    if backend == "tensorflow":
        import tensorflow as tf

        signature = [
            tf.TensorSpec([n if isinstance(n, int) else None for n in p.value.shape], p.value.dtype.numpy)
            for p in graph.inputs
        ]
        program._function = tf.function(program._function, input_signature=signature, autograph=False)
    return program
