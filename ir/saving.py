"""A model as a folder: the text of its graphs, its arrays, its recipe."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from .errors import SpecError
from .graph import Graph
from .model import Loss, Model, Optimizer, Recipe, Regularizer, Schedule
from .parse import parse
from .text import graph_arrays, print_graph

FORMAT = 1
MODES = ("inference", "training")


def save(model: Model, folder: str | os.PathLike[str]) -> None:
    """Write a model into a new folder, or over one that holds a saved model; whole or not at all."""
    place = Path(folder)
    if place.exists() and any(place.iterdir()) and not (place / "model.json").exists():
        raise SpecError(f"{place} is a folder with other files; give a new one")
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".isograd-", dir=place.parent))
    try:
        arrays = {f"parameter:{k}": v for k, v in model.parameters.items()} | {
            f"state:{k}": v for k, v in model.state.items()
        }
        for mode in MODES:
            graph: Graph = getattr(model, mode)
            (draft / f"{mode}.txt").write_text(print_graph(graph), encoding="utf-8")
            arrays |= {f"{mode}:{k}": v for k, v in graph_arrays(graph).items()}
        save_file({k: np.asarray(v, order="C") for k, v in arrays.items()}, draft / "arrays.safetensors")
        head = {"format": FORMAT, "name": model.name, "source": model.source, "recipe": _recipe_out(model.recipe)}
        (draft / "model.json").write_text(json.dumps(head, indent=2))
        if place.exists():
            shutil.rmtree(place)
        os.replace(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: str | os.PathLike[str]) -> Model:
    """Read a folder that `save` wrote; nothing in it is executed. Raises `SpecError` where it is none."""
    place = Path(folder)
    try:
        head = json.loads((place / "model.json").read_text())
    except (OSError, ValueError) as error:
        raise SpecError(f"{place} is not a saved model: {error}") from None
    if head.get("format") != FORMAT:
        raise SpecError(f"{place} has the format {head.get('format')!r}; this version reads {FORMAT}")
    groups: dict[str, dict[str, np.ndarray]] = {"parameter": {}, "state": {}, **{m: {} for m in MODES}}
    for key, array in load_file(place / "arrays.safetensors").items():
        group, _, path = key.partition(":")
        groups[group][path] = array
    texts = {mode: (place / f"{mode}.txt").read_text(encoding="utf-8") for mode in MODES}
    return Model(
        head["name"],
        lambda mode: parse(texts[mode], groups[mode]),
        groups["parameter"],
        groups["state"],
        _recipe_in(head["recipe"]),
        head["source"],
    )


def _recipe_out(recipe: Recipe | None) -> Any:
    if recipe is None:
        return None
    return asdict(recipe) | {"several": isinstance(recipe.loss, Mapping)}


def _recipe_in(data: Any) -> Recipe | None:
    if data is None:
        return None
    loss = {k: Loss(**v) for k, v in data["loss"].items()} if data["several"] else Loss(**data["loss"])
    penalties = tuple(Regularizer(**r) for r in data["regularizers"])
    return Recipe(loss, optimizer_in(data["optimizer"]), tuple(data["metrics"]), data["loss_weights"], penalties)


def optimizer_in(data: Any) -> Optimizer:
    """An optimizer from what `asdict` made of it."""
    schedule = data.get("schedule")
    return Optimizer(**data | {"schedule": Schedule(**schedule) if schedule else None})
