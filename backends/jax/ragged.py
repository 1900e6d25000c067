"""JAX: products of groups of rows."""

from __future__ import annotations

from typing import Any

from jax import lax

from ...ir import ops


def _grouped_outer(x: Any, y: Any, sizes: Any) -> Any:
    """For each group the transpose of its rows of x times its rows of y."""
    numbers = lax.RaggedDotDimensionNumbers(  # type: ignore[no-untyped-call]  # JAX gives it no types
        dot_dimension_numbers=(((0,), (0,)), ((), ())), lhs_ragged_dimensions=[0], rhs_group_dimensions=[]
    )
    return lax.ragged_dot_general(x, y, sizes, numbers)


rows = {ops.grouped_matmul: lax.ragged_dot, ops.grouped_outer: _grouped_outer}
