"""The one door: what it opens, what it refuses, and that players of one pack are independent and alike."""

from __future__ import annotations

import concurrent.futures
import gc
import sys
import types
import weakref

import numpy as np
import pytest

import sharks
from players import PLAYERS
from sharks import spec as specs
from sharks.engine import door as engine
from sharks.engine.door import Player, open_player
from sharks.families.registry import from_dict, reference_player

SAMPLERNN = sharks.SampleRNNSpec(
    q_levels=16, frame_sizes=(2, 6), dim=9, embed_dim=3, layers=2, cell="lstm", skip="graves"
)
WAVENET = sharks.WaveNetSpec(q_levels=16, dilations=(1, 2, 4, 1, 2), residual=7, dilation=5, skip=9, head=8)
CLASSES = specs.replace(WAVENET, global_channels=3, global_classes=4)
VECTORS = specs.replace(WAVENET, global_channels=3)

on_every_device = pytest.mark.parametrize("device", PLAYERS)
of_both_families = pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET], ids=lambda spec: spec.family)
compiled = pytest.mark.skipif("cpu" not in PLAYERS, reason="the compiled engine has not been built")


def levels_of(spec: specs.Spec, n: int, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, spec.q_levels, (n, steps)).astype(np.int32)


def started(spec: specs.Spec, n: int, device: str, **arguments: object) -> Player:
    player = open_player(sharks.random_pack(spec), n, device=device, **arguments)
    player.reset(levels_of(spec, n, spec.lookback))
    return player


@on_every_device
@of_both_families
def test_a_player_says_what_it_is(spec: specs.Spec, device: str) -> None:
    player = started(spec, 2, device, threads=1)
    assert (player.device, player.dtype, player.plan, player.threads, player.streams) == (
        device,
        "float32",
        "default",
        1,
        2,
    )
    assert player.isa


@on_every_device
@of_both_families
def test_any_integers_and_any_layout_of_them_are_levels(spec: specs.Spec, device: str) -> None:
    levels = levels_of(spec, 3, 20)
    wanted, _ = started(spec, 3, device).force(levels)
    for same in (levels.astype(np.uint8), levels.astype(np.int64), np.asfortranarray(levels), levels.tolist()):
        got, _ = started(spec, 3, device).force(same)
        assert np.array_equal(got, wanted)


@on_every_device
@of_both_families
def test_what_no_player_can_play_is_refused(spec: specs.Spec, device: str) -> None:
    player = started(spec, 2, device)
    levels = levels_of(spec, 2, 8)
    heat, ids = np.ones((2, 8), np.float32), np.arange(2)
    for bad in (
        levels + 16,
        levels - 1,
        levels[:1],
        levels[0],
        levels.astype(np.int64) + 2**32,
        levels + 0.5,
        [[2**70]] * 2,
    ):
        with pytest.raises(sharks.UsageError):
            player.force(bad)
    with pytest.raises(sharks.UsageError):
        player.force(levels, stages=["layer.99.out"])
    with pytest.raises(sharks.UsageError):
        player.run(8, heat[:, :7], 0, ids)
    with pytest.raises(sharks.UsageError):
        player.run(8, heat, 0, ids - 1)
    for seed in (-1, 1 << 64):
        with pytest.raises(sharks.UsageError, match="seed is"):
            player.run(8, heat, seed, ids)
    with pytest.raises(sharks.UsageError):
        player.reset(levels[:, : spec.lookback - 1])
    state = player.get_state()
    with pytest.raises(sharks.UsageError, match="streams are"):
        player.run(8, heat, 0, ids[:1])
    for bad_state in ({}, {k: v for k, v in state.items() if k != "levels"}, state | {"levels": state["levels"] + 16}):
        with pytest.raises(sharks.UsageError):
            player.set_state(bad_state)
    assert np.array_equal(player.run(8, heat, 0, ids), started(spec, 2, device).run(8, heat, 0, ids)), (
        "nothing happened"
    )


@compiled
@of_both_families
def test_state_moves_between_devices(spec: specs.Spec) -> None:
    heat, ids, levels = np.ones((3, 50), np.float32), np.arange(3), levels_of(spec, 3, 31)
    want, there = started(spec, 3, "reference"), started(spec, 3, "reference")
    here = started(spec, 3, "cpu")
    for player in (want, here):
        player.force(levels, want_logits=False)
        player.run(7, heat[:, :7], 5, ids)
    there.set_state(here.get_state())
    here.set_state(there.get_state())
    continued, _ = here.force(levels)
    wanted, _ = want.force(levels)
    assert np.abs(continued - wanted).max() < 1e-4
    assert not np.array_equal(continued, started(spec, 3, "cpu").force(levels)[0]), "the state does matter"


