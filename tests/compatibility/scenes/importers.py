"""Checkpoints of other programs become the same packs."""

from __future__ import annotations

import pathlib
import typing

import sharks
from compatibility import facts as digest
from compatibility.scenes.packs import as_json, spoken
from compatibility.steady import TESTS

CHECKPOINTS = {  # kind -> (checkpoint, config)
    "prism": ("prism_gru_ckpt/model.ckpt-7", "prism_gru.config.json"),
    "ibab": ("ibab_ckpt/model.ckpt-9", "ibab_wavenet.config.json"),
    "deepsound": ("deepsound_samplernn.pt", "deepsound_samplernn.config.json"),
    "vincentherrmann": ("vincent_wavenet.pt", "vincent_wavenet.config.json"),
}


def facts(recorded: pathlib.Path) -> dict[str, typing.Any]:
    found: dict[str, typing.Any] = {}
    for kind, (checkpoint, config) in CHECKPOINTS.items():
        path, settings = TESTS / "importers" / "recorded" / checkpoint, TESTS / "golden" / "recorded" / config
        pack = sharks.import_checkpoint(path, config=settings)
        found[f"{kind}: what it plays"] = pack.sha256
        found[f"{kind}: its tensors"] = digest.of_arrays(pack.tensors)
        found[f"{kind}: its spec"] = as_json(pack.spec)
        found[f"{kind}: about it"] = pack.about
        saved = pack.save(recorded / f"{kind}.safetensors", golden=False)
        found[f"{kind}: its file"] = digest.of_bytes(saved.read_bytes())
        spoken(recorded, "import", kind, path, "--config", settings, "-o", f"{kind}-by-command.safetensors")
        found[f"{kind}: by the command"] = sharks.load(recorded / f"{kind}-by-command.safetensors").sha256
    return found
