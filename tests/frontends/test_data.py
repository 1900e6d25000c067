"""Named data sets: the split that every run shares, and files that lie about what they hold."""

import gzip
import hashlib
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import isograd
from isograd.frontends.data import BUDGET, IDX_FILES, KEYS, Data, load_data, read_idx
from isograd.ir.errors import SpecError

IMAGES = (np.arange(3 * 28 * 28) % 251).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 0, 9], np.uint8)


def idx_bytes(array, magic=None, sizes=None):
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    big = array.astype(array.dtype.newbyteorder(">"))
    head = struct.pack(">BBBB", 0, 0, codes[array.dtype.str[1:]], array.ndim) if magic is None else magic
    return head + struct.pack(f">{array.ndim}I", *(array.shape if sizes is None else sizes)) + big.tobytes()


def write_gz(path, content):
    path.write_bytes(gzip.compress(content))
    return path


def mnist_folder(folder):
    for name, array in zip(IDX_FILES, (IMAGES, LABELS, IMAGES[:2], LABELS[:2]), strict=True):
        write_gz(folder / name, idx_bytes(array))
    return folder


def npy_bytes(header):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def npz_with(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in KEYS:
            archive.writestr(f"{key}.npy", content)
    return path


def test_digits_are_the_same_split_everywhere():
    data = load_data("digits")
    assert (data.x.dtype, data.x.shape, data.x_test.shape) == (np.float32, (1437, 8, 8), (360, 8, 8))
    assert (data.y.dtype, data.y.shape, data.y_test.shape) == (np.int32, (1437,), (360,))
    assert data.x.min() == 0.0
    assert data.x.max() == 1.0
    assert data.y[:8].tolist() == [7, 2, 9, 2, 8, 6, 8, 3]
    assert hashlib.sha256(data.x.tobytes() + data.y_test.tobytes()).hexdigest()[:16] == "169f6d903e39a6ec"


def test_digits_hold_every_image_once():
    from sklearn.datasets import load_digits

    data = load_data("digits")
    mine = np.concatenate([data.x, data.x_test]).reshape(-1, 64) * 16
    assert sorted(map(bytes, mine.astype(np.uint8))) == sorted(map(bytes, load_digits().data.astype(np.uint8)))
    assert np.bincount(data.y_test).min() >= 25  # a sorted split would leave classes out


def test_mnist_from_a_folder_of_idx_files(tmp_path):
    data = load_data("mnist", path=mnist_folder(tmp_path))
    assert (data.x.dtype, data.y.dtype, data.name) == (np.float32, np.int32, "mnist")
    np.testing.assert_array_equal(data.x, IMAGES / np.float32(255))
    np.testing.assert_array_equal(data.y, LABELS)
    assert (len(data.x_test), len(data.y_test)) == (2, 2)


def test_mnist_from_an_npz_beneath_the_base_folder(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2])
    data = load_data("mnist", path="mnist.npz", base=tmp_path)
    np.testing.assert_array_equal(data.x, IMAGES / np.float32(255))
    np.testing.assert_array_equal(data.y_test, LABELS[:2])


@pytest.mark.parametrize("path", [None, "nowhere", "."])
def test_mnist_without_its_files_says_what_it_wants(path, tmp_path):
    with pytest.raises(SpecError, match=r"x_train.*train-images-idx3-ubyte\.gz.*'digits' needs no files"):
        load_data("mnist", path=path, base=tmp_path)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:, :27], LABELS, r"uint8\[N, 28, 28\], not uint8\[3, 27, 28\]"),
        (IMAGES.astype(np.float32), LABELS, r"not float32\[3, 28, 28\]"),
        (IMAGES, LABELS.astype(np.float32), "labels must be integers"),
        (IMAGES, LABELS + 1, "0 to 9, not 1 to 10"),
        (IMAGES, LABELS[:2], "do not pair up"),
    ],
)
def test_mnist_of_another_shape_is_refused(images, labels, message, tmp_path):
    np.savez(tmp_path / "m.npz", x_train=images, y_train=labels, x_test=IMAGES, y_test=LABELS)
    with pytest.raises(SpecError, match=message):
        load_data("mnist", path=tmp_path / "m.npz")


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 3)])
def test_idx_of_every_dtype(dtype, shape, tmp_path):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    read = read_idx(write_gz(tmp_path / "a.gz", idx_bytes(array)))
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


