"""Rows and tables: what a name in a spec takes, checked by pydantic, with errors that a person can use.

A row is a class whose fields are the options; a table finds a row by its name. In a spec a row is written
`name`, `name: {option: value}`, or `name: value` where the row has a main option.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from .document import Document, Place
from .names import hint, is_name


class OptionError(Exception):
    """What is wrong with a part of a spec, and where below the part that was read."""

    def __init__(self, message: str, place: Place = ()) -> None:
        super().__init__(message)
        self.message, self.place = message, place


class Row(BaseModel):
    """What one name in a spec takes. `main` is the option that may stand alone."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    kind: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    main: ClassVar[str | None] = None
    noun: ClassVar[str] = "option"


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Table(Generic[R]):
    """Rows by their names. `what` is what a row is: a layer, an initializer, a recurrent_layer, ..."""

    what: str
    rows: tuple[type[R], ...]

    @property
    def word(self) -> str:
        return self.what.replace("_", " ")

    @cached_property
    def by_name(self) -> dict[str, type[R]]:
        return {name: row for row in self.rows for name in (row.kind, *row.aliases)}

    def find(self, name: str) -> type[R]:
        row = self.by_name.get(name)
        if row is None:
            raise OptionError(f"unknown {self.word} {name!r}{hint(name, self.by_name)}")
        return row

    def read(self, value: Any) -> R:
        """A row from `name` or `{name: options}`."""
        if isinstance(value, str):
            return read_row(self.find(value), {})
        if isinstance(value, dict) and len(value) == 1:
            ((name, options),) = value.items()
            with below(name):
                return read_row(self.find(name), options)
        raise OptionError(
            f"the {self.word} must be a name, or a name with options such as {self._example}, not {show(value)}"
        )

    @property
    def _example(self) -> str:
        row = next(r for r in self.rows if r.model_fields)
        return f"`{row.kind}: {{{next(iter(row.model_fields))}: ...}}`"


def read_row(row: type[R], options: Any) -> R:
    """A row from its options: a mapping, nothing, or the main option alone."""
    if options is None:
        options = {}
    if not isinstance(options, dict):
        if row.main is None:
            raise OptionError(f"{row.kind} takes {_listing(row)}, not {show(options)} alone")
        options = {row.main: options}
    try:
        return row.model_validate(options)
    except ValidationError as error:
        raise _explain(row, options, error) from None


@contextlib.contextmanager
def below(*place: str | int) -> Iterator[None]:
    """An error in the block stands below `place`."""
    try:
        yield
    except OptionError as error:
        raise OptionError(error.message, (*place, *error.place)) from None


@contextlib.contextmanager
def reporting(document: Document, place: Place) -> Iterator[None]:
    """What is wrong with the part at `place` becomes an error that says where."""
    try:
        yield
    except OptionError as error:
        raise document.error((*place, *error.place), error.message) from error.__cause__


def _listing(row: type[Row]) -> str:
    return f"{row.noun}s by name ({', '.join(row.model_fields)})" if row.model_fields else f"no {row.noun}s"


def _explain(row: type[Row], options: dict[str, Any], error: ValidationError) -> OptionError:
    """The one thing to say about options that are not valid."""
    found = min(
        error.errors(include_url=False), key=lambda e: e["type"] == "missing"
    )  # a misspelt key leaves one missing
    return _message(row, options, found)


def _message(row: type[Row], options: dict[str, Any], found: ErrorDetails) -> OptionError:
    place = tuple(found["loc"])
    if not place:
        return OptionError(found["msg"].removeprefix("Value error, "))
    name = str(place[0])
    if found["type"] == "extra_forbidden":
        return OptionError(f"{row.kind} has no {row.noun} {name!r}{hint(name, row.model_fields)}", place)
    if found["type"] == "missing":
        return OptionError(f"{row.kind} needs the {row.noun} {name!r}")
    if found["type"] == "part":
        return OptionError(found["ctx"]["message"], (name, *found["ctx"]["place"]))
    field = row.model_fields[name]
    words = _words(field.annotation, field.metadata)
    return OptionError(f"{name} of {row.kind} must be {words}, not {show(options[name])}", (name,))


