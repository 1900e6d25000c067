"""What ops refuse where frameworks guess (`NUMERICS.md` 3.6): mixed element types, integer means, too large a k."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.errors import IsogradError
from isograd.ir.ops.windows import same_padding
from isograd.ir.types import dtype_of

REFUSED = [  # row, function, element types
    ("I9 the mean of integers", ops.reduce_mean, ["int32"]),
    ("I10 a power of integers", ops.power, ["int32", "int32"]),
    ("I27 a range by a step of 0.1", lambda x: x.graph.apply(ops.arange, size=0.3, dtype=x.dtype), ["float32"]),
    ("I28 int32 and float32", ops.add, ["int32", "float32"]),
    ("I29 int64 and float16", ops.add, ["int64", "float16"]),
    ("I29 uint8 and int8", ops.add, ["uint8", "int8"]),
    ("I35 the 4 largest of 3", lambda x: ops.top_k(x, k=4), ["float32"]),
    ("P7 a reflection longer than there is", lambda x: ops.pad_border(x, low=(3,), high=(0,)), ["float32"]),
]


@pytest.mark.parametrize(("function", "dtypes"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_it_is_refused(function, dtypes):
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(dtype_of(d), (3,))) for i, d in enumerate(dtypes)]
    with pytest.raises((IsogradError, TypeError)):
        function(*values)


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("k", range(1, 6))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_p1_same_is_the_fewest_zeros_the_odd_one_at_the_end(n, k, stride):
    low, high = same_padding(n, k, stride)
    windows = -(-n // stride)
    assert (n + low + high - k) // stride + 1 == windows
    assert 0 <= high - low <= 1
    assert low + high == max((windows - 1) * stride + k - n, 0)
    assert low + high < max(k, 1) or not np.any([low, high])
