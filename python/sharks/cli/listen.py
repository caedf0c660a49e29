"""How fast does it play here?"""

from __future__ import annotations

from typing import Annotated

import typer

from . import display, options, values


def bench(
    model: Annotated[str, typer.Argument(metavar="[PRESET|PACK]", help="What to play.")] = "dadabots-2tier-tiny",
    streams: Annotated[int, typer.Option("-n", metavar="N", help="Clips at once.")] = 1,
    length: Annotated[str, typer.Option(metavar="TIME", help="Of each clip.")] = "1s",
    device: options.Device = "auto",
    threads: options.Threads = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure samples per second.

    A preset plays random weights: weights do not change the speed.
    """
    from ..bench import bench

    found = bench(model, streams=streams, seconds=values.duration(length), device=device, threads=threads)
    text = (
        f"{found['model']}: {found['samples_per_second']:,.0f} samples/s in each of {found['streams']} streams = "
        f"{found['x_realtime']:.2f}x real time each, {found['x_realtime'] * found['streams']:.1f}x in all "
        f"({found['device']}, {found['isa']}, {found['threads']} threads)"
    )
    display.answer(text, found, as_json)
