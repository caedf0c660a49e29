"""Writing a file whole or not at all.

The bytes go to a temporary name in the same folder, reach the disk, and only then take the file's name. Whoever reads
the name finds the old file or the new one, after an error, an interrupt or a power cut too.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import typing

from ..errors import ResourceError


@contextlib.contextmanager
def atomically(path: str | os.PathLike[str]) -> typing.Iterator[typing.BinaryIO]:
    """Open `path` for writing bytes; it appears when the block ends well, else nothing is left behind.

    A folder that cannot be written and a full disk raise `ResourceError`; the file that was there before stays.
    """
    target = pathlib.Path(path)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.unfinished")
    with written(target):
        try:
            with open(unfinished, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, target)
            _sync_folder(target.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def written(target: str | os.PathLike[str], what: str = "written") -> typing.Iterator[None]:
    """What the system refuses inside the block is a `ResourceError` that names `target`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResourceError(f"{target}: cannot be {what} ({reason}); free space or choose another folder") from None


def _sync_folder(folder: pathlib.Path) -> None:
    """Make the rename itself durable, where the system can open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
