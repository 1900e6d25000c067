"""A transformer encoder of equal blocks, built with the language itself: the model that loops are printed for."""

from __future__ import annotations

from typing import Any

import numpy as np

import isograd
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.dims import symbol
from isograd.ir.model import Loss, Model, Optimizer, Recipe
from isograd.ir.types import int32


class Encoder:
    """Embeddings, `layers` blocks of attention and a perceptron, each with its layer norm, and a classifier."""

    def __init__(
        self, layers: int = 12, width: int = 16, heads: int = 4, vocabulary: int = 20, classes: int = 3, length: int = 6
    ) -> None:
        self.layers, self.width, self.heads, self.vocabulary = layers, width, heads, vocabulary
        self.classes, self.length = classes, length
        self.parameters: dict[str, np.ndarray] = {}
        self._generator = np.random.default_rng(5)

    def model(self, optimizer: Optimizer | None = None) -> Model:
        self.graph()  # names the parameters
        recipe = Recipe(
            Loss("sparse_categorical_crossentropy", {"from_logits": True}),
            optimizer or Optimizer("adam", {"learning_rate": 0.001}),
        )
        return isograd.Model("encoder", lambda mode: self.graph(), self.parameters, {}, recipe)

    def graph(self) -> Graph:
        self._graph = graph = Graph("encoder")
        n, s = symbol("N"), symbol("S")
        tokens = graph.input("input_ids", TensorType(int32, (n, s)))
        mask = graph.input("attention_mask", TensorType(int32, (n, s)))
        hidden = ops.equal(ops.reshape(mask, shape=(n, 1, 1, s)), 0)
        bias = ops.where(hidden, graph.constant(-1e9), 0.0).named("bias")
        with graph.scope("embeddings", "Embeddings"):
            table = self._parameter("embeddings.word.weight", (self.vocabulary, self.width))
            x = self._norm("embeddings.norm", ops.take(table, tokens, axis=0))
        for i in range(self.layers):
            with graph.scope(f"layer.{i}", "Block"):
                x = self._block(f"layer.{i}", x, bias)
        graph.output(self._dense("head", ops.reduce_mean(x, axes=(1,)), self.classes), "logits")
        return graph

    def _block(self, path: str, x: Value, bias: Value) -> Value:
        with self._graph.scope("attention", "Attention"):
            attended = self._attention(f"{path}.attention", x, bias)
        x = self._norm(f"{path}.norm1", x + attended)
        hidden = ops.gelu(self._dense(f"{path}.up", x, 4 * self.width))
        return self._norm(f"{path}.norm2", x + self._dense(f"{path}.down", hidden, self.width))

    def _attention(self, path: str, x: Value, bias: Value) -> Value:
        q, k, v = (self._heads(self._dense(f"{path}.{name}", x, self.width)) for name in ("query", "key", "value"))
        attended = ops.dot_product_attention(q, k, v, bias, layout="NTHD")
        return self._dense(f"{path}.output", ops.reshape(attended, shape=x.shape), self.width)

    def _heads(self, x: Value) -> Value:
        n, s, _ = x.shape
        return ops.reshape(x, shape=(n, s, self.heads, self.width // self.heads))  # type: ignore[no-any-return]

    def _dense(self, path: str, x: Value, units: int) -> Value:
        with self._graph.scope(path.rpartition(".")[2], "Dense", {"x": x}):
            kernel = self._parameter(f"{path}.kernel", (x.shape[-1], units))
            return ops.matmul(x, kernel) + self._parameter(f"{path}.bias", (units,))

    def _norm(self, path: str, x: Value) -> Value:
        with self._graph.scope(path.rpartition(".")[2], "LayerNorm", {"x": x}):
            scale, offset = (self._parameter(f"{path}.{name}", (self.width,)) for name in ("weight", "bias"))
            return ops.layer_norm(x, scale, offset, epsilon=1e-5)  # type: ignore[no-any-return]

    def _parameter(self, path: str, shape: tuple[Any, ...]) -> Value:
        if path not in self.parameters:
            self.parameters[path] = self._generator.normal(0.0, 0.3, shape).astype(np.float32)
        return self._graph.input(
            path.rpartition(".")[2], TensorType(isograd.ir.types.float32, shape), "parameter", path
        )

    def batch(self, count: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Made-up tokens, masks and labels."""
        generator = np.random.default_rng(6)
        lengths = generator.integers(1, self.length + 1, count)
        return (
            generator.integers(0, self.vocabulary, (count, self.length)).astype(np.int32),
            (np.arange(self.length) < lengths[:, None]).astype(np.int32),
            generator.integers(0, self.classes, count).astype(np.int32),
        )
