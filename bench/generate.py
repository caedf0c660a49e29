"""Samples per second of the engine beside the torch baselines and the machine's limit, for one preset.

    python bench/generate.py --preset ibab-wavenet --streams 1 16 --threads 1 2 [--eager] [--reference] [--json]

Random weights: speed does not depend on what a model has learnt. contest.py says how it is measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

import torch
from contest import DTYPES, baselines, measure, reference_speed

import sharks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--preset", default="ibab-wavenet", choices=sharks.presets())
    parser.add_argument("--streams", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--dtype", nargs="+", default=list(DTYPES), choices=DTYPES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    parser.add_argument("--eager", action="store_true", help="spare the time of compiling")
    parser.add_argument("--reference", action="store_true", help="time the numpy reference too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pack = sharks.random_pack(sharks.preset(options.preset), seed=0)
    rows = []
    for b in options.streams:
        steps = baselines(pack, b, not options.eager)
        for t in options.threads:
            rows += measure(pack, b, t, steps, options.rounds, options.seconds, options.dtype)
    result = {"preset": options.preset, "torch": torch.__version__, "rows": [dataclasses.asdict(row) for row in rows]}
    if options.reference:
        result["reference"] = reference_speed(pack, max(64, pack.spec.lookback))
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        return
    print(f"{options.preset}, samples per second of all streams together, medians of {options.rounds}")
    print("   dtype streams threads    engine  x real time of limit of peak  x plain   x best torch")
    for r in rows:
        print(
            f"{r.dtype:>8} {r.streams:7} {r.threads:7} {r.samples_per_second:9.0f} {r.x_real_time:12.3f} "
            f"{r.of_limit:8.0%} {r.of_peak:7.0%} {r.x_plain:8.1f} {r.x_best:8.1f} ({r.best_form})"
        )
    if "reference" in result:
        print(f"numpy reference, one stream: {result['reference']:.1f}")


if __name__ == "__main__":
    main()