def show(value: Any) -> str:
    """A value of a spec as the spec would have it, cut to a readable length."""
    text = json.dumps(value, default=repr) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(frozen=True)
class Words:
    """What a type of option is called in an error."""

    text: str


def _words(annotation: Any, metadata: list[Any]) -> str:
    own = next((m.text for m in metadata if isinstance(m, Words)), None)
    if own is not None:
        return str(own)
    if get_origin(annotation) is Literal:
        return " or ".join(map(repr, get_args(annotation)))
    if get_origin(annotation) is Annotated:
        return _words(get_args(annotation)[0], list(get_args(annotation)[1:]))
    if annotation is bool:
        return "true or false"
    return next((words for words in (_words(a, []) for a in get_args(annotation)) if words), "")


Schema = dict[str, Any]


def schema_reference(name: str) -> Schema:
    """What stands in a field's JSON schema for a definition, until `schema` makes a reference of it."""
    return {REFERENCE: name}


REFERENCE = "isograd"


@dataclass(frozen=True, eq=False)
class Read:
    """The type of a field that a reader of our own reads, so that its errors keep their place."""

    reader: Callable[[Any], Any]
    schema: Schema

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return self.schema

    def _validate(self, value: Any) -> Any:
        try:
            return self.reader(value)
        except OptionError as error:
            raise PydanticCustomError("part", "{message}", {"message": error.message, "place": error.place}) from None


def choice(table: Table[Any]) -> Read:
    """A field that names a row of a table."""
    return Read(table.read, schema_reference(table.what))


def section(row: type[Row]) -> Read:
    """A field that holds the options of one row."""
    return Read(lambda value: read_row(row, value), schema_reference(row.kind))


def sections(row: type[Row]) -> Read:
    """A field that holds a mapping from names to the options of a row."""
    return Read(
        lambda value: read_named(value, row.kind, lambda item: read_row(row, item)),
        {"type": "object", "additionalProperties": schema_reference(row.kind)},
    )


def read_named(value: Any, what: str, reader: Callable[[Any], Any]) -> dict[str, Any]:
    """A mapping from valid names, each item read by `reader`."""
    if not isinstance(value, dict):
        raise OptionError(f"a mapping from the name of each {what} is expected, not {show(value)}")
    items = {}
    for name, item in value.items():
        check_name(name, (name,))
        with below(name):
            items[name] = reader(item)
    return items


def check_name(name: object, place: Place = ()) -> None:
    if not is_name(name):
        raise OptionError(
            f"{show(name)} is not a name: letters, digits and _, no digit first, and no word of Python", place
        )


# types of options


def _name(value: Any) -> Any:
    if not is_name(value):
        raise ValueError("no name")
    return value


@dataclass(frozen=True)
class PerAxis(Words):
    """One number for all axes, or one for each."""

    rank: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._fill, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["prefixItems"][0], several]}

    def _fill(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,) * self.rank
        return tuple(value) if isinstance(value, list) else value


Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
    Words("a name of letters, digits and _"),
]
Count = Annotated[int, Field(gt=0), Words("a positive whole number")]
Whole = Annotated[int, Field(ge=0), Words("a whole number of at least 0")]
Index = Annotated[int, Words("a whole number")]
Number = Annotated[float, Field(allow_inf_nan=False), Words("a number")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), Words("a positive number")]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), Words("a number of at least 0")]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Words("a number from 0 to 1")]
_WHOLE = "a whole number of at least 0"
Wholes1 = Annotated[tuple[Whole], PerAxis(_WHOLE, 1)]
Wholes2 = Annotated[tuple[Whole, Whole], PerAxis(f"{_WHOLE} or a list of 2", 2)]
Wholes3 = Annotated[tuple[Whole, Whole, Whole], PerAxis(f"{_WHOLE} or a list of 3", 3)]
Sizes1 = Annotated[tuple[Count], PerAxis("a positive whole number", 1)]
Sizes2 = Annotated[tuple[Count, Count], PerAxis("a positive whole number or a list of 2", 2)]
Sizes3 = Annotated[tuple[Count, Count, Count], PerAxis("a positive whole number or a list of 3", 3)]

NAMES_SCHEMA: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
