"""A spec as plain data, with the line on which each of its parts stands. Nothing in a spec is executed.

YAML is read event by event, so that no constructor of PyYAML is ever reached: tags, anchors, aliases, merge keys and
duplicate keys are refused where they stand. Scalars are those of YAML 1.2's core schema: `1e-3` is a number, and `no`
is a word.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...ir.errors import SpecError

Place = tuple[str | int, ...]  # the keys and indices that lead to a part of a spec
LIMIT = 1 << 20  # bytes of a spec
DEPTH = 64
PARTS = 1_000_000  # of a dict: shared objects in it may unfold to more than memory holds
DIGITS = 100
SUFFIXES = (".yaml", ".yml", ".json")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ELEMENT, _BRACKETS = re.compile("[A-Za-z]+[0-9]*"), re.compile(r"\[[A-Za-z0-9_, ]*\]")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}


@dataclass(frozen=True, eq=False)
class Document:
    """What a spec says, and where it says it. `base` is the folder that its relative paths start from."""

    data: dict[str, Any]
    name: str
    digest: str
    base: Path
    lines: Mapping[Place, int] = field(default_factory=dict)

    def where(self, place: Place, *, short: bool = False) -> str:
        """File and line of a part, or the keys that lead to it where the spec was a dict."""
        line = next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), None)
        name = Path(self.name).name if short else self.name
        return f"{name}:{line}" if line is not None else f"{name}: {keys(place)}" if place else name

    def error(self, place: Place, message: str) -> SpecError:
        return SpecError(f"{self.where(place)}: {message}")

    def within(self, error: SpecError, block: str, place: Place) -> SpecError:
        """An error of a block's part, with the place where the block was used; two such places are enough."""
        trail = f" (in the block {block!r}, used at {self.where(place)})"
        return SpecError(f"{error}{trail if str(error).count(' (in the block ') < 2 else ''}")


def keys(place: Place) -> str:
    """How Python would reach a part: `layers[1].dense.units`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")


def read_document(source: str | Path | Mapping[str, Any], base: str | Path | None = None) -> Document:
    """Read a file (.yaml, .yml, .json), YAML text (a str with a newline), or a dict."""
    if isinstance(source, Mapping):
        data = _plain(source, (), [0])
        text = json.dumps(data, sort_keys=True, default=_listed)
        return Document(data, "spec", _digest(text.encode()), Path(base or "."))
    if isinstance(source, str) and "\n" in source:
        _check_size(len(source.encode(errors="replace")), "spec")
        return _read_text(source, "spec", Path(base or "."), _read_yaml)
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES:
        raise SpecError(
            f"{path}: a spec is a file that ends in .yaml, .yml or .json, a dict, or YAML text of several lines"
        )
    reader = _read_json if path.suffix.lower() == ".json" else _read_yaml
    return _read_text(_file_text(path), str(path), Path(base) if base is not None else path.parent, reader)


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
        _check_size(len(content), str(path))
        return content.decode("utf-8")
    except OSError as error:
        raise SpecError(f"{path}: the spec cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: a spec is UTF-8 text, but byte {error.start} is not") from error


def _check_size(size: int, name: str) -> None:
    if size > LIMIT:
        raise SpecError(f"{name}: a spec may have {LIMIT:,} bytes, and this one has more")


def _read_text(text: str, name: str, base: Path, reader: Any) -> Document:
    text = text.removeprefix("\ufeff")
    tree = _Tree(name)
    data = reader(text, tree)
    if not isinstance(data, dict):
        raise SpecError(f"{name}: a spec is a mapping of sections such as `input` and `layers`, not {_kind(data)}")
    return Document(data, name, _digest(text.encode(errors="replace")), base, tree.lines)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML, and one thing more: a type within braces, `{image: float32[N, 8, 8]}`, which YAML itself cannot read."""

    def scan_plain(self) -> Any:
        token = super().scan_plain()
        text = self.prefix(DIGITS)
        brackets = _BRACKETS.match(text) if self.flow_level and self.index == token.end_mark.index else None
        if brackets is None or not _ELEMENT.fullmatch(token.value):
            return token
        self.forward(brackets.end())
        return yaml.ScalarToken(token.value + brackets[0], True, token.start_mark, self.get_mark())


def _read_yaml(text: str, tree: _Tree) -> Any:
    line = 1
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1
            tree.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SpecError(
            f"{tree.name}:{mark.line + 1 if mark else line}: this is not YAML: {error.problem or error.context}"
        ) from error
    except yaml.YAMLError as error:  # a character that YAML has no place for
        raise SpecError(f"{tree.name}: this is not YAML: {str(error).splitlines()[0]}") from error
    return tree.root


