"""The table of bench/RESULTS.md: engine, limit and eager torch in one run, on this machine.

    python bench/report.py [--quick] [-o bench/RESULTS.md]

About four minutes; leave the machine alone meanwhile. The limit is measured in the same run (bench/limits.py).
"""

from __future__ import annotations

import argparse
import datetime
import pathlib
import platform
import typing

import torch
from generate import check_baseline, measure, reference_speed
from limits import limit, multiply_adds_per_second, seconds_per_byte

import sharks
from sharks import _core, engine

PRESETS = ("ibab-wavenet", "deepvoice-wavenet", "prism-3tier", "dadabots-2tier")
DTYPES = ("float32", "bfloat16", "int8")
SIZES = {"32 KB": 32 << 10, "1 MB": 1 << 20, "6 MB": 6 << 20, "64 MB": 64 << 20, "256 MB": 256 << 20}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one stream only, short runs")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    streams = (1,) if options.quick else (1, 16, 64)
    rounds, seconds = (3, 0.3) if options.quick else (5, 0.5)
    text = [heading(), machine(), "## Engine\n", EXPLAINED, *table(streams, rounds, seconds)]
    options.out.write_text("\n".join(text) + "\n")
    print(options.out)


def table(streams: tuple[int, ...], rounds: int, seconds: float) -> typing.Iterator[str]:
    heads = (
        "preset | dtype | streams | threads | samples/s | x real time | of the limit | x eager, plain | x eager, best"
    )
    yield f"| {heads} |"
    yield "| " + " | ".join("---" for _ in heads.split("|")) + " |"
    references = []
    for name in PRESETS:
        pack = sharks.random_pack(sharks.preset(name), seed=0)
        check_baseline(pack)
        references.append(f"{name} {reference_speed(pack, max(64, pack.spec.lookback)):.0f}")
        for dtype in DTYPES:
            cost = engine.cost(pack, "cpu", dtype)
            for b in streams:
                for threads in (1, 2):
                    row = measure(pack, b, threads, rounds, seconds, dtype)
                    share = row["engine"] / limit(cost, dtype, b, threads)
                    ratios = list(row["ratio"].values())
                    yield (
                        f"| {name} | {dtype} | {b} | {threads} | {row['engine']:,.0f} | {row['x_real_time']:.2f} | "
                        f"{share:.0%} | {ratios[0]:.1f} | {min(ratios):.1f} |"
                    )
    yield f"\nThe numpy reference, one stream, float64, samples/s: {'; '.join(references)}."


def heading() -> str:
    today = datetime.date.today().isoformat()
    versions = f"sharks {sharks.__version__}, torch {torch.__version__}"
    return f"# Speed\n\nMade by `python bench/report.py` on {today}, {versions}.\n"


def machine() -> str:
    reads = ", ".join(f"{name} {1e-9 / seconds_per_byte(size):.0f}" for name, size in SIZES.items())
    multiplies = ", ".join(f"{dtype} {multiply_adds_per_second(dtype) / 1e9:.0f}" for dtype in DTYPES)
    return f"""\
## Machine

{cpu_name()}, {engine_cores()} cores, instruction set `{_core.isa()}`. One thread reads, in GB/s by working set:
{reads}. One thread multiplies and adds, in billions per second: {multiplies}.
"""


EXPLAINED = """\
Samples per second of all streams together, medians of runs that take turns with the baseline; x real time is per
stream. 'Of the limit': beside what reading the weights and multiplying takes on this machine at least, measured in the
same run (`bench/limits.py`); it may pass 100 % where a cache keeps part of a working set that is larger than itself,
which the probe's plain reading does not. 'Eager' is a cached step per sample in eager float32 torch with as many
threads (`bench/eager.py`): 'plain' as one writes it, a ring per layer; 'best' the fastest form we could write.
"""


def engine_cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
