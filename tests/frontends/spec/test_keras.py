"""Every layer against Keras itself: the same name, options, weights and inputs give the same numbers.

Keras runs in one child process for all cases, since it cannot share a process with other frameworks.
"""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from isograd.frontends.spec import from_spec
from isograd.frontends.spec.layers import LAYERS

_MISSING = [name for name in ("keras", "tensorflow") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")


@dataclass(frozen=True)
class Case:
    layer: str
    shapes: tuple[tuple[int, ...], ...]
    options: dict[str, Any] = field(default_factory=dict)
    training: bool = False
    dtype: str = "float32"
    masks: tuple[tuple[int, ...], ...] = ()
    results: str = "y"

    def __str__(self) -> str:
        return f"{self.layer}-{json.dumps(self.options)}" + "-training" * self.training

    def arrays(self) -> list[np.ndarray]:
        generator = np.random.default_rng(5)
        if self.dtype != "float32":
            return [generator.integers(0, 5, shape).astype(self.dtype) for shape in self.shapes]
        masks = [generator.uniform(0, 1, shape) < 0.6 for shape in self.masks]
        for mask in masks:
            mask[..., 0] = True  # a row of attention without any key is another matter
        return [*(generator.uniform(-2, 2, shape).astype(np.float32) for shape in self.shapes), *masks]

    def model(self) -> Any:
        sizes = [", ".join(("N", *map(str, shape[1:]))) for shape in (*self.shapes, *self.masks)]
        dtypes = [self.dtype] * len(self.shapes) + ["bool"] * len(self.masks)
        inputs = {f"x{i}": f"{dtype}[{size}]" for i, (dtype, size) in enumerate(zip(dtypes, sizes, strict=True))}
        use = {self.layer: self.options, "of": list(inputs)}
        outputs = self.results.split(", ")
        model = from_spec({"input": inputs, "tensors": {self.results: use}, "output": outputs})
        generator = np.random.default_rng(6)
        drawn = [
            {path: generator.uniform(0.5, 1.5, a.shape).astype(np.float32) for path, a in sorted(store.items())}
            for store in (model.parameters, model.state)
        ]
        return model.with_arrays(*drawn)


def case(
    layer: str,
    *shapes: tuple[int, ...],
    training: bool = False,
    dtype: str = "float32",
    masks: tuple[tuple[int, ...], ...] = (),
    results: str = "y",
    **options: Any,
) -> Case:
    return Case(layer, shapes, options, training, dtype, masks, results)


LINE, IMAGE, SOLID = (2, 9, 4), (2, 7, 6, 4), (2, 4, 5, 6, 2)
CASES = [
    case("Dense", (3, 4), units=5),
    case("Dense", (2, 3, 4), units=5, use_bias=False, activation="gelu"),
    case("Dense", (3, 4), units=5, activation="leaky_relu"),
    *(
        case("Activation", (3, 5), activation=name)
        for name in (
            "relu", "relu6", "softmax", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "tanh",
            "softplus", "softsign", "hard_sigmoid", "exponential", "linear", "log_softmax", "log_sigmoid", "mish",
            "tanh_shrink", "hard_silu", "hard_swish", "hard_tanh", "sparse_plus", "sparse_sigmoid", "celu",
            "hard_shrink", "soft_shrink", "squareplus",
        )
    ),
    case("Activation", (3, 6), activation="glu"),
    case("PReLU", (3, 5)),
    case("PReLU", (2, 3, 4, 5), shared_axes=[1, 2]),
    case("ReLU", (3, 5)),
    case("ReLU", (3, 5), max_value=1.0, negative_slope=0.1, threshold=0.5),
    case("ReLU", (3, 5), negative_slope=0.25),
    case("LeakyReLU", (3, 5)),
    case("LeakyReLU", (3, 5), negative_slope=0.1),
    case("ELU", (3, 5), alpha=0.5),
    case("Softmax", (2, 3, 5), axis=1),
    case("Flatten", (2, 3, 4)),
    case("Flatten", (3,)),
    case("Flatten", (2, 3, 4, 5), data_format="channels_first"),
    case("Reshape", (2, 12), target_shape=[-1, 4]),
    case("Reshape", (2, 3, 4), target_shape=[4, 3]),
    case("Permute", (2, 3, 4, 5), dims=[3, 1, 2]),
    case("RepeatVector", (2, 3), n=4),
    case("ZeroPadding1D", LINE),
    case("ZeroPadding1D", LINE, padding=[1, 2]),
    case("ZeroPadding2D", IMAGE, padding=2),
    case("ZeroPadding2D", IMAGE, padding=[1, 2], data_format="channels_first"),
    case("ZeroPadding2D", IMAGE, padding=[[1, 0], [2, 3]]),
    case("ZeroPadding3D", SOLID, padding=[1, 0, 2]),
    case("Embedding", (2, 3), input_dim=5, output_dim=4, dtype="int32"),
    case("Rescaling", (2, 3), scale=0.5, offset=-1.0),
    case("Rescaling", (2, 3), scale=0.25, dtype="uint8"),
    case("Conv1D", LINE, filters=3, kernel_size=4, strides=3, padding="same"),
    case("Conv1D", LINE, filters=3, kernel_size=2, padding="causal", dilation_rate=3),
    case("Conv2D", IMAGE, filters=3, kernel_size=3),
    case("Conv2D", IMAGE, filters=6, kernel_size=[3, 2], strides=[2, 3], padding="same", groups=2, activation="relu"),
    case("Conv2D", IMAGE, filters=3, kernel_size=[1, 2], strides=[3, 3], padding="same", use_bias=False),
    case("Conv2D", IMAGE, filters=3, kernel_size=3, dilation_rate=[2, 1], padding="same"),
    case("Conv2D", IMAGE, filters=5, kernel_size=2, data_format="channels_first"),
    case("Conv3D", SOLID, filters=3, kernel_size=[2, 3, 2], strides=[1, 2, 1], padding="same"),
    case("DepthwiseConv2D", IMAGE, kernel_size=3, strides=2, padding="same"),
    case("DepthwiseConv2D", IMAGE, kernel_size=[2, 3], depth_multiplier=2, activation="tanh"),
    *(
        case(f"{kind}Pooling{rank}D", shape, **options)
        for kind in ("Max", "Average")
        for rank, shape in ((1, LINE), (2, IMAGE), (3, SOLID))
        for options in ({"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"})
    ),
    case("MaxPooling2D", IMAGE),
    case("AveragePooling2D", IMAGE, pool_size=[3, 2], data_format="channels_first"),
    *(
        case(f"Global{kind}Pooling{rank}D", shape, data_format=data_format, keepdims=keepdims)
        for kind in ("Max", "Average")
        for rank, shape in ((1, LINE), (2, IMAGE), (3, SOLID))
        for data_format, keepdims in (("channels_last", False), ("channels_first", True))
    ),
    *(
        case("BatchNormalization", IMAGE, training=training, **options)
        for training in (False, True)
        for options in ({}, {"axis": 1, "momentum": 0.9, "epsilon": 0.01}, {"center": False}, {"scale": False})
    ),
    case("BatchNormalization", (5, 3), training=True),
    case("LayerNormalization", (2, 3, 4)),
    case("LayerNormalization", (2, 3, 4), axis=[1, 2], epsilon=0.01),
    case("LayerNormalization", (2, 3, 4), axis=1, center=False),
    case("LayerNormalization", (2, 3, 4), axis=1, scale=False),
    *(
        case(name, (2, 5, 4), units=3, **options)
        for name in ("SimpleRNN", "LSTM", "GRU")
        for options in (
            {}, {"return_sequences": True, "go_backwards": True, "use_bias": False}, {"activation": "relu"},
        )
    ),
    case("LSTM", (2, 5, 4), units=3, recurrent_activation="hard_sigmoid", return_sequences=True),
    case("GRU", (2, 5, 4), units=3, reset_after=False, return_sequences=True),
    case("GroupNormalization", (2, 3, 6), groups=3),
    case("GroupNormalization", (2, 6, 3, 4), groups=2, axis=1, epsilon=0.01, center=False),
    case("GroupNormalization", (2, 3, 6), groups=-1, scale=False),
    case("RMSNormalization", (2, 3, 4)),
    case("RMSNormalization", (2, 3, 4), axis=[1, 2], epsilon=0.1),
    case("UnitNormalization", (2, 3, 4)),
    case("UnitNormalization", (2, 3, 4), axis=[1, 2]),
    case("Embedding", (2, 3), input_dim=5, output_dim=4, mask_zero=True, dtype="int32", results="y, mask"),
    case("Masking", (2, 3, 4), results="y, mask"),
    case("Identity", (2, 3)),
    case("Conv1DTranspose", LINE, filters=3, kernel_size=2, strides=3),
    case("Conv1DTranspose", LINE, filters=3, kernel_size=4, strides=2, padding="same", output_padding=1),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=[3, 2], strides=2, padding="same", activation="relu"),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=[2, 3], strides=[3, 2], use_bias=False),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=2, strides=3, padding="same"),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3, dilation_rate=2),
    case("Conv3DTranspose", SOLID, filters=3, kernel_size=[2, 3, 2], strides=[1, 2, 1], padding="same"),
    case("SeparableConv1D", LINE, filters=3, kernel_size=3, strides=2, padding="same", depth_multiplier=2),
    case("SeparableConv2D", IMAGE, filters=3, kernel_size=[3, 2], activation="tanh"),
    case("SeparableConv2D", IMAGE, filters=3, kernel_size=2, dilation_rate=2, padding="same", use_bias=False),
    case("DepthwiseConv1D", LINE, kernel_size=3, strides=2, depth_multiplier=2, padding="same"),
    case("UpSampling1D", LINE, size=3),
    case("UpSampling2D", IMAGE, size=[2, 3]),
    case("UpSampling2D", IMAGE, size=[2, 3], interpolation="bilinear"),
    case("UpSampling2D", IMAGE, size=2, interpolation="bicubic"),
    case("UpSampling2D", IMAGE, size=[3, 2], data_format="channels_first"),
    case("UpSampling3D", SOLID, size=[1, 2, 3]),
    case("Cropping1D", LINE, cropping=[1, 2]),
    case("Cropping2D", IMAGE, cropping=[[1, 0], [2, 3]]),
    case("Cropping2D", IMAGE, cropping=[2, 1], data_format="channels_first"),
    case("Cropping3D", SOLID, cropping=[1, 0, 2]),
    case("Resizing", IMAGE, height=5, width=9),
    case("Resizing", IMAGE, height=3, width=4, interpolation="nearest"),
    case("Resizing", IMAGE, height=5, width=9, interpolation="bicubic"),
    case("Resizing", IMAGE, height=3, width=4, antialias=True),
    case("Resizing", IMAGE, height=9, width=5, data_format="channels_first"),
    case("CenterCrop", IMAGE, height=4, width=3),
    *(
        case(f"Adaptive{kind}Pooling{rank}D", shape, output_size=size)
        for kind in ("Average", "Max")
        for rank, shape, size in ((1, LINE, 4), (2, IMAGE, [3, 4]), (3, SOLID, [2, 3, 4]))
    ),
    case("EinsumDense", (2, 3, 4), equation="abc,cd->abd", output_shape=[None, 5], bias_axes="d"),
    case("EinsumDense", (2, 3, 4), equation="abc,cde->abde", output_shape=[None, 2, 5], bias_axes="de"),
    case("EinsumDense", (2, 3, 4), equation="...x,xy->...y", output_shape=5, activation="relu"),
    case("Dot", (2, 3, 4), (2, 5, 4), axes=2),
    case("Dot", (2, 3, 4), (2, 4, 5), axes=[2, 1]),
    case("Dot", (2, 3), (2, 3), axes=1, normalize=True),
    case("MultiHeadAttention", (2, 3, 6), (2, 5, 4), num_heads=2, key_dim=3),
    case("MultiHeadAttention", (2, 3, 6), (2, 5, 4), (2, 5, 7), num_heads=2, key_dim=3, value_dim=5, output_shape=8),
    case("MultiHeadAttention", (2, 5, 6), (2, 5, 6), num_heads=2, key_dim=3, use_causal_mask=True, use_bias=False),
    case("MultiHeadAttention", (2, 3, 6), (2, 5, 4), num_heads=2, key_dim=3, masks=((2, 3, 5),), use_gate=True),
    case("MultiHeadAttention", (2, 5, 6), (2, 5, 4), num_heads=2, key_dim=3, masks=((2, 5),), use_causal_mask=True),
    case("MultiHeadAttention", (2, 5, 6), (2, 5, 6), num_heads=1, key_dim=3, sliding_window=2),
    case(
        "MultiHeadAttention", (2, 3, 6), (2, 5, 4), num_heads=2, key_dim=3, return_attention_scores=True,
        results="y, scores",
    ),
    case("GroupQueryAttention", (2, 3, 6), (2, 5, 6), head_dim=3, num_query_heads=4, num_key_value_heads=2),
    case(
        "GroupQueryAttention", (2, 5, 6), (2, 5, 6), head_dim=3, num_query_heads=4, num_key_value_heads=1,
        use_causal_mask=True, masks=((2, 5, 5),), use_gate=True,
    ),
    case("Attention", (2, 3, 4), (2, 5, 4)),
    case("Attention", (2, 3, 4), (2, 5, 6), (2, 5, 4), use_scale=True, return_attention_scores=True,
         results="y, scores"),
    case("Attention", (2, 5, 4), (2, 5, 4), score_mode="concat", use_scale=True, use_causal_mask=True),
    case("Attention", (2, 3, 4), (2, 5, 4), masks=((2, 5),)),
    case("AdditiveAttention", (2, 3, 4), (2, 5, 4)),
    case("AdditiveAttention", (2, 5, 4), (2, 5, 4), masks=((2, 5),), use_scale=False, use_causal_mask=True),
    case("Add", (2, 3), (2, 3), (2, 3)),
    case("Add", (2, 3, 4, 5), (2, 5)),
    case("Add", (2, 3, 1), (2, 1, 4)),
    *(case(name, (2, 3), (2, 3)) for name in ("Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")),
    *(case(name, (2, 3), (2, 3), (2, 3)) for name in ("Multiply", "Average", "Maximum", "Minimum")),
    case("Concatenate", (2, 3, 4), (2, 1, 4), (2, 2, 4), axis=1),
]  # fmt: skip

