"""For which element types ONNX Runtime's CPU provider has a kernel: facts about release 1.31, which a test reads again.

An op that is not listed has one for every element type of the IR that ONNX has.
"""

from __future__ import annotations

from ...ir import DType

_ALL = {
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64",
}  # fmt: skip
_FLOAT = {"float32"}
_FLOATS = {"float32", "float64"}
_NUMBERS = _ALL - {"bool", "float16", "bfloat16"}
_COMMON = _FLOATS | {"int32", "int64"}
_EXTREMES = _NUMBERS - {"int16", "uint16"} | {"float16"}
_INTEGERS = _NUMBERS - _FLOATS

KERNELS: dict[str, set[str]] = {
    "GRU": _FLOATS, "LSTM": _FLOATS, "RNN": _FLOAT,
    "Abs": _NUMBERS, "Acos": _FLOAT, "Acosh": _FLOAT, "Add": _NUMBERS, "ArgMax": _COMMON | {"int8", "uint8"},
    "ArgMin": _COMMON | {"int8", "uint8"}, "Asin": _FLOAT, "Asinh": _FLOAT, "Atan": _FLOAT, "Atanh": _FLOAT,
    "Attention": _FLOAT | {"float16"}, "AveragePool": _FLOAT, "BatchNormalization": _FLOATS,
    "BitShift": {"uint8", "uint32", "uint64"}, "BitwiseAnd": _INTEGERS, "BitwiseNot": _INTEGERS, "BitwiseOr": _INTEGERS,
    "BitwiseXor": _INTEGERS, "Ceil": _FLOATS, "Celu": _FLOAT, "Clip": _EXTREMES, "Conv": _FLOAT,
    "ConvTranspose": _FLOAT, "Cos": _FLOATS, "Cosh": _FLOAT, "CumSum": _COMMON, "Det": _FLOAT, "Div": _NUMBERS,
    "Einsum": _COMMON, "Elu": _FLOAT, "Equal": _ALL - {"float16", "bfloat16"}, "Erf": _FLOAT, "Exp": _FLOATS,
    "Expand": _ALL - {"bfloat16"}, "Floor": _FLOATS, "Gelu": _FLOAT, "Gemm": _FLOATS, "Greater": _NUMBERS,
    "GreaterOrEqual": _NUMBERS, "GridSample": _FLOATS, "HardSigmoid": _FLOAT, "InstanceNormalization": _FLOAT,
    "IsInf": {"float16", "bfloat16", "float32", "float64"}, "IsNaN": {"float16", "bfloat16", "float32", "float64"},
    "LayerNormalization": _FLOATS | {"float16", "bfloat16"}, "LeakyRelu": _FLOAT, "Less": _NUMBERS,
    "LessOrEqual": _NUMBERS, "Log": _FLOATS, "LogSoftmax": _FLOATS, "LpPool": _FLOAT, "LRN": _FLOAT,
    "MatMul": _COMMON | {"uint32", "uint64"}, "Max": _EXTREMES, "MaxPool": _FLOATS | {"int8", "uint8"},
    "Min": _EXTREMES, "Mod": _NUMBERS | {"float16"}, "Mul": _NUMBERS, "Neg": _COMMON | {"int8", "int16"},
    "NonZero": {"bool", "uint8", "int32", "int64", "float32"},
    "Pad": _ALL - {"float16", "bfloat16", "int16", "uint16"}, "Pow": _COMMON, "PRelu": _FLOAT,
    "Range": _COMMON | {"int16"}, "Reciprocal": _FLOATS, "ReduceL1": _COMMON, "ReduceL2": _COMMON,
    "ReduceLogSumExp": _COMMON, "ReduceMax": _COMMON | {"bool", "int8", "uint8"}, "ReduceMean": _COMMON,
    "ReduceMin": _COMMON | {"bool", "int8", "uint8"}, "ReduceProd": _COMMON, "ReduceSum": _COMMON,
    "Relu": _FLOATS | {"int8", "int32"}, "RMSNormalization": _FLOATS | {"float16"}, "Round": _FLOATS | {"float16"},
    "Selu": _FLOAT, "Shrink": _ALL - {"bool"}, "Sigmoid": _FLOATS, "Sign": _ALL - {"bool"}, "Sin": _FLOATS,
    "Sinh": _FLOAT, "Softmax": _FLOATS, "Softplus": _FLOAT, "Softsign": _FLOAT, "Sqrt": _FLOATS, "Sub": _NUMBERS,
    "Tan": _FLOAT, "Tanh": _FLOATS, "ThresholdedRelu": _FLOAT,
    "Tile": _ALL - {"bfloat16", "float16"}, "TopK": _NUMBERS - {"uint16", "uint32", "uint64"},
    "Unique": _FLOATS | {"int8", "int64"},
    "Trilu": _COMMON | {"bool"}, "Where": _COMMON | {"int8", "uint8", "uint32"},
}  # fmt: skip

BROKEN = {  # what is registered and does not work
    "GRU": {"float64"},  # refuses to run: "does not support double yet", as the LSTM
    "LSTM": {"float64"},
    "GroupNormalization": {"float64"},  # computes in float32
    "LayerNormalization": {"float64", "float16", "bfloat16"},  # mean and deviation come out in float32
    "MatMul": {"uint32", "uint64"},  # fails where an operand is empty
    "Max": {"int64"},  # takes the smaller of some that have the high 32 bits in common, as the next four do
    "Min": {"int64"},
    "ReduceMax": {"int64"},
    "ReduceMin": {"int64"},
    "Sign": {"int64"},
    "ScatterElements": {"bool", "float16", "bfloat16"},  # refuses to combine them
    "Shrink": {"bfloat16"},  # of which ONNX knows nothing
}


INEXACT_FUSIONS = {"float64": ("MatMulScaleFusion",)}  # the factor of a product becomes a float32


def has_kernel(op_type: str, dtype: DType) -> bool:
    return dtype.name in KERNELS.get(op_type, _ALL) and dtype.name not in BROKEN.get(op_type, ())
