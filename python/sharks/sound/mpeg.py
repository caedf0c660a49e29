"""MPEG audio (MP3) frame by frame: how much there is, and where one file was joined to another.

libsndfile takes the length from a Xing header or guesses it from the first frame, and stops there. An MP3 that was
cut, joined or streamed has a Xing header that is wrong, or none: such a part is given one that is right.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from dataclasses import dataclass

from . import id3
from .spliced import Extent, Part, Spliced

_KBIT = {  # by (MPEG 1 or not, layer), per index 1 to 14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATE = (44100, 48000, 32000)
_HALVED = {3: 0, 2: 1, 0: 2}  # MPEG 1, 2 and 2.5 by the bits of the version: how often the rate is halved
_SYNC = re.compile(rb"\xff[\xe2-\xff][^\xff]")
_RESYNC = 1024  # bytes without a frame that the decoder (mpg123) finds its way behind by itself
_WINDOW = 1 << 20
_MIDDLE = 9  # a bitrate (index) whose frames have room for a Xing header


class Frame(typing.NamedTuple):
    key: tuple[bool, int, int, bool]  # MPEG 1, layer, rate and mono: what stays the same in a part
    size: int  # bytes
    samples: int
    bitrate: int
    xing_at: int  # where a Xing header would begin


def parse(head: bytes) -> Frame | None:
    """The frame that begins with these four bytes; none for what is no frame, or has no bitrate of its own."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or not 1 <= index <= 14 or rate == 3:
        return None
    first = version == 3
    hertz = _RATE[rate] >> _HALVED[version]
    kbit = _KBIT[first, layer if first or layer == 1 else 2][index - 1]
    padding, mono = head[2] >> 1 & 1, head[3] >> 6 == 3
    samples = 384 if layer == 1 else 576 if layer == 3 and not first else 1152
    size = (samples // 8 // 4 * 1000 * kbit // hertz + padding) * 4 if layer == 1 else 0
    size = size or samples // 8 * 1000 * kbit // hertz + padding
    return Frame((first, layer, hertz, mono), size, samples, index, 4 + ((17, 32) if first else (9, 17))[not mono])


@dataclass
class _Span:
    start: int
    head: bytes  # of its first frame
    header: int  # bytes of its Xing frame, if it has one
    promised: int | None  # frames by that
    stop: int = 0
    count: int = 0  # frames that are there
    bitrates: int = 0  # a bit for each that occurs


def parts(raw: typing.BinaryIO, start: int, size: int, alive: Callable[[], None]) -> list[Part]:
    """A file for each part; none where there is one part, whose length the decoder knows or guesses well."""
    found = [span for span in _walk(_Window(raw, size, alive), start) if span.count]
    if len(found) < 2 and not any(map(_misleads, found)):
        return []
    return [_decodable(raw, span) for span in found]


def _misleads(span: _Span) -> bool:
    """Whether the decoder would take a wrong length from the beginning of a span."""
    if span.promised is None:
        return span.bitrates & (span.bitrates - 1) != 0
    return span.count > span.promised + 2


def _decodable(raw: typing.BinaryIO, span: _Span) -> Part:
    frame = parse(span.head)
    assert frame is not None
    stretches: list[Extent] = [(span.start, span.stop)]
    stops_short = span.promised is not None or frame.size * span.count > span.stop - span.start
    if _misleads(span) and stops_short and frame.key[1] == 3:
        stretches = [_xing(span.head, span.count), (span.start + span.header, span.stop)]
    return Part(Spliced(raw, stretches), span.count * frame.samples if _misleads(span) else None)


def _xing(head: bytes, count: int) -> bytes:
    """A frame that says how many follow, and holds no sound."""
    plain = bytes([0xFF, head[1] | 1, _MIDDLE << 4 | head[2] & 0x0C, head[3] & 0xF0])
    frame = parse(plain)
    assert frame is not None
    return (plain.ljust(frame.xing_at, b"\0") + b"Xing" + (1).to_bytes(4) + count.to_bytes(4)).ljust(frame.size, b"\0")


def _promise(data: bytes, frame: Frame) -> int | None:
    """The number of frames that a Xing, Info or VBRI header names, 0 where it names none; None where there is none."""
    if data[frame.xing_at : frame.xing_at + 4] in (b"Xing", b"Info"):
        named = data[frame.xing_at + 7] & 1
        return int.from_bytes(data[frame.xing_at + 8 : frame.xing_at + 12]) if named else 0
    return int.from_bytes(data[50:54]) if data[36:40] == b"VBRI" else None


class _Window:
    """Bytes of a long file, any of them, in bounded memory."""

    def __init__(self, raw: typing.BinaryIO, size: int, alive: Callable[[], None]) -> None:
        self._raw, self.size, self._alive = raw, size, alive
        self._start, self._block = 0, b""

    def __call__(self, at: int, count: int) -> bytes:
        if not self._start <= at <= self._start + len(self._block) - count:
            self._alive()
            self._raw.seek(at)
            self._start, self._block = at, self._raw.read(max(_WINDOW, count))
        return self._block[at - self._start : at - self._start + count]


def _walk(window: _Window, at: int) -> list[_Span]:
    """The parts from an offset on. A new one begins at a Xing header, another rate, a tag, or behind a long gap."""
    found: list[_Span] = []
    key, fresh = None, True
    while at < window.size:
        head = window(at, 64)
        frame = parse(head)
        if frame is not None and key not in (None, frame.key) and not _followed(window, at, frame):
            frame = None
        if frame is None:
            tag = id3.length(head)
            behind = at + tag if tag else _next_frame(window, at + 1)
            fresh = fresh or bool(tag) or behind - at >= _RESYNC
            at = behind
            continue
        promised = _promise(head, frame)
        if fresh or promised is not None or frame.key != key:
            found.append(_Span(at, head[:4], frame.size if promised is not None else 0, promised))
            key, fresh = frame.key, False
        span = found[-1]
        at = min(at + frame.size, window.size)
        span.stop = at
        if promised is None:
            span.count += 1
            span.bitrates |= 1 << frame.bitrate
    return found


def _followed(window: _Window, at: int, frame: Frame) -> bool:
    """Whether another frame of the same kind stands behind this one: bytes that look like one are common."""
    after = parse(window(at + frame.size, 4))
    return after is not None and after.key == frame.key


def _next_frame(window: _Window, at: int) -> int:
    """Where the next frame begins that is followed by another, or a tag; the end where there is none."""
    while at < window.size:
        block = window(at, min(_WINDOW // 2, window.size - at))
        tag = block.find(b"ID3")
        for found in _SYNC.finditer(block):
            if 0 <= tag < found.start():
                break
            frame = parse(window(at + found.start(), 4))
            if frame is not None and _followed(window, at + found.start(), frame):
                return at + found.start()
        if tag >= 0:
            return at + tag
        at += max(1, len(block) - 4)
    return window.size
