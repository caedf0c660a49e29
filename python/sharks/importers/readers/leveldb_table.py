"""LevelDB tables (`.index` of a TensorFlow bundle): sorted keys and values in checksummed blocks.

    data blocks, metaindex block, index block      each: contents, 1 byte compression, 4 bytes masked CRC-32C
    footer, 48 bytes                               places of the metaindex and the index block, padding, magic number

A block's contents are entries (bytes shared with the key before, bytes not shared, length of the value, key, value),
then the places of its restarts, where nothing is shared, and their number. The index block's values are the places of
the data blocks. Only uncompressed blocks are read: TensorFlow writes no others.

Nothing is followed twice: blocks must lie in the file one behind the other, so that no table is larger than its file.
"""

from __future__ import annotations

import typing

from ...errors import PackError
from .checkpoint_file import CheckpointFile
from .crc32c import masked_crc32c
from .protobuf import varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5
_SNAPPY = 1
_MOST_FILE_BYTES = 1 << 22  # the index of 40000 tensors
_MOST_KEY_BYTES = 1 << 12
_ENTRY_COST = 512  # bytes of memory that an entry may take beside its key and value
_Entries = typing.Iterator[tuple[bytes, bytes]]


def entries(file: CheckpointFile) -> _Entries:
    """Every (key, value) of the table, keys ascending. Raises `PackError` where a byte of it cannot be believed."""
    if file.size > _MOST_FILE_BYTES:
        raise file.error(f"is an index of {file.size} bytes, wanted {_MOST_FILE_BYTES} at most")
    if file.size < _FOOTER_BYTES:
        raise file.error(f"has {file.size} bytes, too few for the index of a TensorFlow checkpoint")
    footer = file.read_at(file.size - _FOOTER_BYTES, _FOOTER_BYTES, "the footer")
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise file.error("does not end as the index of a TensorFlow checkpoint does")
    try:
        yield from _walk(file, footer)
    except ValueError as error:
        raise error if isinstance(error, PackError) else file.error(f"the index is damaged ({error})") from None


def _walk(file: CheckpointFile, footer: bytes) -> _Entries:
    metaindex, at = _place(footer, 0)
    index, _ = _place(footer, at)
    list(_block_entries(file, _block(file, metaindex)))
    free_from = 0
    last = b""
    for _, value in list(_block_entries(file, _block(file, index))):
        place, end = _place(value, 0)
        if end != len(value) or place[0] < free_from or sum(place) + _TRAILER_BYTES > index[0]:
            raise ValueError("its blocks overlap")
        free_from = sum(place) + _TRAILER_BYTES
        for n, (key, content) in enumerate(_block_entries(file, _block(file, place))):
            if key <= last and (n or last):
                raise ValueError("its keys do not ascend")
            last = key
            yield key, content


def _place(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """((start, length) of a block, the place behind)."""
    start, at = varint(data, at)
    length, at = varint(data, at)
    return (start, length), at


def _block(file: CheckpointFile, place: tuple[int, int]) -> bytes:
    start, length = place
    data = file.read_at(start, length + _TRAILER_BYTES, "a block of the index")
    if masked_crc32c(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError(f"the block at byte {start} has another checksum than it says")
    if data[length] == _SNAPPY:
        raise file.error(
            "is compressed with snappy, which TensorFlow's own checkpoints are not", "save the checkpoint again"
        )
    if data[length] != 0:
        raise ValueError(f"the block at byte {start} has the unknown compression {data[length]}")
    return data[:length]


def _block_entries(file: CheckpointFile, block: bytes) -> _Entries:
    end, restarts = _restarts(block)
    key = b""
    at = 0
    while at < end:
        start = at
        shared, at = varint(block, at)
        unshared, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or (start in restarts and shared) or at + unshared + length > end:
            raise ValueError("an entry does not fit into its block")
        if shared + unshared > _MOST_KEY_BYTES:
            raise ValueError(f"a name has {shared + unshared} bytes, wanted {_MOST_KEY_BYTES} at most")
        file.charge(_ENTRY_COST + shared + unshared + length)
        restarts.discard(start)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length
    if restarts - {0}:
        raise ValueError("a restart lies between two entries")


def _restarts(block: bytes) -> tuple[int, set[int]]:
    """(where a block's entries end, where those begin that share nothing)."""
    count = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * count
    if len(block) < 4 or count < 1 or end < 0:
        raise ValueError("a block has no room for its restarts")
    places = {int.from_bytes(block[at : at + 4], "little") for at in range(end, len(block) - 4, 4)}
    return end, places
