"""A file of another program: opened with care, read by position, and allowed only so much memory.

Readers call `charge` before they make anything, so that what a file makes never exceeds its size by more than
`MOST_EXTRA_BYTES`, whatever it claims. Every refusal is one `PackError` sentence, made by `error`.
"""

from __future__ import annotations

import io
import os
import pathlib
import stat
import types
import typing

from ...errors import PackError
from ...files.tensorfile import short

MOST_EXTRA_BYTES = 40 << 20  # the promise is 64 MB; the rest is for the interpreter, and for what charges leave out
AGAIN = "copy or download it again, or use an earlier one"


class CheckpointFile:
    """An ordinary file, open inside `with`, which may be entered again: `.path`, `.size` in bytes, `.stream`.

    Entering raises `PackError` where there is no such file, something that is not an ordinary one, or one of another
    size than before.
    """

    stream: io.BufferedReader

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.size = -1
        self.made = 0

    def __enter__(self) -> typing.Self:
        self.stream = self._open()
        size = os.fstat(self.stream.fileno()).st_size
        if self.size not in (-1, size):
            self.stream.close()
            raise self.error(f"had {self.size} bytes and now has {size}", "wait until nothing writes it any more")
        self.size = size
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.stream.close()

    def error(self, problem: str, advice: str = AGAIN) -> PackError:
        """One sentence about this file."""
        return PackError(f"{self.path}: {problem}; {advice}")

    def read_at(self, start: int, length: int, what: str) -> bytes:
        """`length` bytes from `start`. Raises `PackError` where the file does not reach so far."""
        if start < 0 or length < 0 or start + length > self.size:
            raise self.error(
                f"{what} is said to lie at bytes {short(start)} to {short(start + length)}, the file has {self.size}"
            )
        self.stream.seek(start)
        data = self.stream.read(length)
        if len(data) != length:
            raise self.error(f"{what} ends early: the file was cut while it was read")
        return data

    @property
    def allowance(self) -> int:
        """How many bytes may still be made."""
        return self.size + MOST_EXTRA_BYTES - self.made

    def charge(self, made: int) -> None:
        """Count `made` bytes that are about to be made. Raises `PackError` when a file makes far more than it holds."""
        self.made += made
        if self.allowance < 0:
            raise self.error(
                f"asks for more than {(self.size + MOST_EXTRA_BYTES) >> 20} MiB of memory, the file has {self.size}"
                " bytes, and no checkpoint grows so much",
                "it is damaged or was made to do harm; use another one",
            )

    def _open(self) -> io.BufferedReader:
        try:
            if stat.S_ISREG(self.path.stat().st_mode):  # opening a pipe could wait for ever
                return open(self.path, "rb")
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be opened ({getattr(error, 'strerror', error)})", "check the path") from None
        raise self.error("is not an ordinary file", "name a checkpoint file")
