"""Train the model in the box on the example songs, listen to it, and write its card.

    python examples/train_box.py --hours 10 [-o box-work]       # train; the same command again goes on
    python examples/train_box.py --hours 10 -o box-work --pack  # judge, then write the pack and docs/model-card.md

The second call plays clips with every checkpoint that was kept, at several temperatures, and takes the one of which
most are as loud, as bright and as noisy as the album is; where several are, the lowest held-out NLL. It writes nothing
if none is good. Needs the [train] extra.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import sys

import numpy as np

import sharks
from sharks.dataset.dataset import Dataset, load_dataset
from sharks.sound.health import Health, health
from sharks.sound.reading import read_audio

ROOT = pathlib.Path(__file__).resolve().parent.parent
SONGS, CARD = ROOT / "examples" / "muldjord", ROOT / "docs" / "model-card.md"
BOX = ROOT / "python" / "sharks" / "projects" / "box"
PRESET = "dadabots-2tier-small"
LICENCE = "CC-BY-SA 3.0"
ATTRIBUTION = "Muldjord (www.muldjord.com), songs by El Senator, 2009"
SECONDS, CLIPS, TEMPERATURES = 8.0, 6, (0.965, 0.97, 0.975, 0.98)
LOUDNESS_DB, MOST_SILENT, MOST_BYTES = 6.0, 0.1, 8_000_000


@dataclasses.dataclass(frozen=True)
class Album:
    """What clips are measured by: the loudness of all songs, and the ranges of the held-out one's windows."""

    rms_db: float
    centroid: tuple[float, float]
    flatness: tuple[float, float]

    def faults(self, clip: Health) -> list[str]:
        """What keeps a clip from sounding like the album; none if it does."""
        rules = {
            clip.verdict: clip.verdict != "ok",
            f"{clip.rms_db - self.rms_db:+.1f} dB": abs(clip.rms_db - self.rms_db) > LOUDNESS_DB,
            f"silent for {clip.silent_fraction:.0%}": clip.silent_fraction > MOST_SILENT,
            f"centroid {clip.centroid:.0f} Hz": not self.centroid[0] <= clip.centroid <= self.centroid[1],
            f"flatness {clip.flatness:.3f}": not self.flatness[0] <= clip.flatness <= self.flatness[1],
        }
        return [sentence for sentence, broken in rules.items() if broken]


