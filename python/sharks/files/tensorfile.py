"""Safetensors files in which no flipped bit goes unnoticed.

    8 bytes     length of the header, little-endian
    header      JSON, padded with spaces to a multiple of 8 bytes
    payload     the tensors, row-major, little-endian, one after the other in header order, without gaps

The header is ordinary safetensors, so any reader of that format opens the file. Two digests are added:
`__metadata__.sha256`, a JSON text that names the SHA-256 of every tensor's bytes, and `__metadata__.header_sha256`, the
SHA-256 of the length word and the whole header, taken with its own 64 digits replaced by zeros. It is the first entry,
so that its place is the same in every file. What is not covered by one is covered by the other, and a file that is
longer or shorter than its header says is refused.

Nothing is believed before it is checked: the header's length against a cap, shapes against the file's size before any
memory is asked for. Every refusal is one `PackError` sentence.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import pathlib
import stat
import types
import typing

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError, ResourceError
from .atomic import atomically

DTYPES: dict[str, np.dtype[typing.Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
MOST_HEADER_BYTES = 1 << 21  # the longest table, of 1024 WaveNet layers, needs two thirds
MOST_DIMENSIONS = 8
LARGEST_DIMENSION = 1 << 40

PACK_START = b'{"__metadata__":{"header_sha256":"'
_DIGEST = slice(8 + len(PACK_START), 8 + len(PACK_START) + 64)
_AGAIN = "copy or download it again, or use an earlier one"


class Layout(typing.NamedTuple):
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


def write(
    path: str | os.PathLike[str], tensors: typing.Mapping[str, NDArray[typing.Any]], metadata: typing.Mapping[str, str]
) -> None:
    """Write `tensors` in their order, and `metadata`; the file appears whole or not at all (see `atomically`)."""
    arrays = {name: _contiguous(name, array) for name, array in tensors.items()}
    digests = {name: sha256(array) for name, (_, array) in arrays.items()}
    header: dict[str, typing.Any] = {"__metadata__": {"header_sha256": "0" * 64, "sha256": _json(digests), **metadata}}
    end = 0
    for name, (dtype, array) in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = _json(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_HEADER_BYTES:
        raise PackError(
            f"{path}: the header needs {len(text)} bytes, wanted {MOST_HEADER_BYTES} at most; shorten its texts"
        )
    head = len(text).to_bytes(8, "little") + text
    head = head[: _DIGEST.start] + hashlib.sha256(head).hexdigest().encode() + head[_DIGEST.stop :]
    with atomically(path) as file:
        file.write(head)
        for _, array in arrays.values():
            file.write(array.reshape(-1).view(np.uint8).data)


def sha256(array: NDArray[typing.Any]) -> str:
    """The hex digest of a contiguous array's bytes."""
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


