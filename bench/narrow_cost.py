"""What bfloat16 and int8 weights cost in bits per sample, on held-out music.

    python bench/narrow_cost.py [--pack FILE ...] [--songs examples/muldjord] [--minutes 3] [-o FOLDER]

Trains two tiny presets, a SampleRNN and a WaveNet, on the songs unless packs are given, and plays the held-out song to
them, teacher forced, with each dtype. Prints NLL in bits per sample, and what the dtype adds to float32's with its
standard error over the stretches of music.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np

import sharks
from sharks.dataset.dataset import Dataset, level_table
from sharks.levels.quantize import codec_of

PRESETS = ("dadabots-2tier-tiny", "ibab-wavenet-tiny")
ALLOWED = {"bfloat16": 0.01, "int8": 0.02}  # bits per sample
SONGS = pathlib.Path(__file__).parent.parent / "examples" / "muldjord"
STRETCHES, SECONDS = 10, 4.0


def nll(pack: sharks.Pack, stretches: np.ndarray, dtype: str, threads: int | None = None) -> np.ndarray:
    """Bits per sample of each stretch of levels int (n, T), from the initial state -> float64 (n,)."""
    found = []
    for levels in stretches:  # one at a time: logits take a kilobyte per sample
        logits = sharks.logits(pack, levels[None], dtype=dtype, threads=threads)[0].astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        heard = logits[np.arange(len(logits)), levels[pack.spec.lookback :]]
        found.append(np.mean(np.log(np.exp(logits).sum(1)) - heard) / np.log(2))
    return np.array(found)


def held_out(dataset: Dataset, spec: sharks.SampleRNNSpec | sharks.WaveNetSpec) -> np.ndarray:
    """Stretches from all over the held-out music, as levels int32 (STRETCHES, T)."""
    levels = level_table(codec_of(spec))[np.asarray(dataset.val).view(np.uint16)]
    length = round(SECONDS * spec.sample_rate)
    starts = np.linspace(0, len(levels) - length, STRETCHES).astype(int)
    return np.stack([levels[start : start + length] for start in starts])


def costs(pack: sharks.Pack, stretches: np.ndarray) -> dict[str, dict[str, float]]:
    """Of each dtype: bits per sample, what it adds to float32, and the standard error of that."""
    bits = {dtype: nll(pack, stretches, dtype) for dtype in ("float32", *ALLOWED)}
    added = {dtype: found - bits["float32"] for dtype, found in bits.items()}
    return {
        dtype: {
            "bits": float(found.mean()),
            "added": float(added[dtype].mean()),
            "error": float(added[dtype].std(ddof=1) / len(found) ** 0.5),
        }
        for dtype, found in bits.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pack", type=pathlib.Path, nargs="+", help="instead of training")
    parser.add_argument("--songs", type=pathlib.Path, default=SONGS)
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, for each preset")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="keep the runs here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = _all_costs(options, options.out or pathlib.Path(scratch))
    if options.json:
        json.dump(found, sys.stdout, indent=1)
        return
    print(f"{'model':24} {'dtype':>8}  bits/sample    added  (allowed)")
    for name, rows in found.items():
        for dtype, row in rows.items():
            allowed = f"+- {row['error']:.4f}  ({ALLOWED[dtype]})" if dtype in ALLOWED else ""
            print(f"{name:24} {dtype:>8}  {row['bits']:11.4f}  {row['added']:+7.4f}  {allowed}")


def _all_costs(options: argparse.Namespace, out: pathlib.Path) -> dict[str, dict[str, dict[str, float]]]:
    found = {}
    for name in options.pack or PRESETS:
        preset = PRESETS[0] if options.pack else name
        dataset = sharks.prepare(options.songs, out / "dataset", preset=preset)
        if options.pack:
            pack = sharks.load(name)
        else:
            run = sharks.train(dataset, out / name, name, hours=options.minutes / 60, quiet=True)
            pack = sharks.load(run.best)
        found[str(name)] = costs(pack, held_out(dataset, pack.spec))
    return found


if __name__ == "__main__":
    main()
