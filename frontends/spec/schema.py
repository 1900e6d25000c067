"""The JSON schema of a spec, for editors; `schema.json` is what `json_schema()` gave when it was last written.

python -m isograd.frontends.spec.schema > frontends/spec/schema.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .initializers import INITIALIZERS
from .layers import ACTIVATIONS, LAYERS, RECURRENT
from .options import NAMES_SCHEMA, REFERENCE, Row, Schema, Table
from .parts import BESIDE, SEQUENTIAL, SHARE
from .penalties import Penalty
from .sections import Block, DataSection, Parameter, Sections, TrainSection

FILE = Path(__file__).with_name("schema.json")


def json_schema() -> Schema:
    """What a spec may look like, as JSON Schema 2020-12. Blocks have their own names, so a layer may have any."""
    definitions = {row.kind: _row(row) for row in (Parameter, Block, DataSection, TrainSection, Penalty)}
    for table in (LAYERS, RECURRENT, ACTIVATIONS, INITIALIZERS):
        definitions |= {f"{table.what}.{row.kind}": _row(row, table is LAYERS) for row in table.rows}
        definitions[table.what] = _choice(table)
    definitions["argument"] = {"type": "string", "pattern": r"^\$\w+$"}
    layer = definitions["layer"]["anyOf"]
    layer[0] = {"type": "string", "examples": layer[0]["enum"]}
    lists = {name: {"type": "array", "items": {REFERENCE: "layer"}, "minItems": 1} for name in SEQUENTIAL}
    lists[SHARE] = {"type": "string"}
    layer[1] = {"type": "object", "properties": layer[1]["properties"] | lists | _beside()}
    head: Schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "isograd model spec"}
    linked: Schema = _linked(_row(Sections) | {"$defs": definitions})
    return head | linked


def _beside() -> Schema:
    names, name, repeat = BESIDE
    return {names: NAMES_SCHEMA, name: NAMES_SCHEMA, repeat: {"type": "integer", "minimum": 1}}


def _row(row: type[Row], is_layer: bool = False) -> Schema:
    """A row's options: a mapping, nothing where none is needed, or the main option alone."""
    options = row.model_json_schema()
    properties = options.setdefault("properties", {})
    if is_layer:  # in a block, any option may be one of the block's arguments
        properties |= {name: {"anyOf": [option, {REFERENCE: "argument"}]} for name, option in properties.items()}
        properties |= _beside()
    alone = [options["properties"][row.main]] if row.main else []
    nothing = [] if options.get("required") or row is Sections else [{"type": "null"}]
    return {"anyOf": [options, *alone, *nothing]} if alone or nothing else options


def _choice(table: Table[Any]) -> Schema:
    """A row of a table: its name where no option is needed, or its name with options."""
    rows = {name: {REFERENCE: f"{table.what}.{row.kind}"} for name, row in table.by_name.items()}
    bare = [n for n, row in table.by_name.items() if not any(f.is_required() for f in row.model_fields.values())]
    options = {
        "type": "object",
        "properties": rows,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [{"enum": bare}, options]}


def _linked(schema: Any) -> Any:
    """The schema with references in the place of their stand-ins, and without pydantic's titles."""
    if isinstance(schema, list):
        return [_linked(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if REFERENCE in schema:
        return {"$ref": f"#/$defs/{schema[REFERENCE]}"}
    return {key: _linked(item) for key, item in schema.items() if key != "title" or isinstance(item, dict)}


def text() -> str:
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(text(), end="")
