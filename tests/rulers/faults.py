"""A disk that fails on purpose: every way in which a program changes files, counted, and one of them refused.

Counted are opening for writing, each write that reaches the system, fsync of files and folders, rename, unlink and
mkdir, below one folder. A refused write puts half of its bytes down first, as a disk does that fills up.
"""

from __future__ import annotations

import builtins
import io
import os
import pathlib
import typing
from collections.abc import Callable


def refuse(number: int) -> Callable[[], None]:
    """What a disk does that refuses: raise the OSError of an errno."""

    def act() -> None:
        raise OSError(number, os.strerror(number))

    return act


class Faults:
    """While it is entered, calls `act` at point `at` (from 0; None only counts). `.points` are those passed so far."""

    def __init__(self, folder: pathlib.Path, at: int | None = None, act: Callable[[], None] | None = None) -> None:
        self.points: list[str] = []
        self._folder, self._at, self._act = str(folder), at, act
        self._real: dict[tuple[typing.Any, str], typing.Any] = {}

    @property
    def struck(self) -> bool:
        return self._at is not None and len(self.points) > self._at

    def point(self, what: str, path: typing.Any, before: Callable[[], None] = lambda: None) -> None:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        if not os.fspath(path).startswith(self._folder):
            return
        self.points.append(f"{what} {os.path.relpath(path, self._folder)}")
        if len(self.points) - 1 == self._at and self._act:
            before()
            self._act()

    def __enter__(self) -> Faults:
        self._replace(builtins, "open", self._open)
        for name, what in (("replace", "rename to"), ("fsync", "fsync"), ("unlink", "unlink"), ("mkdir", "mkdir")):
            self._watch(name, what, place=1 if name == "replace" else 0)
        return self

    def __exit__(self, *_: object) -> None:
        for (module, name), real in self._real.items():
            setattr(module, name, real)

    def _replace(self, module: typing.Any, name: str, substitute: typing.Any) -> None:
        self._real[module, name] = getattr(module, name)
        setattr(module, name, substitute)

    def _watch(self, name: str, what: str, place: int) -> None:
        real = getattr(os, name)

        def watched(*arguments: typing.Any, **settings: typing.Any) -> typing.Any:
            if name != "mkdir" or not os.path.exists(arguments[place]):  # what is there need not be made
                self.point(what, arguments[place])
            return real(*arguments, **settings)

        self._replace(os, name, watched)

    def _open(self, file: typing.Any, mode: str = "r", buffering: int = -1, *more: typing.Any, **named: typing.Any):
        if not set(mode) & set("wxa") or "b" not in mode or isinstance(file, int):
            return self._real[builtins, "open"](file, mode, buffering, *more, **named)
        self.point("open", file)
        raw = _Raw(self, os.fspath(file), mode.replace("b", ""))
        return raw if buffering == 0 else io.BufferedWriter(raw)


class _Raw(io.FileIO):
    def __init__(self, faults: Faults, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._faults, self._path = faults, path

    def write(self, data: typing.Any) -> int:
        whole = memoryview(data).cast("B")
        self._faults.point("write", self._path, lambda: super(_Raw, self).write(whole[: len(whole) // 2]))
        return super().write(whole)
