"""Named data sets for specs: `digits`, `mnist`, made-up tokens, and arrays of one's own from an `.npz` file."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..ir.errors import SpecError

Array = NDArray[Any]

DIGITS_SEED = 20_250_101
DIGITS_TRAIN = 1_437
BUDGET = 1 << 31  # bytes of one array: a file that declares more is refused before anything is allocated
CHUNK = 1 << 20
KEYS = ("x_train", "y_train", "x_test", "y_test")
IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
BROKEN = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Stream(Protocol):
    """What a decompressing file is here: bytes, a bounded number at a time."""

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """Training and test examples, first axis the example; `x` and `y` have the same length, so have the test arrays."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array
    name: str

    def __post_init__(self) -> None:
        for label, x, y in (("training", self.x, self.y), ("test", self.x_test, self.y_test)):
            if not x.ndim or x.shape[:1] != y.shape[:1]:
                raise SpecError(f"data {self.name!r}: {label} inputs {_show(x)} and targets {_show(y)} do not pair up")

    def __repr__(self) -> str:
        fields = ("x", "y", "x_test", "y_test")
        return f"Data({self.name!r}, {', '.join(f'{field}: {_show(getattr(self, field))}' for field in fields)})"


def load_data(name: str, *, path: str | Path | None = None, base: str | Path = ".") -> Data:
    """Load a data set by name; a relative `path` is looked up beneath `base`, the folder of the spec.

    `digits` comes with scikit-learn and needs no path, nor do `digit_images` (the same as targets of themselves) and
    the made-up tokens of `echo` and `majority`. `mnist` and `npz` read only the files that the path names: nothing is
    downloaded, no pickle is read, and no more is allocated than a file holds.

    >>> load_data("digits")
    Data('digits', x: float32[1437, 8, 8], y: int32[1437], x_test: float32[360, 8, 8], y_test: int32[360])
    """
    loader = LOADERS.get(name)
    if loader is None:
        raise SpecError(f"no data set is named {name!r}; there are {', '.join(LOADERS)}")
    return loader(None if path is None else Path(base, path))


