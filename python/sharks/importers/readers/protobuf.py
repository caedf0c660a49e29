"""The wire format of protocol buffers, as far as small messages need it: numbers, and fields of bytes."""

from __future__ import annotations

import typing

_MOST_VARINT_BYTES = 10
_MOST_FIELDS = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Field = tuple[int, int | bytes]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """(the unsigned number that begins at `at`, the place after it). Raises `ValueError` where there is none."""
    value = 0
    for count in range(_MOST_VARINT_BYTES):
        if at + count >= len(data):
            raise ValueError("a number ends early")
        byte = data[at + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise ValueError("a number does not end")


def fields(message: bytes) -> typing.Iterator[Field]:
    """Each (field number, value) of a message in file order. Raises `ValueError` where it is no message."""
    at = count = 0
    while at < len(message):
        count += 1
        if count > _MOST_FIELDS:
            raise ValueError(f"a message has more than {_MOST_FIELDS} fields")
        tag, at = varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"a field has the unknown wire type {wire}")
        if at + length > len(message):
            raise ValueError("a field ends early")
        content = message[at : at + length]
        yield number, content if wire == _BYTES else int.from_bytes(content, "little")
        at += length
