"""Engine, torch baselines and the probes of the machine's limit, taking turns in one run.

Every baseline's logits are first compared with the engine's, so that all do the same work. Figures are medians of the
rounds, ratios medians of the ratios within a round.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
import time
import typing

import numpy as np
import torch
from compiled import compiled_step
from eager import Step, eager_steps

import sharks
from sharks.engine import door as engine
from sharks.engine.door import Player, open_player
from sharks.levels import quantize
from sharks.proof.bench import speed, warm
from sharks.proof.limits import Limit, limit

DTYPES = ("float32", "bfloat16", "int8")
TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
TOLERANCE = {"float32": 1e-4, "bfloat16": 0.05}  # of the root mean square; a wrong place in a ring is off by about 1
CHECKED = 80  # samples: every tier of the presets runs twice

Name = tuple[str, str]  # a baseline's dtype and form


@dataclasses.dataclass(frozen=True)
class Row:
    """One dtype, number of streams and number of threads. Speeds are of all streams together."""

    dtype: str
    streams: int
    threads: int
    samples_per_second: float
    x_real_time: float  # per stream
    limit: float  # samples per second
    of_limit: float
    of_peak: float  # of the limit if reading cost nothing
    plain: float  # samples per second of eager torch in float32, as one writes it
    x_plain: float
    best: float  # samples per second of the fastest torch in this dtype; beside int8, of both its dtypes
    best_form: str
    x_best: float


def baselines(pack: sharks.Pack, streams: int, compiled: bool = True) -> dict[Name, Step]:
    """Every baseline at its first samples, checked against the engine. The first is the plain one.

    What the compiler fails on is left out, with a word on stderr.
    """
    torch.set_num_threads(os.cpu_count() or 1)  # where threads that do not wait for each other would show
    steps: dict[Name, Step] = {}
    for dtype, kind in TORCH_DTYPES.items():
        steps |= {(dtype, form): step for form, step in eager_steps(pack.spec, pack.tensors, streams, kind).items()}
        if not compiled:
            continue
        try:
            steps[dtype, "compiled"] = compiled_step(pack.spec, pack.tensors, streams, kind)
        except Exception as error:  # there is no telling what a compiler raises
            print(f"torch.compile fails for {dtype}: {str(error).splitlines()[0]}", file=sys.stderr)
    for name, step in steps.items():
        check(pack, name, step, streams)
    return steps


def check(pack: sharks.Pack, name: Name, step: Step, streams: int) -> None:
    """Refuse to time a baseline, here at its first sample, that computes something else."""
    spec, dtype = pack.spec, name[0]
    levels = np.random.default_rng(0).integers(0, spec.q_levels, (streams, CHECKED)).astype(np.int32)
    levels = np.concatenate([np.full((streams, spec.lookback), quantize.codec_of(spec).pad_level, np.int32), levels], 1)
    want = sharks.logits(pack, levels, device="cpu", dtype=dtype)
    feed = torch.from_numpy(levels[:, spec.lookback - 1 : -1].astype(np.int64)).T.contiguous()
    with torch.inference_mode():
        got = np.stack([step(now).float().numpy() for now in feed], 1)
    error = float(np.sqrt(np.square(got - want).mean() / np.square(want).mean()))
    if not error < TOLERANCE[dtype]:
        raise SystemExit(f"baseline {name} differs from the engine by {error:.3g}; its time would mean nothing")


def measure(
    pack: sharks.Pack,
    streams: int,
    threads: int,
    steps: dict[Name, Step],
    rounds: int,
    seconds: float,
    dtypes: typing.Sequence[str] = DTYPES,
) -> list[Row]:
    """A row per dtype. Everything runs once in every round, for about so many seconds."""
    torch.set_num_threads(threads)
    players = {d: open_player(pack, streams, device="cpu", dtype=d, threads=threads) for d in dtypes}
    long = {d: warm(player, seconds) for d, player in players.items()}
    slow = {name: _steps(step, streams, pack, seconds) for name, step in steps.items()}
    turns = [_turn(pack, players, long, steps, slow) for _ in range(rounds)]
    return [_row(pack, players[d], turns, d) for d in dtypes]


class _Turn(typing.NamedTuple):
    engine: dict[str, float]
    torch: dict[Name, float]
    limits: dict[str, Limit]


def _turn(
    pack: sharks.Pack, players: dict[str, Player], long: dict[str, int], steps: dict[Name, Step], slow: dict[Name, int]
) -> _Turn:
    pad = quantize.codec_of(pack.spec).pad_level
    made, limits = {}, {}
    for d, player in players.items():
        made[d] = speed(player, long[d])
        limits[d] = limit(engine.cost(pack, "cpu", d), d, player.streams, player.threads)
    streams = next(iter(players.values())).streams
    return _Turn(made, {name: torch_speed(step, streams, slow[name], pad) for name, step in steps.items()}, limits)


def _row(pack: sharks.Pack, player: Player, turns: list[_Turn], dtype: str) -> Row:
    made = [turn.engine[dtype] for turn in turns]
    forms = list(turns[0].torch)
    ours = [name for name in forms if name[0] == dtype] or forms
    middle = {name: statistics.median(turn.torch[name] for turn in turns) for name in forms}
    best = max(ours, key=lambda name: middle[name])
    return Row(
        dtype=dtype,
        streams=player.streams,
        threads=player.threads,
        samples_per_second=statistics.median(made),
        x_real_time=statistics.median(made) / player.streams / pack.spec.sample_rate,
        limit=statistics.median(turn.limits[dtype].samples_per_second for turn in turns),
        of_limit=_ratio(made, [turn.limits[dtype].samples_per_second for turn in turns]),
        of_peak=_ratio(made, [turn.limits[dtype].peak for turn in turns]),
        plain=middle[forms[0]],
        x_plain=_ratio(made, [turn.torch[forms[0]] for turn in turns]),
        best=middle[best],
        best_form=best[1] if best[0] == dtype else f"{best[1]}, {best[0]}",
        x_best=_ratio(made, [turn.torch[best] for turn in turns]),
    )


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def torch_speed(step: Step, streams: int, steps: int, pad: int) -> float:
    """Samples per second of all streams together."""
    with torch.inference_mode(), torch.compiler.set_stance("fail_on_recompile"):
        levels = torch.full((streams,), pad)
        start = time.perf_counter()
        for _ in range(steps):
            levels = step.play(levels)
    return streams * steps / (time.perf_counter() - start)


def _steps(step: Step, streams: int, pack: sharks.Pack, seconds: float) -> int:
    """How many take about so long: whole frames."""
    frame, pad = pack.spec.lookback, quantize.codec_of(pack.spec).pad_level
    few = max(1, 32 // frame) * frame
    torch_speed(step, streams, few, pad)
    return max(1, round(torch_speed(step, streams, few, pad) / streams * seconds / frame)) * frame


def reference_speed(pack: sharks.Pack, steps: int) -> float:
    """Samples per second of one stream in numpy."""
    player = open_player(pack, 1, device="reference")
    player.reset(np.full((1, pack.spec.lookback), quantize.codec_of(pack.spec).pad_level, np.int32))
    return speed(player, steps)
