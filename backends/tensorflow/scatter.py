"""TensorFlow: writing by tuples of indices."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _update(x: Any, indices: Any, values: Any) -> Any:
    return tf.tensor_scatter_nd_update(x, indices, values)


def _add(x: Any, indices: Any, values: Any) -> Any:
    return tf.tensor_scatter_nd_add(x, indices, values)


def _minimum(x: Any, indices: Any, values: Any) -> Any:
    return tf.tensor_scatter_nd_min(x, indices, values)


def _maximum(x: Any, indices: Any, values: Any) -> Any:
    return tf.tensor_scatter_nd_max(x, indices, values)


def _puts(node: Node) -> bool:
    return _by(node, "none")


def _adds(node: Node) -> bool:
    return _by(node, "add")


def _takes_least(node: Node) -> bool:
    return _by(node, "minimum")


def _takes_most(node: Node) -> bool:
    return _by(node, "maximum")


def _by(node: Node, reduction: str) -> bool:
    indices = node.inputs[1]
    assert indices is not None
    return node.attributes["reduction"] == reduction and indices.dtype.name in ("int32", "int64")


rows = {
    ops.scatter_nd: (
        When(_puts, _update),
        When(_adds, _add),
        When(_takes_least, _minimum),
        When(_takes_most, _maximum),
    ),
}
