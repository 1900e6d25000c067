"""What a spec computes: bodies of named steps, with blocks unfolded, names resolved, and everything in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from ...ir.errors import SpecError
from .document import Document, Place
from .formula import Formula, parse_formula
from .layers import LAYERS, Layer
from .names import NOWHERE, hint, split_names
from .options import OptionError, below, read_row, reporting, show
from .parts import SEQUENTIAL, SHARE, Parts, Use, block_parts, given, read_use, top_parts
from .sections import Block, Parameter, Sections

MOST_STEPS = 10_000  # of a spec with its blocks unfolded and repeated
DEEPEST = 32  # how deep blocks may nest


@dataclass(frozen=True, eq=False)
class Step:
    """A layer, a formula or a block applied to named tensors.

    `also` are further names of the result, `rest` the names of further results; `is_named` says that its name is the
    user's own. Its arrays are called by `owner`: by its name, unless it shares those of another.
    """

    name: str
    kind: str
    what: Layer | Formula | Body | Shared
    operands: tuple[str, ...]
    place: Place
    also: tuple[str, ...] = ()
    is_named: bool = False
    rest: tuple[str, ...] = ()
    owner: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.also, self.name, *(name for name in self.rest if name != NOWHERE))


@dataclass(frozen=True, eq=False)
class Shared:
    """What stands for another step's layer until all steps are known."""

    use: Use
    of: str
    previous: str | None


@dataclass(frozen=True, eq=False)
class Body:
    """The steps of a model or of a block, in an order in which they can run."""

    inputs: tuple[str, ...]
    parameters: Mapping[str, tuple[Parameter, Place]]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(1 + (step.what.size if isinstance(step.what, Body) else 0) for step in self.steps)


def read_program(document: Document, sections: Sections) -> Body:
    """The body of a whole spec; raises `SpecError`."""
    for name in sections.blocks:
        if name in LAYERS.by_name or name in SEQUENTIAL or name == SHARE:
            raise document.error(("blocks", name), f"a block cannot be called {name!r}: a layer is")
    with reporting(document, ()):
        parts = top_parts(sections)
    return _Reader(document, sections.blocks).body(parts, ())


@dataclass
class _Names:
    """The names that a body gives, and those that it makes up, as Keras does: dense, dense_1, ..."""

    document: Document
    taken: dict[str, Place] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, place: Place) -> None:
        if name == NOWHERE:
            return
        if name in self.taken:
            raise self.document.error(place, f"the name {name!r} is taken: {self.document.where(self.taken[name])}")
        self.taken[name] = place

    def made_up(self, kind: str) -> str:
        while True:
            number = self.next.get(kind, 0)
            self.next[kind] = number + 1
            name = f"{kind}_{number}" if number else kind
            if name not in self.taken:
                return name


