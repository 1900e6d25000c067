"""Reading any file that isograd understands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..ir.errors import SpecError
from ..ir.model import Model
from ..ir.saving import load as load_saved

SPECS = (".yaml", ".yml", ".json")


def load(path_or_object: Any, trust: bool = False) -> Model:
    """A model from a spec (a path or a dict) or from a folder that `model.save` wrote; a Model is given back.

    Nothing that a file names is executed, and `trust` changes nothing for these kinds of file. Raises `SpecError`
    for what it does not know.
    """
    from .spec import from_spec

    if isinstance(path_or_object, Model):
        return path_or_object
    if isinstance(path_or_object, dict):
        return from_spec(path_or_object)
    if not isinstance(path_or_object, str | os.PathLike):
        raise SpecError(
            f"isograd.load takes a path or a dict, not {type(path_or_object).__name__}; "
            "other frameworks' models come with later versions"
        )
    path = Path(path_or_object)
    if not path.exists():
        raise SpecError(f"there is no file {path}")
    if path.is_dir():
        return load_saved(path)
    if path.suffix.lower() in SPECS:
        return from_spec(path)
    raise SpecError(
        f"isograd does not read {path.suffix or 'such'} files: {path}; "
        f"it reads {', '.join(SPECS)} and folders of model.save"
    )
