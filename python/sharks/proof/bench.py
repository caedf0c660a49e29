"""How fast a model plays on this machine, beside what the machine allows. The source tree's bench/ compares further."""

from __future__ import annotations

import collections.abc
import pathlib
import statistics
import time
import typing

from ..errors import arguments

if typing.TYPE_CHECKING:
    from ..engine.door import Player
    from ..packs.pack import Pack

RUNS = 3
TEMPERATURE = 0.95


def bench(
    model: str,
    *,
    streams: collections.abc.Iterable[int] = (1,),
    threads: collections.abc.Iterable[int | None] = (None,),
    dtypes: collections.abc.Iterable[str] = ("float32",),
    seconds: float = 1.0,
    device: str = "auto",
    plan: str = "default",
) -> dict[str, typing.Any]:
    """Play a pack (a path) or preset (a name, with random weights) in every combination of streams, threads and dtypes.

    Each plays for `seconds`, up to a minute, `RUNS` times, taking turns with the probes of limits.py; medians.
    -> model, device, isa and rows: dtype, plan, streams, threads; samples_per_second of all streams together,
    x_realtime of each; and on a CPU, else None: bytes_per_step, what one step of all streams reads of the weights;
    multiply_adds_per_sample; limit, the samples per second that these two allow; of_limit, the share reached.
    """
    from ..engine.door import open_player

    if arguments.positive("seconds", seconds) > 60:
        arguments.refuse("seconds", seconds, "more than 0, up to a minute")
    pack = _pack(model)
    ways = [(dtype, b, t) for dtype in dtypes for b in streams for t in threads]
    rows: list[dict[str, typing.Any]] = []
    where = {}
    for dtype, b, t in ways:
        player = open_player(pack, b, device=device, dtype=dtype, threads=t, plan=plan)
        where = {"device": player.device, "isa": player.isa}
        rows.append(_row(pack, player, seconds))
    return {"model": str(model), **where, "rows": rows}


def _row(pack: Pack, player: Player, seconds: float) -> dict[str, typing.Any]:
    from ..engine.door import cost
    from .limits import limit

    row: dict[str, typing.Any] = {name: getattr(player, name) for name in ("dtype", "plan", "streams", "threads")}
    costs = cost(pack, player.device, player.dtype) if player.device == "cpu" else None
    steps, speeds, limits = warm(player, seconds), [], []
    for _ in range(RUNS):
        speeds.append(speed(player, steps))
        if costs:
            limits.append(limit(costs, player.dtype, player.streams, player.threads).samples_per_second)
    per_step = pack.spec.pace.samples / pack.spec.pace.steps  # samples of sound; a voice's own work is not counted
    row["samples_per_second"] = statistics.median(speeds) * per_step
    row["x_realtime"] = row["samples_per_second"] / player.streams / pack.spec.sample_rate
    row["bytes_per_step"] = costs["step_bytes"] + costs["frame_bytes"] if costs else None
    row["multiply_adds_per_sample"] = costs["multiply_adds"] / per_step if costs else None
    row["limit"] = statistics.median(limits) * per_step if limits else None
    row["of_limit"] = statistics.median(a / b for a, b in zip(speeds, limits, strict=True)) if limits else None
    return row


def warm(player: Player, seconds: float) -> int:
    """Begin in silence, and find how many steps take about so long: whole frames, which cost more than their steps."""
    import numpy as np

    from ..levels.quantize import codec_of

    lookback = player.spec.lookback
    player.reset(np.full((player.streams, lookback), codec_of(player.spec).pad_level, np.int32))
    speed(player, lookback)
    steps = lookback
    while (took := steps * player.streams / speed(player, steps)) < min(0.02, seconds):
        steps *= 2
    return max(1, round(seconds / took * steps / lookback)) * lookback


def speed(player: Player, steps: int) -> float:
    """Samples per second of all streams together, playing on for so many steps."""
    import numpy as np

    temperature = np.full((player.streams, steps), TEMPERATURE, np.float32)
    begin = time.perf_counter()
    player.run(steps, temperature, 0, np.arange(player.streams))
    return player.streams * steps / (time.perf_counter() - begin)


def _pack(model: str) -> Pack:
    from ..packs.pack import load, random_pack
    from ..recipes.presets import preset

    return load(model) if pathlib.Path(model).exists() else random_pack(preset(model))
