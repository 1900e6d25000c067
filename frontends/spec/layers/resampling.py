"""Layers that make images larger or smaller, or cut them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.types import float32
from ..options import Count, Sizes1, Sizes2, Sizes3
from .base import SPATIAL, DataFormat, Layer, Site, check_axes, check_float, fixed, layout
from .shaping import Sides, read_sides

Interpolation = Literal["nearest", "bilinear", "bicubic"]
_HOW: dict[str, dict[str, Any]] = {
    "nearest": {"method": "nearest"},
    "bilinear": {"method": "linear"},
    "bicubic": {"method": "cubic", "cubic_coefficient": -0.5, "exclude_outside": True},  # TensorFlow's
}


def _resized(x: Value, axes: tuple[int, ...], sizes: tuple[Any, ...], how: str, antialias: bool = False) -> Value:
    order = sorted(range(len(axes)), key=axes.__getitem__)
    return ops.resize(  # type: ignore[no-any-return]
        x, axes=tuple(axes[i] for i in order), sizes=tuple(sizes[i] for i in order),
        antialias=antialias and how != "nearest", **_HOW[how],
    )  # fmt: skip


class _UpSampling(Layer):
    """Each axis so many times as long; elements are repeated, or images interpolated."""

    main = "size"
    rank: ClassVar[int]
    size: tuple[int, ...]
    data_format: DataFormat = "channels_last"
    interpolation: Interpolation = "nearest"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(self.rank, self.data_format)
        check_axes(x, axes)
        places = tuple(axes.index(c) for c in SPATIAL[self.rank])
        sizes = tuple(x.shape[a] * times for a, times in zip(places, self.size, strict=True))
        return _resized(x, places, sizes, self.interpolation)


class UpSampling1D(Layer):
    """Each element along the axis so many times."""

    kind = "up_sampling1d"
    aliases = ("UpSampling1D", "upsampling1d")
    main = "size"
    size: Sizes1 = (2,)

    def build(self, site: Site, x: Value) -> Value:
        check_axes(x, "NWC")
        return _resized(x, (1,), (x.shape[1] * self.size[0],), "nearest")


class UpSampling2D(_UpSampling):
    kind = "up_sampling2d"
    aliases = ("UpSampling2D", "upsampling2d")
    rank = 2
    size: Sizes2 = (2, 2)


class UpSampling3D(Layer):
    """Each element along each axis so many times."""

    kind = "up_sampling3d"
    aliases = ("UpSampling3D", "upsampling3d")
    main = "size"
    size: Sizes3 = (2, 2, 2)
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(3, self.data_format)
        check_axes(x, axes)
        places = tuple(axes.index(c) for c in SPATIAL[3])
        return _resized(x, places, tuple(x.shape[a] * n for a, n in zip(places, self.size, strict=True)), "nearest")


class Resizing(Layer):
    """Images of another height and width, as TensorFlow samples them; whole numbers become float32."""

    kind = "resizing"
    aliases = ("Resizing",)
    height: Count
    width: Count
    interpolation: Interpolation = "bilinear"
    antialias: bool = False
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(2, self.data_format)
        check_axes(x, axes)
        y = x if x.dtype.is_float else ops.cast(x, dtype=float32)
        return _resized(y, (axes.index("H"), axes.index("W")), (self.height, self.width), self.interpolation,
                        self.antialias)  # fmt: skip


class _Cropping(Layer):
    """So many elements less at both ends of each axis."""

    main = "cropping"
    cropping: Any
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(len(self.cropping), self.data_format)
        check_axes(x, axes)
        for letter, (first, last) in zip(SPATIAL[len(self.cropping)], self.cropping, strict=True):
            axis = axes.index(letter)
            size = x.shape[axis]
            if isinstance(size, int) and first + last >= size:
                raise TypeMismatchError(f"cropping {first} and {last} leaves nothing of axis {axis} of {x.type}")
            x = ops.slice_axis(x, axis, first, size - last)
        return x


class Cropping1D(Layer):
    """So many elements less at both ends of the axis."""

    kind = "cropping1d"
    aliases = ("Cropping1D",)
    main = "cropping"
    cropping: Annotated[Sides, read_sides(1, "cropping")] = ((1, 1),)

    def build(self, site: Site, x: Value) -> Value:
        return _Cropping.build(_Cropping(cropping=self.cropping), site, x)


class Cropping2D(_Cropping):
    kind = "cropping2d"
    aliases = ("Cropping2D",)
    cropping: Annotated[Sides, read_sides(2, "cropping")] = ((0, 0),) * 2


class Cropping3D(_Cropping):
    kind = "cropping3d"
    aliases = ("Cropping3D",)
    cropping: Annotated[Sides, read_sides(3, "cropping")] = ((1, 1),) * 3


class CenterCrop(Layer):
    """The middle of images; they must be at least so large."""

    kind = "center_crop"
    aliases = ("CenterCrop",)
    height: Count
    width: Count
    data_format: DataFormat = "channels_last"

    def build(self, site: Site, x: Value) -> Value:
        axes = layout(2, self.data_format)
        check_axes(x, axes)
        check_float(x)
        for letter, wanted in (("H", self.height), ("W", self.width)):
            axis = axes.index(letter)
            start = (fixed(x, axis) - wanted) // 2
            if start < 0:
                raise TypeMismatchError(f"{x.type} is smaller than {self.height} x {self.width}; resizing enlarges it")
            x = ops.slice_axis(x, axis, start, start + wanted)
        return x


LAYERS: tuple[type[Layer], ...] = (
    UpSampling1D, UpSampling2D, UpSampling3D, Resizing, Cropping1D, Cropping2D, Cropping3D, CenterCrop,
)  # fmt: skip
