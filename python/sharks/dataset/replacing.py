"""Whether a dataset may be replaced by one of other music: not silently where somebody still needs it."""

from __future__ import annotations

import contextlib
import json
import pathlib
import tomllib
import typing
from collections.abc import Callable, Collection, Sequence

from ..errors import UsageError
from ..files.atomic import atomically
from ..sound.reading import shown
from .own_work import CONFIG

PLACES = "places.json"

Replace = bool | Callable[[str], bool]  # or who is asked, in a sentence
_NAMED = 3  # songs in a sentence


def check_replacing(
    folder: pathlib.Path, old: dict[str, typing.Any], roots: Sequence[str], songs: Collection[str], replace: Replace
) -> None:
    """Refuse to write a dataset of these songs over `old`, the table of another one, unless it may.

    It may where nobody learns from the old one and both come from the same place, or where `replace` says so.
    """
    runs = dependents(folder, str(old.get("fingerprint")))
    before = _places(folder)
    elsewhere = bool(before) and not set(before) & set(roots)
    if not runs and not elsewhere:
        return
    reasons = [f"it was made from {', '.join(map(shown, before))}"] if elsewhere else []
    reasons += [f"{' and '.join(map(shown, runs))} learnt from it and could not go on"] if runs else []
    was = {str(track["name"]) for track in old.get("tracks", ())}
    sentence = f"{shown(folder)}: is a dataset of other music ({_difference(was, set(songs))}): {'; '.join(reasons)}"
    if replace if isinstance(replace, bool) else replace(sentence):
        return
    raise UsageError(
        f"{sentence}; choose another folder (-o), or replace it by `sharks prepare --replace` (in Python replace=True)"
    )


def remember_places(folder: pathlib.Path, roots: Sequence[str]) -> None:
    """Keep where the music of a dataset lies, beside it: another place makes no other dataset of the same samples."""
    with atomically(folder / PLACES) as file:
        file.write(json.dumps(list(roots)).encode())


def _places(folder: pathlib.Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return [str(place) for place in json.loads((folder / PLACES).read_bytes())]
    return []


def dependents(folder: pathlib.Path, fingerprint: str) -> list[pathlib.Path]:
    """Runs that learnt from the dataset in a folder: in its project, in a folder `runs` beside it, or in one here."""
    home = folder.absolute().parent
    places = [home.glob("run*"), home.glob("runs/*"), home.parent.glob("runs/*"), pathlib.Path("runs").glob("*")]
    found: dict[pathlib.Path, pathlib.Path] = {}
    for run in (run for place in places for run in sorted(place)):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            table = tomllib.loads((run / CONFIG).read_text(encoding="utf-8"))
            if table["run"]["dataset"] == fingerprint:
                found.setdefault(run.resolve(), run)
    return list(found.values())


def _difference(was: set[str], now: set[str]) -> str:
    parts = []
    for word, names in (("more", sorted(now - was)), ("fewer", sorted(was - now))):
        if names:
            more = f" and {len(names) - _NAMED} others" if len(names) > _NAMED else ""
            parts.append(f"{len(names)} {word} now: {', '.join(map(shown, names[:_NAMED]))}{more}")
    return "; ".join(parts) or "the same names, other samples or another split"
