"""Playing on until the clips are good: for a clip that fails its health check, the next unused stream is played.

Nothing is removed. The bad clip stays where it is, and `bad.json` beside the clips says what is wrong with it and which
clip came instead; so the same call again finds all of them, and plays nothing twice.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing
from collections.abc import Iterable

import numpy as np

from ..clips import wavs as clips
from ..errors import UsageError
from ..files.atomic import atomically
from ..packs.pack import Pack, pack_of
from .audio import Audio

NAME = "bad.json"
MOST_TRIES = 4  # x the clips asked for: a model whose clips are nearly all bad should be trained, not retried


@dataclasses.dataclass(frozen=True)
class Replaced:
    """A clip that is not good, and the one played instead; None where too many had been tried."""

    file: str
    verdict: str
    instead: str | None


def generate_good(
    pack: Pack | str | os.PathLike[str],
    seconds: float,
    n: int,
    *,
    out: str | os.PathLike[str],
    streams: Iterable[int] | None = None,
    seed: int | None = None,
    share: typing.Any = None,
    **play: typing.Any,
) -> tuple[Audio, list[Replaced]]:
    """`n` clips as `generate` plays them, the bad ones replaced: the `Audio` of those to hear, and what was replaced.

    The arguments are those of `generate`; a folder is needed, and no share of others' work is taken. Where four times
    `n` clips did not give `n` good ones, the bad ones that are left are among the result.
    """
    from .generate import generate

    if share is not None and share[1] > 1:
        raise UsageError("bad clips can be replaced by one process alone; generate first, then retry on one machine")
    pack = pack_of(pack)
    chosen = list(range(n)) if streams is None else [int(stream) for stream in streams]
    unused, tried = max(chosen) + 1, len(chosen)
    audio = generate(pack, seconds, len(chosen), streams=chosen, seed=seed, out=out, **play)
    verdicts = _verdicts(audio)
    replaced: dict[int, Replaced] = {}
    bad = [i for i, stream in enumerate(chosen) if verdicts[stream] != "ok"]
    while bad:
        room = max(0, MOST_TRIES * n - tried)
        fresh = list(range(unused, unused + min(len(bad), room)))
        for i, stream in zip(bad, [*fresh, *[None] * len(bad)], strict=False):
            replaced[chosen[i]] = Replaced(
                _file(chosen[i]), verdicts[chosen[i]], None if stream is None else _file(stream)
            )
        if not fresh:
            break
        unused, tried = unused + len(fresh), tried + len(fresh)
        takes_over = _of(bad[: len(fresh)], n, pack, play)
        audio = generate(pack, seconds, len(fresh), streams=fresh, seed=audio.seed, out=out, **takes_over)
        verdicts |= _verdicts(audio)
        for i, stream in zip(bad, fresh, strict=False):
            chosen[i] = stream
        bad = [i for i in bad if verdicts[chosen[i]] != "ok"]
    found = [replaced[stream] for stream in sorted(replaced)]
    with atomically(pathlib.Path(out) / NAME) as file:
        file.write((json.dumps([dataclasses.asdict(row) for row in found], indent=1) + "\n").encode())
    return generate(pack, seconds, len(chosen), streams=chosen, seed=audio.seed, out=out, **play), found


def _of(some: list[int], n: int, pack: Pack, play: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """The arguments for some of `n` clips: a temperature, a primer, a condition of each clip's own goes with it."""
    taken = dict(play)
    temperature, prime, condition = (play.get(name) for name in ("temperature", "prime", "condition"))
    if temperature is not None and np.ndim(temperature) == 1:
        taken["temperature"] = [temperature[i] for i in some]
    if prime is not None and np.ndim(prime) == 3 and len(prime) == n:
        taken["prime"] = prime[some] if hasattr(prime, "shape") else [prime[i] for i in some]
    given = pack.spec.condition.per_stream(condition, n)
    if given is not None:
        taken["condition"] = given[some]
    return taken


def _verdicts(audio: Audio) -> dict[int, str]:
    """Of each stream."""
    from ..sound.health import health
    from ..sound.reading import read_audio

    files = audio.files or []
    heard = (read_audio(file)[0] for file in files)
    return {
        int(stream): health(samples, audio.sample_rate).verdict
        for stream, samples in zip(audio.streams, heard, strict=True)
    }


def _file(stream: int) -> str:
    return clips.file_name(stream)
