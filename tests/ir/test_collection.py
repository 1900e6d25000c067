"""Work without the collection of cycles leaves it as it was."""

from __future__ import annotations

import gc

import pytest

from isograd.ir.collection import uncollected


@uncollected
def outer(fail: bool) -> bool:
    found = inner()
    assert not gc.isenabled(), "a call within a call has turned it on again"
    if fail:
        raise ValueError("as asked")
    return found


@uncollected
def inner() -> bool:
    return gc.isenabled()


def test_collection_goes_on_afterwards() -> None:
    assert outer(False) is False
    assert gc.isenabled()
    with pytest.raises(ValueError, match="as asked"):
        outer(True)
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        assert outer(False) is False
        assert not gc.isenabled()
    finally:
        gc.enable()
