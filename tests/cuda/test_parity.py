"""The CUDA engine against the reference: every spec, every stage, both types of weights, companies of all sizes.

What holds of every player, chunks, company and pauses, test_players.py says of these too.
"""

import functools

import numpy as np
import pytest

from compare import assert_close, assert_stages_close
from gpu_plans import on_gpus
from players import engine
from sharks.families.registry import reference_player
from sharks.recipes.presets import preset
from sharks.spec import replace, stages
from specs import ON_GPU, SPECS, condition, levels, random_tensors

STEPS = 60


def forced(player, spec, streams, steps=STEPS):
    """Every stage of `steps` forced levels, in two calls that part in the middle of a frame."""
    player.reset(levels(spec, streams, spec.lookback, seed=1))
    given = levels(spec, streams, steps)
    names = [stage.name for stage in stages(spec)]
    parts = [player.force(np.ascontiguousarray(part), True, names) for part in np.split(given, [steps // 2 + 3], 1)]
    taken = {name: np.concatenate([part[1][name] for part in parts], 1) for name in names}
    assert np.array_equal(taken["logits"], np.concatenate([part[0] for part in parts], 1))
    return taken


def free_run(player, spec, streams, n=64, temperature=0.95):
    player.reset(np.repeat(levels(spec, 1, spec.lookback), streams, 0))
    heat = np.full((streams, n), temperature, np.float32)
    return player.run(n, heat, 11, np.arange(streams, dtype=np.int64))


@on_gpus
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ON_GPU)
def test_every_stage_equals_the_reference(make, name, dtype):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 3)
    player = make(spec, weights, 3, given, dtype=dtype)
    got, want = (forced(each, spec, 3) for each in (player, reference_player(spec, weights, 3, given)))
    assert_stages_close(got, want, arithmetic=dtype)
    player.reset(levels(spec, 3, spec.lookback, seed=1))  # and without stages, which another plan may play
    assert_close(player.force(levels(spec, 3, STEPS))[0], want["logits"], arithmetic=dtype)


@on_gpus
@pytest.mark.parametrize("name", ["samplernn-lstm-graves-all", "samplernn-gru-reset-before", "wavenet-r9y9"])
def test_blocks_of_several_streams_equal_the_reference(make, name):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 11)
    got = forced(make(spec, weights, 11, given), spec, 11)
    assert_stages_close(got, forced(reference_player(spec, weights, 11, given), spec, 11))


@on_gpus
def test_ibab_wavenet_in_full_past_a_wrap_of_its_largest_ring(make):
    spec = preset("ibab-wavenet")
    steps, weights = max(spec.dilations) + 40, random_tensors(preset("ibab-wavenet"))
    got = forced(make(spec, weights, 1), spec, 1, steps)
    assert_stages_close(got, forced(reference_player(spec, weights, 1), spec, 1, steps))


@pytest.mark.cuda
@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("plan", ["default", "throughput"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["ibab-wavenet", "deepvoice-wavenet", "prism-3tier", "dadabots-2tier"])
def test_what_the_bench_plays_equals_the_reference(name, dtype, plan):
    """In full, as nothing else here is: their strips, clusters and shared memory are those of no smaller model."""
    spec = preset(name)
    weights = random_tensors(spec)
    got = forced(engine(spec, weights, 2, device="cuda", dtype=dtype, plan=plan), spec, 2)
    assert_stages_close(got, forced(reference_player(spec, weights, 2), spec, 2), arithmetic=dtype)


# Wider than a block has threads, and than shared memory holds.
WIDE = {
    "samplernn": replace(SPECS["samplernn-lstm-graves-all"], dim=160, layers=2),
    "wavenet": replace(SPECS["wavenet-filter-3"], skip=640, head=200, dilations=(1, 2, 4, 8) * 8),
}


@on_gpus
@pytest.mark.parametrize("family", WIDE)
def test_wide_layers_equal_the_reference(make, family):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    got = forced(make(spec, weights, 9), spec, 9)
    assert_stages_close(got, forced(reference_player(spec, weights, 9), spec, 9))


@on_gpus
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("family", WIDE)
def test_a_clip_does_not_depend_on_company(make, family, dtype):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    clips = [free_run(make(spec, weights, n, dtype=dtype), spec, n) for n in (64, 1, 7, 8, 9)]
    assert len(np.unique(clips[0])) > 3
    for clip in clips[1:]:
        assert np.array_equal(clip, clips[0][: len(clip)])


@on_gpus
@pytest.mark.parametrize("name", ["samplernn-relu-before-hidden", "samplernn-raw-top-graves", "wavenet-filter-3"])
def test_weights_that_float16_holds_play_as_float32_to_the_bit(make, name):
    """First light sums in one order in both, so only what the weights lost can be heard. Others narrow inputs too."""
    spec, make = SPECS[name], functools.partial(make, plan="first-light")
    coarse = {key: np.round(value * 16) / 16 for key, value in random_tensors(spec).items()}
    exact, narrow = (forced(make(spec, coarse, 2, dtype=d), spec, 2) for d in ("float32", "float16"))
    fine = forced(make(spec, random_tensors(spec), 2, dtype="float16"), spec, 2)
    for stage in exact:
        assert np.array_equal(exact[stage], narrow[stage])
    assert not np.array_equal(fine["logits"], exact["logits"])


@on_gpus
@pytest.mark.parametrize("name", ["preset-dadabots-2tier", "preset-prism-3tier", "preset-ibab-wavenet"])
def test_cpu_and_gpu_draw_the_same_levels_until_scores_tie(make, name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    clips = [free_run(play(spec, weights, 3), spec, 3, 300) for play in (engine, make)]
    assert np.array_equal(*clips), "no score of these seeds lies near a tie"


@on_gpus
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["preset-prism-3tier", "preset-ibab-wavenet"])
def test_twenty_runs_are_one(make, name, dtype):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    player = make(spec, weights, 9, dtype=dtype)
    first = free_run(player, spec, 9)
    for _ in range(19):
        assert np.array_equal(free_run(player, spec, 9), first)
