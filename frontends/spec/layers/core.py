"""Layers that multiply and rescale."""

from __future__ import annotations

import math
import re
from typing import Annotated

from ....ir import ops
from ....ir.dims import Size
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.types import float32
from ..initializers import GLOROT_UNIFORM, ZEROS, Fanned, InitializerOption
from ..options import Count, Number, Words
from ..penalties import PenaltyOption
from .activation import ActivationOption
from .base import Layer, Site, check_float, check_rank, fixed


class _Dense(Layer):
    """The last axis times a kernel, plus a bias."""

    units: Count
    activation: ActivationOption | None = None
    use_bias: bool = True
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    bias_initializer: InitializerOption = ZEROS
    kernel_regularizer: PenaltyOption | None = None
    bias_regularizer: PenaltyOption | None = None

    def affine(self, site: Site, x: Value, columns: int) -> Value:
        check_rank(x, 2)
        check_float(x)
        rows = fixed(x, -1)
        y = x @ site.parameter("kernel", (rows, columns), x.dtype, self.kernel_initializer, self.kernel_regularizer)
        if self.use_bias:
            y = y + site.parameter("bias", (columns,), x.dtype, self.bias_initializer, self.bias_regularizer)
        return y

    def activated(self, site: Site, y: Value) -> Value:
        return self.activation.build(site, y) if self.activation else y


class Dense(_Dense):
    """activation(x @ kernel + bias)."""

    kind = "dense"
    aliases = ("Dense",)
    main = "units"

    def build(self, site: Site, x: Value) -> Value:
        return self.activated(site, self.affine(site, x, self.units))


class Maxout(_Dense):
    """For each unit the largest of `pieces` affine functions; unit u owns the kernel's columns from u * pieces on."""

    kind = "maxout"
    aliases = ("Maxout",)
    pieces: Count

    def build(self, site: Site, x: Value) -> Value:
        return self.activated(site, ops.maxout(self.affine(site, x, self.units * self.pieces), pieces=self.pieces))


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias); `output_shape` has all axes but the first, null for any."""

    kind = "einsum_dense"
    aliases = ("EinsumDense",)
    equation: Annotated[str, Words("an equation such as 'abc,cd->abd'")]
    output_shape: Annotated[int | list[Count | None], Words("a whole number, or a list of them and null")]
    activation: ActivationOption | None = None
    bias_axes: Annotated[str | None, Words("letters of the output")] = None
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    bias_initializer: InitializerOption = ZEROS
    kernel_regularizer: PenaltyOption | None = None
    bias_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        equation = self.equation.replace(" ", "")
        found = re.fullmatch(r"(\.{3})?([a-zA-Z]+),([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)", equation)
        if found is None or bool(found[1]) != bool(found[4]):
            raise TypeMismatchError(f"the equation {self.equation!r} is not like 'abc,cd->abd' or '...c,cd->...d'")
        term, kernel, out = found[2], found[3], found[5]
        sizes = self._sizes(x, term, out, bool(found[1]))
        unknown = [c for c in kernel if not isinstance(sizes.get(c), int)]
        if unknown:
            raise TypeMismatchError(f"the kernel of {self.equation!r} needs to know the size of {unknown[0]!r}")
        shape = tuple(int(sizes[c]) for c in kernel)
        inputs, outputs = ([sizes[c] for c in kernel if c in letters] for letters in (term, out))
        fans = (math.prod(map(int, inputs)), math.prod(map(int, outputs)))
        initializer = Fanned(rest=self.kernel_initializer, fans=fans)
        w = site.parameter("kernel", shape, x.dtype, initializer, self.kernel_regularizer)
        y = ops.einsum_of(equation, x, w)
        if self.bias_axes:
            y = y + self._bias(site, x, sizes, out)
        return self.activation.build(site, y) if self.activation else y

    def _sizes(self, x: Value, term: str, out: str, has_more: bool) -> dict[str, Size]:
        """The size of each letter: those of x, and what `output_shape` adds."""
        if len(term) > x.rank or (len(term) < x.rank and not has_more):
            raise TypeMismatchError(f"the equation {self.equation!r} does not fit {x.type}")
        sizes = dict(zip(term, x.shape[x.rank - len(term) :], strict=True))
        given = [self.output_shape] if isinstance(self.output_shape, int) else self.output_shape
        for letter, size in zip(reversed(out), reversed(given), strict=False):
            if size is None:
                continue
            if sizes.setdefault(letter, size) != size:
                raise TypeMismatchError(f"{letter!r} of {self.equation!r} is {sizes[letter]} in x, not {size}")
        return sizes

    def _bias(self, site: Site, x: Value, sizes: dict[str, Size], out: str) -> Value:
        axes = self.bias_axes or ""
        if not set(axes) <= set(out):
            raise TypeMismatchError(f"bias_axes are letters of the output {out!r}, not {axes!r}")
        first = min(map(out.index, axes))
        shape = tuple(fixed_size(sizes[c], c) if c in axes else 1 for c in out[first:])
        return site.parameter("bias", shape, x.dtype, self.bias_initializer, self.bias_regularizer)


def fixed_size(size: Size, letter: str) -> int:
    if not isinstance(size, int):
        raise TypeMismatchError(f"the bias needs to know the size of {letter!r}, which is free")
    return size


class Identity(Layer):
    """x itself."""

    kind = "identity"
    aliases = ("Identity",)

    def build(self, site: Site, x: Value) -> Value:
        return x


class Rescaling(Layer):
    """x * scale + offset, as float32 where x is of integers."""

    kind = "rescaling"
    aliases = ("Rescaling",)
    main = "scale"
    scale: Number
    offset: Number = 0.0

    def build(self, site: Site, x: Value) -> Value:
        y = (x if x.dtype.is_float else ops.cast(x, dtype=float32)) * self.scale
        return y + self.offset if self.offset else y


LAYERS: tuple[type[Layer], ...] = (Dense, Maxout, EinsumDense, Rescaling, Identity)