@dataclass
class _Reader:
    """Reads bodies; `blocks` are those of the spec, `count` is how many steps were read."""

    document: Document
    blocks: Mapping[str, Block]
    count: int = 0
    depth: int = 0

    def inner(self, parts: Parts, within: tuple[str, ...]) -> Body:
        """The body of a block."""
        if self.depth == DEEPEST:
            raise OptionError(f"blocks may nest {DEEPEST} deep, and these nest deeper")
        self.depth += 1
        body = self.body(parts, within)
        self.depth -= 1
        return body

    def body(self, parts: Parts, within: tuple[str, ...]) -> Body:
        uses = list(self._uses(parts))
        names = self._names(parts, uses)
        chain = list(self._chain(parts, uses, names, within))
        steps = self._resolved([*chain, *self._tensors(parts, names, within)])
        ordered = _ordered(self.document, parts, steps)
        outputs = tuple(parts.outputs) or ((chain[-1].names[0],) if chain else self._only_unused(parts, steps))
        body = Body(tuple(parts.inputs), parts.parameters, ordered, outputs)
        _check_uses(self.document, parts, body)
        if body.size > MOST_STEPS:
            raise self.document.error(parts.place, _TOO_MANY)
        return body

    def _uses(self, parts: Parts) -> Iterator[tuple[Use, Place]]:
        for item, place in parts.layers:
            with reporting(self.document, place):
                yield read_use(item), place

    def _names(self, parts: Parts, uses: Sequence[tuple[Use, Place]]) -> _Names:
        names = _Names(self.document)
        for name, place in parts.inputs.items():
            names.take(name, place)
        for name, (_, place) in parts.parameters.items():
            names.take(name, place)
        for key, (_, place) in parts.tensors.items():
            for name in split_names(key):
                names.take(name, place)
        for use, place in uses:
            for name in use.name or ():
                names.take(name, (*place, *use.name_place))
        return names

    def _chain(
        self, parts: Parts, uses: Sequence[tuple[Use, Place]], names: _Names, within: tuple[str, ...]
    ) -> Iterator[Step]:
        previous = next(iter(parts.inputs)) if len(parts.inputs) == 1 else None
        for use, place in uses:
            with reporting(self.document, place):
                steps = self._used(use, place, names, previous, within)
            previous = steps[-1].names[0]
            yield from steps

    def _tensors(self, parts: Parts, names: _Names, within: tuple[str, ...]) -> Iterator[Step]:
        for key, (item, place) in parts.tensors.items():
            name, *rest = split_names(key)
            with reporting(self.document, place):
                if isinstance(item, str):
                    formula = parse_formula(item)
                    self._add(1)
                    yield Step(name, "formula", formula, formula.names, place, is_named=True, rest=tuple(rest))
                else:
                    use = read_use(item)
                    if use.name is not None:
                        raise OptionError(f"the name of this tensor is its key, {key!r}", use.name_place)
                    yield from self._used(use.named(name, *rest), place, names, None, within)

    def _used(self, use: Use, place: Place, names: _Names, previous: str | None, within: tuple[str, ...]) -> list[Step]:
        """The steps of one use: one, or as many as it is repeated."""
        repeat = 1 if use.repeat is None else use.repeat
        self._add(repeat)
        kind, what = self._what(use, place, previous, within)
        operands = _operands(use, what, previous)
        made_up = what.of if isinstance(what, Shared) else kind
        (base, *rest), where = use.name or (names.made_up(made_up),), (*place, *use.place)
        if use.repeat is None:
            return [Step(base, kind, what, operands, where, is_named=use.name is not None, rest=tuple(rest))]
        if rest:
            raise OptionError(f"what is repeated has one result, and one name, not {len(rest) + 1}", use.name_place)
        inner = [f"{base}.{i}" for i in range(repeat)]
        before = (operands, *((name, *operands[1:]) for name in inner))
        return [Step(n, kind, what, before[i], where, (base,) if i == repeat - 1 else ()) for i, n in enumerate(inner)]

    def _add(self, steps: int) -> None:
        self.count += steps
        if self.count > MOST_STEPS:
            raise OptionError(_TOO_MANY)

    def _what(
        self, use: Use, place: Place, previous: str | None, within: tuple[str, ...]
    ) -> tuple[str, Layer | Body | Shared]:
        if use.kind == SHARE:
            if not isinstance(use.options, str):
                raise OptionError(f"share takes the name of a layer, not {show(use.options)}", use.place)
            return SHARE, Shared(use, use.options, previous)
        if use.kind in SEQUENTIAL:
            return SEQUENTIAL[0], self._sequential(use, place, within)
        if use.kind in self.blocks:
            return use.kind, self._block(use, place, within)
        if use.kind not in LAYERS.by_name:
            known = (*LAYERS.by_name, *self.blocks, *SEQUENTIAL, SHARE)
            raise OptionError(f"unknown layer {use.kind!r}{hint(use.kind, known)}", use.place)
        with below(*use.place):
            layer = read_row(LAYERS.find(use.kind), use.options)
        return layer.kind, layer

    def _sequential(self, use: Use, place: Place, within: tuple[str, ...]) -> Body:
        if not isinstance(use.options, list) or not use.options:
            raise OptionError(f"{use.kind} takes a list of layers, not {show(use.options)}", use.place)
        root = (*place, *use.place)
        layers = [(item, (*root, i)) for i, item in enumerate(use.options)]
        return self.inner(Parts({"x": root}, {}, layers, {}, {}, root), within)

    def _block(self, use: Use, place: Place, within: tuple[str, ...]) -> Body:
        if use.kind in within:
            circle = " -> ".join((*within[within.index(use.kind) :], use.kind))
            raise OptionError(f"the block {use.kind!r} uses itself: {circle}", use.place)
        arguments, root = given(use, self.blocks[use.kind]), ("blocks", use.kind)
        try:
            with reporting(self.document, root):
                parts = block_parts(self.blocks[use.kind], arguments, root)
            return self.inner(parts, (*within, use.kind))
        except SpecError as error:
            raise self.document.within(error, use.kind, (*place, *use.place)) from error.__cause__

    def _resolved(self, steps: Sequence[Step]) -> list[Step]:
        """The steps, with the layers that are shared in the place of those that share them."""
        by_name = {name: step for step in steps for name in step.names}
        return [self._shared(step, by_name) if isinstance(step.what, Shared) else step for step in steps]

    def _shared(self, step: Step, by_name: Mapping[str, Step]) -> Step:
        target, seen = step, {step}
        with reporting(self.document, step.place):
            while isinstance(target.what, Shared):
                name = target.what.of
                if name not in by_name:
                    raise OptionError(f"unknown layer {name!r} to share{hint(name, by_name)}")
                target = by_name[name]
                if target in seen:
                    raise OptionError(f"{name!r} shares itself")
                if name != target.name or isinstance(target.what, Formula):
                    what = "a formula" if isinstance(target.what, Formula) else "one of several layers or results"
                    raise OptionError(f"{name!r} is {what}; share names a layer")
                seen.add(target)
            assert isinstance(step.what, Shared)
            shared, inner = step.what, target.what
            operands = step.operands or _operands(shared.use, inner, shared.previous)
            _operands(replace(shared.use, kind=target.kind, of=operands), inner, None)
        return replace(step, kind=target.kind, what=inner, operands=operands, owner=target.name)

    def _only_unused(self, parts: Parts, steps: Sequence[Step]) -> tuple[str, ...]:
        """The only tensor that no other needs."""
        used = {name for step in steps for name in step.operands}
        free = [name for key in parts.tensors for name in split_names(key) if name not in used and name != NOWHERE]
        if len(free) == 1:
            return (free[0],)
        there = f": {', '.join(free)}" if free else ""
        raise self.document.error(
            (*parts.place, "tensors"),
            f"{len(free)} tensors are used by no other{there}; say with `output` which are meant",
        )


