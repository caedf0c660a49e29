"""Runs of seconds: settings, a batch, a plan, and all that must not depend on a pause."""

import pathlib

import numpy as np

import sharks
from sharks.recipes.recipe import TrainRecipe
from sharks.training.music.batches import Batch
from sharks.training.music.facts import MusicFacts
from sharks.training.run import checkpoint, rundir
from sharks.training.step.memory import Size
from sharks.training.watch.run_facts import RunFacts

RATE = 2000
SMALL = {
    "model.sample_rate": RATE,
    "model.dim": 12,
    "model.embed_dim": 6,
    "data.chunk_seconds": 0.5,
    "train.chunk_len": 128,
    "train.batch": 3,
    "train.checkpoint_every": 4,
    "train.validate_every": 2,
    "train.validate_seconds": 4.0,
    "train.preview_every": 1000,
    "train.preview_seconds": 0.05,
    "train.keep": 2,
}
WAVENET = {k: v for k, v in SMALL.items() if not k.startswith("model.")} | {
    "model.sample_rate": RATE,
    "model.dilations": (1, 2, 4),
    "model.residual": 8,
    "model.dilation": 8,
    "model.skip": 8,
    "model.head": 8,
}
CODES = {k: v for k, v in SMALL.items() if not k.startswith("model.")} | {
    "model.sample_rate": RATE,
    "model.window": 128,
    "model.hop": 32,
    "model.bands": 12,
    "model.dims": 8,
    "model.books": 2,
    "model.q_levels": 16,
    "model.order": 4,
    "model.hidden": 12,
    "model.width": 8,
    "data.renderings": 3,
    "train.chunk_len": 18,
}


def trained(data, out, preset="dadabots-2tier-tiny", steps=10, **settings):
    small = next((table for word, table in (("wavenet", WAVENET), ("form", CODES)) if word in preset), SMALL)
    return sharks.train(data, out, preset, steps=steps, **({"quiet": True} | small | settings))


def losses(out):
    return {row["step"]: row["nll"] for row in rundir.rows(out) if "nll" in row}


def everything(out):
    """All that must not depend on a pause: the log, the last state, the best pack."""
    found, passed = checkpoint.newest(out / "checkpoints")
    assert not passed
    facts = {k: v for k, v in found.facts.items() if k != "hours"}
    best = sharks.load(out)
    arrays = {k: v.tobytes() for k, v in (found.arrays | best.tensors).items()}
    return rundir.rows(out), found.step, facts, arrays, best.about


def batch_of(spec, train, seed=0, fresh=True):
    levels = np.random.default_rng(seed).integers(0, spec.q_levels, (train.batch, spec.lookback + train.chunk_len))
    return Batch(levels, np.full(train.batch, fresh))


PLAN = RunFacts(
    music=MusicFacts(
        rate=16000,
        unit="sample",
        minutes=10.2,
        held_out=3.0,
        chunks=152,
        silent=3,
        steps_per_epoch=600.0,
        uniform=8.0,
        order0=7.57,
    ),
    size=Size(
        parameters=1_365_312,
        memory_bytes=500 * 2**20,
        memory_free=7 * 2**30,
        checkpoint_bytes=20 * 2**20,
    ),
    train=TrainRecipe(
        batch=32,
        chunk_len=1024,
        steps=1000,
        precision="float32",
        pieces=1,
        validate_seconds=30.0,
        preview_every=200,
        keep=3,
    ),
    folder=pathlib.Path("."),
    device="cpu",
    processes=1,
    step=0,
    hours=None,
    spent=0.0,
    seconds_to_learn=0.25,
    seconds_to_hear=0.125,
    seconds_to_preview=2.0,
)
