"""The parts of a body as they stand in a spec: uses of layers, with the arguments of blocks filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .document import Place
from .names import hint
from .options import OptionError, below, check_name, read_named, read_row, show
from .sections import Block, Parameter, Sections

BESIDE = ("of", "name", "repeat")  # what stands beside a layer's name, or among its options
SHARE = "share"  # the layer or block of a name once more, with its parameters
SEQUENTIAL = ("sequential", "Sequential")  # a block without a name, written where it is used
_ARGUMENT = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Parts:
    """Everything that a body has, each with its place; `place` is that of the body itself."""

    inputs: Mapping[str, Place]
    parameters: Mapping[str, tuple[Parameter, Place]]
    layers: Sequence[tuple[Any, Place]]
    tensors: Mapping[str, tuple[Any, Place]]
    outputs: Mapping[str, Place]
    place: Place


@dataclass(frozen=True)
class Use:
    """A layer or block as it is used. `place` leads from the use to its options, `name_place` to its name.

    `name` has a name for each of its results; its arrays are called by the first.
    """

    kind: str
    options: Any
    place: Place = ()
    name: tuple[str, ...] | None = None
    name_place: Place = ()
    of: tuple[str, ...] | None = None
    repeat: int | None = None

    def named(self, *names: str) -> Use:
        return replace(self, name=names)


def top_parts(sections: Sections) -> Parts:
    """The parts of a whole spec."""
    if sections.layers is None and sections.tensors is None:
        raise OptionError("a spec needs the section 'layers' or the section 'tensors'")
    inputs = _either(sections, "input", ())
    if not inputs:
        raise OptionError("a spec needs the section 'input', such as `input: {x: float32[N, 8]}`")
    parameters = {name: (parameter, ("parameters", name)) for name, parameter in sections.parameters.items()}
    return Parts(inputs, parameters, *_filled_parts(sections, {}, ()), _either(sections, "output", ()), ())


def block_parts(block: Block, arguments: Mapping[str, Any], root: Place) -> Parts:
    """The parts of a block that was given its arguments; errors stand below `root`."""
    if block.layers is None and block.tensors is None:
        raise OptionError("a block needs 'layers' or 'tensors'")
    with below("parameters"):
        rows = read_named(
            _filled(block.parameters or {}, arguments, ()), "parameter", lambda item: read_row(Parameter, item)
        )
    parameters = {name: (row, (*root, "parameters", name)) for name, row in rows.items()}
    inputs = _either(block, "input", root) or {"x": root}
    return Parts(inputs, parameters, *_filled_parts(block, arguments, root), _either(block, "output", root), root)


def _either(source: Sections | Block, name: str, root: Place) -> dict[str, Place]:
    """The names under `input` or `inputs`, whichever is there, with their places."""
    found = {key: getattr(source, key, None) for key in (name, f"{name}s")}
    given = {key: items for key, items in found.items() if items is not None}
    if len(given) > 1:
        raise OptionError(f"{name!r} and '{name}s' mean the same: give one of them", (f"{name}s",))
    for key, items in given.items():
        if isinstance(items, dict):
            return {item: (*root, key, item) for item in items}
        return dict.fromkeys([items] if isinstance(items, str) else items, (*root, key))
    return {}


def _filled_parts(source: Sections | Block, arguments: Mapping[str, Any], root: Place) -> tuple[Any, Any]:
    layers = _filled(source.layers or [], arguments, ("layers",))
    tensors = _filled(source.tensors or {}, arguments, ("tensors",))
    return (
        [(item, (*root, "layers", i)) for i, item in enumerate(layers)],
        {name: (item, (*root, "tensors", name)) for name, item in tensors.items()},
    )


def _filled(value: Any, arguments: Mapping[str, Any], place: Place) -> Any:
    """A part of a spec with `$argument` replaced by what the block was given."""
    if isinstance(value, dict):
        return {key: _filled(item, arguments, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, arguments, (*place, i)) for i, item in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    with below(*place):
        whole = _ARGUMENT.fullmatch(value)
        return (
            _argument(whole[1], arguments)
            if whole
            else _ARGUMENT.sub(lambda found: _written(found[1], arguments), value)
        )


def _argument(name: str, arguments: Mapping[str, Any]) -> Any:
    if name not in arguments:
        advice = hint(name, arguments) or "; a block declares its arguments under `arguments`"
        raise OptionError(f"unknown argument '${name}'{advice}")
    return arguments[name]


def _written(name: str, arguments: Mapping[str, Any]) -> str:
    """An argument within a formula: a number, or a name."""
    value = _argument(name, arguments)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise OptionError(f"the argument '${name}' is {show(value)}, which cannot stand within a text")
    return value if isinstance(value, str) else f"({value!r})"


def read_use(item: Any) -> Use:
    """A use from `layer`, or `layer: options` with `of`, `name` and `repeat` beside the layer or among its options."""
    if isinstance(item, str):
        return Use(item, None)
    if not isinstance(item, dict):
        raise OptionError(f"a layer is its name, or its name with options, not {show(item)}")
    kinds = [key for key in item if key not in BESIDE]
    if len(kinds) != 1:
        raise _not_one_layer(item, kinds)
    kind, options = kinds[0], item[kinds[0]]
    places: dict[str, Place] = {key: (key,) for key in item}
    beside = {key: item[key] for key in BESIDE if key in item}
    if isinstance(options, dict):
        for key in BESIDE:
            if key in options and key in beside:
                raise OptionError(f"{key!r} stands beside {kind} and among its options", (kind, key))
            if key in options:
                beside[key], places[key] = options[key], (kind, key)
        options = {key: value for key, value in options.items() if key not in BESIDE}
    checked = {key: _read_beside(key, value, places[key]) for key, value in beside.items()}
    return Use(kind, options, (kind,), name_place=places.get("name", ()), **checked)


def _not_one_layer(item: Mapping[str, Any], kinds: Sequence[str]) -> OptionError:
    if not kinds:
        return OptionError(f"here is no layer, but {' and '.join(map(repr, item)) or 'nothing'} alone")
    first, second = kinds[:2]
    near = hint(second, BESIDE) if "did you mean" in hint(second, BESIDE) else ""
    advice = near or f"; the options of a layer stand below it: `{first}: {{{second}: ...}}`"
    return OptionError(f"{second!r} cannot stand beside {first!r}{advice}", (second,))


def _read_beside(key: str, value: Any, place: Place) -> Any:
    if key == "name":
        names = value if isinstance(value, list) and value else [value]
        for name in names:
            check_name(name, place)
        return tuple(names)
    if key == "repeat":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise OptionError(f"repeat must be a positive whole number, not {show(value)}", place)
        return value
    names = value if isinstance(value, list) and value else [value]
    if not all(isinstance(name, str) for name in names):
        raise OptionError(f"`of` names a tensor, or a list of them, not {show(value)}", place)
    return tuple(names)


def given(use: Use, block: Block) -> dict[str, Any]:
    """The arguments of a block: what its user gives, and the defaults. One whose default is null must be given."""
    known = block.arguments
    options = {} if use.options is None else use.options
    if not isinstance(options, dict):
        if not known:
            raise OptionError(f"the block {use.kind!r} takes no arguments, not {show(options)}", use.place)
        options = {next(iter(known)): options}
    for name in options:
        if name not in known:
            raise OptionError(
                f"the block {use.kind!r} has no argument {name!r}{hint(name, known) or '; it has none'}",
                (*use.place, name),
            )
    arguments = dict(known) | options
    for name, value in arguments.items():
        if value is None:
            raise OptionError(f"the block {use.kind!r} needs the argument {name!r}", use.place)
    return arguments
