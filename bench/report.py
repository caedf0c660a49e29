"""The tables of bench/RESULTS.md: engine, limit and torch in one run, on this machine.

    python bench/report.py [--quick] [-o bench/RESULTS.md]

About eight minutes, of which torch compiles for five; two with --quick. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import os
import pathlib
import platform
import sys
import typing

import torch
from contest import DTYPES, Row, baselines, measure, reference_speed
from gpu_section import gpu_section
from training_section import training_section

import sharks
from sharks import _core
from sharks.engine import door as engine
from sharks.proof.limits import multiply_rate, read_rate

PRESETS = ("ibab-wavenet", "deepvoice-wavenet", "prism-3tier", "dadabots-2tier")
THREADS = (1, 2)
SIZES = {"32 KB": 32 << 10, "1 MB": 1 << 20, "6 MB": 6 << 20, "64 MB": 64 << 20, "256 MB": 256 << 20}
HEADS = (
    *("preset", "dtype", "streams", "threads", "samples/s", "x real time", "limit", "of the limit", "of peak"),
    *("x eager, plain", "x best torch"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one stream only, short runs")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    streams, rounds = ((1,), 2) if options.quick else ((1, 16, 64), 3)
    packs = {name: sharks.random_pack(sharks.preset(name), seed=0) for name in PRESETS}
    text = [
        heading(),
        machine(),
        "## Work\n",
        *work(packs),
        "",
        "## Speed\n",
        EXPLAINED,
        *speeds(packs, streams, rounds),
    ]
    others = [training_section(options.out), gpu_section(options.out)]  # which other programs write
    options.out.write_text("\n\n".join(["\n".join([*text, "", references(packs)]), *filter(None, others)]) + "\n")
    print(options.out)


def speeds(packs: dict[str, sharks.Pack], streams: tuple[int, ...], rounds: int) -> typing.Iterator[str]:
    yield from _head(HEADS)
    for name, pack in packs.items():
        rows: list[Row] = []
        for b in streams:
            print(f"{name}, {b} streams", file=sys.stderr)
            steps = baselines(pack, b)
            for threads in THREADS:
                rows += measure(pack, b, threads, steps, rounds, seconds=0.2)
            del steps
            torch._dynamo.reset()  # or the graphs, and their weights, would stay
            gc.collect()
        yield from (_line(name, row) for row in sorted(rows, key=lambda row: DTYPES.index(row.dtype)))


def _line(name: str, row: Row) -> str:
    return (
        f"| {name} | {row.dtype} | {row.streams} | {row.threads} | {row.samples_per_second:,.0f} | "
        f"{row.x_real_time:.2f} | {row.limit:,.0f} | {row.of_limit:.0%} | {row.of_peak:.0%} | {row.x_plain:.1f} | "
        f"{row.x_best:.1f} ({row.best_form}) |"
    )


def work(packs: dict[str, sharks.Pack]) -> typing.Iterator[str]:
    """What a sample costs the engine, from its own packed weights."""
    heads = [f"MB per step, {dtype}" for dtype in DTYPES]
    yield from _head(("preset", "million multiply-adds per sample", *heads, "MB in all, float32"))
    for name, pack in packs.items():
        costs = {dtype: engine.cost(pack, "cpu", dtype) for dtype in DTYPES}
        read = " | ".join(f"{(cost['step_bytes'] + cost['frame_bytes']) / 1e6:.2f}" for cost in costs.values())
        of_all = costs["float32"]
        yield f"| {name} | {of_all['multiply_adds'] / 1e6:.2f} | {read} | {of_all['working_set'] / 1e6:.1f} |"


def _head(cells: typing.Sequence[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |", f"|{' --- |' * len(cells)}"]


def references(packs: dict[str, sharks.Pack]) -> str:
    found = (f"{name} {reference_speed(pack, max(64, pack.spec.lookback)):.0f}" for name, pack in packs.items())
    return f"The numpy reference, one stream, float64, samples/s: {'; '.join(found)}."


def heading() -> str:
    today = datetime.date.today().isoformat()
    versions = f"sharks {sharks.__version__}, torch {torch.__version__}"
    return f"# Results\n\nMade by `python bench/report.py` on {today}, {versions}.\n"


def machine() -> str:
    reads = [", ".join(f"{name} {1e-9 * read_rate(size * n, n):.0f}" for name, size in SIZES.items()) for n in THREADS]
    peaks = [", ".join(f"{dtype} {1e-9 * multiply_rate(dtype, n):.0f}" for dtype in DTYPES) for n in THREADS]
    return f"""\
## Machine

{cpu_name()}, {cores()} cores, instruction set `{_core.isa()}`. One thread reads, in GB/s by working set: {reads[0]};
two side by side, each with as much of its own: {reads[1]}. One thread multiplies and adds, in billions per second:
{peaks[0]}; two: {peaks[1]}.
"""


EXPLAINED = """\
Samples per second of all streams together, medians of runs that take turns; x real time is per stream. A step reads the
weights once, for all its streams.

'Limit' is what reading the weights (after folds) takes at least from where so many bytes lie, or multiplying by them,
whichever is longer: `python/sharks/proof/limits.py`, measured between the runs of the engine, by as many threads side
by side. Where a cache keeps part of a working set that is larger than itself, or others slow the machine down for a
moment, the share may pass 100 %. 'Of peak' is beside the multiply-adds alone: the fused multiply-add of float32, the
dot products of bfloat16 and int8.

'Eager, plain' is a cached step per sample in eager float32 torch with as many threads, a ring per layer, as one writes
it. 'Best torch' is the fastest of what torch can do in the same dtype, named in brackets: the eager forms of
`bench/eager.py` and torch.compile with frozen weights (`bench/frozen.py`), compile time left out. Torch has no
int8 step to compare with: beside int8 stands its best of float32 and bfloat16.
"""


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
