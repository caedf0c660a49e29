"""What is said while a model learns: when it will be done, what is wrong, and what to do about it."""

import dataclasses
import math
import os
import pathlib
import types

import numpy as np
import pytest
import torch

from made_songs import dataset
from sharks import preset, recipe
from sharks.errors import ResourceError
from sharks.recipes.presets import override
from sharks.training.music.batches import Batch, Training
from sharks.training.step import memory
from sharks.training.step.cores import Cores
from sharks.training.step.learner import Learner
from sharks.training.watch.advice import Advice
from sharks.training.watch.forecast import Forecast
from small_runs import PLAN

TRAIN = dataclasses.replace(
    recipe("dadabots-2tier-tiny").train, steps=1000, checkpoint_every=200, validate_every=50, preview_every=300
)


def test_what_is_left_to_do():
    forecast = Forecast(TRAIN, {"step": 1.0})
    assert forecast.work(0) == {"step": 1000, "validation": 20, "preview": 4, "save": 5, "judging": 1}
    assert forecast.work(950) == {"step": 50, "validation": 1, "preview": 1, "save": 1, "judging": 1}
    assert forecast.work(1000) == {"step": 0, "validation": 0, "preview": 0, "save": 0, "judging": 1}
    uneven = dataclasses.replace(TRAIN, checkpoint_every=7, validate_every=5)
    wanted = len({s for s in range(1, 1001) if s % 7 == 0 or s % 5 == 0 or s == 1000})
    assert Forecast(uneven, {}).work(0)["validation"] == wanted


def test_the_eta_is_right_from_two_percent_on():
    """Steps that take 1 s, validations 20, saves 3, previews 30: the forecast after 2 % is within 15 % of the truth."""
    cost = {"step": 1.0, "validation": 20.0, "save": 3.0, "preview": 30.0, "judging": 60.0}
    forecast = Forecast(TRAIN, {"step": 1.3, "validation": 25.0, "judging": 70.0})
    whole = sum(count * cost[kind] for kind, count in forecast.work(0).items())
    for step in range(1, 21):
        forecast.took("step", cost["step"] * (0.9 if step % 2 else 1.1))
    left = whole - 20
    assert forecast.left(20) == pytest.approx(left, rel=0.15)
    forecast.took("validation", cost["validation"])
    forecast.took("preview", cost["preview"])
    forecast.took("save", cost["save"])
    assert forecast.left(20) == pytest.approx(left, rel=0.02)
    assert abs(Forecast(TRAIN, {"step": 1.0}).left(20) - left) > 0.15 * left, "steps alone would not do"


class Screen:
    """What advice needs of a display: what the training music costs by now, and a place for sentences."""

    def __init__(self):
        self.trained, self.said = math.nan, []

    def advise(self, sentences):
        self.said += sentences


class Advised:
    """Advice on a run of 1,000 steps, asked like an oracle: each question has the sentences it led to."""

    def __init__(self):
        self.screen = Screen()
        self.advice = Advice(1000, 7.5, self.screen)

    def validated(self, step, nll, trained):
        self.screen.trained, self.screen.said = trained, []
        self.advice.validated(step, nll, {}, best=False)
        return self.screen.said

    def previewed(self, verdicts):
        self.screen.said = []
        self.advice.previewed(1, pathlib.Path(), verdicts)
        return self.screen.said


def test_what_has_not_been_learnt_is_said_once():
    advice = Advised()
    assert advice.validated(50, 7.6, 7.6) == [], "too early"
    (said,) = advice.validated(200, 7.6, 7.6)
    assert said.startswith("not learning: ") and "--smoke" in said and "train.learning_rate" in said
    assert advice.validated(300, 7.6, 7.6) == []


def test_learning_by_heart_is_noticed_only_when_both_say_so():
    advice = Advised()
    assert advice.validated(100, 6.0, 6.0) == []
    found = [advice.validated(step, 6.0 + 0.03 * i, 6.0 - 0.1 * i) for i, step in enumerate((200, 300, 400, 500), 1)]
    assert found[:2] == [[], []]
    assert found[2][0].startswith("learning by heart: ") and "since step 100" in found[2][0] and found[3] == []
    unlucky = Advised()
    assert [unlucky.validated(step, 6.0 + step / 1e4, 6.1) for step in (100, 200, 300, 400, 500)] == [[]] * 5


def test_previews_that_stay_bad():
    advice = Advised()
    silent, good = ["silent: 93 %", "silent: 80 %"], ["ok", "ok"]
    assert advice.previewed(silent) == [] and advice.previewed(good) == [] and advice.previewed(silent) == []
    (said,) = advice.previewed(silent)
    assert "silence_db" in said
    assert advice.previewed(silent) == []
    assert advice.previewed(["loop: 0.9", "ok"]) == advice.previewed(["loop: 0.9", "ok"]) == [], "half is not most"


def test_a_disk_too_small_is_refused_before_the_start():
    PLAN.check_disk()
    with pytest.raises(ResourceError, match="for two checkpoints; free space"):
        dataclasses.replace(PLAN, size=dataclasses.replace(PLAN.size, checkpoint_bytes=1 << 62)).check_disk()