_TOO_MANY = f"with its blocks unfolded a spec may have {MOST_STEPS:,} layers, and this one has more"


def _operands(use: Use, what: Layer | Formula | Body | Shared, previous: str | None) -> tuple[str, ...]:
    if isinstance(what, Shared):
        return use.of or ((previous,) if previous is not None else ())
    assert not isinstance(what, Formula)
    least, most = (len(what.inputs),) * 2 if isinstance(what, Body) else (what.least, what.most)
    operands = use.of if use.of is not None else (previous,) if previous is not None else ()
    if len(operands) >= least and (most is None or len(operands) <= most):
        return operands
    number = "one tensor" if least == 1 else f"{'' if most == least else 'at least '}{least} tensors"
    if use.of is not None:
        raise OptionError(f"{use.kind} takes {number}, but `of` names {len(operands)}", use.place)
    raise OptionError(f"{use.kind} takes {number}: say which with `of: {'x' if least == 1 else '[x, y]'}`", use.place)


def _ordered(document: Document, parts: Parts, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps as they stand, or sorted where one needs a later one."""
    by_name = {name: step for step in steps for name in step.names}
    known = {*parts.inputs, *parts.parameters, *by_name}
    for step in steps:
        for name in step.operands:
            if name not in known:
                raise document.error(step.place, f"unknown tensor {name!r}{_advice(name, known)}")
    position = {step: i for i, step in enumerate(steps)}
    needs = {step: [by_name[n] for n in step.operands if n in by_name] for step in steps}
    if all(position[n] < position[step] for step, needed in needs.items() for n in needed):
        return tuple(steps)
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle: list[Step] = error.args[1][::-1]
        raise document.error(
            circle[0].place, f"these tensors need each other: {' -> '.join(s.name for s in circle)}"
        ) from None


def _advice(name: str, known: set[str]) -> str:
    if name in LAYERS.by_name:
        return f"; the layer of this name is applied by `{{{name}: , of: x}}`"
    return hint(name, sorted(known))


def _check_uses(document: Document, parts: Parts, body: Body) -> None:
    """Every output is there, and nothing is declared in vain."""
    made = {name: step for step in body.steps for name in step.names}
    for name in body.outputs:
        if name not in made and name not in body.inputs:
            raise document.error(parts.outputs[name], f"unknown tensor {name!r} among the outputs{hint(name, made)}")
    used = {name for step in body.steps for name in step.operands} | set(body.outputs)
    for name in body.inputs:
        if name not in used:
            raise document.error(parts.inputs[name], f"nothing uses the input {name!r}")
    for name, (_, place) in body.parameters.items():
        if name not in used:
            raise document.error(place, f"nothing uses the parameter {name!r}")
    for step in body.steps:
        if not used.intersection(step.names):
            raise document.error(step.place, f"nothing uses {step.name!r}, and it is no output")
