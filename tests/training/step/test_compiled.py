"""torch.compile changes nothing but speed, and where it fails training goes on."""

import shutil

import pytest
import torch

from made_songs import dataset
from sharks import preset, recipe
from sharks.recipes.presets import override
from sharks.training.music.batches import Training
from sharks.training.step.learner import Learner

CPU = torch.device("cpu")
# One piece, for a compiled model has one hand and the order of sums decides last bits.
SMALL = {
    "train.chunk_len": 64,
    "train.batch": 2,
    "train.pieces": 1,
    "train.precision": "float32",
    "data.chunk_seconds": 0.5,
}
TWO_LAYERS = {"model.dilations": (1, 2), "model.residual": 8, "model.dilation": 8, "model.skip": 8, "model.head": 8}


def losses(compiled, name="ibab-wavenet-tiny", tell=lambda line: None):
    changes = SMALL | {"train.compiled": compiled} | (TWO_LAYERS if "wavenet" in name else {"model.dim": 8})
    spec, plan = override(preset(name), recipe(name), changes)
    music = Training(dataset(spec.sample_rate, (2 * spec.sample_rate,)), spec, plan, 0)
    learner = Learner(spec, plan.train, CPU, tell=tell)
    return [learner.learn(music.at(step), 1e-3) for step in range(6)]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_layers_give_the_same_losses():
    told = []
    try:
        torch._dynamo.utils.counters.clear()
        assert losses(True, tell=told.append) == pytest.approx(losses(False), abs=2e-3)
        assert not torch._dynamo.utils.counters["graph_break"], "it was compiled, and in one piece"
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    finally:
        torch._dynamo.reset()
    assert told == []


def test_a_compiler_that_fails_is_left_alone(monkeypatch):
    def broken(function, **_):
        def call(*arguments):
            raise RuntimeError("no such target\nand more")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    told = []
    assert losses(True, tell=told.append) == losses(False)
    assert told == ["torch.compile fails (RuntimeError: no such target); training goes on without"]


def test_there_is_nothing_to_compile_in_a_samplernn(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *_, **__: pytest.fail("was compiled"))
    assert losses(True, "dadabots-2tier-tiny") == losses(False, "dadabots-2tier-tiny")
