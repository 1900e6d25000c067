"""PyTorch: factorizations of matrices."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import Undifferentiated


def _qr(x: Any) -> Any:
    """Q and R, no number on R's diagonal negative."""
    q, r = torch.linalg.qr(x)
    signs = torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1, 1).to(x.dtype)
    return q * signs[..., None, :], r * signs[..., None]


def _svd(x: Any) -> Any:
    """U, S and VH; the largest number in each column of U is positive."""
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    largest = u.gather(-2, u.abs().argmax(-2, keepdim=True))
    signs = torch.where(largest < 0, -1, 1).to(x.dtype)
    return u * signs, s, vh * signs.mT


def _eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors; the largest number in each of these is positive."""
    w, v = torch.linalg.eigh((x + x.mT) / 2)
    largest = v.gather(-2, v.abs().argmax(-2, keepdim=True))
    return w, v * torch.where(largest < 0, -1, 1).to(x.dtype)


def _singular_values(x: Any) -> Any:
    return torch.linalg.svdvals(x)


def _nuclear_norm(x: Any) -> Any:
    return torch.linalg.matrix_norm(x, ord="nuc")


def _pinv(x: Any, *, rtol: Any) -> Any:
    return torch.linalg.pinv(x, rtol=rtol)


def _always(node: Node) -> bool:
    return True


rows = {
    ops.qr: _qr,
    ops.svd: _svd,
    ops.eigh: _eigh,
    ops.singular_values: (Undifferentiated(_always, _singular_values),),
    ops.nuclear_norm: (Undifferentiated(_always, _nuclear_norm),),
    ops.pinv: _pinv,
}
