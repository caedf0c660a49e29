"""How fast a model learns: `sharks.train`'s step and a plain torch loop of the same model, taking turns.

    python bench/training.py [--presets NAME,...] [--batch N] [--device cpu|cuda] [-o bench/RESULTS.md]

The table replaces the chapter '## Training' of the file. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import pathlib
import statistics
import sys
import time
import typing

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as sharks.train does

import numpy as np  # noqa: E402
import torch  # noqa: E402
from plain_training import PlainLoop  # noqa: E402
from training_section import CHAPTER, put_training_section  # noqa: E402

from sharks import preset, recipe  # noqa: E402
from sharks.dataset.dataset import Dataset, Track  # noqa: E402
from sharks.recipes.presets import override as changed  # noqa: E402
from sharks.recipes.recipe import Recipe  # noqa: E402
from sharks.spec import Spec  # noqa: E402
from sharks.training.music.batches import Training  # noqa: E402
from sharks.training.step.learner import Learner  # noqa: E402
from sharks.training.step.precision import resolved  # noqa: E402

PRESETS = "dadabots-2tier-tiny,dadabots-2tier-small,dadabots-2tier,sharks2020-2tier"
_SAME = 0.02  # bits by which the first losses of both loops may differ: bfloat16 rounds


@dataclasses.dataclass(frozen=True)
class Row:
    """Trained samples per second, medians; `ratio` is the median of the ratios within a round."""

    preset: str
    device: str
    precision: str
    batch: int
    chunk_len: int
    ours: float
    plain: float
    plain_form: str
    ratio: float
    cores: float  # that ours kept busy


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--presets", default=PRESETS)
    parser.add_argument("--batch", type=int, help="streams per step; the preset's, at most 32 on a CPU, if not given")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="that each loop runs in a round, about")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.presets.split(","):
        for tf32 in (False, True) if options.device == "cuda" else (False,):
            rows.append(contest(name, options.batch, options.device, tf32, options.rounds, options.seconds))
            print(_line(rows[-1]), file=sys.stderr, flush=True)
    put_training_section(options.out, chapter(rows))
    print(options.out)


def contest(name: str, batch: int | None, device: str, tf32: bool, rounds: int, seconds: float) -> Row:
    """Both loops from the same weights on the same batches."""
    place = torch.device(device)
    most = batch or min(recipe(name).train.batch, 32 if device == "cpu" else 1 << 30)
    changes = {"train.batch": most, "data.chunks": 0, "data.hop_seconds": 8.0, "data.silence_db": -math.inf}
    spec, plan = changed(preset(name), recipe(name), changes)
    train = dataclasses.replace(plan.train, precision=resolved("auto", place))
    batches = _batches(spec, dataclasses.replace(plan, train=train))
    learner = Learner(spec, train, place)
    plain = PlainLoop(spec, train, learner.weights(), place)
    first = learner.learn(batches(0), train.learning_rate), plain.learn(batches(0))
    if not abs(first[0] - first[1]) < _SAME:
        raise SystemExit(f"{name}: the plain loop computes something else: {first[1]:.4f} bits, wanted {first[0]:.4f}")

    def ours(step: int) -> None:
        learner.learn(batches(step), train.learning_rate)

    def theirs(step: int) -> None:
        plain.learn(batches(step))

    per_step = most * train.chunk_len
    loops = {"ours": (ours, "high"), "plain": (theirs, "high" if tf32 else "highest")}
    count = {key: max(1, round(seconds / _timed(*loop, place, 1)[0])) for key, loop in loops.items()}
    found: dict[str, list[tuple[float, float]]] = {key: [] for key in loops}
    for _ in range(rounds):
        for key, loop in loops.items():
            took, used = _timed(*loop, place, count[key])
            found[key].append((per_step * count[key] / took, used / took))
    speeds = {key: [speed for speed, _ in turns] for key, turns in found.items()}
    return Row(
        preset=name,
        device=torch.cuda.get_device_name(place) if device == "cuda" else f"{torch.get_num_threads()} cores",
        precision=train.precision,
        batch=most,
        chunk_len=train.chunk_len,
        ours=statistics.median(speeds["ours"]),
        plain=statistics.median(speeds["plain"]),
        plain_form="float32, TF32" if tf32 else "float32",
        ratio=statistics.median(a / b for a, b in zip(speeds["ours"], speeds["plain"], strict=True)),
        cores=statistics.median(used for _, used in found["ours"]),
    )


def _timed(step: typing.Callable[[int], None], precision: str, place: torch.device, count: int) -> tuple[float, float]:
    """Seconds by the clock and of all cores for so many steps."""
    torch.set_float32_matmul_precision(precision if place.type == "cuda" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "high"
    began, used = time.perf_counter(), time.process_time()
    for number in range(count):
        step(number)
    if place.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began, time.process_time() - used


def _batches(spec: Spec, plan: Recipe) -> typing.Callable[[int], typing.Any]:
    """Batches of a minute of noise that falls and rises: their making is part of both loops' work."""
    rate = spec.sample_rate
    n = 60 * rate
    samples = 4000 * np.random.default_rng(0).standard_normal(n) * np.sin(np.arange(n) / rate)
    facts = {"minutes": 1.0, "rms_db": -20.0, "peak": 0.5, "dc": 0.0, "entropy": 7.0, "format": "WAV", "sha256": ""}
    track = Track("noise", "train", 0, n, **facts, rate=rate, channels=1)
    music = Dataset(
        path=pathlib.Path("noise"),
        sample_rate=rate,
        tracks=(track,),
        skipped=(),
        warnings=(),
        train=samples.astype(np.int16),
        val=np.zeros(0, np.int16),
        histogram=np.ones(256, np.int64),
        entropy_bits=7.0,
        val_bits=math.nan,
        fingerprint="noise",
    )
    return Training(music, spec, plan, 0).at


def chapter(rows: list[Row]) -> str:
    heads = ("preset", "device", "batch", "samples/s", "in", "cores busy", "plain loop, samples/s", "in", "x plain")
    text = [
        CHAPTER,
        "",
        f"Made by `python bench/training.py` with torch {torch.__version__}. Trained samples per second, medians of",
        "rounds in which both loops take turns on the same batches from the same weights. 'Plain' is",
        "`bench/plain_training.py`: torch's own layers over the whole chunk, `F.cross_entropy`, Adam.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *map(_line, rows),
    ]
    return "\n".join(text) + "\n"


def _line(row: Row) -> str:
    cells = [row.preset, row.device, f"{row.batch} x {row.chunk_len}", f"{row.ours:,.0f}", row.precision]
    cells += [f"{row.cores:.1f}", f"{row.plain:,.0f}", row.plain_form, f"{row.ratio:.1f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
