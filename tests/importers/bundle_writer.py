"""Writes TensorFlow bundles, byte by byte, and LevelDB tables that are wrong in whatever way a test asks for."""

from __future__ import annotations

import pathlib
import struct

import numpy as np

MAGIC = 0xDB4775248B80FB57
DTYPES = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "int64": 9,
    "bool": 10,
    "float16": 19,
}
BFLOAT16, STRING = 14, 7


def crc32c(data: bytes) -> int:
    """By the definition, a byte at a time."""
    register = 0xFFFFFFFF
    for byte in data:
        register = register >> 8 ^ OF_BYTES[(register ^ byte) & 0xFF]
    return register ^ 0xFFFFFFFF


def eight_bits(register: int) -> int:
    for _ in range(8):
        register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register


OF_BYTES = [eight_bits(byte) for byte in range(256)]


def masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a message: a number as a varint, bytes behind their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(dtype: int, shape: tuple[int, ...], shard: int, start: int, length: int, checksum: int | None) -> bytes:
    dimensions = b"".join(field(2, field(1, n)) for n in shape)
    message = field(1, dtype) + field(2, dimensions)
    message += (field(3, shard) if shard else b"") + (field(4, start) if start else b"") + field(5, length)
    return message + (varint(6 << 3 | 5) + struct.pack("<I", checksum) if checksum is not None else b"")


def header(shards: int = 1, big: bool = False) -> bytes:
    version = field(3, field(1, 1))
    return field(1, shards) + (field(2, 1) if big else b"") + version


def block(entries: list[tuple[bytes, bytes]], interval: int = 16, restarts: list[int] | None = None) -> bytes:
    """A block's contents: keys share what they can with the one before, but for each `interval`th."""
    out, places, last = bytearray(), [], b""
    for n, (key, value) in enumerate(entries):
        shared = 0
        if n % interval == 0:
            places.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    places = restarts if restarts is not None else places or [0]
    return bytes(out) + struct.pack(f"<{len(places)}I", *places) + struct.pack("<I", len(places))


def sealed(contents: bytes, compression: int = 0) -> bytes:
    data = contents + bytes([compression])
    return data + struct.pack("<I", masked(crc32c(data)))


def footer(metaindex: tuple[int, int], index: tuple[int, int], magic: int = MAGIC) -> bytes:
    places = b"".join(varint(n) for n in (*metaindex, *index))
    return places.ljust(40, b"\0")[:40] + struct.pack("<Q", magic)


def table(entries: list[tuple[bytes, bytes]], per_block: int = 5, interval: int = 16) -> bytes:
    """A whole table of sorted entries, `per_block` of them in each block."""
    return table_of_blocks(
        [
            (part[-1][0], block(part, interval))
            for part in (entries[at : at + per_block] for at in range(0, len(entries), per_block))
        ]
    )


def table_of_blocks(blocks: list[tuple[bytes, bytes]]) -> bytes:
    """A table of ready contents, each with the key that stands for it in the index."""
    out, places = b"", []
    for key, contents in blocks:
        places.append((key, varint(len(out)) + varint(len(contents))))
        out += sealed(contents)
    metaindex, index = block([]), block(places, 1)
    places_of = (len(out), len(metaindex)), (len(out) + len(metaindex) + 5, len(index))
    return out + sealed(metaindex) + sealed(index) + footer(*places_of)


def write_bundle(
    prefix: pathlib.Path,
    tensors: dict[str, np.ndarray],
    *,
    shards: int = 1,
    per_block: int = 5,
    checksums: bool = True,
    big: bool = False,
    bfloat16: frozenset[str] = frozenset(),
    strings: dict[str, bytes] | None = None,
) -> None:
    """Write X.index and X.data-...; tensors go round the shards. Arrays named in `bfloat16` hold its bits as uint16."""
    data = [b""] * shards
    entries = [(b"", header(shards, big))]
    everything = {**tensors, **(strings or {})}
    for n, name in enumerate(sorted(everything)):
        value, shard = everything[name], n % shards
        if isinstance(value, bytes):
            dtype, shape, raw = STRING, (), value
        else:
            dtype = BFLOAT16 if name in bfloat16 else DTYPES[value.dtype.name]
            shape, raw = value.shape, value.astype(value.dtype.newbyteorder(">" if big else "<")).tobytes()
        checksum = masked(crc32c(raw)) if checksums else None
        entries.append((name.encode(), entry(dtype, shape, shard, len(data[shard]), len(raw), checksum)))
        data[shard] += raw
    prefix.with_name(f"{prefix.name}.index").write_bytes(table(entries, per_block))
    for shard, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
