"""Moving between space, channels and batch: patches, pixel shuffles, and blocks."""

from __future__ import annotations

import itertools
import math
from typing import Any

from ..dims import Size, divide_exact
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind
from .convolution import Pairs, spatial, window_size
from .padding import pad_or_crop
from .shape import concatenate, expand_dims, pad, reshape, slice_, transpose


def _letters(name: str, x: TensorType, layout: str, *each: Any) -> str:
    letters = spatial(layout)
    if x.rank != len(layout) or any(len(e) != len(letters) for e in each):
        raise TypeMismatchError(f"{name} of {x} as {layout} needs one of each attribute for each axis of {letters}")
    return letters


def _positions(
    x: TensorType | Value, window: Any, strides: Any, padding: Any, dilations: Any, layout: str
) -> tuple[Size, ...]:
    sizes = (x.shape[layout.index(c)] for c in spatial(layout))
    return tuple(
        window_size(n, k, s, p, d) for n, k, s, p, d in zip(sizes, window, strides, padding, dilations, strict=True)
    )


def _patches_type(
    x: TensorType, *, window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs, dilations: tuple[int, ...],
    layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """All windows, as channels at each position: zeros where they reach into the padding.

    The new channels are [channels, window] where the layout has channels first, as PyTorch's `unfold` has them (its
    result is this with the positions in one axis), and [window, channels] where it has them last, as TensorFlow's
    `extract_patches` has.
    """
    letters = _letters("patches", x, layout, window, strides, padding, dilations)
    sizes = dict(zip(letters, _positions(x, window, strides, padding, dilations, layout), strict=True))
    sizes["C"] = x.shape[layout.index("C")] * math.prod(window)
    return x.with_shape(tuple(sizes.get(c, n) for c, n in zip(layout, x.shape, strict=True)))


def _on_axes(layout: str, values: Any, other: Any) -> tuple[Any, ...]:
    by_letter = dict(zip(spatial(layout), values, strict=True))
    return tuple(by_letter.get(c, other) for c in layout)


def _patches_parts(x: Value, *, window: Any, strides: Any, padding: Any, dilations: Any, layout: str) -> Value:
    sides = _on_axes(layout, padding, (0, 0))
    counts = _on_axes(layout, _positions(x, window, strides, padding, dilations, layout), None)
    steps = _on_axes(layout, strides, 1)
    wide = pad_or_crop(x, 0.0, tuple(a for a, _ in sides), tuple(b for _, b in sides))
    axis = _patch_axis(layout)
    parts = []
    for place in itertools.product(*map(range, window)):
        starts = _on_axes(layout, [o * d for o, d in zip(place, dilations, strict=True)], 0)
        stops = tuple(
            n if m is None else a + (m - 1) * s + 1
            for n, m, a, s in zip(wide.shape, counts, starts, steps, strict=True)
        )
        parts.append(expand_dims(slice_(wide, starts=starts, stops=stops, steps=steps), axis))
    stacked = concatenate(*parts, axis=axis)
    out = _patches_type(x.type, window=window, strides=strides, padding=padding, dilations=dilations, layout=layout)
    return reshape(stacked, shape=out.shape)  # type: ignore[no-any-return]


def _patch_axis(layout: str) -> int:
    """Where an axis over the window stands before it is joined with the channels: after them, or before."""
    at = layout.index("C")
    return at + 1 if at == 1 else at


def _from_patches_type(
    g: TensorType, *, sizes: tuple[Size, ...], window: tuple[int, ...], strides: tuple[int, ...], padding: Pairs,
    dilations: tuple[int, ...], layout: str = "NHWC",
) -> TensorType:  # fmt: skip
    """Windows added up where they lie: the transpose of `patches`, PyTorch's `fold`."""
    check_kind("from_patches", ("int", "uint", "float", "complex"), g)
    letters = _letters("from_patches", g, layout, sizes, window, strides, padding, dilations)
    known: dict[str, Size] = dict(zip(letters, sizes, strict=True))
    known["C"] = divide_exact(g.shape[layout.index("C")], math.prod(window))
    return g.with_shape(tuple(known.get(c, n) for c, n in zip(layout, g.shape, strict=True)))


def _from_patches_parts(
    g: Value, *, sizes: Any, window: Any, strides: Any, padding: Any, dilations: Any, layout: str
) -> Value:
    axis, count = _patch_axis(layout), math.prod(window)
    channels = divide_exact(g.shape[layout.index("C")], count)
    pair = (channels, count) if axis == 2 else (count, channels)
    at = layout.index("C")
    apart = reshape(g, shape=(*g.shape[:at], *pair, *g.shape[at + 1 :]))
    steps, total = _on_axes(layout, strides, 1), None
    wholes = _on_axes(layout, [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)], None)
    for i, place in enumerate(itertools.product(*map(range, window))):
        starts = _on_axes(layout, [o * d for o, d in zip(place, dilations, strict=True)], 0)
        part = _taken(apart, axis, i)
        ends = tuple(
            0 if w is None else w - a - ((m - 1) * s + 1)
            for w, a, m, s in zip(wholes, starts, part.shape, steps, strict=True)
        )
        spread = pad(part, 0.0, low=starts, high=ends, interior=tuple(s - 1 for s in steps))
        total = spread if total is None else total + spread
    assert total is not None
    sides = _on_axes(layout, padding, (0, 0))
    return pad_or_crop(total, 0.0, tuple(-a for a, _ in sides), tuple(-b for _, b in sides))


