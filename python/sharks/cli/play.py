"""A pack to clips."""

from __future__ import annotations

import math
import os
import pathlib
import typing
from typing import Annotated

import typer

from ..errors import UsageError
from ..terminal import units
from . import display, options, values


def generate(
    pack: options.Model,
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="The clips; out/NAME if not given.")
    ] = None,
    clips: Annotated[int | None, typer.Option("-n", metavar="N", help="How many clips; 1 if not given.")] = None,
    length: Annotated[str, typer.Option(metavar="TIME", help="Of one clip, such as 30s.")] = "10s",
    total: Annotated[str | None, typer.Option(metavar="TIME", help="Of all clips, such as 10h; instead of -n.")] = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    stream: Annotated[int | None, typer.Option(metavar="ID", help="Only this stream of the seed, as one clip.")] = None,
    prime: Annotated[
        str | None, typer.Option(metavar="FILE[@START]", help="Music to hear before playing on, such as a.wav@1m30s.")
    ] = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    threads: options.Threads = None,
    plan: options.Plan = "default",
    on_bad: Annotated[
        str, typer.Option(metavar="WHAT", help="keep bad clips, or retry: play the next unused stream instead.")
    ] = "keep",
    as_json: options.AsJson = False,
) -> None:
    """Let a model play. The same command again plays other clips, with the same seed the same.

    What is written is whole at every moment, for --total 10h too; after Ctrl-C, the same command goes on. Started by
    torchrun or srun, each process plays its share of the clips.
    """
    from ..engine.door import described
    from ..packs.pack import load
    from ..play.found import finished_clips, next_streams, seed_of
    from ..play.generate import generate
    from ..play.retry import generate_good
    from ..play.schedule import steps
    from ..play.share import of_environment

    if on_bad not in ("keep", "retry"):
        raise UsageError(f"--on-bad is {on_bad!r}; wanted keep or retry")

    seconds = values.duration(length)
    count = _count(clips, total, seconds, stream)
    share = of_environment(os.environ)
    mine = count if share is None else len(range(share[0], count, share[1]))
    if share is not None:
        display.say(f"process {share[0]} of {share[1]}: {mine} of {count} clips")
        if not mine:
            return
    loaded = load(pack)
    folder = out or pathlib.Path("out") / values.named_after(pack)
    finished = finished_clips(folder, loaded, steps("seconds", seconds, loaded.spec.sample_rate), seed)
    streams = None if stream is None else [stream]
    there = False
    if seed is None and streams is None and total is None and share is None and finished:
        streams, new = next_streams(finished, count)
        seed, count = seed_of(folder, loaded), len(streams)
        mine = count
        display.say(_which(streams, new))
    else:
        there = all(finished.get(number) for number in streams or range(count))
    arguments: dict[str, typing.Any] = dict(
        temperature=values.temperature(temperature),
        seed=seed,
        streams=streams,
        device=device,
        dtype=dtype,
        threads=threads,
        plan=plan,
        out=folder,
        share=share,
        progress=display.of_audio(mine),
        **_primer(prime, loaded.spec.sample_rate),
    )
    audio, replaced = (
        generate_good(loaded, seconds, count, **arguments)
        if on_bad == "retry"
        else (generate(loaded, seconds, count, **arguments), [])
    )
    if there:
        display.say(f"{'this clip is' if count == 1 else f'these {count} clips are'} already there")
    where = described(audio.device, audio.isa, audio.plan)
    display.last(f"{mine} x {units.duration(seconds)}: seed {audio.seed}, {where}")
    files = audio.files or []
    for bad in replaced:
        display.say(
            f"{bad.file} is {bad.verdict}; " + (f"{bad.instead} instead" if bad.instead else "no better one was found")
        )
    summary = {
        "files": files,
        "replaced": [vars(bad) for bad in replaced],
        "seconds": audio.seconds,
        "seed": audio.seed,
        "device": audio.device,
        "dtype": audio.dtype,
        "isa": audio.isa,
        "plan": audio.plan,
    }
    display.answer("\n".join(map(str, files)), summary, as_json)


def _which(streams: list[int], new: bool) -> str:
    from ..clips.wavs import file_name

    files = file_name(streams[0]) + (f"-{file_name(streams[-1])}" if len(streams) > 1 else "")
    clips = "1 clip" if len(streams) == 1 else f"{len(streams)} clips"
    return f"{files}: {clips} more" if new else f"{files}: goes on with {clips} that were not finished"


def _count(clips: int | None, total: str | None, seconds: float, stream: int | None) -> int:
    if sum(value is not None for value in (clips, total, stream)) > 1:
        raise UsageError("-n, --total and --stream say the same thing differently; give one of them")
    if total is None:
        return 1 if clips is None else clips
    wanted = values.duration(total)
    for name, value in (("--length", seconds), ("--total", wanted)):
        if value <= 0:
            raise UsageError(f"{name} is {value:g} s; wanted more than 0")
    return max(1, math.ceil(wanted / seconds - 1e-9))  # 1.1 / 0.1 is a little more than 11


def _primer(prime: str | None, rate: int) -> dict[str, typing.Any]:
    """The primer as arguments of `sharks.generate`."""
    if prime is None:
        return {}
    from ..sound.reading import read_audio

    path, start = values.timed(prime)
    samples, _ = read_audio(path, rate, mono=True)
    if round(start * rate) >= samples.shape[1]:
        raise UsageError(f"--prime {prime} begins after the file's end at {samples.shape[1] / rate:.1f} s")
    return {"prime": samples[:, round(start * rate) :], "prime_rate": rate}


def extend(
    clip: Annotated[pathlib.Path, typer.Argument(metavar="CLIP", help="A clip that `sharks generate` wrote.")],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="How long it shall be, such as 4m.")],
    pack: Annotated[
        pathlib.Path | None, typer.Option(metavar="RUN|PACK", help="What played it, if that has moved since.")
    ] = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    threads: options.Threads = None,
    plan: options.Plan = "default",
    as_json: options.AsJson = False,
) -> None:
    """Play a clip on. It keeps its beginning and gets longer."""
    from ..play.extend import LongEnough, extend

    try:
        audio = extend(
            clip,
            values.duration(to),
            pack=pack,
            device=device,
            dtype=dtype,
            threads=threads,
            plan=plan,
            progress=display.of_audio(1),
        )
    except LongEnough as found:  # the same command again is no mistake
        display.say(f"nothing to do: {clip} is {units.duration(found.seconds)} long already")
        display.answer(str(clip), {"clip": clip, "seconds": found.seconds}, as_json)
        return
    display.last(f"{units.duration(audio.seconds)} now")
    display.answer(str(clip), {"clip": clip, "seconds": audio.seconds, "stream": int(audio.streams[0])}, as_json)
