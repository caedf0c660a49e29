"""TensorFlow checkpoints without TensorFlow: `X.index` and `X.data-00000-of-0000N` (TF1 Saver v2, TF2 save_weights).

The index is a LevelDB table. Its first entry, of the empty name, tells the number of shards and the byte order; every
other one tells of one tensor its dtype, shape, shard, place and checksum. Tensors are read, and their checksums
verified, when they are asked for: an optimiser's slots cost nothing. Tensors of strings are left out.
"""

from __future__ import annotations

import collections.abc
import math
import os
import pathlib
import re
import typing

import numpy as np
from numpy.typing import NDArray

from ...errors import PackError, ResourceError
from ...files.tensorfile import LARGEST_DIMENSION, MOST_DIMENSIONS, short
from .checkpoint_file import CheckpointFile
from .crc32c import masked_crc32c
from .leveldb_table import entries
from .protobuf import fields

_STRING = 7
_BFLOAT16 = 14
_SHAPE, _SLICES = 2, 7  # fields of an entry
_DIMENSION = 2  # a field of a shape
_DTYPES = {1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 9: "i8", 10: "?", 14: "u2", 17: "u2", 19: "f2"}
_Order = typing.Literal["<", ">"]
_MOST_SHARDS = 1 << 10
_MOST_CHECKPOINT_BYTES = 1 << 20  # of the text file `checkpoint`, which names the newest prefix
_LONGEST_FILE_NAME = 240
_PREFIX = re.compile(r"(.+?)(\.index|\.meta|\.data-\d{5}-of-\d{5})?$", re.DOTALL)
_NEWEST = re.compile(rb'^\s*model_checkpoint_path\s*:\s*"((?:[^"\\\n]|\\.)*)"', re.MULTILINE)


class Entry(typing.NamedTuple):
    """What the index says of one tensor: `start` and `length` are bytes of its shard."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    start: int
    length: int
    checksum: int | None
    sliced: bool

    @property
    def numpy_dtype(self) -> np.dtype[typing.Any] | None:
        return np.dtype(_DTYPES[self.dtype]) if self.dtype in _DTYPES else None


class Bundle(collections.abc.Mapping[str, NDArray[typing.Any]]):
    """name -> array, read at each access. `.shapes` is known before: name -> tuple; `.prefix` is the checkpoint's path.

    float16 and bfloat16 come as float32, all else as it is, in this machine's byte order. Access raises `PackError`
    for a damaged tensor, or one of a kind that is not read.
    """

    def __init__(self, prefix: pathlib.Path) -> None:
        self.prefix = prefix
        self._entries, self._shards, self._order = _read_index(prefix)
        self.shapes = {name: entry.shape for name, entry in self._entries.items()}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> typing.Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> NDArray[typing.Any]:
        entry = self._entries[name]
        with CheckpointFile(f"{self.prefix}.data-{entry.shard:05d}-of-{self._shards:05d}") as file:
            dtype = entry.numpy_dtype
            if dtype is None or entry.sliced:
                kind = "is spread over slices" if entry.sliced else f"has TensorFlow's dtype {entry.dtype}"
                raise file.error(f"tensor {short(name)} {kind}, which is not read", "save it whole, as float32")
            data = file.read_at(entry.start, entry.length, f"tensor {short(name)}")
            if entry.checksum is not None and masked_crc32c(data) != entry.checksum:
                raise file.error(f"tensor {short(name)} is damaged: its checksum is not the one in the index")
        try:
            return _widened(np.frombuffer(data, dtype.newbyteorder(self._order)), entry)
        except MemoryError:
            raise ResourceError(f"{self.prefix}: tensor {short(name)} needs {entry.length} bytes of memory") from None


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """The tensors of a TensorFlow checkpoint: a mapping, name -> array, that reads on access.

    `path` is the prefix (`model.ckpt-7`), one of its files, or the folder whose file `checkpoint` names the newest.
    Raises `PackError`, one sentence, for whatever is missing or damaged.
    """
    path = pathlib.Path(path)
    prefix = _newest(path) if path.is_dir() else _prefix(path)
    _refuse_oldest(prefix)
    return Bundle(prefix)


def _refuse_oldest(prefix: pathlib.Path) -> None:
    """Before TensorFlow 0.12 a checkpoint was one file without an index."""
    if prefix.is_file() and not prefix.with_name(f"{prefix.name}.index").exists():
        raise PackError(
            f"{prefix}: has no {prefix.name}.index beside it, so it is no checkpoint of TensorFlow 0.12 or later;"
            " name one that has, or save it again with a later TensorFlow"
        )


def _prefix(path: pathlib.Path) -> pathlib.Path:
    found = _PREFIX.match(path.name)
    return path.with_name(found[1]) if found else path


def _newest(folder: pathlib.Path) -> pathlib.Path:
    """The prefix that the folder's `checkpoint` file names; wherever it lay once, it is looked for in this folder."""
    listing = folder / "checkpoint"
    if not listing.exists():
        prefixes = sorted(_prefix(file) for file in folder.glob("*.index"))
        if len(prefixes) != 1:
            raise PackError(
                f"{folder}: holds {len(prefixes)} TensorFlow checkpoints and no file `checkpoint` to name the newest;"
                " name one .index file"
            )
        return prefixes[0]
    with CheckpointFile(listing) as file:
        text = file.read_at(0, min(file.size, _MOST_CHECKPOINT_BYTES), "the list of checkpoints")
        found = _NEWEST.search(text)
        if not found:
            raise file.error("names no model_checkpoint_path", "name one .index file of that folder")
        named = re.sub(rb"\\([0-7]{3}|.)", _unescaped, found[1]).decode("utf-8", "replace")
        name = re.split(r"[/\\]", named)[-1]
        if name in ("", ".", "..") or len(name) > _LONGEST_FILE_NAME or not name.isprintable():
            raise file.error(f"names {short(named)}, which is no checkpoint", "name one .index file of that folder")
    return folder / name


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 8) & 0xFF]) if len(escape[1]) == 3 else escape[1]