@pytest.mark.parametrize("cores", [1, 2])
def test_a_batch_is_taken_in_pieces_where_memory_is_short(monkeypatch, cores):
    """A stream needs 10 MB: with 1 GB free all 32 go at once, with 100 MB in rounds, with 3 MB none."""
    learner = Learner(preset("dadabots-2tier-tiny"), TRAIN, torch.device("cpu"))
    learner.cores = Cores(cores)
    held = [0]
    monkeypatch.setattr(learner, "rehearse", lambda batch: held.__setitem__(0, len(batch.fresh) * 10 * 2**20))
    monkeypatch.setattr(memory, "peak", lambda device: 500 * 2**20 + held[0])
    batch = Batch(np.zeros((32, 16 + 512), np.int64), np.ones(32, bool))
    found = []
    for free in (1000, 150, 50):
        monkeypatch.setattr(memory, "available", lambda free=free: free * 2**20)
        found.append(memory.fit(learner, batch))
    assert found == [cores * rounds for rounds in (1, 2, 4)]
    monkeypatch.setattr(memory, "available", lambda: -200 * 2**20)
    with pytest.raises(ResourceError, match="one stream needs 0.0 GB; use a smaller model.dim"):
        memory.fit(learner, batch)
    assert memory.available() < 1 << 50 and memory.current(torch.device("cpu")) > 1 << 20


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="only Linux forgets a peak")
def test_what_needed_more_before_does_not_hide_what_a_batch_needs(monkeypatch):
    learner = Learner(preset("dadabots-2tier-tiny"), TRAIN, torch.device("cpu"))
    batch = Batch(np.zeros((32, 16 + 512), np.int64), np.ones(32, bool))
    monkeypatch.setattr(memory, "available", lambda: 60 * 2**20)
    learner.rehearse(batch)
    large = np.ones(100_000_000)
    assert memory.peak(learner.device) > large.nbytes
    del large
    with monkeypatch.context() as never:
        never.setattr(memory, "forget_peak", lambda: None)
        assert memory.fit(learner, batch) == learner.cores.count, "the rehearsals are lost in what came before"
    assert memory.fit(learner, batch) > learner.cores.count


def test_a_gpu_is_tried_with_ever_smaller_pieces(monkeypatch):
    """A stream takes 1 GB of 4: of eight or four at once there is too little, two fit."""
    held, tried = [0], []

    def rehearse(batch, pieces):
        tried.append(pieces)
        held[0] = len(batch.fresh) // pieces << 30
        if held[0] > 6 << 30:
            raise torch.OutOfMemoryError

    learner = Learner(preset("dadabots-2tier-tiny"), TRAIN, torch.device("cpu"))
    monkeypatch.setattr(learner, "device", torch.device("cuda"))
    monkeypatch.setattr(learner, "rehearse", rehearse)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: held[0])
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(total_memory=4 << 30))
    for name in ("reset_peak_memory_stats", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    batch = Batch(np.zeros((8, 16 + 512), np.int64), np.ones(8, bool))
    assert memory.fit(learner, batch) == 4 and tried == [1, 2, 4]
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(total_memory=1 << 30))
    with pytest.raises(ResourceError, match="too little for one stream; use a smaller model.dim"):
        memory.fit(learner, batch)


def test_held_out_music_is_heard_in_the_pieces_that_fit(monkeypatch):
    learner = Learner(preset("dadabots-2tier-tiny"), TRAIN, torch.device("cpu"))
    levels, heard = np.random.default_rng(0).integers(0, 256, (8, 16 + 512)), []
    whole = learner.listen(levels, 16)
    learner.train = dataclasses.replace(learner.train, pieces=4)
    one = learner._heard
    monkeypatch.setattr(learner, "_heard", lambda share, context: heard.append(len(share)) or one(share, context))
    assert learner.listen(levels, 16) == pytest.approx(whole, abs=1e-5)
    assert heard == [2, 2, 2, 2]


@pytest.mark.parametrize("name", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_pieces_are_the_whole(name):
    """Four pieces give the losses and gradients of one, as near as sums in another order can be."""
    changes = {"train.chunk_len": 64, "train.batch": 4, "train.initial_noise": 0.1, "train.precision": "float32"}
    losses, gradients = [], []
    for pieces in (1, 4):
        spec, plan = override(preset(name), recipe(name), changes | {"train.pieces": pieces, "train.clip": "none"})
        music = Training(dataset(spec.sample_rate, (9 * spec.sample_rate,)), spec, plan, 0)
        learner = Learner(spec, plan.train, torch.device("cpu"))
        losses.append([learner.learn(music.at(step), 0.0) for step in range(8)])
        gradients.append([p.grad for p in learner.model.parameters() if p.grad is not None])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for whole, sum_of_pieces in zip(*gradients, strict=True):
        torch.testing.assert_close(sum_of_pieces, whole, rtol=1e-3, atol=1e-6)
