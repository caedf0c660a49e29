"""The bytes of a pickle: numbers, lines and texts, each taken only as far as the file reaches and memory allows."""

from __future__ import annotations

import codecs
import io
import re
import struct
import typing

from .checkpoint_file import CheckpointFile

_MOST_INTEGER_BYTES = 64
_LONGEST_LINE = 1 << 10
_CHUNK = 1 << 20

_REAL = re.compile(rb"-?(\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,4})?|inf|nan)")
_INTEGER = re.compile(rb"-?\d{1,154}L?")
_UNKNOWN_ESCAPE = re.compile(rb"""\\(?!['"nrt]|x[0-9a-fA-F]{2})""")  # once pairs of backslashes are gone
_WIDE_ESCAPE = re.compile(rb"\\u(?!00)|\\U")


class PickleSource:
    """Reads from `stream`, a part of `file`. What it returns has been charged. Raises `ValueError` where it cannot."""

    def __init__(self, file: CheckpointFile, stream: typing.BinaryIO) -> None:
        self._file = file
        self._stream = stream

    def code(self) -> bytes:
        """The next instruction, empty at the end."""
        return self._stream.read(1)

    def take(self, length: int) -> bytes:
        if length < 0:
            raise ValueError(f"has a part of {length} bytes")
        data = self._stream.read(length)
        if len(data) != length:
            raise ValueError("ends early")
        return data

    def number(self, form: str) -> typing.Any:
        """A number of the given struct format."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        """A short line, without its end."""
        line = self._stream.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("has a line without end")
        return line[:-1]

    def payload(self, form: str) -> bytes:
        """Bytes behind their length."""
        length = self.number(form)
        self._file.charge(max(0, length))
        return self.take(length)

    def decimal(self) -> int:
        return self.whole(self.line())

    def whole(self, line: bytes) -> int:
        """The whole number that a line spells."""
        if not _INTEGER.fullmatch(line):
            raise ValueError(f"has {line[:20]!r} for a whole number")
        return int(line.rstrip(b"L"))

    def integer(self, form: str) -> int:
        """A whole number of as many bytes as come first."""
        length = self.number(form)
        if not 0 <= length <= _MOST_INTEGER_BYTES:
            raise ValueError(f"has a whole number of {length} bytes, wanted {_MOST_INTEGER_BYTES} at most")
        return int.from_bytes(self.take(length), "little", signed=True)

    def real(self) -> float:
        line = self.line()
        if not _REAL.fullmatch(line):
            raise ValueError(f"has {line[:20]!r} for a number")
        return float(line)

    def name(self) -> str:
        return self.line().decode("utf-8")

    def unicode(self, form: str) -> str:
        """A text in UTF-8 behind its length. One wide letter makes all of them wide in memory."""
        data = self.payload(form)
        lead = max(data, default=0)
        width = 4 if lead >= 0xF0 else 2 if lead >= 0xC4 else 1
        self._file.charge(width * len(data))
        text = data.decode("utf-8", "surrogatepass")
        self._file.charge(-len(data))
        return text

    def unicode_line(self) -> str:
        """A text that fills its line."""
        line = self._stream.readline(self._file.allowance)
        if not line.endswith(b"\n"):
            raise ValueError("has a line without end")
        width = 4 if _WIDE_ESCAPE.search(line) else 1
        self._file.charge((1 + width) * len(line))
        text = line[:-1].decode("raw-unicode-escape")
        self._file.charge(-len(line))
        return text

    def quoted(self) -> bytes:
        """A byte string as Python 2 prints it, to the end of its line. Arrays come so: it is read piece by piece."""
        made = io.BytesIO()
        piece = self._stream.readline(_CHUNK)
        quote, rest = piece[:1], piece[1:]
        while not rest.endswith(b"\n"):
            whole = _length_of_whole_escapes(rest)
            made.write(self._unescaped(rest[:whole]))
            piece = self._stream.readline(_CHUNK)
            if not piece:
                raise ValueError("has a line without end")
            rest = rest[whole:] + piece
        if quote not in (b"'", b'"') or rest[-2:-1] != quote:
            raise ValueError("has a string without quotes")
        made.write(self._unescaped(rest[:-2]))
        return made.getvalue()

    def _unescaped(self, data: bytes) -> bytes:
        if _UNKNOWN_ESCAPE.search(data.replace(b"\\\\", b"  ")):
            raise ValueError("has a string with an unknown escape")
        made = codecs.escape_decode(data)[0]
        self._file.charge(len(made))
        return made


def _length_of_whole_escapes(data: bytes) -> int:
    """How much of `data` can be unescaped without knowing what follows."""
    at = data.rfind(b"\\", max(0, len(data) - 3))
    if at < 0:
        return len(data)
    before = len(data[:at]) - len(data[:at].rstrip(b"\\"))
    if before % 2:  # it is itself escaped
        return len(data)
    needed = 4 if data[at + 1 : at + 2] == b"x" else 2
    return at if at + needed > len(data) else len(data)
