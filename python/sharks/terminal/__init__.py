"""What people see while something works: sentences that stay, and one line that is renewed in its place.

On a terminal the line is the last one, and always fits: a line that wraps cannot be renewed, and would flood a screen.
Its parts come in the order of what is most wanted, and are dropped from the end where the terminal is narrow. Sentences
appear above it, wrapped at words. In a pipe or a log nothing is cut, and the line is written only now and then.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import threading
import time
import typing
import unicodedata
from collections.abc import Iterator

LIVE_EVERY = 0.1  # seconds between renewals of a line on a terminal
STILL = 2.0  # seconds after which a line that nobody renews counts them, so that nobody thinks it hangs
LOG_FIRST, LOG_EVERY = 10.0, 60.0  # seconds until the first line in a log, and from there to the next
BETWEEN = " | "
_JOINERS = "\u200c\u200d"  # between letters and between pictures


class Terminal:
    """A stream for people: stderr, unless another is given."""

    def __init__(self, stream: typing.TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self.live = self._stream is not None and self._stream.isatty()
        self._lock = threading.RLock()
        self._parts: tuple[str, ...] = ()  # of the line that stands; none: the cursor is at the start of a new one
        self._renewed = self._next = 0.0
        self._cells = 0  # of the line as it is on the screen
        self._counting: threading.Thread | None = None
        self._closed = threading.Event()

    def show(self, *parts: str) -> None:
        """Renew the line: what is most wanted first. Some calls do nothing, for they come too soon after another."""
        now = time.monotonic()
        with self._lock:
            if not self._parts:
                self._next = now if self.live else max(self._next, now + LOG_FIRST)
            self._parts, self._renewed = tuple(map(plain, parts)), now
            if now < self._next:
                return
            self._next = now + (LIVE_EVERY if self.live else LOG_EVERY)
            if self.live:
                self._renew(self._parts)
                self._count_while_still()
            else:
                self._write(BETWEEN.join(self._parts) + "\n")

    def say(self, text: str) -> None:
        """Sentences, each on a line of its own above the one that is renewed."""
        with self._lock:
            standing = self._parts
            self.last(text)
            if self.live and standing:
                self._parts = standing
                self._renew(standing)

    def last(self, text: str) -> None:
        """What stays in the place of the line."""
        with self._lock:
            self.end()
            self._write(self._wrapped(text) + "\n")

    def end(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._cells:
                self._write(f"\r{' ' * min(self._cells, self.width() - 1)}\r")
            self._cells, self._parts = 0, ()

    @contextlib.contextmanager
    def busy(self, *parts: str) -> Iterator[None]:
        """A line that stands, with a count of seconds, while the work inside says nothing of itself."""
        if self.live:
            self.end()
            self.show(*parts)
        yield

    def _renew(self, parts: typing.Sequence[str]) -> None:
        text = fitted(parts, self.width() - 1)  # the last column makes some terminals wrap
        wide = cells(text)
        self._write(f"\r{text}{' ' * min(max(0, self._cells - wide), self.width() - 1 - wide)}")
        self._cells = wide

    def _count_while_still(self) -> None:
        if self._counting is None:
            self._counting = threading.Thread(target=self._count, name="sharks-terminal", daemon=True)
            self._counting.start()
            atexit.register(self._close)

    def _count(self) -> None:
        while not self._closed.wait(1.0):
            with self._lock:
                still = time.monotonic() - self._renewed
                if self._parts and still >= STILL:
                    self._renew((self._parts[0], f"{still:.0f} s", *self._parts[1:]))

    def _close(self) -> None:
        """Before Python takes its streams apart."""
        self._closed.set()
        if self._counting is not None:
            self._counting.join()

    def _wrapped(self, text: str) -> str:
        lines = map(plain, text.split("\n"))
        return "\n".join(wrapped(line, self.width()) if self.live else line for line in lines)

    def width(self) -> int:
        """Columns, as they are now: windows are resized."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.get_terminal_size(self._stream.fileno()).columns or shutil.get_terminal_size().columns
        return shutil.get_terminal_size().columns

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone ends no work
            self._stream.write(text)
            self._stream.flush()


_ours: list[Terminal] = []


def stderr() -> Terminal:
    """The terminal that all verbs write to: one line for all of them."""
    if not _ours or _ours[0]._stream is not sys.stderr:
        _ours[:] = [Terminal()]
    return _ours[0]


def cells(text: str) -> int:
    """The columns that a text takes, at most: some terminals draw a joined emoji in fewer."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if character == "\ufe0f":  # makes the one before it a picture, two wide
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def plain(text: str) -> str:
    """A line as it may be shown: what would command the terminal, or turn the order of letters, is escaped.

    Names and the words of a pack come from anywhere. What joins or draws letters stays.
    """
    return "".join(character if _harmless(character) else ascii(character)[1:-1] for character in text)


def _harmless(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def fitted(parts: typing.Sequence[str], width: int) -> str:
    """As many of the parts as fit side by side, and of the first at least the words that do."""
    for count in range(len(parts), 0, -1):
        if cells(line := BETWEEN.join(parts[:count])) <= width:
            return line
    line = ""
    for word in parts[0].split() if parts else ():
        longer = f"{line} {word}" if line else word
        if cells(longer) > width:
            break
        line = longer
    return line


def wrapped(line: str, width: int) -> str:
    """A line broken at spaces, what follows set in as its beginning is. A word alone may be longer."""
    indent = line[: len(line) - len(line.lstrip())]
    lines, now = [], indent
    for word in line.split(" ")[len(indent) :] if cells(line) > width else [line.removeprefix(indent)]:
        longer = now + word if now in (indent, "") else f"{now} {word}"
        if cells(longer) > width and now.strip():
            lines.append(now.rstrip())
            longer = indent + word
        now = longer
    return "\n".join([*lines, now])