@on_every_device
def test_conditions(device: str) -> None:
    levels = levels_of(CLASSES, 2, 9)

    def play(spec: specs.Spec, condition: object) -> np.ndarray:
        logits, _ = started(spec, 2, device, condition=condition).force(levels)
        assert logits is not None
        return logits

    each = play(CLASSES, [1, 3])
    assert np.array_equal(each[1], play(CLASSES, 3)[1]), "one class is for all streams"
    assert not np.array_equal(each[0], play(CLASSES, 3)[0])
    vector = sharks.random_pack(CLASSES).tensors["gcond.embed.weight"][3]
    alike = sharks.random_pack(CLASSES)
    by_vector = sharks.Pack(VECTORS, {k: v for k, v in alike.tensors.items() if k != "gcond.embed.weight"})
    player = open_player(by_vector, 2, device=device, condition=vector)
    player.reset(levels_of(CLASSES, 2, 1))
    assert np.array_equal(player.force(levels)[0], play(CLASSES, 3)), "a class is its vector"


@on_every_device
@pytest.mark.parametrize(
    ("spec", "condition"),
    [
        (CLASSES, None),
        (CLASSES, 4),
        (CLASSES, -1),
        (CLASSES, [0, 1, 2]),
        (CLASSES, 0.5),
        (CLASSES, "rock"),
        (CLASSES, [[0], [1, 2]]),
        (VECTORS, None),
        (VECTORS, [1.0, 2.0]),
        (VECTORS, [1.0, np.nan, 2.0]),
        (VECTORS, 1),
        (WAVENET, 1),
        (SAMPLERNN, [0, 0]),
    ],
)
def test_conditions_that_do_not_fit(spec: specs.Spec, condition: object, device: str) -> None:
    with pytest.raises(sharks.UsageError, match="condition"):
        open_player(sharks.random_pack(spec), 2, device=device, condition=condition)


def test_arguments_that_cannot_be_meant() -> None:
    pack = sharks.random_pack(WAVENET)
    with pytest.raises(sharks.UsageError, match="did you mean 'cuda'"):
        open_player(pack, 1, device="cudaa")
    with pytest.raises(sharks.UsageError, match="float32"):
        open_player(pack, 1, device="reference", dtype="int8")
    for streams in (0, -1, 1.5, True, None, 1 << 21):
        with pytest.raises(sharks.UsageError, match="streams is"):
            open_player(pack, streams, device="reference")
    for threads in (0, -1, 2.0, 100000):
        with pytest.raises(sharks.UsageError, match="threads is"):
            open_player(pack, 1, device="reference", threads=threads)


def test_a_missing_extension_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sharks, "_core", raising=False)
    monkeypatch.setitem(sys.modules, "sharks._core", None)
    for device in ("auto", "cpu", "cuda"):
        with pytest.raises(sharks.ResourceError, match=r"compiled engine.*device reference"):
            open_player(sharks.random_pack(WAVENET), 1, device=device)
    assert open_player(sharks.random_pack(WAVENET), 1, device="reference").device == "reference"


@pytest.mark.parametrize(("trouble", "chosen"), [("no GPU is here", "cpu"), ("", "cuda")])
def test_auto_takes_a_gpu_where_one_can_play(trouble: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_compiled", lambda: types.SimpleNamespace(cuda_status=lambda: trouble))
    assert engine.choose_device("auto") == chosen
    if trouble:
        for name in ("cuda", "gpu"):
            with pytest.raises(sharks.ResourceError, match="device 'cuda' cannot play: no GPU is here"):
                engine.choose_device(name)
    else:
        assert engine.choose_device("cuda") == engine.choose_device("gpu") == "cuda"


class CountingCore:
    """Stands in for the compiled module and counts its models."""

    def __init__(self) -> None:
        self.models = 0

    def cuda_status(self) -> str:
        return "no GPU"

    def isa(self) -> str:
        return "counting"

    def Model(self, spec: dict, tensors: dict, tables: dict, isa: str, **how: str) -> object:  # noqa: N802
        self.models += 1
        made = from_dict(spec)

        class Model:
            isa, plan, notes = "counting", "default", ()

            def player(self, streams: int, threads: int, cuda_stream: int | None) -> object:
                return reference_player(made, tensors, streams)

        return Model()


def test_a_model_is_made_once_per_pack_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    core = CountingCore()
    monkeypatch.setattr(engine, "_compiled", lambda: core)
    pack = sharks.random_pack(WAVENET)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: open_player(one, 1, device="cpu"), [pack] * 32))
    assert core.models == 1
    open_player(sharks.random_pack(WAVENET), 1, device="cpu")
    assert core.models == 2
    gone, kept = weakref.ref(pack), len(engine._models)
    del pack
    gc.collect()
    assert gone() is None
    assert len(engine._models) < kept


@on_every_device
@of_both_families
def test_many_threads_play_one_pack(spec: specs.Spec, device: str) -> None:
    pack = sharks.random_pack(spec)

    def play(stream: int) -> np.ndarray:
        return sharks.generate(pack, 0.02, seed=1, streams=[stream], device=device, threads=1).levels

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(play, range(16)))
    for stream, levels in enumerate(together):
        assert np.array_equal(levels, play(stream))
