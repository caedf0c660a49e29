"""Clips: every pack plays what it played, and folders of clips are found, gone on with, extended and shared."""

from __future__ import annotations

import itertools
import pathlib
import time
import typing

import numpy as np

import sharks
from compatibility import facts as digest
from compatibility import music
from compatibility.scenes.packs import SPECS, path_of, spoken

SEED = (1 << 40) + 3
POINTS = [(0.0, 1.1), (0.01, 0.6), (0.015, 0.9)]
CONDITIONS: dict[str, typing.Any] = {
    "wavenet-classes": [2, 0, 1],
    "wavenet-vectors": [[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [-2.0, 1.5, 1.0]],
}
PRIMER = music.plucked(0.01, 4).astype(np.float32) / np.float32(32768)
WAYS: dict[str, dict[str, typing.Any]] = {  # of playing every pack
    "plain": {},
    "bfloat16": {"dtype": "bfloat16"},
    "int8": {"dtype": "int8"},
    "reference": {"device": "reference", "seconds": 0.005},
    "schedule": {"temperature": POINTS, "threads": 3},
    "temperature each": {"temperature": [0.0, 0.8, 1.3]},
    "primer": {"prime": PRIMER, "prime_rate": music.RATE},
    "primer included": {"prime": np.stack([PRIMER[None]] * 3), "prime_rate": music.RATE, "include_prime": True},
}
STARTS = ("silence", "empty")  # of a WaveNet
# A folder of clips that was left half way: its bookmark, its primer, and WAVs that reach further than the bookmark.
LONG: dict[str, typing.Any] = {"seconds": 0.25, "n": 2, "seed": 11, "temperature": POINTS, "device": "cpu"}
LONG |= {"prime": PRIMER, "prime_rate": music.RATE, "include_prime": True}
HALF_WAY = {"samplernn-lstm-3-tier": LONG, "wavenet-classes": LONG | {"condition": 1}}
# A folder of finished clips, and the words that made it.
FINISHED = ("generate", "packs/samplernn.safetensors", "-o", "clips/finished", "-n", "2", "--length", "0.05s")
FINISHED += ("--device", "cpu")
PRIMED = ("generate", "packs/wavenet.safetensors", "-o", "clips/primed", "--total", "0.1s", "--length", "0.05s")
PRIMED += ("--temperature", "0s:0.9,0.02s:1.1", "--prime", "music/a.wav@0.2s", "--seed", "3", "--device", "cpu")


def record(recorded: pathlib.Path) -> None:
    clock, counter = time.monotonic, time.perf_counter
    for name, how in HALF_WAY.items():
        # Half a minute passes whenever the time is asked for, so that bookmarks are set; the sizes of pieces are fixed.
        time.monotonic, time.perf_counter = itertools.count(0, 30).__next__, itertools.count(0, 0.01).__next__
        try:
            sharks.generate(path_of(recorded, name), **how, out=recorded / "clips" / name, progress=_stop_on_the_way)
        except KeyboardInterrupt:
            pass
        finally:
            time.monotonic, time.perf_counter = clock, counter
    code, _, errors = spoken(recorded, *FINISHED, "--seed", "7")
    assert code == 0, errors


def _stop_on_the_way(done: float, total: float, speed: float) -> None:
    if done > total / 3:
        raise KeyboardInterrupt


def facts(recorded: pathlib.Path) -> dict[str, typing.Any]:
    found: dict[str, typing.Any] = {}
    for name in SPECS:
        found |= _played(recorded, name)
    for name, how in HALF_WAY.items():
        found |= _gone_on_with(recorded, name, how)
    found |= _found_again(recorded)
    found |= _extended(recorded)
    return found | _shared(recorded)


def _played(recorded: pathlib.Path, name: str) -> dict[str, typing.Any]:
    found: dict[str, typing.Any] = {}
    pack = sharks.load(path_of(recorded, name))
    three: dict[str, typing.Any] = {"seconds": 0.02, "n": 3, "seed": SEED, "streams": [5, 0, 4_000_000_000]}
    three |= {"device": "cpu", "condition": CONDITIONS.get(name)}
    ways = WAYS | {f"from {start}": {"start": start} for start in STARTS if hasattr(pack.spec, "start")}
    for way, how in ways.items():
        audio = sharks.generate(pack, **three | how)
        found[f"{name}: {way}: levels"] = digest.of_array(audio.levels)
        found[f"{name}: {way}: samples"] = digest.of_array(audio.samples)
        found[f"{name}: {way}: by"] = [audio.device, audio.dtype, audio.isa, audio.plan]
    heard = {key: value for key, value in three.items() if key != "seconds"}
    blocks = sharks.stream(pack, block=0.004, **heard)
    found[f"{name}: stream"] = digest.of_array(np.concatenate([next(blocks) for _ in range(5)], axis=2))
    levels = np.random.RandomState(1).randint(0, pack.spec.q_levels, (3, 60))
    for device in ("cpu", "reference"):
        logits = sharks.logits(pack, levels, device, condition=three["condition"])
        found[f"{name}: logits by {device}"] = digest.of_array(logits)
    return found


def _gone_on_with(recorded: pathlib.Path, name: str, how: dict[str, typing.Any]) -> dict[str, typing.Any]:
    folder, anew = recorded / "clips" / name, recorded / "clips" / f"{name}-anew"
    metadata, state = digest.tensor_file(folder / "0000.state.safetensors")
    # A bookmark of another version is not used, since that may play other bits: its clips are played from their start.
    another_version = not metadata["format"].endswith(sharks.__version__)
    told: list[float] = []
    pack = path_of(recorded, name)
    sharks.generate(pack, **how, out=folder, progress=lambda done, total, speed: told.append(done))
    sharks.generate(pack, **how, out=anew)
    return {
        f"{name}: its bookmark": int(state["step"][0]),
        f"{name}: goes on from its bookmark": bool(told[0] * music.RATE > state["step"][0]) or another_version,
        f"{name}: gone on with": digest.of_folder(folder),
        f"{name}: played at once": digest.of_folder(anew),
    }


def _found_again(recorded: pathlib.Path) -> dict[str, typing.Any]:
    before = digest.of_folder(recorded / "clips" / "finished")
    found: dict[str, typing.Any] = {
        "finished clips": before,
        "the same command": spoken(recorded, *FINISHED, "--seed", "7"),
        "the same command, as JSON": spoken(recorded, *FINISHED, "--seed", "7", "--json"),
        "another seed": spoken(recorded, *FINISHED, "--seed", "8"),
        "another temperature": spoken(recorded, *FINISHED, "--seed", "7", "--temperature", "0.5"),
    }
    found["finished clips are left alone"] = digest.of_folder(recorded / "clips" / "finished") == before
    found["a third clip"] = spoken(recorded, *FINISHED[:5], "3", *FINISHED[6:], "--seed", "7")
    found["clips with a primer"] = spoken(recorded, *PRIMED)
    found["clips with a primer: files"] = digest.of_folder(recorded / "clips" / "primed")
    found["finished clips and a third"] = digest.of_folder(recorded / "clips" / "finished")
    return found


def _extended(recorded: pathlib.Path) -> dict[str, typing.Any]:
    """A finished clip and one with a primer, after `_gone_on_with` has finished that."""
    clip, primed = "clips/finished/0001.wav", recorded / "clips" / "wavenet-classes" / "0001.wav"
    found: dict[str, typing.Any] = {"extend": spoken(recorded, "extend", clip, "--to", "0.1s", "--device", "cpu")}
    sharks.extend(primed, 0.3, device="cpu")
    found["an extended clip"] = digest.of_folder(recorded / "clips" / "finished")
    found["an extended clip with a primer"] = digest.of_folder(primed.parent)
    found["extend to less"] = spoken(recorded, "extend", clip, "--to", "0.1s", "--device", "cpu")
    return found


def _shared(recorded: pathlib.Path) -> dict[str, typing.Any]:
    """One folder of two processes, and what is left when one of them has it alone."""
    folder, how = recorded / "clips" / "shared", {"seconds": 0.01, "n": 4, "seed": 3, "device": "cpu"}
    pack = path_of(recorded, "wavenet")
    for rank in (1, 0):
        sharks.generate(pack, **how, out=folder, share=(rank, 2))
    found = {"clips of two processes": digest.of_folder(folder)}
    sharks.generate(pack, **how | {"n": 5}, out=folder)
    return found | {"clips of two processes and one more": digest.of_folder(folder)}
