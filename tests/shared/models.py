"""Small models that several tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

import isograd

PERCEPTRON: dict[str, Any] = {
    "name": "perceptron",
    "seed": 1,
    "input": {"image": "float32[N, 8, 8]"},
    "layers": [
        "flatten",
        {"dense": {"units": 16, "activation": "relu"}},
        {"dense": {"units": 16, "activation": "relu"}},
        {"dense": {"units": 10, "activation": "softmax"}},
    ],
    "loss": "sparse_categorical_crossentropy",
    "optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}},
    "metrics": ["accuracy"],
}

CONVNET: dict[str, Any] = {
    "name": "convnet",
    "seed": 1,
    "input": {"image": "float32[N, 8, 8]"},
    "layers": [
        {"reshape": [8, 8, 1]},
        {"conv2d": {"filters": 4, "kernel_size": 3, "strides": 2, "activation": "relu"}},
        "batch_normalization",
        {"conv2d": {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}},
        {"max_pooling2d": 2},
        {"dropout": 0.25},
        "flatten",
        {"dense": {"units": 10, "activation": "softmax"}},
    ],
    "loss": "sparse_categorical_crossentropy",
    "optimizer": {"adam": {"learning_rate": 0.003}},
    "metrics": ["accuracy"],
}


SEQUENCES: dict[str, Any] = {
    "name": "sequences",
    "seed": 1,
    "input": {"tokens": "int32[N, T]"},
    "layers": [
        {"embedding": {"input_dim": 20, "output_dim": 8}},
        {"gru": {"units": 6, "return_sequences": True}},
        {"lstm": 5},
        {"dense": {"units": 4, "activation": "softmax"}},
    ],
    "loss": "sparse_categorical_crossentropy",
    "optimizer": {"sgd": {"learning_rate": 0.1}},
}


def model(spec: dict[str, Any], **changes: Any) -> isograd.Model:
    return isograd.from_spec(spec | changes)


def images(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Made-up images and labels."""
    generator = np.random.default_rng(3)
    return generator.uniform(size=(count, 8, 8)).astype(np.float32), generator.integers(0, 10, count).astype(np.int32)
