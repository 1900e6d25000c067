"""The errors of isograd: each says what is wrong, where in the user's model, and what to do."""

from __future__ import annotations


class IsogradError(Exception):
    """The root of all errors that isograd raises on purpose."""


class SpecError(IsogradError):
    """A model spec, or data that a spec names, cannot be used."""


class TypeMismatchError(IsogradError):
    """Operands or attributes do not fit an op, or an array does not fit its declared type."""


class UnsupportedOpError(IsogradError):
    """One or more ops have no meaning here: no converter, no gradient, or no lowering; lists all of them."""


class BackendUnavailableError(IsogradError):
    """A backend's framework, or the device asked for, is not there."""


class UnsafeModelError(IsogradError):
    """A file was refused because it could run code, read other files, or exhaust memory."""


class ParseError(IsogradError):
    """A text is not that of a graph, or was changed so that it says what cannot be."""


class VerificationError(IsogradError):
    """A graph breaks an invariant of the IR: a defect of a pass or a frontend, not of the user's model."""


class GuardError(IsogradError):
    """The sizes given at run time break a condition under which the graph was built."""