DIFFERENT = {
    "maxout": "no layer of Keras",
    "arctan": "no activation of Keras",
    "step": "no activation of Keras",
    "bidirectional": "its layer is an object there: see test_recurrent.py",
    "sparsemax": "Keras's (3.15) gives rows that do not sum to 1, [1.1, 1.0, -1] among them: see test_layers.py",
    "threshold": "an activation that needs options, which Keras's names do not take: see test_layers.py",
    "time_distributed": "its layer is an object there: see test_layers.py",
    "position_embedding": "a layer of KerasHub: see test_layers.py",
    **dict.fromkeys(
        (
            "dropout",
            "spatial_dropout1d",
            "spatial_dropout2d",
            "spatial_dropout3d",
            "gaussian_noise",
            "gaussian_dropout",
            "alpha_dropout",
        ),
        "isograd's own random bits: see test_random.py",
    ),
}

CHILD = """
    import inspect, json, sys
    import keras, numpy as np

    folder = sys.argv[1]
    given = np.load(f"{folder}/given.npz")
    results = {}
    for i, (name, options, inputs, masks, training) in enumerate(json.load(open(f"{folder}/cases.json"))):
        options = {k: tuple(v) if k == "target_shape" else v for k, v in options.items()}
        extra = {"training": True} if training else {}
        for option in ("use_causal_mask", "return_attention_scores"):
            if option in options:
                extra[option] = options.pop(option)
        layer = getattr(keras.layers, name)(**options)
        arrays = [given[f"{i}:x{k}"] for k in range(inputs)]
        shapes = [a.shape for a in arrays]
        operands = arrays if name.endswith("QueryAttention") or name.startswith("MultiHead") else [arrays]
        if operands is arrays:
            layer.build(*shapes)
        else:
            layer.build(shapes if inputs > 1 else shapes[0])
            operands = operands if inputs > 1 else arrays
        for k in range(masks):
            mask = given[f"{i}:x{inputs + k}"]
            if len(operands) == 1:
                extra["mask"] = [None, mask]
            else:
                extra["attention_mask" if mask.ndim == 3 else "value_mask"] = mask
        for variable in layer.weights:
            path = ".".join(variable.path.split("/")[1:])
            variable.assign(given[f"{i}:{path}" if f"{i}:{path}" in given else f"{i}:{variable.name}"])
        found = layer(*operands, **extra)
        found = list(found) if isinstance(found, tuple) else [found]
        if name == "Masking" or options.get("mask_zero"):
            found.append(layer.compute_mask(arrays[0]))
        for k, array in enumerate(found):
            results[f"{i}:output{k}"] = np.asarray(array)
        for variable in layer.non_trainable_variables if training else ():
            results[f"{i}:{variable.name}"] = np.asarray(variable)
    defaults = {}
    for name in json.load(open(f"{folder}/names.json")):
        parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters
        defaults[name] = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        defaults[name]["signature"] = list(parameters)
    np.savez(f"{folder}/results.npz", **results, defaults=json.dumps(defaults, default=str))
"""


