"""Finding the files that a musician means, without opening any."""

from __future__ import annotations

import contextlib
import os
import pathlib
import typing
from collections.abc import Iterator, Sequence

from ..errors import AudioError
from ..sound.reading import regular_file, shown
from .own_work import own_work


class Source(typing.NamedTuple):
    """One file below what was named. `problem` says why it cannot be used, where its stat already tells."""

    name: str  # below the folder that was named, with slashes, printable on one line
    path: pathlib.Path
    size: int
    changed: int  # mtime, ns
    problem: str
    made_here: bool = False  # by sharks: no music to learn from


def find_sources(roots: Sequence[str | os.PathLike[str]], out: pathlib.Path) -> list[Source]:
    """Every file in `roots` (files or folders, recursively), by name. Hidden ones in a folder have that as problem.

    Symbolic links are followed, each folder is entered once, and `out` never. What a file holds decides later whether
    it is audio, not its name. What sharks made itself is named once per folder. A root that does not exist is an
    `AudioError`; a file that is named outright is taken, whoever made it.
    """
    found = []
    given = [pathlib.Path(root) for root in roots]
    for root, label in zip(given, _labels(given), strict=True):
        if not os.path.lexists(root):
            raise AudioError(f"{shown(root)}: no such file or folder; wanted music")
        if not os.path.isdir(root):
            found.append(_source(root, label, named=True))
            continue
        prefix = f"{label}/" if len(given) > 1 else ""
        for path, made_here in _walk(root, out):
            name = prefix + path.relative_to(root).as_posix() if path != root else label
            found.append(_made_here(path, name, made_here) if made_here else _source(path, name))
    return sorted(found, key=lambda source: source.name)


def _labels(roots: Sequence[pathlib.Path]) -> list[str]:
    """A name for each: the last part of its path, or as many as tell it from the others."""
    parts = [pathlib.Path(os.path.abspath(root)).parts for root in roots]
    others = [{part for part in parts if part != mine} for mine in parts]

    def label(mine: tuple[str, ...], rest: set[tuple[str, ...]]) -> str:
        ends = next(k for k in range(1, len(mine) + 1) if k == len(mine) or all(o[-k:] != mine[-k:] for o in rest))
        return "/".join(part for part in mine[-ends:] if part != os.sep)

    return [label(mine, rest) for mine, rest in zip(parts, others, strict=True)]


def _walk(root: pathlib.Path, out: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Files below a folder, and folders that are hidden, cannot be listed, or are the system's own.

    And folders with what sharks made of them, in words; empty for all the others.
    """
    entered, avoid, systems = set(), os.path.realpath(out), _system_devices()
    unlisted: list[OSError] = []
    for folder, folders, files in os.walk(root, followlinks=True, onerror=unlisted.append):
        try:
            here = os.stat(folder)
        except OSError as error:  # it may be listed, but not entered
            unlisted.append(OSError(error.errno, error.strerror, folder))
            folders.clear()
            continue
        if here.st_dev in systems:
            folders.clear()
            yield pathlib.Path(folder), ""
            continue
        if (here.st_dev, here.st_ino) in entered or os.path.realpath(folder) == avoid:
            folders.clear()  # a loop of links, or our own output
            continue
        entered.add((here.st_dev, here.st_ino))
        ours = own_work(pathlib.Path(folder), files)
        if ours.what:
            yield pathlib.Path(folder), ours.what
        if ours.whole:
            folders.clear()
            continue
        yield from ((pathlib.Path(folder, name), "") for name in files if name not in ours.files)
        yield from ((pathlib.Path(folder, name), "") for name in folders if name.startswith("."))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ours.files)
    yield from ((pathlib.Path(error.filename), "") for error in unlisted)


def _system_devices() -> set[int]:
    """The devices of folders that look like files but are the state of the system, such as /proc."""
    found = set()
    for folder in ("/proc", "/sys", "/dev"):
        with contextlib.suppress(OSError):
            found.add(os.stat(folder).st_dev)
    return found - {os.stat(os.sep).st_dev}


def _made_here(path: pathlib.Path, name: str, what: str) -> Source:
    return Source(shown(name), path, 0, 0, f"{what}: no music to learn from", made_here=True)


def _source(path: pathlib.Path, name: str, named: bool = False) -> Source:
    """`named` outright, it is meant, hidden or not."""
    name = shown(name)
    try:
        if path.name.startswith(".") and not named:
            return Source(name, path, 0, 0, "hidden, so not looked at")
        if os.path.isdir(path):
            of_system = os.stat(path).st_dev in _system_devices()
            why = "a folder of the system, not entered" if of_system else "a folder that cannot be listed"
            return Source(name, path, 0, 0, why if of_system else f"{why}; check its permissions")
        stat = regular_file(path)
        return Source(name, path, stat.st_size, stat.st_mtime_ns, "")
    except AudioError as error:
        return Source(name, path, 0, 0, reason(error, path))


def reason(error: AudioError, path: str | os.PathLike[str]) -> str:
    """What an error says about a file, without the file's name."""
    return str(error).removeprefix(f"{shown(path)}: ")
