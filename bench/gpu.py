"""The GPU's tables of bench/RESULTS.md: engine and torch with CUDA graphs in one run.

    python bench/gpu.py [--quick] [--sharks] [--presets NAME ...] [-o bench/RESULTS.md] [--json FILE]

Every row is kept as soon as it is known; --sharks makes a thousand clips as well, at the end. Leave the GPU alone
meanwhile. Where none can play it says why and writes nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import gc
import json
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import typing

import numpy as np
import torch
from floor import Gpu, floor
from gpu_section import HEAD, put_gpu_section
from graphs import Graph, logits, step_on

import sharks
from sharks import _core
from sharks.engine.door import open_player
from sharks.levels import quantize
from sharks.proof.bench import speed, warm

PRESETS = ("ibab-wavenet", "deepvoice-wavenet", "prism-3tier", "dadabots-2tier")
STREAMS = (1, 16, 128, 1024)
MANY = 128  # streams from which on the plan for throughput is asked for
TORCH_DTYPES = {"float32": torch.float32, "float16": torch.float16}
TOLERANCE = 0.05  # of the logits' root mean square; a wrong place in a ring is off by about 1
CHECKED = 80  # samples
SHARKS, SECONDS = 1000, 20.0


@dataclasses.dataclass(frozen=True)
class Row:
    preset: str
    dtype: str
    plan: str
    streams: int
    samples_per_second: float  # of all streams together
    x_real_time: float  # per stream
    floor: float  # samples per second: bench/floor.py
    torch: float | None  # samples per second; None where torch failed
    x_torch: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="float16 and two numbers of streams only, short runs")
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=sharks.presets())
    parser.add_argument("--sharks", action="store_true", help="a thousand clips of prism-3tier as well, last")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("RESULTS.md"))
    parser.add_argument("--json", type=pathlib.Path, help="write the rows here as well")
    options = parser.parse_args()
    if trouble := _core.cuda_status():
        sys.exit(f"no GPU can play: {trouble}")
    latencies = _core.probe_gpu()
    here = Gpu(**latencies, processors=torch.cuda.get_device_properties(0).multi_processor_count)
    seconds, rounds = (0.3, 3) if options.quick else (1.0, 5)
    rows = []
    for name in options.presets:
        pack = sharks.random_pack(sharks.preset(name), seed=0)
        for dtype, streams in ways(options.quick):
            rows.append(measure(name, pack, here, dtype, streams, seconds, rounds))
            print(line(rows[-1]), flush=True)
            keep(options, rows, "", here)
    if options.sharks:
        fleet = thousand_sharks()
        print(fleet)
        keep(options, rows, fleet, here)
    print(options.out)


def keep(options: argparse.Namespace, rows: list[Row], fleet: str, here: Gpu) -> None:
    """Write what is known so far, so that a later failure loses nothing of it."""
    if options.json:
        options.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    put_gpu_section(options.out, section(rows, fleet, here))


def ways(quick: bool) -> list[tuple[str, int]]:
    if quick:
        return [("float16", 1), ("float16", 1024)]
    return [("float32", 1), *(("float16", streams) for streams in STREAMS)]


def measure(name: str, pack: sharks.Pack, here: Gpu, dtype: str, streams: int, seconds: float, rounds: int) -> Row:
    """Engine and torch take turns; medians, and the median of the ratios."""
    plan = "throughput" if streams >= MANY else "default"
    player = open_player(pack, streams, device="cuda", dtype=dtype, plan=plan)
    steps = warm(player, seconds)
    baseline = graph_of(pack, dtype, streams)
    turns = [(speed(player, steps), baseline.speed(seconds) if baseline else None) for _ in range(rounds)]
    ours = statistics.median(made for made, _ in turns)
    theirs = [other for _, other in turns if other]
    row = Row(
        preset=name,
        dtype=dtype,
        plan=player.plan,
        streams=streams,
        samples_per_second=ours,
        x_real_time=ours / streams / pack.spec.sample_rate,
        floor=floor(pack.spec, streams, here),
        torch=statistics.median(theirs) if theirs else None,
        x_torch=statistics.median(a / b for a, b in turns if b) if theirs else None,
    )
    del player, baseline
    gc.collect()
    torch.cuda.empty_cache()
    return row


def graph_of(pack: sharks.Pack, dtype: str, streams: int) -> Graph | None:
    """The baseline, once its logits have been compared with the engine's; None, with a word, where torch fails."""
    try:
        check(pack, dtype, min(streams, 3))
        return Graph(pack.spec, pack.tensors, streams, TORCH_DTYPES[dtype])
    except (RuntimeError, torch.cuda.OutOfMemoryError) as error:
        print(f"torch fails with {streams} streams: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def check(pack: sharks.Pack, dtype: str, streams: int, device: str = "cuda") -> None:
    """Refuse to time a baseline that computes something else than the engine."""
    spec = pack.spec
    levels = np.random.default_rng(0).integers(0, spec.q_levels, (streams, CHECKED)).astype(np.int32)
    levels = np.concatenate([np.full((streams, spec.lookback), quantize.codec_of(spec).pad_level, np.int32), levels], 1)
    want = sharks.logits(pack, levels, device=device)
    feed = torch.from_numpy(levels[:, spec.lookback - 1 : -1].astype(np.int64)).to(device)
    got = logits(step_on(device, spec, pack.tensors, streams, TORCH_DTYPES[dtype]), feed).cpu().numpy()
    error = float(np.sqrt(np.square(got - want).mean() / np.square(want).mean()))
    if not error < TOLERANCE:
        raise SystemExit(f"the {dtype} baseline differs from the engine by {error:.3g}; its time would mean nothing")


def thousand_sharks() -> str:
    """The wall clock of 1000 clips of prism-3tier, from a pack in memory to WAVs on disk."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most) if most > 0 else 4096, most))
    pack = sharks.random_pack(sharks.preset("prism-3tier"), seed=0)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        audio = sharks.generate(
            pack, SECONDS, SHARKS, seed=0, device="cuda", dtype="float16", plan="throughput", out=folder
        )
        took = time.perf_counter() - start
        written = len(list(pathlib.Path(folder).glob("*.wav")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if written != SHARKS:
        raise SystemExit(f"{written} clips were written; wanted {SHARKS}")
    return (
        f"**1000 sharks**: a thousand clips of {SECONDS:g} seconds, `prism-3tier`, float16, plan `{audio.plan}`, from "
        f"the pack in memory to the WAVs on disk: {took:.1f} s."
    )


def line(row: Row) -> str:
    theirs = ("torch failed", "") if row.torch is None else (f"{row.torch:,.0f}", f"{row.x_torch:.1f}")
    cells = (row.preset, row.dtype, row.plan, row.streams, f"{row.samples_per_second:,.0f}", f"{row.x_real_time:.2f}")
    cells += (f"{row.floor:,.0f}", f"{row.samples_per_second / row.floor:.0%}")
    return f"| {' | '.join(map(str, (*cells, *theirs)))} |"


def section(rows: typing.Sequence[Row], fleet: str, here: Gpu) -> str:
    heads = ("preset", "dtype", "plan", "streams", "samples/s", "x real time", "floor", "of the floor")
    heads += ("torch, CUDA graphs", "x torch")
    return "\n".join(
        [
            f"{HEAD}\n\nMade by `python bench/gpu.py` on {datetime.date.today().isoformat()}, {_core.cuda_device()}, "
            f"sharks {sharks.__version__}, torch {torch.__version__}.\n",
            "Samples per second of all streams together, host to host, medians of runs that take turns; x real time is",
            "per stream. The baseline is plain torch in the same dtype, a whole frame of samples captured in a CUDA",
            "graph (`bench/graphs.py`), its logits compared with the engine's before it is timed. Random weights.\n",
            f"The floor (`bench/floor.py`) is reckoned from clocks measured in the same run: a load from shared memory "
            f"{here.shared_load:.0f}, a barrier {here.barrier:.0f}, a tile product {here.tile:.0f}, a hop through L2 "
            f"{here.hop:.0f}, at {here.clock / 1e9:.2f} GHz; it is one of float16 weights.\n",
            f"| {' | '.join(heads)} |",
            f"|{' --- |' * len(heads)}",
            *map(line, rows),
            *([f"\n{fleet}"] if fleet else []),
        ]
    )


if __name__ == "__main__":
    main()