def _taken(x: Value, axis: int, i: int) -> Value:
    starts, stops = [0] * x.rank, list(x.shape)
    starts[axis], stops[axis] = i, i + 1
    part = slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.rank)
    return reshape(part, shape=(*x.shape[:axis], *x.shape[axis + 1 :]))  # type: ignore[no-any-return]


# Depth and space. `blocks_first` says how the channels are made of those of a block: [block, C] (TensorFlow, ONNX's
# DCR), or else [C, block] (PyTorch's pixel shuffle, ONNX's CRD).


def _split(x: TensorType | Value, layout: str) -> tuple[Size, Size, list[Size]]:
    return x.shape[layout.index("N")], x.shape[layout.index("C")], [x.shape[layout.index(c)] for c in spatial(layout)]


def _depth_to_space_type(x: TensorType, *, block: int, blocks_first: bool = False, layout: str = "NHWC") -> TensorType:
    """Channels laid out as blocks of space: PyTorch's `pixel_shuffle`, or with `blocks_first` TensorFlow's and DCR."""
    letters = _letters("depth_to_space", x, layout)
    sizes: dict[str, Size] = {c: x.shape[layout.index(c)] * block for c in letters}
    sizes["C"] = divide_exact(x.shape[layout.index("C")], block ** len(letters))
    return x.with_shape(tuple(sizes.get(c, n) for c, n in zip(layout, x.shape, strict=True)))


def _space_to_depth_type(x: TensorType, *, block: int, blocks_first: bool = False, layout: str = "NHWC") -> TensorType:
    """Blocks of space laid out as channels: the inverse of `depth_to_space`."""
    letters = _letters("space_to_depth", x, layout)
    sizes: dict[str, Size] = {c: divide_exact(x.shape[layout.index(c)], block) for c in letters}
    sizes["C"] = x.shape[layout.index("C")] * block ** len(letters)
    return x.with_shape(tuple(sizes.get(c, n) for c, n in zip(layout, x.shape, strict=True)))


def _block_letters(letters: str) -> str:
    return letters.lower()


def _coarse(layout: str, blocks_first: bool) -> str:
    """The layout with the channels apart: the axes of a block beside them."""
    blocks = _block_letters(spatial(layout))
    return layout.replace("C", blocks + "C" if blocks_first else "C" + blocks)


def _fine(layout: str) -> str:
    """The layout with each axis of space apart: a block's own after it."""
    return "".join(c + c.lower() if c in spatial(layout) else c for c in layout)


