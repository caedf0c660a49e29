"""What the header of a file says, whether it can be used, and whether it promises more than there is."""

from __future__ import annotations

import os
import re
import typing
from dataclasses import dataclass

from .bounds import LEAST_RATE, MOST_CHANNELS, MOST_RATE


class Refusal(Exception):
    """The reason why a file cannot be used, without its name."""


@dataclass(frozen=True)
class Format:
    rate: int
    channels: int
    frames: int
    name: str
    log: str  # libsndfile's, of opening it

    @classmethod
    def of(cls, file: typing.Any) -> Format:
        return cls(file.samplerate, file.channels, file.frames, f"{file.format} {file.subtype}", file.extra_info)

    @property
    def key(self) -> tuple[int, int]:
        return self.rate, self.channels

    @property
    def is_float(self) -> bool:
        return self.name.endswith(("FLOAT", "DOUBLE"))

    @property
    def promises_more(self) -> bool:
        """Whether the header promises more bytes than the file holds.

        A length of 0xffffffff promises nothing: whoever wrote to a pipe could not know it.
        """
        pairs = re.findall(r": (\d+) \(should be (\d+)\)", self.log)
        return any(int(got) < int(said) < 2**32 - 256 for said, got in pairs)


def check_format(rate: int, channels: int) -> None:
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise Refusal(f"its sample rate is {rate} Hz; wanted {LEAST_RATE} to {MOST_RATE}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise Refusal(f"it has {channels} channels; wanted 1 to {MOST_CHANNELS}")


def unheard(form: Format | None) -> str:
    """Why a part with another header than the first is not heard."""
    if form is None:
        return "cannot be read"
    return f"has another format ({form.frames / form.rate:.1f} s at {form.rate} Hz, {form.channels} channels)"


def ogg_breaks_off(raw: typing.BinaryIO) -> bool:
    """Whether an Ogg file lacks the page that says it is the last."""
    raw.seek(0)
    if raw.read(4) != b"OggS":
        return False
    raw.seek(-min(1 << 16, raw.seek(0, os.SEEK_END)), os.SEEK_END)
    tail = raw.read(1 << 16)
    last = tail.rfind(b"OggS")
    return last < 0 or last + 5 >= len(tail) or not tail[last + 5] & 4
