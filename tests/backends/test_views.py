"""Views: programs store filters as their target wants them, and give the source's arrays back."""

import numpy as np
import pytest

import isograd
from isograd.backends import is_installed, runtime
from isograd.backends.program import execute

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
SPEC = {
    "name": "small",
    "seed": 3,
    "input": {"image": "float32[N, 7, 8, 3]"},
    "layers": [
        {"conv2d": {"filters": 5, "kernel_size": 2, "activation": "relu"}},
        {"max_pooling2d": 2},
        {"conv2d": {"filters": 4, "kernel_size": 2}},
        "flatten",
        {"dense": 3},
    ],
    "loss": {"sparse_categorical_crossentropy": {"from_logits": True}},
    "optimizer": {"adam": {"learning_rate": 0.01}},
}


def data(count=12):
    generator = np.random.default_rng(2)
    return generator.normal(size=(count, 7, 8, 3)).astype(np.float32), generator.integers(0, 3, count).astype(np.int32)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_loaded_is_read_back(backend):
    step = isograd.training_step(isograd.from_spec(SPEC))
    arrays = step.arrays(step.training)
    generator = np.random.default_rng(1)
    arrays = {k: generator.normal(size=a.shape).astype(a.dtype) for k, a in arrays.items()}
    program = runtime(backend).compile(step.training)
    program.load(arrays)
    found = program.arrays()
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(found[key], array)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "numpy"])
def test_training_goes_on_elsewhere(backend):
    """Parameters and slots of a run on one backend are those of a run on another."""
    model = isograd.from_spec(SPEC)
    whole = isograd.train(model, data(), backend="numpy", batch_size=4, epochs=2)
    first = isograd.train(model, data(), backend="numpy", batch_size=4, epochs=1)
    second = isograd.train(model, data(), backend=backend, batch_size=4, epochs=2, resume=first)
    np.testing.assert_allclose(second.losses, whole.losses, rtol=1e-4)
    for key, array in whole.checkpoint.arrays.items():
        np.testing.assert_allclose(second.checkpoint.arrays[key], array, rtol=1e-2, atol=1e-4)


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs PyTorch")
def test_a_printed_step_says_its_views():
    import torch

    step = isograd.training_step(isograd.from_spec(SPEC))
    program = runtime("torch").compile(step.training, device="cpu")
    names = execute(program.source, "step")
    assert names["VIEWS"] == {"conv2d.kernel": (3, 2, 0, 1), "conv2d_1.kernel": (3, 2, 0, 1)}
    held = {"parameter": {}, "state": {}}
    for (role, path), array in step.arrays(step.training).items():
        view = next((v for k, v in names["VIEWS"].items() if path == k or path.endswith(f".{k}")), range(array.ndim))
        held[role][path] = torch.from_numpy(array.transpose(*view).copy() if array.ndim else array.copy())
    x, y = (torch.from_numpy(a) for a in data())
    loss = names["train_step"](held["parameter"], held["state"], x, y)
    program.load(step.arrays(step.training))
    assert float(loss) == float(program.to_numpy(program(x, y)[0]))
    for (role, path), array in program.arrays().items():
        view = names["VIEWS"].get(path) if role == "parameter" else None
        if view is not None:
            np.testing.assert_array_equal(held[role][path].numpy(), array.transpose(view))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs PyTorch")
def test_a_module_has_the_sources_arrays():
    model = isograd.from_spec(SPEC)
    found = isograd.to_torch(model).state_dict()
    assert list(found) == list(model.parameters)
    for name, array in model.parameters.items():
        np.testing.assert_array_equal(found[name].numpy(), array)


@pytest.mark.skipif("onnxruntime" not in BACKENDS, reason="needs ONNX")
def test_an_onnx_model_holds_its_filters_with_channels_first():
    import onnx

    model = isograd.from_spec(SPEC)
    proto = isograd.to_onnx(model)
    held = {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}
    for name in ("conv2d.kernel", "conv2d_1.kernel"):
        np.testing.assert_array_equal(held[name], model.parameters[name].transpose(3, 2, 0, 1))
    assert [tuple(n.attribute[0].ints) for n in proto.graph.node if n.op_type == "Transpose"] == [
        (0, 3, 1, 2), (0, 2, 3, 1),
    ]  # fmt: skip
