"""Element types and tensor types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ml_dtypes
import numpy as np

from .dims import Size

_KINDS = {"f": "float", "i": "int", "u": "uint", "b": "bool", "c": "complex"}


@dataclass(frozen=True)
class DType:
    """An element type: its NumPy name, and the short form that printed graphs use."""

    name: str
    short: str

    @cached_property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(getattr(ml_dtypes, self.name, None) or self.name)

    @cached_property
    def bits(self) -> int:
        return int(self.numpy.itemsize * 8)

    @property
    def kind(self) -> str:
        """One of bool, int, uint, float, complex."""
        return "float" if self.short.startswith("b") and self.short != "bool" else _KINDS[self.short[0]]

    @property
    def is_float(self) -> bool:
        return self.kind == "float"

    @property
    def is_integer(self) -> bool:
        return self.kind in ("int", "uint")

    @property
    def is_differentiable(self) -> bool:
        return self.kind in ("float", "complex")

    def __repr__(self) -> str:
        return self.short


bool_ = DType("bool", "bool")
uint8, uint16, uint32, uint64 = (DType(f"uint{n}", f"u{n}") for n in (8, 16, 32, 64))
int8, int16, int32, int64 = (DType(f"int{n}", f"i{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = (DType(f"float{n}", f"f{n}") for n in (16, 32, 64))
bfloat16 = DType("bfloat16", "bf16")
complex64, complex128 = (DType(f"complex{n}", f"c{n}") for n in (64, 128))

DTYPES = (
    bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64,
    float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip
_BY_NAME = {d.name: d for d in DTYPES} | {d.short: d for d in DTYPES}


def dtype_of(name: object) -> DType:
    """The element type called `name`: a DType, a NumPy dtype or scalar type, or a long or short name.

    >>> dtype_of("f32"), dtype_of("int64"), dtype_of(np.float16)
    (f32, i64, f16)
    """
    if isinstance(name, DType):
        return name
    key = name if isinstance(name, str) else np.dtype(name).name  # type: ignore[call-overload]  # NumPy raises TypeError on what is no dtype
    if key not in _BY_NAME:
        raise TypeError(f"no element type {key!r}; there are {', '.join(d.name for d in DTYPES)}")
    return _BY_NAME[key]


def holds(to: DType, source: DType) -> bool:
    """Whether each number of `source` is one of `to`.

    >>> holds(float32, bfloat16), holds(float16, bfloat16), holds(bfloat16, uint8), holds(float32, int32)
    (True, False, True, False)
    """
    if source == to or source.kind == "bool":
        return True
    if to.kind == "complex":
        return holds(part_of(to), part_of(source))
    if to.is_float and source.is_integer:
        return bool(source.bits - (source.kind == "int") <= _float_info(to).nmant + 1)
    if to.is_float and source.is_float:
        a, b = _float_info(to), _float_info(source)
        return bool(a.nmant >= b.nmant and a.nexp >= b.nexp)
    if to.is_integer and source.is_integer:
        c, d = np.iinfo(to.numpy), np.iinfo(source.numpy)
        return bool(c.min <= d.min and d.max <= c.max)
    return False


def _float_info(dtype: DType) -> Any:
    return ml_dtypes.finfo(dtype.numpy)  # type: ignore[no-untyped-call]  # NumPy's knows no bfloat16


def part_of(dtype: DType) -> DType:
    """The element type of a complex number's real part; a real one itself."""
    return {complex64: float32, complex128: float64}.get(dtype, dtype)


@dataclass(frozen=True)
class TensorType:
    """The type of a value: its element type, and a size per axis (an int or a symbolic `Dim`).

    >>> str(TensorType(float32, (2, 3)))
    'f32[2, 3]'
    """

    dtype: DType
    shape: tuple[Size, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, shape: tuple[Size, ...]) -> TensorType:
        return TensorType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: DType) -> TensorType:
        return TensorType(dtype, self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.short}[{', '.join(map(str, self.shape))}]"

    __repr__ = __str__
