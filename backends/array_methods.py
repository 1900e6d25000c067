"""Templates that NumPy and JAX share: the methods that their arrays have in common."""

from __future__ import annotations

from typing import Any

from .fold import axis_or_axes


def reduce_sum(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.sum() if axes is None else x.sum(axis_or_axes(axes)))
        if not keepdims
        else x.sum(axis_or_axes(axes), keepdims=True)
    )


def reduce_max(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.max() if axes is None else x.max(axis_or_axes(axes)))
        if not keepdims
        else x.max(axis_or_axes(axes), keepdims=True)
    )


def reduce_min(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.min() if axes is None else x.min(axis_or_axes(axes)))
        if not keepdims
        else x.min(axis_or_axes(axes), keepdims=True)
    )


def reduce_mean(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.mean() if axes is None else x.mean(axis_or_axes(axes)))
        if not keepdims
        else x.mean(axis_or_axes(axes), keepdims=True)
    )


def reduce_variance(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.var() if axes is None else x.var(axis_or_axes(axes)))
        if not keepdims
        else x.var(axis_or_axes(axes), keepdims=True)
    )
