"""PyTorch: Fourier transforms."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _fft(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.fft(x, dim=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm)


def _fft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.fftn(x, dim=axes, norm=_omitted if norm == "backward" else norm)


def _ifft(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.ifft(
        x, dim=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm
    )


def _ifft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.ifftn(x, dim=axes, norm=_omitted if norm == "backward" else norm)


def _rfft(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.rfft(
        x, dim=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm
    )


def _rfft_of_many(x: Any, *, axes: Any, norm: Any) -> Any:
    return torch.fft.rfftn(x, dim=axes, norm=_omitted if norm == "backward" else norm)


def _irfft(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    return torch.fft.irfft(
        x, size, dim=_omitted if axes[-1] == -1 else axes[-1], norm=_omitted if norm == "backward" else norm
    )


def _irfft_of_many(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    turned = torch.fft.ifftn(x, dim=axes[:-1], norm=norm)
    return torch.fft.irfft(turned, size, dim=axes[-1], norm=norm)


def _is_one(node: Node) -> bool:
    return len(node.attributes["axes"]) == 1


rows = {
    ops.fft: (When(_is_one, _fft), _fft_of_many),
    ops.ifft: (When(_is_one, _ifft), _ifft_of_many),
    ops.rfft: (When(_is_one, _rfft), _rfft_of_many),
    ops.irfft: (When(_is_one, _irfft), _irfft_of_many),
}
