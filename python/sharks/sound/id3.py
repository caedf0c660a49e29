"""ID3v2 tags, which players expect before MP3 only, and which lie before, between and behind other sound, too."""

from __future__ import annotations

import typing

TAGS_BEHIND = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")  # what tags begin with that stand at the end of a file


def length(head: bytes) -> int:
    """Bytes of the ID3v2 tag that begins with these ten; 0 where none does."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
        return 0
    body = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return body + (20 if head[5] & 16 else 10)


def behind(raw: typing.BinaryIO) -> int:
    """The offset behind the tags that a file begins with."""
    at = 0
    while True:
        raw.seek(at)
        tag = length(raw.read(10))
        if not tag:
            return at
        at += tag
