"""Packs that were saved: they load, prove themselves, and are saved again as the same file."""

from __future__ import annotations

import dataclasses
import pathlib
import typing

import sharks
from compatibility import facts as digest
from compatibility import steady

SAMPLERNN = sharks.SampleRNNSpec(frame_sizes=(4,), dim=12, layers=2, skip="graves", embed_dim=6, q_levels=32)
WAVENET = sharks.WaveNetSpec(dilations=(1, 2, 4, 1, 2), residual=10, dilation=6, skip=12, head=11, q_levels=32)
SPECS: dict[str, typing.Any] = {
    "samplernn": SAMPLERNN,
    "samplernn-lstm-3-tier": dataclasses.replace(
        SAMPLERNN,
        frame_sizes=(2, 8),
        cell="lstm",
        layers=1,
        skip="none",
        initial_state="learned",
        upsample_bias=True,
        codec="LIN-P",
    ),
    "samplernn-half": dataclasses.replace(SAMPLERNN, cell="gru-reset-before", skip="prism", expand_top=False),
    "samplernn-bare": dataclasses.replace(
        SAMPLERNN, q_levels=256, embed_dim=0, tier_input="decoded", hidden_layers=1, relu_logits=True
    ),
    "wavenet": WAVENET,
    "wavenet-classes": dataclasses.replace(
        WAVENET,
        input="scalar",
        input_filter_width=1,
        input_bias=True,
        filter_width=3,
        residual_scale=0.5**0.5,
        skip_scale=0.2**0.5,
        codec="MU-N",
        global_channels=4,
        global_classes=3,
    ),
    "wavenet-vectors": dataclasses.replace(
        WAVENET, input="embedding", embed_dim=5, global_channels=3, bias=False, last_residual=False, start="empty"
    ),
}
SAVED: dict[str, dict[str, typing.Any]] = {"samplernn-half": {"dtype": "float16"}, "samplernn-bare": {"golden": False}}
ABOUT = {"preset": "none", "step": 12, "nll_bits": 4.25, "songs": ["först.wav"], "licence": "CC0-1.0"}


def made(name: str) -> sharks.Pack:
    """The pack that was recorded under a name, made from its spec."""
    pack = sharks.random_pack(SPECS[name], seed=len(name))
    return sharks.Pack(pack.spec, pack.tensors, about=ABOUT) if name == "wavenet" else pack


def path_of(recorded: pathlib.Path, name: str) -> pathlib.Path:
    return recorded / "packs" / f"{name}.safetensors"


def record(recorded: pathlib.Path) -> None:
    (recorded / "packs").mkdir()
    for name in SPECS:
        made(name).save(path_of(recorded, name), **SAVED.get(name, {}))


def facts(recorded: pathlib.Path) -> dict[str, typing.Any]:
    found: dict[str, typing.Any] = {}
    for name in SPECS:
        path, again = path_of(recorded, name), path_of(recorded, name).with_name("again.safetensors")
        pack = sharks.load(path)
        found[f"{name}: what it plays"] = pack.sha256
        found[f"{name}: its tensors"] = digest.of_arrays(pack.tensors)
        found[f"{name}: its spec"] = as_json(pack.spec)
        found[f"{name}: about it"] = pack.about
        found[f"{name}: saved again"] = digest.of_bytes(pack.save(again, **SAVED.get(name, {})).read_bytes())
        found[f"{name}: made anew"] = digest.of_bytes(made(name).save(again, **SAVED.get(name, {})).read_bytes())
        for device in ("reference", "cpu"):
            found[f"{name}: checked by {device}"] = str(sharks.check(path, device))
    command = ("check", "packs/samplernn.safetensors", "--device", "cpu")
    found["sharks check"] = spoken(recorded, *command)
    found["sharks check --json"] = spoken(recorded, *command, "--json")
    found["sharks info"] = spoken(recorded, "info", "packs/wavenet.safetensors", "--json")
    for name in sharks.presets():
        found[f"preset {name}"] = as_json(sharks.preset(name))
        found[f"recipe {name}"] = dataclasses.asdict(sharks.recipe(name))
        found[f"random pack of {name}"] = digest.of_arrays(sharks.random_pack(narrow(sharks.preset(name)), 3).tensors)
    return found


def as_json(spec: typing.Any) -> dict[str, typing.Any]:
    return {"family": spec.family, **dataclasses.asdict(spec)}


def narrow(spec: typing.Any) -> typing.Any:
    """The same wiring with 16 channels at most."""
    widths = ("dim", "embed_dim", "residual", "dilation", "skip", "head")
    numbers = {name: value for name, value in dataclasses.asdict(spec).items() if isinstance(value, int)}
    return dataclasses.replace(spec, **{name: min(numbers[name], 16) for name in widths if name in numbers})


def spoken(folder: pathlib.Path, *words: object) -> list[typing.Any]:
    """[exit code, stdout, stderr] of the command `sharks`, run in a folder."""
    done = steady.python("-m", "sharks", *words, cwd=folder)
    return [done.returncode, done.stdout, done.stderr]
