"""The checkpoints that the original programs wrote become packs that give the logits that those programs recorded."""

import pathlib
import shutil

import numpy as np
import pytest

import sharks
from compare import GOLDEN, assert_close
from golden.mapping import PROGRAMS
from golden.mapping import RECORDED as CONFIGS
from players import PLAYERS
from sharks.engine.door import open_player
from sharks.errors import PackError
from sharks.importers import import_checkpoint
from sharks.packs.pack import load

RECORDED = pathlib.Path(__file__).parent / "recorded"
CHECKPOINTS = {  # kind -> (checkpoint, config)
    "prism": ("prism_gru_ckpt/model.ckpt-7", "prism_gru.config.json"),
    "ibab": ("ibab_ckpt/model.ckpt-9", "ibab_wavenet.config.json"),
    "deepsound": ("deepsound_samplernn.pt", "deepsound_samplernn.config.json"),
    "vincentherrmann": ("vincent_wavenet.pt", "vincent_wavenet.config.json"),
}
DEVICES = ["reference"] + (["cpu"] if "cpu" in PLAYERS else [])


def recorded(kind, **config):
    checkpoint, name = CHECKPOINTS[kind]
    return import_checkpoint(RECORDED / checkpoint, **config or {"config": CONFIGS / name})


def assert_gives_the_recorded_logits(pack, kind, device):
    golden = PROGRAMS[kind]()
    player = open_player(pack, len(golden.start), device=device, threads=1)
    player.reset(golden.start)
    logits = player.force(golden.levels)[0][:, golden.first :]
    if golden.log_probabilities:
        logits = logits - np.log(np.exp(logits.astype(np.float64)).sum(-1, keepdims=True))
    assert_close(logits.astype(np.float32), golden.wanted, limit=GOLDEN)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_recorded_logits(kind, device):
    pack = recorded(kind)
    assert pack.about["import"]["kind"] == kind
    assert_gives_the_recorded_logits(pack, kind, device)


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_naming_the_kind_makes_no_difference(kind):
    checkpoint, name = CHECKPOINTS[kind]
    named = import_checkpoint(RECORDED / checkpoint, kind, CONFIGS / name)
    assert named.sha256 == recorded(kind).sha256


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_the_importer_agrees_with_the_mapping_to_the_bit(kind):
    """Which was written apart from it, from the arrays beside the checkpoints."""
    pack, golden = recorded(kind), PROGRAMS[kind]()
    assert pack.spec == golden.spec
    for name, tensor in golden.tensors.items():
        assert np.array_equal(pack.tensors[name], tensor), name


@pytest.mark.parametrize("kind", ["prism", "deepsound"])
def test_the_shapes_alone_are_enough(kind):
    """Nothing lies beside these files that could be taken for a config."""
    checkpoint, _ = CHECKPOINTS[kind]
    pack = import_checkpoint(RECORDED / checkpoint)
    assert pack.about["import"]["settings"] == "" and pack.about["import"]["assumed"]
    assert_gives_the_recorded_logits(pack, kind, "reference")


@pytest.mark.parametrize("kind", ["ibab", "vincentherrmann"])
def test_dilations_are_never_guessed(kind):
    with pytest.raises(PackError, match="has 10 layers, and tensors do not tell their dilations"):
        import_checkpoint(RECORDED / CHECKPOINTS[kind][0])


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_the_config_is_found_beside_the_checkpoint_or_its_folder(kind, tmp_path):
    for name in (RECORDED / CHECKPOINTS[kind][0].split("/")[0]).parent.iterdir():
        (shutil.copytree if name.is_dir() else shutil.copy)(name, tmp_path / name.name)
    for config in CONFIGS.glob("*.config.json"):  # the other programs' lie there, too
        shutil.copy(config, tmp_path)
    pack = import_checkpoint(tmp_path / CHECKPOINTS[kind][0])
    assert pack.about["import"]["settings"] == CHECKPOINTS[kind][1]
    assert pack.sha256 == recorded(kind).sha256


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_they_make_sound(kind):
    audio = sharks.generate(recorded(kind), seconds=0.02, n=2, seed=1, device=DEVICES[-1], threads=1)
    assert audio.samples.shape == (2, 1, 320) and np.abs(audio.samples).max() <= 1


def test_a_pack_keeps_what_was_assumed(tmp_path):
    pack = recorded("prism")
    assert load(pack.save(tmp_path / "x.safetensors")).about["import"] == {
        "kind": "prism",
        "program": "PRiSM SampleRNN",
        "file": "model.ckpt-7",
        "settings": "prism_gru.config.json",
        "assumed": ["sample rate 16000 assumed: the checkpoint does not say"],
        "dropped": [
            "optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE, optimizer/_learning_rate/.ATTRIBUTES/VARIABLE_VALUE "
            "dropped: the optimiser's and Keras' own"
        ],
    }