def _rearranged(x: Value, source: str, target: str, sizes: dict[str, Size], shape: tuple[Size, ...]) -> Value:
    apart = reshape(x, shape=tuple(sizes[c] for c in source))
    moved = transpose(apart, axes=tuple(source.index(c) for c in target))
    return reshape(moved, shape=shape)  # type: ignore[no-any-return]


def _depth_to_space_parts(x: Value, *, block: int, blocks_first: bool, layout: str) -> Value:
    out = _depth_to_space_type(x.type, block=block, blocks_first=blocks_first, layout=layout)
    sizes: dict[str, Size] = dict(zip(layout, x.shape, strict=True)) | dict.fromkeys(spatial(layout).lower(), block)
    sizes["C"] = out.shape[layout.index("C")]
    return _rearranged(x, _coarse(layout, blocks_first), _fine(layout), sizes, out.shape)


def _space_to_depth_parts(x: Value, *, block: int, blocks_first: bool, layout: str) -> Value:
    out = _space_to_depth_type(x.type, block=block, blocks_first=blocks_first, layout=layout)
    sizes: dict[str, Size] = dict(zip(layout, out.shape, strict=True)) | dict.fromkeys(spatial(layout).lower(), block)
    sizes["C"] = x.shape[layout.index("C")]
    return _rearranged(x, _fine(layout), _coarse(layout, blocks_first), sizes, out.shape)


def _channel_shuffle_type(x: TensorType, *, groups: int, axis: int = -1) -> TensorType:
    """The channels of each group in turn."""
    divide_exact(x.shape[axis], groups)
    return x


def _channel_shuffle_parts(x: Value, *, groups: int, axis: int) -> Value:
    at = axis % x.rank
    each = divide_exact(x.shape[at], groups)
    apart = reshape(x, shape=(*x.shape[:at], groups, each, *x.shape[at + 1 :]))
    order = (*range(at), at + 1, at, *range(at + 2, x.rank + 1))
    return reshape(transpose(apart, axes=order), shape=x.shape)  # type: ignore[no-any-return]


def _batch_to_space_type(x: TensorType, *, blocks: tuple[int, ...], crops: tuple[tuple[int, int], ...]) -> TensorType:
    """Blocks of space that lie in the batch laid out, then cropped: the axes after the first, as TensorFlow's op."""
    if len(blocks) != len(crops) or x.rank <= len(blocks):
        raise TypeMismatchError(f"batch_to_space of {x} needs a block and crops for each of some axes after the first")
    sizes = tuple(n * b - low - high for n, b, (low, high) in zip(x.shape[1:], blocks, crops, strict=False))
    return x.with_shape((divide_exact(x.shape[0], math.prod(blocks)), *sizes, *x.shape[1 + len(blocks) :]))


def _batch_to_space_parts(x: Value, *, blocks: Any, crops: Any) -> Value:
    k = len(blocks)
    batch, rest = divide_exact(x.shape[0], math.prod(blocks)), x.shape[1 + k :]
    apart = reshape(x, shape=(*blocks, batch, *x.shape[1:]))
    order = (k, *(i for a in range(k) for i in (k + 1 + a, a)), *range(2 * k + 1, apart.rank))
    whole = tuple(n * b for n, b in zip(x.shape[1:], blocks, strict=False))
    joined = reshape(transpose(apart, axes=order), shape=(batch, *whole, *rest))
    none = (0,) * len(rest)
    return pad_or_crop(joined, 0.0, (0, *(-a for a, _ in crops), *none), (0, *(-b for _, b in crops), *none))


def _space_to_batch_type(x: TensorType, *, blocks: tuple[int, ...], padding: tuple[tuple[int, int], ...]) -> TensorType:
    """Padded, then blocks of space into the batch: the inverse of `batch_to_space`."""
    if len(blocks) != len(padding) or x.rank <= len(blocks):
        raise TypeMismatchError(
            f"space_to_batch of {x} needs a block and padding for each of some axes after the first"
        )
    sizes = tuple(divide_exact(n + a + c, b) for n, b, (a, c) in zip(x.shape[1:], blocks, padding, strict=False))
    return x.with_shape((x.shape[0] * math.prod(blocks), *sizes, *x.shape[1 + len(blocks) :]))