def _type(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    return f"{dtype.newbyteorder('=')}{list(shape)}"


def _show(array: Array) -> str:
    return _type(array.dtype, array.shape)


def _digits(path: Path | None) -> Data:
    if path is not None:
        raise SpecError(f"data 'digits' comes with scikit-learn and takes no path, but got {path}")
    from sklearn.datasets import load_digits  # half a second, which a spec with other data need not wait

    images, labels = load_digits(return_X_y=True)
    # The generator's raw bits are the same in every release of NumPy; what its methods make of them need not be.
    order = np.argsort(np.random.PCG64(DIGITS_SEED).random_raw(len(labels)), kind="stable")
    x = (images[order] / 16.0).astype(np.float32).reshape(-1, 8, 8)
    y = labels[order].astype(np.int32)
    return Data(x[:DIGITS_TRAIN], y[:DIGITS_TRAIN], x[DIGITS_TRAIN:], y[DIGITS_TRAIN:], "digits")


def _mnist(path: Path | None) -> Data:
    if path is None:
        raise SpecError(f"data 'mnist' needs a path. {_expected()}")
    if path.is_file():
        x, y, x_test, y_test = _read_npz(path)
    elif all((path / file).is_file() for file in IDX_FILES):
        x, y, x_test, y_test = (read_idx(path / file) for file in IDX_FILES)
    else:
        raise SpecError(f"data 'mnist': {path} is not there or lacks files. {_expected()}")
    return Data(_images(x, path), _labels(y, path), _images(x_test, path), _labels(y_test, path), "mnist")


def _expected() -> str:
    return (
        f"Give an .npz file with {', '.join(KEYS)}, or a folder with {', '.join(IDX_FILES)}; "
        "data 'digits' needs no files."
    )


def _images(images: Array, path: Path) -> NDArray[np.float32]:
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise SpecError(f"{path}: images must be uint8[N, 28, 28], not {_show(images)}")
    return images.astype(np.float32) / np.float32(255)


def _labels(labels: Array, path: Path) -> NDArray[np.int32]:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise SpecError(f"{path}: labels must be integers of one dimension, not {_show(labels)}")
    if labels.size and not 0 <= labels.min() <= labels.max() <= 9:
        raise SpecError(f"{path}: labels must lie in 0 to 9, not {labels.min()} to {labels.max()}")
    return labels.astype(np.int32)


def _npz(path: Path | None) -> Data:
    if path is None:
        raise SpecError(f"data 'npz' needs the path of an .npz file with {', '.join(KEYS)}")
    return Data(*_read_npz(path), name="npz")


def _read_npz(path: Path) -> tuple[Array, Array, Array, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            present = set(archive.namelist())
            missing = [key for key in KEYS if f"{key}.npy" not in present]
            if missing:
                raise SpecError(f"{path} lacks {', '.join(missing)}; it has {', '.join(sorted(present)) or 'nothing'}")
            x, y, x_test, y_test = (_read_member(archive, key, path) for key in KEYS)
            return x, y, x_test, y_test
    except BROKEN as error:
        raise SpecError(f"{path} cannot be read as an .npz file: {error}") from error


def _read_member(archive: zipfile.ZipFile, key: str, path: Path) -> Array:
    with archive.open(f"{key}.npy") as stream:
        return _read_npy(stream, f"{path}: {key}")


def _read_npy(stream: Stream, where: str) -> Array:
    version = np.lib.format.read_magic(stream)
    if version not in NPY_HEADERS:
        raise SpecError(f"{where}: version {version} of the .npy format holds no plain array")
    shape, fortran, dtype = NPY_HEADERS[version](stream)
    if dtype.kind not in "biufc":
        raise SpecError(f"{where}: an array of {dtype} is not numbers")
    return _read_array(stream, dtype, shape, where, order="F" if fortran else "C")


def read_idx(path: Path) -> Array:
    """Read a gzipped IDX file: two zero bytes, a dtype code, the rank, big-endian sizes, the elements in C order."""
    try:
        with gzip.open(path) as stream:
            dtype, shape = _idx_header(stream, path)
            return _read_array(stream, dtype, shape, str(path))
    except BROKEN as error:
        raise SpecError(f"{path} cannot be read as a gzipped IDX file: {error}") from error


def _idx_header(stream: Stream, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_DTYPES:
        raise SpecError(f"{path} is no IDX file: it begins with {magic.hex() or 'nothing'}")
    rank = magic[3]
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise SpecError(f"{path}: the file ends within the sizes of its {rank} dimensions")
    return np.dtype(IDX_DTYPES[magic[2]]), tuple(np.frombuffer(sizes, ">u4").tolist())


def _read_array(
    stream: Stream, dtype: np.dtype[Any], shape: tuple[int, ...], where: str, order: Literal["C", "F"] = "C"
) -> Array:
    """The array that the rest of the stream must be: memory grows with what is there, never with what is declared."""
    size = math.prod(shape) * dtype.itemsize
    declared = f"{where}: the header declares {_type(dtype, shape)}, {size:,} bytes"
    if min(shape, default=0) < 0 or size > BUDGET:
        raise SpecError(f"{declared}; 0 to {BUDGET:,} are allowed")
    content = bytearray()
    while chunk := stream.read(min(CHUNK, size + 1 - len(content))):
        content += chunk
    if len(content) != size:
        held = "more" if len(content) > size else f"{len(content):,}"
        raise SpecError(
            f"{where}: the header declares {_type(dtype, shape)}, {size:,} bytes, and the file holds {held}"
        )
    return np.frombuffer(content, dtype).reshape(shape, order=order).astype(dtype.newbyteorder("="), copy=False)


def _digit_images(path: Path | None) -> Data:
    """The digits as targets of themselves."""
    digits = _digits(path)
    return Data(digits.x, digits.x, digits.x_test, digits.x_test, "digit_images")


def _echo(path: Path | None) -> Data:
    """Rows of 12 tokens below 8; the target of each place is the token two places before, or else the first."""
    tokens = _made_up("echo", path, (2_400, 12), 8)
    targets = tokens[:, np.maximum(np.arange(12) - 2, 0)]
    return Data(tokens[:2_000], targets[:2_000], tokens[2_000:], targets[2_000:], "echo")


def _majority(path: Path | None) -> Data:
    """Rows of 5 to 12 tokens from 1 to 4, then zeros; the label is the most frequent, the least of several, less 1."""
    tokens = _made_up("majority", path, (2_400, 13), 8 * 4)
    lengths = 5 + tokens[:, 12] % 8
    rows = np.where(np.arange(12) < lengths[:, None], 1 + tokens[:, :12] % 4, 0).astype(np.int32)
    labels = np.argmax([np.sum(rows == token, axis=1) for token in (1, 2, 3, 4)], axis=0).astype(np.int32)
    return Data(rows[:2_000], labels[:2_000], rows[2_000:], labels[2_000:], "majority")


def _made_up(name: str, path: Path | None, shape: tuple[int, ...], below: int) -> NDArray[np.int32]:
    """Whole numbers below a power of two, from raw bits, which are the same in every release of NumPy."""
    if path is not None:
        raise SpecError(f"data {name!r} is made up and takes no path, but got {path}")
    bits = np.random.PCG64(DIGITS_SEED).random_raw(math.prod(shape)) >> np.uint64(40)
    return (bits % np.uint64(below)).astype(np.int32).reshape(shape)


LOADERS: dict[str, Callable[[Path | None], Data]] = {
    "digits": _digits,
    "digit_images": _digit_images,
    "echo": _echo,
    "majority": _majority,
    "mnist": _mnist,
    "npz": _npz,
}
