"""The check of a backend: it passes what is right, and fails what is wrong in any way."""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
from collections.abc import Callable

import numpy as np
import pytest

import sharks
from compare import BOUNDS
from players import PLAYERS
from sharks import spec as specs
from sharks.families.registry import reference_player
from sharks.levels.sampling import gumbel
from sharks.packs import golden
from sharks.packs.pack import Pack

SAMPLERNN = sharks.SampleRNNSpec(q_levels=64, frame_sizes=(2, 6), dim=17, embed_dim=3, layers=2)
WAVENET = sharks.WaveNetSpec(q_levels=64, dilations=(1, 2, 4, 8), residual=9, dilation=7, skip=9, head=8)
SPECS = [
    SAMPLERNN,
    WAVENET,
    specs.replace(WAVENET, global_channels=3, global_classes=2),
    specs.replace(WAVENET, global_channels=3),
]


@pytest.mark.parametrize("device", PLAYERS)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.family)
def test_every_device_passes(spec: specs.Spec, device: str, tmp_path: pathlib.Path) -> None:
    path = sharks.random_pack(spec).save(tmp_path / "a.safetensors")
    report = sharks.check(path, device=device)
    assert report.ok
    assert report.max_error <= report.bound == pytest.approx(2e-5 * np.abs(sharks.load(path).golden.logits).max())
    assert (report.device, report.dtype, report.parted_at) == (device, "float32", None)
    assert report.steps == 1228
    assert str(report).startswith("ok: 1228 steps on ")


def test_the_bounds_are_those_of_the_tests() -> None:
    assert {dtype: BOUNDS["logits" if dtype == "float32" else "*", dtype] for dtype in module.BOUNDS} == module.BOUNDS


@pytest.mark.parametrize("dtype", ["bfloat16", "int8", "float8"])
def test_types_without_a_bound_are_refused(dtype: str) -> None:
    with pytest.raises(sharks.UsageError, match=f"dtype is '{dtype}'; golden steps are played as float32, float16"):
        sharks.check(sharks.random_pack(WAVENET), "cpu", dtype)


def test_auto_says_what_it_chose() -> None:
    if "cpu" not in PLAYERS:
        pytest.skip("the compiled engine has not been built")
    assert sharks.check(sharks.random_pack(WAVENET), device="auto").device in ("cpu", "cuda")


module = importlib.import_module("sharks.proof.check")  # the attribute of that name is the verb


class Wrong:
    """A player that is right but for one thing."""

    def __init__(self, player: object, wrong: Callable[[np.ndarray], np.ndarray], draws: bool = False) -> None:
        self.player, self.wrong, self.draws = player, wrong, draws
        self.device, self.dtype, self.isa, self.plan = "wrong", "float32", "none", "default"

    def __getattr__(self, name: str) -> object:
        return getattr(self.player, name)

    def force(self, levels: np.ndarray, want_logits: bool = True) -> tuple[np.ndarray | None, dict]:
        logits, taps = self.player.force(levels, want_logits)
        return (logits if self.draws or logits is None else self.wrong(logits.copy())), taps

    def run(self, *arguments: object) -> np.ndarray:
        levels = self.player.run(*arguments)
        return self.wrong(levels) if self.draws else levels


def last(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def wrong(array: np.ndarray) -> np.ndarray:
        array[..., -1, -1] += value
        return array

    return wrong


def report_of(pack: Pack, wrong: Callable[[np.ndarray], np.ndarray], draws: bool, patch: pytest.MonkeyPatch) -> object:
    player = Wrong(reference_player(pack.spec, pack.tensors, 1), wrong, draws)
    patch.setattr(module, "open_player", lambda *_, **__: player)
    return sharks.check(pack, "cpu")


@pytest.mark.parametrize("value", [1e-3, -1e-3, np.nan, np.inf])
def test_one_wrong_logit_fails(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(sharks.random_pack(SAMPLERNN), last(value), False, monkeypatch)
    assert not report.ok
    assert str(report).startswith("NOT ok")


def test_logits_within_the_bound_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert report_of(sharks.random_pack(SAMPLERNN), last(5e-5), False, monkeypatch).ok


def test_one_wrong_draw_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(levels: np.ndarray) -> np.ndarray:
        levels[0, -1] = (levels[0, -1] + 32) % 64
        return levels

    report = report_of(sharks.random_pack(SAMPLERNN), wrong, True, monkeypatch)
    assert not report.ok
    assert report.parted_at == 127
    assert report.max_error < 1e-6, "the logits were right"


@pytest.mark.parametrize(("gap", "ok"), [(1e-5, True), (0.5, False)])
def test_a_draw_may_part_only_where_two_scores_were_as_good_as_equal(
    gap: float, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Golden steps whose last second-best score lies `gap` below the best, and a player that takes the second best."""
    pack = sharks.random_pack(SAMPLERNN)
    steps = pack.golden
    noise = gumbel(steps.seed, [steps.stream], len(steps.free) - 1, 64)[0]
    best = int(steps.free[-1])
    second = (best + 1) % 64
    logits = steps.logits.copy()
    logits[-1, second] = logits[-1, best] + noise[best] - noise[second] - gap

    class SecondBest(Wrong):
        def force(self, levels: np.ndarray, want_logits: bool = True) -> tuple[np.ndarray | None, dict]:
            forced, taps = self.player.force(levels, want_logits)
            if forced is not None and forced.shape[1] == len(steps.free):
                forced[0, -1, second] = logits[-1, second]
            return forced, taps

        def run(self, *arguments: object) -> np.ndarray:
            levels = self.player.run(*arguments)
            levels[0, -1] = second
            return levels

    player = SecondBest(reference_player(pack.spec, pack.tensors, 1), lambda array: array)
    monkeypatch.setattr(module, "open_player", lambda *_, **__: player)
    report = sharks.check(Pack(pack.spec, pack.tensors, golden=dataclasses.replace(steps, logits=logits)))
    assert report.max_error <= report.bound
    assert (report.parted_at, report.ok) == (127, ok)


def test_it_asks_what_would_play_and_not_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    pack = sharks.random_pack(WAVENET)
    monkeypatch.setattr(module, "open_player", lambda *_, device, **__: asked.append(device) or 1 / 0)
    for device in ({}, {"device": "reference"}):
        with pytest.raises(ZeroDivisionError):
            sharks.check(pack, **device)
    assert asked == ["auto", "reference"]


def test_a_pack_without_golden_steps_has_them_played(tmp_path: pathlib.Path) -> None:
    path = sharks.random_pack(WAVENET).save(tmp_path / "a.safetensors", golden=False)
    assert sharks.check(path).ok


def test_golden_steps_of_other_weights_fail() -> None:
    """What `check` is for: the numbers in the pack and the numbers that are played do not belong together."""
    one, other = sharks.random_pack(WAVENET, seed=1), sharks.random_pack(WAVENET, seed=2)
    assert not sharks.check(Pack(WAVENET, one.tensors, golden=other.golden)).ok


def test_large_models_get_fewer_golden_steps() -> None:
    for name in sharks.presets():
        forced, free, logits = golden.affordable(sharks.preset(name))
        assert 32 <= forced + free <= 1228
        assert 1 <= free < logits <= forced + free
    tiny, large = (sharks.preset(name) for name in ("dadabots-2tier-tiny", "dadabots-2tier"))
    assert sum(golden.affordable(large)[:2]) < sum(golden.affordable(tiny)[:2])
    many = specs.replace(tiny, q_levels=65536)
    assert golden.affordable(many)[2] <= 16