def _space_to_batch_parts(x: Value, *, blocks: Any, padding: Any) -> Value:
    k, out = len(blocks), _space_to_batch_type(x.type, blocks=blocks, padding=padding)
    none = (0,) * (x.rank - 1 - k)
    wide = pad_or_crop(x, 0.0, (0, *(a for a, _ in padding), *none), (0, *(b for _, b in padding), *none))
    pairs = [size for n, b in zip(out.shape[1:], blocks, strict=False) for size in (n, b)]
    apart = reshape(wide, shape=(x.shape[0], *pairs, *x.shape[1 + k :]))
    order = (*(2 * a + 2 for a in range(k)), 0, *(2 * a + 1 for a in range(k)), *range(2 * k + 1, apart.rank))
    return reshape(transpose(apart, axes=order), shape=out.shape)  # type: ignore[no-any-return]


_IMAGE: dict[str, Any] = {"window": (2, 3), "strides": (2, 1), "padding": ((1, 0), (0, 1)), "dilations": (1, 2)}
_FIRST: dict[str, Any] = {
    "window": (3, 2), "strides": (1, 2), "padding": ((1, 0), (0, 0)), "dilations": (1, 1), "layout": "NCHW",
}  # fmt: skip
_LINE: dict[str, Any] = {"window": (3,), "strides": (2,), "padding": ((1, 1),), "dilations": (1,), "layout": "NWC"}
_SUM = Bound("reduction", 8.0)

patches = Op(
    "patches", _patches_type, None, None, _patches_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 7, 9, 3), **_IMAGE), sample((2, 3, 5, 11), **_FIRST), sample((2, 7, 3), **_LINE)),
)  # fmt: skip
from_patches = Op(
    "from_patches", _from_patches_type, None, None, _from_patches_parts, bound=_SUM, smooth=True,
    samples=(sample((2, 4, 6, 18), sizes=(7, 9), **_IMAGE), sample((2, 18, 4, 3), sizes=(5, 7), **_FIRST),
             sample((2, 4, 9), sizes=(7,), **_LINE)),
)  # fmt: skip
depth_to_space = Op(
    "depth_to_space", _depth_to_space_type, None, None, _depth_to_space_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3, 5, 28), block=2), sample((2, 28, 3, 4), block=2, layout="NCHW"),
             sample((2, 3, 4, 28), block=2, blocks_first=True), sample((2, 4, 15), block=3, layout="NWC")),
)  # fmt: skip
space_to_depth = Op(
    "space_to_depth", _space_to_depth_type, None, None, _space_to_depth_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 6, 10, 4), block=2), sample((2, 3, 8, 10), block=2, layout="NCHW"),
             sample((2, 6, 10, 4), block=2, blocks_first=True), sample((2, 12, 5), block=3, layout="NWC")),
)  # fmt: skip
channel_shuffle = Op(
    "channel_shuffle", _channel_shuffle_type, None, None, _channel_shuffle_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3, 12), groups=3), sample((2, 8, 5, 3), groups=2, axis=1)),
)  # fmt: skip
batch_to_space = Op(
    "batch_to_space", _batch_to_space_type, None, None, _batch_to_space_parts, bound=EXACT, smooth=True,
    samples=(sample((12, 3, 4, 7), blocks=(2, 3), crops=((1, 0), (0, 2))),
             sample((6, 5, 4), blocks=(3,), crops=((0, 1),))),
)  # fmt: skip
space_to_batch = Op(
    "space_to_batch", _space_to_batch_type, None, None, _space_to_batch_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 5, 10, 6), blocks=(2, 3), padding=((1, 0), (0, 2))),
             sample((2, 5, 4), blocks=(3,), padding=((0, 1),))),
)  # fmt: skip

OPS = (patches, from_patches, depth_to_space, space_to_depth, channel_shuffle, batch_to_space, space_to_batch)
