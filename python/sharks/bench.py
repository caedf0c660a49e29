"""How fast a model plays on this machine. The full table is made by bench/ in the source tree."""

from __future__ import annotations

import pathlib
import time
import typing

from .errors import UsageError


def bench(
    model: str, *, streams: int = 1, seconds: float = 1.0, device: str = "auto", threads: int | None = None
) -> dict[str, typing.Any]:
    """Play `seconds` of `streams` clips of a pack (a path) or preset (a name, with random weights); best of three runs.

    `samples_per_second` and `x_realtime` are per stream.
    """
    import numpy as np

    from .engine import open_player
    from .quantize import codec

    if not 0 < seconds <= 3600:
        raise UsageError(f"seconds is {seconds:g}; wanted more than 0, up to an hour")
    pack = _pack(model)
    player = open_player(pack, streams, device=device, threads=threads)
    steps = max(1, round(seconds * pack.spec.sample_rate))
    temperature = np.full((streams, steps), 0.95, np.float32)
    player.reset(np.full((streams, pack.spec.lookback), codec(pack.spec).pad_level, np.int32))
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        player.run(steps, temperature, 0, np.arange(streams))
        times.append(time.perf_counter() - begin)
    speed = steps / min(times)
    return {
        "model": str(model),
        "samples_per_second": speed,
        "x_realtime": speed / pack.spec.sample_rate,
        "streams": streams,
        "threads": player.threads,
        "device": player.device,
        "isa": player.isa,
        "dtype": player.dtype,
        "steps": steps,
    }


def _pack(model: str) -> typing.Any:
    from .pack import load, random_pack
    from .presets import preset

    return load(model) if pathlib.Path(model).exists() else random_pack(preset(model))
