"""What functions are given, checked before any work begins: one call per argument, which returns it as plain Python.

Whatever cannot be meant is a `UsageError` that begins with the argument's name. numpy's numbers are as good as
Python's own; a bool is no number, and NaN is in no range.
"""

from __future__ import annotations

import math
import numbers
import os
import pathlib
import typing
from collections.abc import Iterable

from . import UsageError, did_you_mean

MOST_SHOWN = 60  # letters of a value


def whole(name: str, value: typing.Any, low: int = 0, high: int | None = None, wanted: str = "") -> int:
    """A whole number from `low` to `high`; `wanted` says so in better words."""
    if not _is_whole(value) or not low <= int(value) <= (math.inf if high is None else high):
        refuse(name, value, wanted or f"a whole number from {low}" + ("" if high is None else f" to {high}"))
    return int(value)


def number(name: str, value: typing.Any, low: float, high: float, wanted: str = "") -> float:
    """A number from `low` to `high`, both included."""
    if not low <= (found := _as_float(value)) <= high:
        refuse(name, value, wanted or f"a number from {low:g} to {high:g}")
    return found


def positive(name: str, value: typing.Any, wanted: str = "a finite number above 0") -> float:
    """A number above 0, of seconds or hours, that is not infinite."""
    if not 0 < (found := _as_float(value)) < math.inf:
        refuse(name, value, wanted)
    return found


def rate(name: str, value: typing.Any, low: int, high: int) -> int:
    """Samples per second: a whole number, which many libraries give as a float."""
    if not (low <= (found := _as_float(value)) <= high and found.is_integer()):
        refuse(name, value, f"a whole number from {low} to {high} samples per second, such as 44100")
    return int(found)


def choice(name: str, value: typing.Any, known: Iterable[str]) -> str:
    """One of the words that are known."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"is {shown(value)}{did_you_mean(str(value), known)}", argument=name)
    return value


def flag(name: str, value: typing.Any) -> bool:
    """True or False, numpy's too."""
    if type(value).__name__ not in ("bool", "bool_"):
        refuse(name, value, "True or False")
    return bool(value)


def path(name: str, value: typing.Any) -> pathlib.Path:
    """Where something is, as text or a path."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        refuse(name, value, "a path")
    return pathlib.Path(value)


def paths(name: str, value: typing.Any) -> list[pathlib.Path]:
    """One path, or several."""
    if isinstance(value, str | os.PathLike):
        return [path(name, value)]
    return [path(name, one) for one in _listed(name, value, "a path, or a list of them")]


def words(name: str, value: typing.Any) -> list[str]:
    """A list of texts; a text alone is none, for its letters would be taken for the texts."""
    found = _listed(name, value, "a list of texts")
    if isinstance(value, str) or not all(isinstance(word, str) for word in found):
        refuse(name, value, "a list of texts")
    return found


def pair(name: str, value: typing.Any, wanted: str) -> tuple[typing.Any, typing.Any]:
    """Two values, which are still to be checked."""
    found = _listed(name, value, wanted)
    if len(found) != 2 or isinstance(value, str | bytes):
        refuse(name, value, wanted)
    return found[0], found[1]


def function(name: str, value: typing.Any) -> None:
    """Something to call, or None."""
    if value is not None and not callable(value):
        refuse(name, value, "a function, or None")


def refuse(name: str, value: typing.Any, wanted: str) -> typing.NoReturn:
    raise UsageError(f"is {shown(value)}; wanted {wanted}", argument=name)


def shown(value: typing.Any) -> str:
    """A value on one short line, a number of numpy as Python writes it."""
    try:
        text = str(value) if isinstance(value, numbers.Real) else repr(value)
    except Exception:  # an object's own, or a whole number of thousands of digits
        text = f"a {type(value).__name__}"
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 3]}..."


def _is_whole(value: typing.Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _as_float(value: typing.Any) -> float:
    """NaN for what is no number, which is in no range, and for a whole number beyond all floats."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _listed(name: str, value: typing.Any, wanted: str) -> list[typing.Any]:
    if not isinstance(value, Iterable):
        refuse(name, value, wanted)
    try:
        return list(value)
    except TypeError:  # an array of no axes
        refuse(name, value, wanted)