def album_of(songs: list[np.ndarray], held_out: np.ndarray, rate: int) -> Album:
    """Samples (n,) of all songs, and of the one that no model has learnt from."""
    length = round(SECONDS * rate)
    windows = [health(held_out[at : at + length], rate) for at in range(0, len(held_out) - length + 1, length // 2)]
    sounding = [window for window in windows if window.silent_fraction < 1]
    power = np.mean([np.mean(song.astype(np.float64) ** 2) for song in songs])
    centroids, flatnesses = ([getattr(w, name) for w in sounding] for name in ("centroid", "flatness"))
    return Album(10 * float(np.log10(power)), (min(centroids), max(centroids)), (min(flatnesses), max(flatnesses)))


@dataclasses.dataclass(frozen=True)
class Audition:
    """A checkpoint at a temperature, and what its clips came to."""

    path: pathlib.Path
    temperature: float
    nll: float  # bits, on all held-out music
    faults: tuple[tuple[str, ...], ...]  # of each clip

    @property
    def good(self) -> int:
        return sum(not found for found in self.faults)


def boxed(pack: sharks.Pack) -> sharks.Pack:
    """The pack with its numbers as the box holds them: rounded to float16, it plays other samples."""
    rounded = {name: tensor.astype(np.float16).astype(np.float32) for name, tensor in pack.tensors.items()}
    return sharks.Pack(pack.spec, rounded, about=pack.about)


def audition(path: pathlib.Path, temperature: float, album: Album) -> Audition:
    pack = boxed(sharks.load(path))
    audio = sharks.generate(pack, SECONDS, CLIPS, temperature=temperature, seed=0)
    clips = (health(samples[0], audio.sample_rate) for samples in audio.samples)
    return Audition(path, temperature, pack.about["nll_bits"], tuple(tuple(album.faults(clip)) for clip in clips))


def best(found: list[Audition]) -> Audition:
    """Most good clips, then the lowest NLL."""
    return min(found, key=lambda one: (-one.good, one.nll))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--hours", type=float, required=True, help="of training in all")
    parser.add_argument("--steps", type=int, default=1_000_000, help="at most")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("box-work"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", action="store_true", help="judge, write the pack and the card")
    options = parser.parse_args()
    data, run = options.out / "data", options.out / "run"
    sharks.prepare(SONGS, data, preset=PRESET)
    trained = sharks.train(
        data,
        run,
        PRESET,
        hours=options.hours,
        steps=options.steps,
        device=options.device,
        seed=options.seed,
        **{"train.keep": 12},
    )
    if options.pack:
        write(trained, data)


def write(trained: object, data: pathlib.Path) -> None:
    run = pathlib.Path(trained.path)  # type: ignore[attr-defined]
    dataset = load_dataset(data)
    rate = dataset.sample_rate
    songs = {track.name: read_audio(SONGS / track.name, rate, mono=True)[0][0] for track in dataset.tracks}
    album = album_of(list(songs.values()), songs[dataset.of("val")[0].name], rate)
    packs = sorted(p for p in (run / "checkpoints").glob("*.safetensors") if ".state." not in p.name)
    found = []
    for path in packs:
        for temperature in TEMPERATURES:
            found.append(audition(path, temperature, album))
            print(f"{path.name} at {temperature}: {found[-1].good} of {CLIPS} good", file=sys.stderr, flush=True)
    chosen = best(found)
    if chosen.good < CLIPS:
        print(json.dumps([dataclasses.asdict(one) for one in found], default=str, indent=1), file=sys.stderr)
        raise SystemExit(f"the best has {chosen.good} good clips of {CLIPS}; train for longer, or listen for yourself")
    pack = sharks.load(chosen.path)
    about = pack.about | {"licence": LICENCE, "attribution": ATTRIBUTION, "temperature": chosen.temperature}
    target = BOX / "muldjord.safetensors"
    sharks.Pack(pack.spec, pack.tensors, about=about).save(target, dtype="float16")
    about["nll_bits"] = held_out(sharks.load(target), dataset)
    sharks.Pack(pack.spec, pack.tensors, about=about).save(target, dtype="float16")
    if target.stat().st_size > MOST_BYTES:
        target.unlink()
        raise SystemExit(f"the pack has more than {MOST_BYTES} bytes; use a smaller preset")
    CARD.write_text(card(target, chosen, album, trained, run))
    print(target, CARD, sep="\n")


def held_out(pack: sharks.Pack, dataset: Dataset) -> float:
    """Bits per sample on all held-out music, in stretches that each start fresh."""
    import torch

    from sharks.training.judge import judge
    from sharks.training.music.batches import Validation
    from sharks.training.step.learner import Learner

    recipe = sharks.recipe(PRESET)
    learner = Learner(pack.spec, recipe.train, torch.device("cpu"))
    learner.listener.load(pack.tensors)
    return judge(learner, Validation(dataset, pack.spec, recipe, None))[0]


def progress(run: pathlib.Path) -> str:
    """What the held-out music cost at every validation of a run."""
    from sharks.training.run import rundir

    judged = [(row["step"], row["validation"]) for row in rundir.rows(run) if "validation" in row]
    return ", ".join(f"{bits:.3f} after {step:,} steps" for step, bits in judged)


def card(target: pathlib.Path, chosen: Audition, album: Album, trained: object, run: pathlib.Path) -> str:
    """The model card; every figure comes from the pack, the run or the audition."""
    pack, environment = sharks.load(target), json.loads((run / "env.json").read_text())
    about, order0 = pack.about, float(trained.order0)  # type: ignore[attr-defined]
    return f"""# The model in the box

`{target.relative_to(ROOT)}`, which `sharks demo` plays. Written by `examples/train_box.py`.
`box` is its name wherever a pack may be named, as in `sharks generate box` and `sharks.load("box")`, unless a pack or
a run of that name lies in the current folder.

| | |
| --- | --- |
| file | {target.stat().st_size:,} bytes, float16, SHA-256 `{hashlib.sha256(target.read_bytes()).hexdigest()}` |
| model | preset `{PRESET}`: SampleRNN of two tiers, {pack.spec.layers} LSTM layers of {pack.spec.dim} units |
| trained on | {", ".join(about["songs"])} |
| by | Muldjord, a Danish metal band: {ATTRIBUTION} |
| licence | {LICENCE}, as its songs; the text is in `{(BOX / "LICENSE.txt").relative_to(ROOT)}` |
| recipe | `sharks presets {PRESET}` prints it; `python examples/train_box.py --hours {trained.hours:.1f} --pack` |
| training | {about["step"]:,} steps with seed {about["seed"]} in a run of {trained.hours:.1f} hours |
| machine | {environment["device"]}, {environment["threads"]} threads, torch {environment["torch"]} |
| held out | {about["nll_bits"]:.3f} bits per sample on all of a song it never heard; order-0 is {order0:.3f} |
| played at | temperature {chosen.temperature} |

## How it was chosen

Of {CLIPS} clips of {SECONDS:g} s with seed 0, all {chosen.good} pass: no fault that `sharks.health` knows, within
{LOUDNESS_DB:g} dB of the songs' {album.rms_db:.1f} dBFS, silent for {MOST_SILENT:.0%} at most, and with a spectral
centroid ({album.centroid[0]:.0f} to {album.centroid[1]:.0f} Hz) and a flatness ({album.flatness[0]:.3f} to
{album.flatness[1]:.3f}) that 8-second windows of the held-out song have too.

Bits per sample on a minute of that song, as the run went: {progress(run)}.

## What it is for, and what not

To hear within a minute what such a model sounds like. It has heard three songs of one band: what it plays is their
sound, taken apart and put together again, without words, form or melody of its own. It is an adaptation of these songs
and carries their licence; whoever passes on clips of it should name Muldjord and share alike.
"""


if __name__ == "__main__":
    main()