class TensorFile:
    """A file whose header has been verified: `.metadata`, `.layout` in file order, and `.read(name)`.

    Use it as a context manager. `read` verifies the tensor's digest; nothing is allocated before it is called.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self._file = self._open()
        try:
            self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._file.close()

    def error(self, problem: str, advice: str = _AGAIN) -> PackError:
        """One sentence about this file."""
        return PackError(f"{self.path}: {problem}; {advice}")

    def read(self, name: str) -> NDArray[typing.Any]:
        """The tensor's values, read-only, in the file's dtype and shape."""
        layout = self.layout[name]
        try:
            array = np.empty(layout.shape, DTYPES[layout.dtype])
        except (MemoryError, ValueError):  # a size that numpy cannot even name is a ValueError
            raise ResourceError(f"{self.path}: tensor {short(name)} needs {layout.bytes} bytes of memory") from None
        self._file.seek(self._starts[name])
        if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            raise self.error(f"tensor {short(name)} ends early: the file was cut while it was read")
        if sha256(array) != self._digests[name]:
            raise self.error(f"tensor {short(name)} is damaged: its SHA-256 is not the one in the header")
        array.flags.writeable = False
        return array

    def _open(self) -> io.BufferedReader:
        try:
            if stat.S_ISREG(self.path.stat().st_mode):  # opening a pipe could wait for ever
                return open(self.path, "rb")
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be opened ({getattr(error, 'strerror', error)})", "check the path") from None
        raise self.error("is not an ordinary file", "name a .safetensors file")

    def _read_header(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        first = self._file.read(9)
        length = int.from_bytes(first[:8], "little")
        if first[8:] != b"{":
            raise self.error(
                f"is not a safetensors file ({size} bytes)", "name a pack, or make one with `sharks import`"
            )
        if length > MOST_HEADER_BYTES or 8 + length > size:
            raise self.error(
                f"says that its header has {length} bytes, wanted at most {min(MOST_HEADER_BYTES, size - 8)}"
                f" in a file of {size}"
            )
        self._file.seek(0)
        head = self._file.read(8 + length)
        if not head.startswith(PACK_START, 8):
            raise self.error(
                "is a safetensors file of another program",
                "name a pack, or let `sharks import` make one of its checkpoint",
            )
        zeroed = head[: _DIGEST.start] + b"0" * 64 + head[_DIGEST.stop :]
        if hashlib.sha256(zeroed).hexdigest().encode() != head[_DIGEST]:
            raise self.error("the header is damaged: its SHA-256 is not the one it names")
        entries = self.parse(head[8:], "the header")
        self.metadata = self._texts(entries.pop("__metadata__"), "__metadata__")
        self.metadata.pop("header_sha256")
        self.layout: dict[str, Layout] = {}
        self._starts: dict[str, int] = {}
        end = 0
        for name, entry in entries.items():
            layout = self._layout(name, entry, end)
            self.layout[name], self._starts[name] = layout, 8 + length + end
            end += layout.bytes
        if size != 8 + length + end:
            raise self.error(f"has {size} bytes, wanted {8 + length + end}: it was cut, or something was added")
        self._digests = self._texts(self.parse(self.metadata.pop("sha256", ""), "the list of digests"), "sha256")
        if self._digests.keys() != self.layout.keys():
            raise self.error("the list of digests does not name every tensor once")

    def _layout(self, name: str, entry: typing.Any, start: int) -> Layout:
        """One header entry, believed only if it is complete, small enough, and begins where the one before ended."""
        if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise self.error(
                f"tensor {short(name)} is described by {short(entry)}, wanted dtype, shape and data_offsets"
            )
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise self.error(f"tensor {short(name)} has dtype {short(dtype)}, wanted one of {', '.join(DTYPES)}")
        whole = isinstance(shape, list) and len(shape) <= MOST_DIMENSIONS and all(type(n) is int for n in shape)
        if not whole or not all(0 <= n <= LARGEST_DIMENSION for n in shape):
            raise self.error(f"tensor {short(name)} has shape {short(shape)}, wanted a short list of whole numbers")
        layout = Layout(dtype, tuple(shape))
        wanted = [start, start + layout.bytes]
        if offsets != wanted or not all(type(n) is int for n in offsets):
            raise self.error(f"tensor {short(name)} has data_offsets {short(offsets)}, wanted {wanted}")
        return layout

    def parse(self, text: str | bytes, what: str) -> dict[str, typing.Any]:
        """A JSON object without duplicate keys, NaN or infinity."""
        try:
            value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise self.error(f"{what} is not the JSON it should be ({short(error, quote=False)})") from None
        if not isinstance(value, dict):
            raise self.error(f"{what} is {short(value)}, wanted a JSON object")
        return value

    def _texts(self, value: typing.Any, what: str) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self.error(f"{what} must hold texts only")
        return value


def short(value: typing.Any, quote: bool = True) -> str:
    """`value` for a sentence: on one line, and no longer than a line, whatever a file says."""
    try:
        text = repr(value) if quote else " ".join(str(value).split())
    except RecursionError:
        text = "something nested too deeply"
    return text if len(text) <= 80 else text[:77] + "..."


def _contiguous(name: str, array: NDArray[typing.Any]) -> tuple[str, NDArray[typing.Any]]:
    for dtype, known in DTYPES.items():
        if array.dtype == known:
            return dtype, np.asarray(array, known, order="C")
    raise PackError(f"tensor {name!r} has dtype {array.dtype}, wanted a float or an int32 or int64; convert it first")


def _json(value: typing.Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _no_duplicates(pairs: list[tuple[str, typing.Any]]) -> dict[str, typing.Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key appears twice")
    return found


def _no_constant(name: str) -> typing.Any:
    raise ValueError(f"{name} is not a number")
