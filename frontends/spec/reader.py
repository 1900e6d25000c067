"""A spec that was read and checked: all but the sizes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ir.model import Loss, Optimizer
from ...ir.types import TensorType
from ..data import Data, load_data
from .document import Document, read_document
from .names import hint, is_name
from .options import read_row, reporting
from .program import Body, read_program
from .sections import DataSection, Sections, TrainSection

Source = str | Path | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Spec:
    """What a spec declares: its sections, and the program that its layers and tensors make."""

    document: Document
    sections: Sections
    program: Body

    @property
    def name(self) -> str:
        """The model's name: the spec's own, or the file's."""
        stem = re.sub(r"\W", "_", Path(self.document.name).stem)
        return self.sections.name or (stem if is_name(stem) and stem != "spec" else "model")

    @property
    def source(self) -> str:
        """The file's name and the digest of its content."""
        return f"{Path(self.document.name).name} (sha256 {self.document.digest})"

    @property
    def seed(self) -> int:
        return self.sections.seed

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        found: Mapping[str, TensorType] = self.sections.input or self.sections.inputs or {}
        return found

    @property
    def loss(self) -> Loss | Mapping[str, Loss] | None:
        found: Loss | Mapping[str, Loss] | None = self.sections.loss
        return found

    @property
    def optimizer(self) -> Optimizer | None:
        return self.sections.optimizer

    @property
    def data(self) -> DataSection | None:
        return self.sections.data

    @property
    def train(self) -> TrainSection:
        return self.sections.train

    @property
    def training(self) -> dict[str, Any]:
        """How the model is to be trained: batch_size, seed, shuffle, and steps or epochs where the spec says so."""
        settings = self.train.model_dump(exclude_none=True)
        return {"seed": self.seed} | settings


def read_spec(source: Source, *, base: str | Path | None = None) -> Spec:
    """Read a spec: a path to .yaml, .yml or .json, YAML text of several lines, or a dict. Raises `SpecError`.

    `base` is the folder from which relative paths start; by default that of the file.
    """
    document = read_document(source, base)
    with reporting(document, ()):
        sections = read_row(Sections, document.data)
    spec = Spec(document, sections, read_program(document, sections))
    _check_recipe(spec)
    return spec


def spec_data(spec: Spec) -> Data | None:
    """The data that a spec names, or None where it names none."""
    return None if spec.data is None else load_data(spec.data.name, path=spec.data.path, base=spec.document.base)


def _check_recipe(spec: Spec) -> None:
    """A loss and an optimizer come together, and what they name is there."""
    sections, document, outputs = spec.sections, spec.document, spec.program.outputs
    if sections.loss is None:
        for name in ("optimizer", "metrics", "loss_weights"):
            if name in document.data:
                raise document.error((name,), f"{name!r} says how to train, and needs the section 'loss'")
        return
    if sections.optimizer is None:
        raise document.error(("loss",), "a loss needs the section 'optimizer', such as `optimizer: sgd`")
    if isinstance(sections.loss, Loss) and len(outputs) > 1:
        raise document.error(
            ("loss",), f"the model has the outputs {', '.join(outputs)}: give a loss for each by its name"
        )
    named = {} if isinstance(sections.loss, Loss) else sections.loss
    for section, names in (("loss", named), ("loss_weights", sections.loss_weights)):
        for name in names:
            if name not in outputs:
                raise document.error((section, name), f"unknown output {name!r} of the model{hint(name, outputs)}")
