"""The sections of a spec: which there are, and what each takes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ...ir.dims import Size, symbol
from ...ir.types import DTYPES, TensorType, dtype_of
from ..data import LOADERS
from .initializers import InitializerOption
from .names import hint, is_name, split_names
from .optimizer import OptimizerOption
from .options import (
    NAMES_SCHEMA,
    Count,
    Name,
    Number,
    OptionError,
    Read,
    Row,
    Whole,
    Words,
    check_name,
    read_named,
    schema_reference,
    section,
    sections,
    show,
)
from .penalties import PenaltyOption
from .recipe import LossOption, MetricsOption

_TYPE = re.compile(r"\s*([A-Za-z0-9]+)\s*\[(.*)\]\s*")
_SIZE = re.compile(r"[0-9]{1,20}")


def read_type(text: Any) -> TensorType:
    """The type that `float32[N, 8, 8]` names; a name in it is a size that the input's array will give.

    >>> read_type("float32[N, 3]")
    f32[N, 3]
    """
    found = _TYPE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise OptionError(f"a type is written like float32[N, 8, 8], not {show(text)}")
    name, sizes = found[1], found[2].strip()
    names = [n for d in DTYPES for n in (d.name, d.short)]
    if name not in names:
        raise OptionError(f"unknown element type {name!r}{hint(name, names)}")
    return TensorType(dtype_of(name), tuple(_read_size(s.strip(), text) for s in sizes.split(",")) if sizes else ())


def _read_size(text: str, whole: str) -> Size:
    if _SIZE.fullmatch(text):
        return int(text)
    if is_name(text):
        return symbol(text)
    raise OptionError(f"the size {text!r} in {whole!r} must be a whole number or a name")


def _read_inputs(value: Any) -> dict[str, TensorType]:
    if isinstance(value, str):
        return {"x": read_type(value)}
    if value == {}:
        raise OptionError("a model has at least one input")
    return read_named(value, "input", read_type)


def _read_names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) and value else [value]
    for i, name in enumerate(names):
        check_name(name)
        if name in names[:i]:
            raise OptionError(f"{name!r} stands there twice", (i,))
    return tuple(names)


def _read_tensors(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"a mapping from the name of each tensor is expected, not {show(value)}")
    for key in value:
        for name in split_names(key) if isinstance(key, str) else [key]:
            check_name(name, (key,))
    return value


def _read_items(value: Any) -> dict[str, Any]:
    return read_named(value, "item", lambda item: item)


_TYPE_SCHEMA = {
    "type": "string", "pattern": r"^\s*[A-Za-z0-9]+\s*\[.*\]\s*$", "examples": ["float32[N, 8, 8]"],
}  # fmt: skip
_INPUTS_SCHEMA = {
    "anyOf": [_TYPE_SCHEMA, {"type": "object", "additionalProperties": _TYPE_SCHEMA, "minProperties": 1}],
}  # fmt: skip
_TENSORS_SCHEMA = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, schema_reference("layer")]},
}
Inputs = Annotated[dict[str, Any], Read(_read_inputs, _INPUTS_SCHEMA)]
Names = Annotated[tuple[str, ...], Read(_read_names, NAMES_SCHEMA)]


def _read_list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise OptionError(f"the layers are a list of them, not {show(value)}")
    return value


# A layer may be a block of the spec, with arguments of its own: layers are read later, by `program`.
Layers = Annotated[list[Any], Read(_read_list, {"type": "array", "items": schema_reference("layer"), "minItems": 1})]
Tensors = Annotated[dict[str, Any], Read(_read_tensors, _TENSORS_SCHEMA)]
Arguments = Annotated[dict[str, Any], Read(_read_items, {"type": "object"})]


class Parameter(Row):
    """A free parameter: its shape and how it begins, or its values."""

    kind = "parameter"
    shape: Annotated[list[Whole] | None, Words("a list of whole numbers")] = None
    value: Any = None
    initializer: InitializerOption | None = None
    dtype: Literal["float32", "float64", "float16", "bfloat16"] = "float32"
    regularizer: PenaltyOption | None = None

    @model_validator(mode="after")
    def _one_beginning(self) -> Parameter:
        if (self.shape is None) == (self.value is None):
            raise ValueError("a parameter has a shape, or a value whose shape it takes, and not both")
        if self.value is not None and self.initializer is not None:
            raise ValueError("a parameter with a value needs no initializer")
        return self

    @property
    def array(self) -> Any:
        """The given values as float64, or None."""
        return None if self.value is None else _numbers(self.value)


def _numbers(value: Any) -> Any:
    try:
        array = np.asarray(value)
    except ValueError:
        raise OptionError("the rows of a value must have one length", ("value",)) from None
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise OptionError(f"a value is a finite number or nested lists of them, not {show(value)}", ("value",))
    return array.astype(np.float64)


class Block(Row):
    """Layers under one name, used like a layer; `$argument` stands for what the user of the block gives."""

    kind = "block"
    arguments: Arguments = Field(default_factory=dict)
    input: Names | None = None
    inputs: Names | None = None
    layers: Layers | None = None
    tensors: Tensors | None = None
    parameters: Any = None
    output: Names | None = None
    outputs: Names | None = None


class TrainSection(Row):
    """What `isograd train` does unless it is told otherwise."""

    kind = "train"
    epochs: Count | None = None
    steps: Count | None = None
    batch_size: Count = 32
    shuffle: bool = True
    seed: Whole | None = None

    @model_validator(mode="after")
    def _one_length(self) -> TrainSection:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("train takes epochs or steps, not both")
        return self


def _read_data_name(value: Any) -> str:
    if not isinstance(value, str) or value not in LOADERS:
        raise OptionError(f"no data set is named {show(value)}{hint(str(value), LOADERS)}")
    return value


class DataSection(Row):
    """A data set by its name; a relative path starts from the spec's folder."""

    kind = "data"
    main = "name"
    name: Annotated[str, Read(_read_data_name, {"enum": list(LOADERS)})]
    path: Annotated[str | None, Words("a path")] = None


class Sections(Row):
    """A model, and how it is trained, in one file."""

    kind = "a spec"
    noun = "section"
    name: Name | None = None
    seed: Whole = 0
    input: Inputs | None = None
    inputs: Inputs | None = None
    parameters: Annotated[dict[str, Any], sections(Parameter)] = Field(default_factory=dict)
    blocks: Annotated[dict[str, Any], sections(Block)] = Field(default_factory=dict)
    layers: Layers | None = None
    tensors: Tensors | None = None
    output: Names | None = None
    outputs: Names | None = None
    loss: LossOption | None = None
    loss_weights: Annotated[dict[str, Number], Words("a mapping from outputs to numbers")] = Field(default_factory=dict)
    optimizer: OptimizerOption | None = None
    metrics: MetricsOption = ()
    data: Annotated[DataSection, section(DataSection)] | None = None
    train: Annotated[TrainSection, section(TrainSection)] = TrainSection()
