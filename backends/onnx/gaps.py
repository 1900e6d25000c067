"""Where ONNX Runtime gives another result than the graph says and the lowering lets it: (op, case) -> why.

Each is an exact statement about release 1.31 on the CPU, and a test fails when one is mended.
"""

GAPS = {
    ("reduce_max", "a NaN that is not first"): "which of the NaN and the numbers is kept depends on their order",
    ("reduce_min", "a NaN that is not first"): "which of the NaN and the numbers is kept depends on their order",
    (
        "max_pool",
        "a NaN that is not first in its window",
    ): "which of the NaN and the numbers is kept depends on their order",
    (
        "max_pool_gradient",
        "a NaN that is not first in its window",
    ): "the gradient goes to the largest number before or after it",
    ("top_k", "a NaN beside an infinity"): "they are equal, in the order of their places",
    ("threshold", "a NaN"): "it is 0, as ONNX's ThresholdedRelu and Shrink say",
    ("soft_shrink", "a NaN"): "it is 0",
    ("hard_shrink", "a NaN"): "it is 0",
    ("sigmoid", "below -17"): "it is 0 from -18 on; that is within the op's bound",
}

_NO_COMPLEX = "no arithmetic of ONNX takes complex tensors"
_NO_FACTORS = "ONNX has no factorization of matrices and no solver, only Det"
NOT_THERE = {  # op -> the first opset that can say it, and why
    "bitcast": (26, "of floats: ONNX had no BitCast before"),
    **{f"bitwise_{name}": (18, "ONNX had no such op before") for name in ("and", "or", "xor", "not")},
    "cholesky": (99, _NO_FACTORS),
    "triangular_solve": (99, _NO_FACTORS),
    "solve": (99, _NO_FACTORS),
    "inverse": (99, _NO_FACTORS),
    "determinant": (99, f"{_NO_FACTORS}: the gradient of that needs the inverse"),
    "slogdet": (99, _NO_FACTORS),
    **dict.fromkeys(("qr", "svd", "eigh", "singular_values", "nuclear_norm", "pinv", "lstsq"), (99, _NO_FACTORS)),
    **dict.fromkeys(
        ("complex_of", "real", "imaginary", "conjugate", "complex_absolute", "angle", "fft", "ifft", "rfft", "irfft"),
        (99, _NO_COMPLEX),
    ),
}