def _keras_name(row: Any) -> str | None:
    """The class of Keras that a layer is, if any."""
    return None if row.kind in DIFFERENT else next((a for a in row.aliases if a[0].isupper()), None)


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    given = {}
    for i, c in enumerate(CASES):
        model = c.model()
        given |= {f"{i}:x{k}": a for k, a in enumerate(c.arrays())}
        given |= {f"{i}:{path.partition('.')[2]}": a for path, a in (model.parameters | model.state).items()}
    np.savez(folder / "given.npz", **given)
    described = [(c.layer, c.options, len(c.shapes), len(c.masks), c.training) for c in CASES]
    (folder / "cases.json").write_text(json.dumps(described))
    (folder / "names.json").write_text(json.dumps([name for row in LAYERS.rows if (name := _keras_name(row))]))
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(folder)]
    child = subprocess.run(command, env=os.environ | {"KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr[-4000:]
    return np.load(folder / "results.npz")


@pytest.mark.parametrize(("number", "one"), list(enumerate(CASES)), ids=lambda value: str(value))
def test_layer_is_that_of_keras(number, one, keras_results, run_all):
    results = run_all(one.model(), *one.arrays(), mode="training" if one.training else "inference")
    in_table = one.layer == "Resizing" and one.options.get("interpolation") == "bicubic"  # 1,024 weights in TensorFlow
    places = {name: i for i, name in enumerate(one.results.split(", "))}
    for (role, path), found in results.items():
        key = f"output{places[path]}" if role == "output" else path.rpartition(".")[2]
        wanted = keras_results[f"{number}:{key}"]
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=3e-3 if in_table else 2e-6)
    assert len(results) == (3 if one.training else len(places))


def test_every_layer_is_compared():
    compared = {LAYERS.find(c.layer).kind for c in CASES}
    compared |= {LAYERS.find(c.options["activation"]).kind for c in CASES if "activation" in c.options}
    assert {row.kind for row in LAYERS.rows} - compared == DIFFERENT.keys()


def test_options_and_defaults_are_those_of_keras(keras_results):
    theirs = json.loads(str(keras_results["defaults"]))
    rows = {name: row for name, row in LAYERS.by_name.items() if name in theirs}
    assert {row.kind for row in rows.values()} >= {row.kind for row in LAYERS.rows if _keras_name(row)}
    for name, row in rows.items():
        for option, field_ in row.model_fields.items():
            if option == "name" or field_.is_required():
                continue
            if option in OF_CALLS:
                assert "kwargs" in theirs[name]["signature"]
                assert field_.default is False
                continue
            assert _plain(field_.default) == _keras_plain(option, theirs[name][option]), f"{option} of {name}"


# Keras takes these when the layer is called, or from `**kwargs`, and they are false if left out.
OF_CALLS = ("zero_output_for_mask", "use_causal_mask", "return_attention_scores")


def _plain(default: Any) -> Any:
    """A row by its name, and one number for all axes as one."""
    if isinstance(default, tuple) and len(set(default)) == 1:
        return _plain(default[0])
    return getattr(default, "kind", default)


def _keras_plain(option: str, default: Any) -> Any:
    """Keras's default as a spec has it: null stands for the usual data format, and a list for a tuple."""
    if option == "data_format":
        return "channels_last"
    if option == "alpha_initializer":
        return default.lower()
    if option == "embeddings_initializer":
        return {"uniform": "random_uniform"}[default]
    return _plain(_tuples(default))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
