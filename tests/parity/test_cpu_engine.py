"""The compiled CPU engine against the reference: every spec, every stage, every instruction set this CPU runs."""

import numpy as np
import pytest

from compare import assert_stages_close
from players import engine
from sharks.families.registry import reference_player
from sharks.levels import sampling
from sharks.recipes.presets import preset
from sharks.spec import replace, stages
from specs import SPECS, condition, levels, random_tensors

_core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")

STREAMS, STEPS = 3, 70


def forced(player, spec, streams=STREAMS, steps=STEPS):
    """Every stage of `steps` forced levels, in two calls that part in the middle of a frame."""
    history, given = levels(spec, streams, spec.lookback, seed=1), levels(spec, streams, steps)
    player.reset(history)
    names = [stage.name for stage in stages(spec) if stage.name != "logits"]
    parts = []
    for part in (given[:, : steps // 2 + 3], given[:, steps // 2 + 3 :]):
        logits, values = player.force(np.ascontiguousarray(part), True, names)
        parts.append({**values, "logits": logits})
    return {name: np.concatenate([part[name] for part in parts], 1) for name in parts[0]}


@pytest.mark.parametrize("isa", _core.isas())
@pytest.mark.parametrize("name", SPECS)
def test_every_stage_equals_the_reference(name, isa):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    given = condition(spec, STREAMS)
    got = forced(engine(spec, weights, STREAMS, given, isa=isa), spec)
    want = forced(reference_player(spec, weights, STREAMS, given), spec)
    assert_stages_close(got, want)


def test_ibab_wavenet_in_full_past_a_wrap_of_its_largest_ring():
    spec = preset("ibab-wavenet")
    steps = max(spec.dilations) + 40
    weights = random_tensors(spec)
    got = forced(engine(spec, weights, 1), spec, 1, steps)
    assert_stages_close(got, forced(reference_player(spec, weights, 1), spec, 1, steps))


@pytest.mark.parametrize("isa", _core.isas())
@pytest.mark.parametrize("q", [1, 31, 64, 65, 256, 1000])
def test_the_noise_is_the_same_to_the_bit(isa, q):
    for seed, stream, step in ((0, 0, 0), (2**64 - 1, 2**32 - 1, 2**40 + 7), (12345, 7, 99999)):
        got = _core.gumbel(seed, stream, step, q, isa)
        want = sampling.gumbel(seed, [stream], step, q)[0]
        assert np.array_equal(got.view(np.int32), want.view(np.int32))


@pytest.mark.parametrize("name", ["preset-dadabots-2tier", "preset-prism-3tier", "preset-ibab-wavenet"])
def test_free_runs_of_all_instruction_sets_agree_until_scores_tie(name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    clips = []
    for make in (reference_player, *(lambda *a, isa=isa: engine(*a, isa=isa) for isa in _core.isas())):
        player = make(spec, weights, STREAMS)
        player.reset(levels(spec, STREAMS, spec.lookback))
        clips.append(free_run(player, STREAMS, 200))
    for clip in clips[1:]:
        assert np.array_equal(clip, clips[0]), "no score of these seeds lies near a tie"


def free_run(player, streams, n, ids=None, temperature=0.95):
    ids = np.arange(streams, dtype=np.int64) if ids is None else np.asarray(ids, np.int64)
    return player.run(n, np.full((streams, n), temperature, np.float32), 11, ids)


# Bigger than the catalogue, so that products are wide enough for threads to share.
WIDE = {
    "samplernn": replace(SPECS["samplernn-lstm-graves-all"], dim=160, layers=2),
    "wavenet": replace(SPECS["wavenet-filter-3"], skip=512, head=200, dilations=(1, 2, 4, 8) * 8),
}


@pytest.mark.alone
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("family", WIDE)
def test_a_clip_does_not_depend_on_company_or_threads(family, dtype):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    clips = {}
    for streams, threads in ((1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (7, 2), (64, 1), (64, 2)):
        player = engine(spec, weights, streams, threads=threads, dtype=dtype)
        player.reset(np.repeat(levels(spec, 1, spec.lookback), streams, 0))
        clips[streams, threads] = free_run(player, streams, 64)
    alone = clips[1, 1]
    assert len(np.unique(alone)) > 3
    for clip in clips.values():
        assert np.array_equal(clip[:1], alone)
    assert np.array_equal(clips[64, 1], clips[64, 2])
    assert np.array_equal(clips[7, 2], clips[64, 1][:7])


@pytest.mark.alone
@pytest.mark.timeout(120)
@pytest.mark.parametrize("family", WIDE)
def test_a_state_put_back_in_the_middle_of_a_frame_plays_on_whatever_the_threads(family):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    clips = []
    for threads in (1, 2):
        first = engine(spec, weights, 1, threads=threads)
        first.reset(levels(spec, 1, spec.lookback))
        free_run(first, 1, spec.lookback + 1)
        state, other = first.get_state(), engine(spec, weights, 1, threads=3 - threads)
        other.set_state(state)
        clips += [free_run(first, 1, 40), free_run(other, 1, 40)]
    for clip in clips[1:]:
        assert np.array_equal(clip, clips[0])


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize(
    "name", ["samplernn-gru", "samplernn-lstm-graves-all", "wavenet-filter-3", "preset-ibab-wavenet"]
)
def test_narrow_weights_stay_near_float32(name, dtype):
    """test_products.py says exactly what they compute; here, that a whole model uses them and is not broken by them."""
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    exact = forced(engine(spec, weights, STREAMS), spec)["logits"]
    narrow = forced(engine(spec, weights, STREAMS, dtype=dtype), spec)["logits"]
    assert not np.array_equal(narrow, exact), "the narrow type was not used"
    assert float(np.abs(narrow - exact).max()) < 0.2 * float(np.ptp(exact))


@pytest.mark.parametrize(
    "name", ["samplernn-gru", "samplernn-lstm-graves-all", "wavenet-filter-3", "preset-ibab-wavenet"]
)
def test_int8_computes_the_same_integers_on_every_instruction_set(name):
    """Sets with a fused multiply-add round alike outside the products too, so their clips agree to the bit."""
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    fused = [isa for isa in _core.isas() if isa != "scalar"]
    logits = [forced(engine(spec, weights, STREAMS, isa=isa, dtype="int8"), spec)["logits"] for isa in fused]
    for other in logits[1:]:
        assert np.array_equal(other, logits[0])


def test_refusals_are_one_sentence():
    spec = SPECS["samplernn-gru"]
    weights = random_tensors(spec)
    with pytest.raises(ValueError, match="missing"):
        engine(spec, {k: v for k, v in weights.items() if k != "sample.out.bias"}, 1)
    with pytest.raises(ValueError, match="belongs to no part"):
        engine(spec, weights | {"extra": np.zeros(3, np.float32)}, 1)
    with pytest.raises(ValueError, match="wanted"):
        engine(spec, weights | {"sample.out.bias": np.zeros(3, np.float32)}, 1)
    with pytest.raises(ValueError, match="this CPU runs"):
        engine(spec, weights, 1, isa="z80")
    with pytest.raises(ValueError, match="dtype is 'int4'"):
        engine(spec, weights, 1, dtype="int4")
    player = engine(spec, weights, 1)
    with pytest.raises(ValueError, match="a level is 32"):
        player.reset(np.full((1, spec.lookback), 32, np.int32))
    with pytest.raises(ValueError, match="shape"):
        player.reset(np.zeros((2, spec.lookback), np.int32))
    with pytest.raises(ValueError, match="stage 'layer.0.gated' is unknown"):
        player.force(np.zeros((1, 1), np.int32), True, ["layer.0.gated"])
