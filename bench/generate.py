"""Samples per second of the engine beside the eager torch baseline (and the numpy reference), in one run.

    python bench/generate.py --preset ibab-wavenet --streams 1 --threads 1 [--reference] [--json]

Random weights: speed does not depend on what a model has learnt. The baseline's logits are first compared with the
engine's, so that both do the same work. Then engine and baseline take turns, `--rounds` times; the medians and their
ratio are reported. One line per combination of streams and threads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import typing

import numpy as np
import torch
from eager import SampleRNNStep, draw, eager_steps

import sharks
from sharks import quantize
from sharks.engine import open_player
from sharks.spec import WaveNetSpec

TEMPERATURE = 0.95


def engine_speed(player: typing.Any, streams: int, steps: int) -> float:
    """Samples per second of all streams together."""
    heat = np.full((streams, steps), TEMPERATURE, np.float32)
    start = time.perf_counter()
    player.run(steps, heat, 1, np.arange(streams, dtype=np.int64))
    return streams * steps / (time.perf_counter() - start)


def eager_speed(step: typing.Callable, streams: int, steps: int, pad: int) -> float:
    levels = torch.full((streams,), pad)
    with torch.inference_mode():
        if isinstance(step, SampleRNNStep) and step.t == 0:
            step(None)  # the first prediction needs no level
        start = time.perf_counter()
        for _ in range(steps):
            levels = draw(step(levels), TEMPERATURE)
    return streams * steps / (time.perf_counter() - start)


def check_baseline(pack: sharks.Pack, steps: int = 40) -> None:
    """Refuse to time a baseline that computes something else."""
    spec, pad = pack.spec, quantize.codec(pack.spec).pad_level
    levels = np.random.default_rng(0).integers(0, spec.q_levels, (1, steps)).astype(np.int32)
    if isinstance(spec, WaveNetSpec):
        history, feed = levels[:, :1], levels[0, :-1]
    else:
        history, feed = np.full((1, spec.lookback), pad, np.int32), [None, *levels[0, :-1]]
        levels = np.concatenate([history, levels], 1)
    want = sharks.logits(pack, levels, device="cpu")[0]
    for name, step in eager_steps(spec, pack.tensors, 1).items():
        with torch.inference_mode():
            got = [step(None if v is None else torch.tensor([int(v)]))[0].numpy() for v in feed]
        worst = float(np.abs(np.stack(got) - want).max())
        if not worst < 1e-3 * max(1.0, float(np.abs(want).max())):
            raise SystemExit(f"baseline {name!r} differs from the engine by {worst:.3g}; its time would mean nothing")


def measure(
    pack: sharks.Pack, streams: int, threads: int, rounds: int, seconds: float, dtype: str = "float32"
) -> dict[str, typing.Any]:
    spec, pad = pack.spec, quantize.codec(pack.spec).pad_level
    torch.set_num_threads(threads)
    player = open_player(pack, streams, device="cpu", dtype=dtype, threads=threads)
    player.reset(np.full((streams, spec.lookback), pad, np.int32))
    baselines = eager_steps(spec, pack.tensors, streams)
    frame = spec.lookback  # whole frames, and enough of them for a steady figure
    fast = _steps(engine_speed(player, streams, 4 * frame + 256) / streams * seconds, frame)
    slow = {
        name: _steps(eager_speed(step, streams, 2 * frame + 64, pad) / streams * seconds, frame)
        for name, step in baselines.items()
    }
    engine: list[float] = []
    eager: dict[str, list[float]] = {name: [] for name in baselines}
    for _ in range(rounds):
        engine.append(engine_speed(player, streams, fast))
        for name, step in baselines.items():
            eager[name].append(eager_speed(step, streams, slow[name], pad))
    return {
        "streams": streams,
        "threads": threads,
        "engine": statistics.median(engine),
        "x_real_time": statistics.median(engine) / streams / spec.sample_rate,
        "eager": {name: statistics.median(speeds) for name, speeds in eager.items()},
        "ratio": {
            name: statistics.median(a / b for a, b in zip(engine, speeds, strict=True))
            for name, speeds in eager.items()
        },
    }


def _steps(wanted: float, frame: int) -> int:
    return max(frame, int(wanted) // frame * frame)


def reference_speed(pack: sharks.Pack, steps: int) -> float:
    player = open_player(pack, 1, device="reference")
    player.reset(np.full((1, pack.spec.lookback), quantize.codec(pack.spec).pad_level, np.int32))
    return engine_speed(player, 1, steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--preset", default="ibab-wavenet", choices=sharks.presets())
    parser.add_argument("--streams", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "int8"))
    parser.add_argument("--reference", action="store_true", help="time the numpy reference too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pack = sharks.random_pack(sharks.preset(options.preset), seed=0)
    check_baseline(pack)
    rows = [
        measure(pack, b, t, options.rounds, options.seconds, options.dtype)
        for b in options.streams
        for t in options.threads
    ]
    result = {"preset": options.preset, "torch": torch.__version__, "rows": rows}
    if options.reference:
        result["reference"] = reference_speed(pack, max(64, pack.spec.lookback))
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        return
    print(f"{options.preset}, samples per second of all streams together, medians of {options.rounds}")
    names = list(rows[0]["eager"])
    heads = "".join(f" {'eager, ' + name:>14} {'ratio':>7}" for name in names)
    print(f"{'streams':>7} {'threads':>7} {'engine':>9} {'x real time':>11}{heads}")
    for row in rows:
        cells = "".join(f" {row['eager'][name]:14.0f} {row['ratio'][name]:6.1f}x" for name in names)
        print(f"{row['streams']:7} {row['threads']:7} {row['engine']:9.0f} {row['x_real_time']:11.3f}{cells}")
    if "reference" in result:
        speed = result["reference"]
        print(f"numpy reference, one stream: {speed:.1f}; the engine is {rows[0]['engine'] / speed:.0f} times as fast")


if __name__ == "__main__":
    main()