GOOD = idx_bytes(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 000008"),
        (b"\0\1\x08\3" + GOOD[4:], "no IDX file: it begins with 00010803"),
        (b"\0\0\x07\3" + GOOD[4:], "no IDX file"),
        (GOOD[:13], "ends within the sizes of its 3 dimensions"),
        (GOOD[:-1], "2,352 bytes, and the file holds 2,351"),
        (GOOD[:16], "the file holds 0"),
        (GOOD + b"\0", "2,352 bytes, and the file holds more"),
        (idx_bytes(IMAGES, sizes=(2**32 - 1,) * 3), "0 to 2,147,483,648 are allowed"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", "cannot be read as a gzipped IDX file"),
    ],
)
def test_idx_that_lies_is_refused(content, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        read_idx(write_gz(tmp_path / "a.gz", content))


@pytest.mark.parametrize("spoil", [lambda c: b"not gzip", lambda c: c[:-9], lambda c: c[:60] + b"\xff\xff" + c[62:]])
def test_a_spoilt_gzip_stream_is_refused(spoil, tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(spoil(gzip.compress(GOOD)))
    with pytest.raises(SpecError, match="cannot be read as a gzipped IDX file"):
        read_idx(path)


def peak_memory(function):
    tracemalloc.start()
    try:
        with pytest.raises(SpecError) as raised:
            function()
        return raised, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_idx_memory_follows_what_is_there_not_what_is_declared(tmp_path):
    liar = write_gz(tmp_path / "liar.gz", idx_bytes(LABELS, sizes=(BUDGET,)))
    raised, peak = peak_memory(lambda: read_idx(liar))
    assert raised.match("the file holds 3")
    assert peak < 1 << 24


def test_idx_decompresses_no_further_than_declared(tmp_path):
    bomb = write_gz(tmp_path / "bomb.gz", idx_bytes(LABELS) + bytes(1 << 26))
    raised, peak = peak_memory(lambda: read_idx(bomb))
    assert raised.match("the file holds more")
    assert peak < 1 << 24


def test_npz_is_taken_as_it_is(tmp_path):
    x = np.asfortranarray(np.arange(6, dtype=">f8").reshape(3, 2))
    np.savez_compressed(tmp_path / "own.npz", x_train=x, y_train=LABELS, x_test=x[:1], y_test=LABELS[:1])
    data = load_data("npz", path="own.npz", base=tmp_path)
    assert (data.x.dtype, data.y.dtype, data.name) == (np.float64, np.uint8, "npz")
    np.testing.assert_array_equal(data.x, x)
    assert repr(data) == "Data('npz', x: float64[3, 2], y: uint8[3], x_test: float64[1, 2], y_test: uint8[1])"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as an .npz file"),
        (b"no array", "cannot be read as an .npz file"),
        (npy_bytes({"descr": "|O", "fortran_order": False, "shape": (1,)}) + b"x", "is not numbers"),
        (npy_bytes({"descr": "|u1", "fortran_order": False, "shape": (4,)}) + b"abc", "4 bytes, and the file holds 3"),
        (npy_bytes({"descr": "|u1", "fortran_order": False, "shape": (2,)}) + b"abc", "the file holds more"),
        (npy_bytes({"descr": "|u1", "fortran_order": False, "shape": (-1,)}) + b"abc", r"declares uint8\[-1\]"),
        (
            npy_bytes({"descr": "<f8", "fortran_order": False, "shape": (10**6,) * 2}),
            "0 to 2,147,483,648 are allowed",
        ),
        (npy_bytes({"descr": "<f8", "fortran_order": False, "shape": ()}) + bytes(8), "do not pair up"),
        (b"\x93NUMPY\3\0" + npy_bytes({"descr": "<f8", "fortran_order": False, "shape": ()})[8:], r"version \(3, 0\)"),
    ],
)
def test_npz_that_lies_is_refused(content, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        load_data("npz", path=npz_with(tmp_path / "a.npz", content))


def test_npz_memory_follows_what_is_there(tmp_path):
    header = npy_bytes({"descr": "|u1", "fortran_order": False, "shape": (BUDGET,)})
    raised, peak = peak_memory(lambda: load_data("npz", path=npz_with(tmp_path / "a.npz", header)))
    assert raised.match("the file holds 0")
    assert peak < 1 << 24


def test_npz_runs_no_pickle(tmp_path):
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "p.npz", x_train=objects, y_train=LABELS, x_test=objects, y_test=LABELS)
    with pytest.raises(SpecError, match="is not numbers"):
        load_data("npz", path=tmp_path / "p.npz")


def test_npz_names_the_missing_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS)
    with pytest.raises(SpecError, match=r"lacks x_test, y_test; it has x_train\.npy, y_train\.npy"):
        load_data("npz", path=tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("mnits", None, "no data set is named 'mnits'; there are digits, digit_images, echo, majority, mnist, npz"),
        ("digits", "d.npz", "takes no path"),
        ("npz", None, "needs the path of an .npz file with x_train"),
        ("npz", "absent.npz", r"absent\.npz cannot be read"),
    ],
)
def test_a_wrong_call_says_what_is_right(name, path, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        load_data(name, path=path, base=tmp_path)


def test_data_errors_are_isograd_errors():
    with pytest.raises(isograd.IsogradError):
        Data(LABELS, LABELS[:1], LABELS, LABELS, "own")


def test_echoes_come_two_places_later():
    data = load_data("echo")
    for x, y in ((data.x, data.y), (data.x_test, data.y_test)):
        assert np.array_equal(y[:, 2:], x[:, :-2])
        assert np.array_equal(y[:, :2], x[:, [0, 0]])
    assert np.array_equal(np.unique(data.x), np.arange(8))
    assert data.x[0].tolist() == load_data("echo").x[0].tolist()


def test_the_majority_is_that_of_the_tokens_before_the_padding():
    data = load_data("majority")
    lengths = (data.x > 0).sum(1)
    assert set(lengths) == set(range(5, 13))
    for row, length, label in zip(data.x[:50], lengths, data.y, strict=False):
        assert not row[length:].any()
        assert label + 1 == np.bincount(row[:length], minlength=5)[1:].argmax() + 1
    assert np.bincount(data.y).min() > 200


def test_images_as_targets_of_themselves():
    data, digits = load_data("digit_images"), load_data("digits")
    assert np.array_equal(data.y, digits.x)
    assert np.array_equal(data.y_test, data.x_test)


@pytest.mark.parametrize("name", ["echo", "majority", "digit_images"])
def test_made_up_data_take_no_path(name, tmp_path):
    with pytest.raises(SpecError, match="takes no path"):
        load_data(name, path=tmp_path)