def _read_json(text: str, tree: _Tree) -> Any:
    """JSON is checked as such, then read as the YAML that it is too, which knows lines."""
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise SpecError(f"{tree.name}:{error.lineno}: this is not JSON: {error.msg}") from error
    except ValueError as error:
        raise SpecError(f"{tree.name}: this is not JSON: {error}") from error
    except RecursionError:
        raise SpecError(f"{tree.name}: a spec nests at most {DEPTH} deep") from None
    return _read_yaml(text.replace("\t", " "), tree)  # YAML has no tabs here, and a JSON string cannot hold one


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number there")


@dataclass
class _Open:
    """A list or mapping that is being read; a mapping's `key` waits for its value."""

    place: Place
    items: dict[str, Any] | list[Any]
    key: str | None = None


class _Tree:
    """Builds plain data and the lines of its parts from YAML's events."""

    def __init__(self, name: str) -> None:
        self.name, self.root, self.lines = name, None, dict[Place, int]()
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.NodeEvent):
            self._check(event, line)
            self._node(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error(line, "a spec is one document; `---` starts a second one")

    def _error(self, line: int, message: str) -> SpecError:
        return SpecError(f"{self.name}:{line}: {message}")

    def _check(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise self._error(
                line,
                f"`{mark}{event.anchor}`: a spec has no anchors and aliases; a block under `blocks` can be used often",
            )
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._error(line, f"the tag `{tag}` is refused: a spec is plain data and runs no code")
        if len(self._open) >= DEPTH and isinstance(event, yaml.CollectionStartEvent):
            raise self._error(line, f"a spec nests at most {DEPTH} deep")

    def _node(self, event: Any, line: int) -> None:
        if self._open and isinstance(self._open[-1].items, dict) and self._open[-1].key is None:
            return self._take_key(self._open[-1], event, line)
        place = self._next_place(line)
        if isinstance(event, yaml.ScalarEvent):
            return self._put(self._scalar(event, line))
        items: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._put(items)
        self._open.append(_Open(place, items))

    def _take_key(self, mapping: _Open, event: Any, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._error(line, "a key is a word, not a list or a mapping")
        key = str(event.value)
        if key == "<<" and event.style is None:
            raise self._error(line, "a spec has no merge keys (`<<`); a block under `blocks` can be used often")
        if key in mapping.items:
            first = self.lines[(*mapping.place, key)]
            raise self._error(line, f"the key {key!r} stands here twice; the first is on line {first}")
        mapping.key = key
        self.lines[(*mapping.place, key)] = line

    def _next_place(self, line: int) -> Place:
        if not self._open:
            return ()
        parent = self._open[-1]
        if isinstance(parent.items, dict):
            assert parent.key is not None
            return (*parent.place, parent.key)
        place = (*parent.place, len(parent.items))
        self.lines[place] = line
        return place

    def _put(self, value: Any) -> None:
        if not self._open:
            self.root = value
            return
        parent = self._open[-1]
        if isinstance(parent.items, dict):
            assert parent.key is not None
            parent.items[parent.key], parent.key = value, None
        else:
            parent.items.append(value)

    def _scalar(self, event: Any, line: int) -> Any:
        text = event.value
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > DIGITS and (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
            raise self._error(line, f"the number {text[:20]}... has {len(text)} characters")
        if _INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        return float(text) if _FLOAT.fullmatch(text) else text


def _plain(value: Any, place: Place, count: list[int]) -> Any:
    """A dict's parts as YAML would have given them; arrays stay arrays."""
    count[0] += 1
    if len(place) > DEPTH:
        raise SpecError(f"spec: a spec nests at most {DEPTH} deep")
    if count[0] > PARTS:
        raise SpecError(f"spec: a spec may have {PARTS:,} parts, and this one has more")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SpecError(f"{_spot(place)}: a key is a word, not {key!r}")
        return {key: _plain(item, (*place, key), count) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*place, i), count) for i, item in enumerate(value)]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str | np.ndarray):
        return value
    raise SpecError(f"{_spot(place)}: a spec holds numbers, words, lists and dicts, not {_kind(value)}")


def _spot(place: Place) -> str:
    return f"spec: {keys(place)}" if place else "spec"


def _listed(array: Any) -> Any:
    return array.tolist()


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")
