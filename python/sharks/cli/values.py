"""What may stand behind an option: durations, ranges, temperatures, settings. Each refuses in one sentence."""

from __future__ import annotations

import pathlib
import re
import tomllib
import typing

from ..errors import UsageError

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SMALLER = {"h": "m", "m": "s", "s": "s"}  # 1h30 is an hour and a half
LONGEST = 1e15  # seconds, thirty million years: half-samples still count
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([hms]|$)")
_CLOCK = re.compile(r"\d+(?::[0-5]\d){1,2}")

Temperature = float | list[float] | list[tuple[float, float]]


def duration(text: str, unit: str = "s") -> float:
    """Seconds of "90s", "30m", "10h", "1h30m", "1h30", or of "1:02:30" on a clock.

    A plain "90" counts in `unit`, "s" or "h"; "1:30" are minutes and seconds then, or hours and minutes.
    """
    written = text.strip().lower()
    if _CLOCK.fullmatch(written):
        numbers = [float(number) for number in written.split(":")]
        hours = numbers if len(numbers) == 3 or unit == "h" else [0.0, *numbers]
        seconds = sum(number * size for number, size in zip(hours, (3600.0, 60.0, 1.0), strict=False))
    else:
        parts = _PART.findall(written)
        if not parts or "".join(map("".join, parts)) != written:
            raise UsageError(f"{text!r} is not a duration; wanted one such as 90s, 30m, 10h or 1:30")
        seconds = 0.0
        for number, named in parts:
            unit = named or unit
            seconds += float(number) * SECONDS[unit]
            unit = _SMALLER[unit]
    if seconds > LONGEST:
        raise UsageError(f"{text!r:.40} lasts longer than sharks can count; wanted one such as 90s, 30m or 10h")
    return seconds


def hours(text: str | None) -> float | None:
    """Hours of "8", "0.5", "30m" or "1:30", which behind `--hours` is an hour and a half; None of None."""
    return None if text is None else duration(text, unit="h") / 3600


def minutes(text: str) -> tuple[float, float]:
    """The shortest and the longest, in minutes, of "3-5" or "4"."""
    shortest, _, longest = text.partition("-")
    try:
        return float(shortest), float(longest or shortest)
    except ValueError:
        raise UsageError(f"{text!r} is not a range of minutes; wanted one such as 3-5") from None


def temperature(text: str | None) -> Temperature | None:
    """None, the pack's own, "0.95" for all, "0.9,1.0" for one clip each, "0s:0.9,30s:1.1" for a schedule in time."""
    if text is None:
        return None
    parts = text.split(",")
    try:
        if ":" in text:
            return [(duration(time), float(value)) for time, value in (part.split(":") for part in parts)]
        values = [float(part) for part in parts]
    except ValueError:
        raise UsageError(
            f"{text!r} is not a temperature; wanted 0.95, one per clip as 0.9,1.0, or a schedule as 0s:0.9,30s:1.1"
        ) from None
    return values if len(values) > 1 else values[0]


def settings(texts: list[str]) -> dict[str, typing.Any]:
    """Fields and their values, of "model.dim=512". Values are read as TOML; what is not TOML is a word."""
    fields = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or "." not in name:
            raise UsageError(f"--set {text} sets nothing; wanted a field and a value, such as model.dim=512")
        try:
            fields[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            fields[name.strip()] = value.strip()
    return fields


def named_after(path: pathlib.Path) -> str:
    """What is made of a file or folder is called as it is; a folder's name may have dots, a file's ending goes."""
    path = path.resolve()
    return path.stem if path.is_file() else path.name


def timed(text: str) -> tuple[str, float]:
    """A file and the second to begin at, of "song.wav@1m30s" or "song.wav"; a file of just that name is meant first."""
    if pathlib.Path(text).is_file():
        return text, 0.0
    path, at, start = text.rpartition("@")
    try:
        return (path, duration(start)) if at and path else (text, 0.0)
    except UsageError:
        return text, 0.0  # an @ in the name