def _read_index(prefix: pathlib.Path) -> tuple[dict[str, Entry], int, _Order]:
    """(tensors by name, number of shards, byte order)."""
    with CheckpointFile(f"{prefix}.index") as file:
        found: dict[str, Entry] = {}
        shards: int = 0
        order: _Order = "<"
        try:
            for key, value in entries(file):
                if not shards:
                    shards, order = _header(file, key, value)
                    continue
                name, entry = _name(key), _entry(value)
                if entry.dtype != _STRING:
                    _check(file, name, entry, shards)
                    found[name] = entry
        except ValueError as error:
            raise error if isinstance(error, PackError) else file.error(f"the index is damaged ({error})") from None
        if not shards:
            raise file.error("names no tensors")
    _check_apart(file, prefix, found, shards)
    return found, shards, order


def _header(file: CheckpointFile, key: bytes, value: bytes) -> tuple[int, _Order]:
    if key:
        raise ValueError("it does not begin with a header")
    numbers = _numbers(value)
    shards, big = numbers.get(1, 0), numbers.get(2, 0)
    if not 1 <= shards <= _MOST_SHARDS or big not in (0, 1):
        raise ValueError(f"it says that there are {shards} shards in byte order {big}")
    return shards, ">" if big else "<"


def _name(key: bytes) -> str:
    try:
        return key.decode("utf-8")
    except UnicodeError:
        raise ValueError("a name is no text") from None


def _numbers(message: bytes) -> dict[int, int]:
    return {number: value for number, value in fields(message) if isinstance(value, int)}


def _entry(message: bytes) -> Entry:
    numbers: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    for number, value in fields(message):
        if number == _SHAPE:
            shape = _shape(value)
        else:
            numbers[number] = value if isinstance(value, int) else 1
    dtype, shard, start, length = (numbers.get(number, 0) for number in (1, 3, 4, 5))
    return Entry(dtype, shape, shard, start, length, numbers.get(6), _SLICES in numbers)


def _shape(message: int | bytes) -> tuple[int, ...]:
    sizes = [value for number, value in fields(_message(message)) if number == _DIMENSION]
    return tuple(_numbers(_message(size)).get(1, 0) for size in sizes)


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a shape is a number")
    return value


def _check(file: CheckpointFile, name: str, entry: Entry, shards: int) -> None:
    """Refuse sizes that cannot be, before anything is read or made."""
    if len(entry.shape) > MOST_DIMENSIONS or not all(0 <= n <= LARGEST_DIMENSION for n in entry.shape):
        raise file.error(f"tensor {short(name)} has shape {short(entry.shape)}, which cannot be meant")
    if not 0 <= entry.shard < shards:
        raise file.error(f"tensor {short(name)} lies in shard {entry.shard}, there are {shards}")
    dtype = entry.numpy_dtype
    if dtype is not None and not entry.sliced and entry.length != math.prod(entry.shape) * dtype.itemsize:
        raise file.error(
            f"tensor {short(name)} of shape {short(entry.shape)} has {short(entry.length)} bytes,"
            f" wanted {math.prod(entry.shape) * dtype.itemsize}"
        )


def _check_apart(file: CheckpointFile, prefix: pathlib.Path, found: dict[str, Entry], shards: int) -> None:
    """Refuse missing and short shards, and tensors that share bytes: together they are no larger than their shards."""
    for shard in sorted({entry.shard for entry in found.values()}):
        places = sorted((e.start, e.length, name) for name, e in found.items() if e.shard == shard and e.length)
        with CheckpointFile(f"{prefix}.data-{shard:05d}-of-{shards:05d}") as data:
            end = 0
            for start, length, name in places:
                if start < end:
                    raise file.error(f"tensor {short(name)} begins at byte {start}, inside the one before it")
                end = start + length
                if end > data.size:
                    raise data.error(
                        f"ends at byte {data.size}, inside tensor {short(name)}, which ends at {short(end)}"
                    )


def _widened(values: NDArray[typing.Any], entry: Entry) -> NDArray[typing.Any]:
    if entry.dtype == _BFLOAT16:
        values = (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    wide = np.float32 if values.dtype.itemsize == 2 and values.dtype.kind == "f" else values.dtype.newbyteorder("=")
    return values.astype(wide, copy=False).reshape(entry.shape)
