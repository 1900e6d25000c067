"""More samples of convolutions' forms, resizing, padding, pooling and patches: what rules tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isograd.ir import Op, ops
from isograd.ir.op import Sample, sample

_IMAGE = {"padding": ((1, 1), (1, 1)), "dilations": (1, 1)}
_PLAIN = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilations": (1, 1)}
_FIRST = {"layout": "NCHW", "filter_layout": "OIHW"}
_WIDE = {"layout": "NWC", "filter_layout": "WIO"}
_CUBE: dict[str, Any] = {
    "strides": (1, 2, 1),
    "padding": ((0, 0), (1, 1), (0, 1)),
    "dilations": (1, 1, 1),
    "layout": "NDHWC",
    "filter_layout": "DHWIO",
}
_KEYS: dict[str, Any] = {"method": "cubic", "cubic_coefficient": -0.5, "exclude_outside": True}
_NEAREST: dict[str, Any] = {"method": "nearest", "coordinates": "tf_half_pixel_for_nn", "rounding": "floor"}

_POOL: dict[str, Any] = {
    "window": (2, 3), "strides": (2, 3), "padding": ((0, 0), (1, 1)), "dilations": (1, 2), "layout": "NCHW",
}  # fmt: skip
_POOL_LINE: dict[str, Any] = {
    "window": (3,), "strides": (2,), "padding": ((1, 1),), "dilations": (1,), "layout": "NCW",
}  # fmt: skip
_POOL_SOLID: dict[str, Any] = {
    "window": (2, 3, 2), "strides": (2, 1, 1), "padding": ((0, 0), (1, 1), (0, 0)), "dilations": (1, 1, 2),
    "layout": "NCDHW",
}  # fmt: skip

MORE: Mapping[Op, Sequence[Sample]] = {
    ops.conv_transpose: (
        *(sample((2, 4, 5, 3), (k, 3, 6, 3), strides=(2, 2), padding=cut, dilations=(1, 1))
          for k, cut in ((4, ((1, 1), (0, 1))), (4, ((0, 0), (0, 0))), (4, ((1, 1), (1, 1))), (4, ((1, 0), (1, 0))))),
        sample((2, 3, 4, 5), (3, 6, 4, 2), strides=(2, 1), padding=((1, 0), (0, 0)), dilations=(1, 1), **_FIRST),
        sample((2, 4, 5, 3), (2, 3, 6, 3), strides=(1, 1), padding=((0, 0), (1, 1)), dilations=(2, 1)),
        sample((2, 4, 3), (4, 5, 3), strides=(2,), padding=((1, 1),), dilations=(1,), **_WIDE),
        sample((1, 2, 4, 3, 5), (2, 3, 1, 6, 5), **_CUBE | {"strides": (2, 1, 1), "padding": ((0, 0), (1, 1), (0, 0))}),
        sample((1, 2, 4, 3, 5), (2, 3, 1, 6, 5), **_CUBE | {"strides": (2, 1, 1), "padding": ((0, 0),) * 3}),
        sample((0, 4, 5, 3), (4, 3, 6, 3), strides=(2, 2), padding=((1, 1), (0, 1)), dilations=(1, 1)),
    ),
    ops.depthwise_conv: (
        sample((2, 7, 6, 3), (3, 2, 3, 4), strides=(1, 1), **_IMAGE),
        sample((2, 7, 6, 3), (3, 3, 3, 2), strides=(1, 1), **_IMAGE), sample((2, 7, 6, 3), (3, 2, 3, 1), **_PLAIN),
        sample((2, 7, 6, 3), (3, 2, 3, 1), strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(2, 1)),
    ),
    ops.separable_conv: (
        sample((2, 7, 6, 3), (3, 3, 3, 2), (1, 1, 6, 4), strides=(1, 1), **_IMAGE),
        sample((2, 7, 6, 3), (3, 2, 3, 1), (1, 1, 3, 4), **_PLAIN),
    ),
    ops.resize: (
        sample((2, 4, 6, 3), axes=(1, 2), sizes=(8, 3), method="nearest"),
        sample((2, 3, 4, 5), axes=(2, 3), sizes=(7, 2), method="nearest"),
        sample((2, 3, 4, 6), axes=(2, 3), sizes=(8, 3), method="nearest", coordinates="asymmetric", rounding="floor"),
        sample((2, 4, 5, 3), axes=(1, 2), sizes=(7, 3), method="nearest", rounding="round_prefer_floor"),
        sample(np.arange(12, dtype=np.int32).reshape(1, 4, 3), axes=(1,), sizes=(8,), method="nearest"),
        sample((2, 4, 5), axes=(2,), sizes=(8,)), sample((2, 4, 5), axes=(1,), sizes=(7,), coordinates="align_corners"),
        sample((1, 2, 3, 4, 5), axes=(2, 3, 4), sizes=(6, 2, 7)),
        sample((1, 3, 4, 5, 2), axes=(1, 2, 3), sizes=(6, 2, 7), coordinates="align_corners"),
        sample((2, 3, 4, 5), axes=(2, 3), sizes=(8, 7), method="cubic"),
        sample((2, 4, 5, 3), axes=(1, 2), sizes=(8, 7), method="cubic", coordinates="align_corners"),
        sample((2, 4, 5, 3), axes=(1, 2), sizes=(8, 10), **_KEYS), sample((2, 8, 7), axes=(1,), sizes=(5,), **_KEYS),
        *(sample(shape, axes=axes, sizes=(3, 4), antialias=True, **cubic)
          for shape, axes in (((2, 3, 8, 7), (2, 3)), ((2, 8, 7, 3), (1, 2))) for cubic in ({}, _KEYS)),
        *(sample((2, 4, 7, 3), axes=(1, 2), sizes=(8, 5), method=m, antialias=a)
          for m, a in (("area", False), ("lanczos3", False), ("lanczos5", True), ("lanczos3", True))),
        sample((2, 3, 4, 5), axes=(2, 3), sizes=(6, 8), scales=(1.6, 1.7)),
        sample((2, 3, 5, 4), axes=(2, 3), sizes=(3, 8), scales=(0.6, 2.0), method="nearest", coordinates="asymmetric",
               rounding="floor"),
        sample((2, 3, 5, 4), axes=(1, 3), sizes=(2, 8), method="cubic", coordinates="pytorch_half_pixel"),
        sample((2, 5, 4), axes=(1,), sizes=(7,), scales=(1.5,), coordinates="half_pixel_symmetric"),
        sample((2, 5, 4), axes=(1,), sizes=(8,), **_NEAREST),
    ),
    ops.pad_border: (
        *(sample((2, 3, 4, 5), low=(0, 0, 2, 1), high=(0, 0, 1, 3), mode=m) for m in ("reflect", "edge", "wrap")),
        sample((2, 4, 5, 3), low=(0, 2, 1, 0), high=(0, 1, 3, 0)),
        sample(np.arange(6, dtype=np.int32).reshape(2, 3), low=(0, 1), high=(0, 2)),
    ),
    ops.max_pool_with_indices: (
        sample((2, 3, 6, 9), **_POOL), sample((2, 3, 8), **_POOL_LINE), sample((1, 2, 4, 6, 5), **_POOL_SOLID),
    ),
    ops.dilated_max_pool: (
        sample((2, 3, 6, 9), **_POOL), sample((2, 3, 8), **_POOL_LINE), sample((1, 2, 4, 6, 5), **_POOL_SOLID),
    ),
    ops.adaptive_average_pool: (
        sample((2, 3, 7, 8), sizes=(4, 3), layout="NCHW"), sample((2, 3, 7), sizes=(3,), layout="NCW"),
        sample((1, 2, 4, 6, 5), sizes=(3, 2, 2), layout="NCDHW"),
        sample((1, 4, 6, 5, 2), sizes=(3, 2, 4), layout="NDHWC"),
    ),
    ops.adaptive_max_pool: (
        sample((2, 3, 7, 8), sizes=(4, 3), layout="NCHW"), sample((2, 3, 7), sizes=(3,), layout="NCW"),
        sample((1, 2, 4, 6, 5), sizes=(3, 2, 2), layout="NCDHW"),
    ),
    ops.fractional_max_pool: (
        sample((1, 2, 5, 6, 7), np.array([[[0.3, 0.65, 0.15], [0.25, 0.9, 0.5]]], np.float32), window=(2, 3, 2),
               sizes=(3, 3, 4), layout="NCDHW"),
    ),
    ops.sum_pool: (
        sample((2, 3, 6, 9), window=(2, 3), strides=(2, 3), padding=((1, 1), (0, 0)), layout="NCHW"),
        sample((1, 2, 4, 6, 5), window=(2, 3, 2), strides=(2, 1, 2), padding=((1, 1), (0, 0), (0, 0)), layout="NCDHW"),
    ),
    ops.lp_pool: (
        sample((2, 3, 6, 9), window=(2, 3), strides=(2, 3), padding=((0, 0), (0, 0)), layout="NCHW"),
        sample((2, 3, 9), power=4.0, window=(2,), strides=(3,), padding=((0, 0),), layout="NCW"),
    ),
    ops.patches: (
        sample((2, 3, 5, 11), window=(3, 2), strides=(1, 2), padding=((1, 1), (0, 0)), dilations=(1, 1), layout="NCHW"),
        sample((2, 7, 9, 3), window=(2, 3), strides=(2, 1), padding=((0, 0), (0, 0)), dilations=(1, 2)),
        sample((1, 3, 4, 5, 2), window=(2, 1, 2), strides=(1, 2, 3), padding=((0, 0), (1, 0), (0, 0)),
               dilations=(1, 1, 1), layout="NDHWC"),
    ),
    ops.space_to_depth: (sample((2, 3, 6, 10), block=2, blocks_first=True, layout="NCHW"),),
    ops.depth_to_space: (sample((2, 28, 3, 4), block=2, blocks_first=True, layout="NCHW"),),
}  # fmt: skip
