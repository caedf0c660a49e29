"""WAV, AIFF, W64, CAF and AU whose headers name less sound than the file holds.

A recorder writes the lengths when it stops. Where it crashed, or where files were joined, sound lies behind the end
that the header names, and no chunk begins there.
"""

from __future__ import annotations

import struct
import typing

from .id3 import TAGS_BEHIND
from .spliced import Part, Spliced, patched

_LEAST = 1024  # bytes behind the end that count; fewer are a tag or padding
_WAVE_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_CRASHED = "its header names {:.0%} of its sound, as a crash leaves it; all is used"


class _Layout(typing.NamedTuple):
    magic: bytes
    header: int  # bytes before the first chunk
    name: int  # bytes of a chunk's name
    length: struct.Struct
    counted: int  # bytes of a chunk's head that its length counts
    alignment: int  # chunks begin at multiples of it
    sound: bytes  # the name of the chunk with the samples


_LAYOUTS = (
    _Layout(b"RIFF", 12, 4, struct.Struct("<I"), 0, 2, b"data"),
    _Layout(b"RIFX", 12, 4, struct.Struct(">I"), 0, 2, b"data"),
    _Layout(b"FORM", 12, 4, struct.Struct(">I"), 0, 2, b"SSND"),
    _Layout(b"riff", 40, 16, struct.Struct("<Q"), 24, 8, _WAVE_DATA),
    _Layout(b"caff", 8, 4, struct.Struct(">Q"), 0, 1, b"data"),
)


class _Chunk(typing.NamedTuple):
    name: bytes
    length_at: int
    body: int  # offset
    end: int


def parts(raw: typing.BinaryIO, start: int, size: int) -> list[Part]:
    """A file for each part, with lengths that are right; none where libsndfile reads all from the header."""
    raw.seek(start)
    magic = raw.read(4)
    layout = next((layout for layout in _LAYOUTS if layout.magic == magic), None)
    if layout is not None:
        return _chunked(raw, layout, start, size)
    return _au(raw, magic, start, size) if magic in (b".snd", b"dns.") else []


def _chunked(raw: typing.BinaryIO, layout: _Layout, start: int, size: int) -> list[Part]:
    chunks, end = _chunks(raw, layout, start, size)
    sound = next((chunk for chunk in chunks if chunk.name == layout.sound), None)
    if sound is None or not _is_more(raw, end, size):
        return []
    raw.seek(end)
    if raw.read(4) == layout.magic:  # two files, joined
        return [Part(Spliced(raw, [(start, end)])), *(parts(raw, end, size) or [Part(Spliced(raw, [(end, size)]))])]
    if sound is not chunks[-1]:
        return [Part(Spliced(raw, [(start, size)]), note=_unread(size - end))]
    changes = _longer(raw, layout, chunks, sound, start, size)
    if changes is None:
        return [Part(Spliced(raw, [(start, size)]), note=_unread(size - end))]
    share = (sound.end - sound.body) / (size - sound.body)
    return [Part(Spliced(raw, patched(size, changes, start)), note=_CRASHED.format(share))]


def _chunks(raw: typing.BinaryIO, layout: _Layout, start: int, size: int) -> tuple[list[_Chunk], int]:
    """The chunks that are whole, and where the last of them ends."""
    found: list[_Chunk] = []
    at = start + layout.header
    while True:
        raw.seek(at)
        head = raw.read(layout.name + layout.length.size)
        name = head[: layout.name]
        if len(head) < layout.name + layout.length.size or not _is_name(name[:4]) or name == layout.magic:
            return found, at
        body = at + len(head)
        end = body + layout.length.unpack_from(head, layout.name)[0] - layout.counted
        if not body <= end <= size or (name == layout.sound and end == body):  # an unfinished one names no length
            return found, at
        found.append(_Chunk(name, at + layout.name, body, end))
        at = min(size, end + (start - end) % layout.alignment)


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _is_more(raw: typing.BinaryIO, at: int, size: int) -> bool:
    """Whether what lies behind an offset may be sound: long enough, no tag, not all zeros."""
    if size - at < _LEAST:
        return False
    raw.seek(at)
    block = raw.read(1 << 16)
    return not block.startswith(TAGS_BEHIND) and any(block)


def _longer(
    raw: typing.BinaryIO, layout: _Layout, chunks: list[_Chunk], sound: _Chunk, start: int, size: int
) -> dict[int, bytes] | None:
    """The lengths of a file whose sound goes on to the end, by offset; None where they cannot be told."""
    limit = 256**layout.length.size - 1
    changes = {sound.length_at: layout.length.pack(min(size - sound.body + layout.counted, limit))}
    if layout.magic in (b"RIFF", b"RIFX", b"FORM"):
        changes[start + 4] = layout.length.pack(min(size - start - 8, limit))
    if layout.magic == b"riff":
        changes[start + 16] = layout.length.pack(size - start)
    if layout.magic == b"FORM":
        common = next((chunk for chunk in chunks if chunk.name == b"COMM"), None)
        if common is None or common.end - common.body < 8:
            return None
        raw.seek(common.body)
        channels, frames, bits = struct.unpack(">HIH", raw.read(8))
        width = channels * ((bits + 7) // 8)
        if not width or not frames <= (sound.end - sound.body - 8) // width <= frames + 1:  # compressed
            return None
        changes[common.body + 2] = struct.pack(">I", (size - sound.body - 8) // width)
    return changes


def _au(raw: typing.BinaryIO, magic: bytes, start: int, size: int) -> list[Part]:
    order = ">" if magic == b".snd" else "<"
    head = raw.read(8)
    if len(head) < 8:
        return []
    offset, length = struct.unpack(f"{order}II", head)
    if not length or not _is_more(raw, start + offset + length, size):
        return []
    share = length / (size - start - offset)
    changes = {start + 8: struct.pack(f"{order}I", min(size - start - offset, 2**32 - 1))}
    return [Part(Spliced(raw, patched(size, changes, start)), note=_CRASHED.format(share))]


def _unread(count: int) -> str:
    return f"{count:,} bytes at its end belong to no chunk and were not read"
