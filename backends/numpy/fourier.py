"""NumPy: Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Node, ops
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _fft(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.fft(x, axis=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm)


def _fft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.fftn(x, axes=axes, norm=_omitted if norm == "backward" else norm)


def _ifft(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.ifft(x, axis=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm)


def _ifft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.ifftn(x, axes=axes, norm=_omitted if norm == "backward" else norm)


def _rfft(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.rfft(x, axis=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm)


def _rfft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return np.fft.rfftn(x, axes=axes, norm=_omitted if norm == "backward" else norm)


def _irfft(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    return np.fft.irfft(
        x, size, axis=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm
    )


def _irfft_of_many(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    turned = np.fft.ifftn(x, axes=axes[:-1], norm=norm)
    return np.fft.irfft(turned, size, axis=axes[-1], norm=norm)


def _is_one(node: Node) -> bool:
    return len(node.attributes["axes"]) == 1


rows = {
    ops.fft: (When(_is_one, _fft), _fft_of_many),
    ops.ifft: (When(_is_one, _ifft), _ifft_of_many),
    ops.rfft: (When(_is_one, _rfft), _rfft_of_many),
    ops.irfft: (When(_is_one, _irfft), _irfft_of_many),
}
