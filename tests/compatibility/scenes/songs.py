"""Clips become songs: the same cuts, the same mix; and `health` measures the same."""

from __future__ import annotations

import json
import pathlib
import typing

import numpy as np
from PIL import Image

import sharks
from compatibility import facts as digest
from compatibility import music
from compatibility.scenes.packs import path_of, spoken


def facts(recorded: pathlib.Path) -> dict[str, typing.Any]:
    clips = recorded / "clips-for-songs"
    played = sharks.generate(path_of(recorded, "samplernn"), 0.3, 2, seed=1, device="cpu", out=clips)
    found: dict[str, typing.Any] = {}
    for seed in range(3):
        samples = music.plucked(5, seed)
        music.write(clips / f"plucked{seed}.wav", samples)
        found[f"health of plucked {seed}"] = sharks.health(samples / np.float32(32768), music.RATE).to_dict()
    found["health of a clip"] = sharks.health(played.samples[0, 0], played.sample_rate).to_dict()
    sharks.curate(clips, recorded / "songs", songs=2, minutes=(0.1, 0.12), crossfade=0.25)
    files = digest.of_folder(recorded / "songs")
    for name in files:
        if name.endswith(".png"):  # the picture, not how zlib packs it
            files[name] = digest.of_array(np.array(Image.open(recorded / "songs" / name)))
    found["songs"] = files
    found["cut list"] = json.loads((recorded / "songs" / "cuts.json").read_bytes())
    found["sharks curate"] = spoken(recorded, "curate", "clips-for-songs", "-o", "one", "--minutes", "0.1")
    found["a song of the command"] = digest.of_bytes((recorded / "one" / "song.wav").read_bytes())
    return found
