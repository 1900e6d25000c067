"""The published JSON schema: current, and telling good specs from bad where a schema can."""

import json

from isograd.frontends.spec.layers import LAYERS
from isograd.frontends.spec.options import REFERENCE
from isograd.frontends.spec.schema import FILE, json_schema, text


def test_the_published_schema_is_current():
    hint = "write it anew: python -m isograd.frontends.spec.schema > frontends/spec/schema.json"
    assert FILE.read_text() == text(), hint


def references(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for item in schema.values():
            yield from references(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def test_every_reference_leads_somewhere():
    schema = json_schema()
    assert set(references(schema)) <= {f"#/$defs/{name}" for name in schema["$defs"]}
    assert f'"{REFERENCE}":' not in json.dumps(schema)


def test_the_layers_and_their_options_are_there():
    schema = json_schema()
    layers = schema["$defs"]["layer"]["anyOf"][1]["properties"]
    assert set(layers) == {*LAYERS.by_name, "sequential", "Sequential", "share", "of", "name", "repeat"}
    dense = schema["$defs"]["layer.dense"]["anyOf"][0]
    assert dense["required"] == ["units"]
    assert dense["additionalProperties"] is False
    assert dense["properties"]["kernel_initializer"]["anyOf"][0] == {"$ref": "#/$defs/initializer"}
