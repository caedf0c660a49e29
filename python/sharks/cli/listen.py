"""How fast does it play here?"""

from __future__ import annotations

import typing
from typing import Annotated

import typer

from . import display, options, values

HEADS = ("dtype", "streams", "threads", "samples/s", "x real time", "MB/step", "M MAC/sample", "limit", "of limit")


def bench(
    model: Annotated[str, typer.Argument(metavar="[PRESET|PACK]", help="What to play.")] = "dadabots-2tier-tiny",
    streams: Annotated[list[int] | None, typer.Option("--streams", "-n", metavar="N", help="Clips at once; 1.")] = None,
    threads: Annotated[list[int] | None, typer.Option(metavar="N", help="CPU threads; as many as help.")] = None,
    dtype: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="How weights are stored; float32.")] = None,
    length: Annotated[str, typer.Option(metavar="TIME", help="Of each measurement.")] = "1s",
    device: options.Device = "auto",
    plan: options.Plan = "default",
    as_json: options.AsJson = False,
) -> None:
    """Measure samples per second, and the limit of this machine.

    A preset plays random weights: weights do not change the speed. Streams, threads and dtype may be given several
    times; every combination is played. The limit is what reading the weights and multiplying by them takes at least.
    """
    from ..engine.door import described
    from ..proof.bench import bench

    found = bench(
        model,
        streams=streams or [1],
        threads=threads or [None],
        dtypes=dtype or ["float32"],
        seconds=values.duration(length),
        device=device,
        plan=plan,
    )
    plans = dict.fromkeys(row["plan"] for row in found["rows"])
    where = described(found["device"], found["isa"], *plans)
    lines = [f"{found['model']} on {where}, samples/s of all streams together"]
    lines += ["  ".join(cells) for cells in _aligned([HEADS, *map(_cells, found["rows"])])]
    display.answer("\n".join(lines), found, as_json)


def _cells(row: dict[str, typing.Any]) -> tuple[str, ...]:
    cells = (
        row["dtype"],
        str(row["streams"]),
        str(row["threads"]),
        f"{row['samples_per_second']:,.0f}",
        f"{row['x_realtime']:.2f}",
    )
    if row["limit"] is None:
        return (*cells, *"----")
    return (
        *cells,
        f"{row['bytes_per_step'] / 1e6:.2f}",
        f"{row['multiply_adds_per_sample'] / 1e6:.2f}",
        f"{row['limit']:,.0f}",
        f"{row['of_limit']:.0%}",
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
