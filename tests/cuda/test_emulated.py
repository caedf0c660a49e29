"""The CUDA engine's first light, played by a CPU, against the reference: every spec, every stage, both types of weights.

What holds of every player, chunks, company and pauses, test_players.py says of this one too.
"""

import numpy as np
import pytest

from compare import assert_close, assert_stages_close
from emulated import core
from players import emulated_gpu, engine
from programs import BUILDS
from sharks import reference
from sharks.presets import preset
from sharks.spec import replace, stages
from specs import SPECS, condition, levels, random_tensors

pytestmark = BUILDS
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


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", SPECS)
def test_every_stage_equals_the_reference(name, dtype):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 3)
    got = forced(emulated_gpu(spec, weights, 3, given, dtype=dtype), spec, 3)
    assert_stages_close(got, forced(reference.make(spec, weights, 3, given), spec, 3), arithmetic=dtype)


@pytest.mark.parametrize("name", ["samplernn-lstm-graves-all", "samplernn-gru-reset-before", "wavenet-r9y9"])
def test_blocks_of_several_streams_equal_the_reference(name):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 11)
    got = forced(emulated_gpu(spec, weights, 11, given), spec, 11)
    assert_stages_close(got, forced(reference.make(spec, weights, 11, given), spec, 11))


def test_ibab_wavenet_in_full_past_a_wrap_of_its_largest_ring():
    spec = preset("ibab-wavenet")
    steps, weights = max(spec.dilations) + 40, random_tensors(preset("ibab-wavenet"))
    got = forced(emulated_gpu(spec, weights, 1), spec, 1, steps)
    assert_stages_close(got, forced(reference.make(spec, weights, 1), spec, 1, steps))


# Wider than a block has threads, and than shared memory holds.
WIDE = {
    "samplernn": replace(SPECS["samplernn-lstm-graves-all"], dim=160, layers=2),
    "wavenet": replace(SPECS["wavenet-filter-3"], skip=640, head=200, dilations=(1, 2, 4, 8) * 8),
}


@pytest.mark.parametrize("family", WIDE)
def test_wide_layers_equal_the_reference(family):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    got = forced(emulated_gpu(spec, weights, 9), spec, 9)
    assert_stages_close(got, forced(reference.make(spec, weights, 9), spec, 9))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("family", WIDE)
def test_a_clip_does_not_depend_on_company(family, dtype):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    clips = [free_run(emulated_gpu(spec, weights, n, dtype=dtype), spec, n) for n in (64, 1, 7, 8, 9)]
    assert len(np.unique(clips[0])) > 3
    for clip in clips[1:]:
        assert np.array_equal(clip, clips[0][: len(clip)])


@pytest.mark.parametrize("name", ["samplernn-relu-before-hidden", "samplernn-raw-top-graves", "wavenet-filter-3"])
def test_weights_that_float16_holds_play_as_float32_to_the_bit(name):
    """Sums run in one order in both, so only what the weights lost can be heard."""
    spec = SPECS[name]
    coarse = {key: np.round(value * 16) / 16 for key, value in random_tensors(spec).items()}
    exact, narrow = (forced(emulated_gpu(spec, coarse, 2, dtype=d), spec, 2) for d in ("float32", "float16"))
    fine = forced(emulated_gpu(spec, random_tensors(spec), 2, dtype="float16"), spec, 2)
    for stage in exact:
        assert np.array_equal(exact[stage], narrow[stage])
    assert not np.array_equal(fine["logits"], exact["logits"])


@pytest.mark.parametrize("name", ["samplernn-lstm-3-frame-tiers", "samplernn-gru", "wavenet-scalar-32-taps", "wavenet-r9y9"])
def test_a_state_moves_between_cpu_and_gpu_in_the_middle_of_a_frame(name):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 3)
    cpu, gpu = engine(spec, weights, 3, given), emulated_gpu(spec, weights, 3, given)
    cpu.reset(levels(spec, 3, spec.lookback, seed=1))
    cpu.force(levels(spec, 3, 2 * spec.lookback + 5))
    state, more = cpu.get_state(), levels(spec, 3, 40, seed=3)
    gpu.set_state(state)
    for name, value in gpu.get_state().items():
        assert np.array_equal(value, state[name]), f"{name} changed on the way"
    assert_close(gpu.force(more)[0], cpu.force(more)[0])
    cpu.set_state(gpu.get_state())
    assert_close(cpu.force(more)[0], gpu.force(more)[0])


@pytest.mark.parametrize("name", ["preset-dadabots-2tier", "preset-prism-3tier", "preset-ibab-wavenet"])
def test_cpu_and_gpu_draw_the_same_levels_until_scores_tie(name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    clips = [free_run(make(spec, weights, 3), spec, 3, 300) for make in (engine, emulated_gpu)]
    assert np.array_equal(*clips), "no score of these seeds lies near a tie"


def test_refusals_are_one_sentence():
    spec, weights = SPECS["samplernn-gru"], random_tensors(SPECS["samplernn-gru"])
    with pytest.raises(ValueError, match="plan is 'fastest', which cannot play .*; wanted default, throughput"):
        emulated_gpu(spec, weights, 1, plan="fastest")
    with pytest.raises(ValueError, match="dtype is 'int8'"):
        emulated_gpu(spec, weights, 1, dtype="int8")
    with pytest.raises(ValueError, match="plan is 'throughput'; the CPU has one"):
        engine(spec, weights, 1, plan="throughput")
    loud = weights | {"sample.out.bias": weights["sample.out.bias"], "sample.out.weight": weights["sample.out.weight"] * 1e6}
    with pytest.raises(ValueError, match="beyond what float16 holds"):
        emulated_gpu(spec, loud, 1, dtype="float16")
    with pytest.raises(ValueError, match="a level is 32"):
        emulated_gpu(spec, weights, 1).reset(np.full((1, spec.lookback), 32, np.int32))


def test_ctrl_c_ends_a_long_run_between_chunks():
    import signal
    import threading

    spec, weights = SPECS["preset-prism-3tier"], random_tensors(SPECS["preset-prism-3tier"])
    player = emulated_gpu(spec, weights, 1)
    player.reset(levels(spec, 1, spec.lookback))
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    n = 3_000_000
    with pytest.raises(KeyboardInterrupt):
        player.run(n, np.ones((1, n), np.float32), 1, np.zeros(1, np.int64))
    timer.join()
    assert 0 < player.position < n
    state = player.get_state()  # and plays on from a valid one
    assert state["step"][0] == player.position
    free = player.run(20, np.ones((1, 20), np.float32), 1, np.zeros(1, np.int64))
    player.set_state(state)
    assert np.array_equal(player.run(20, np.ones((1, 20), np.float32), 1, np.zeros(1, np.int64)), free)


def test_it_says_that_it_is_emulated():
    spec = SPECS["samplernn-gru"]
    player_of = core()
    assert player_of.cuda_status() == "" and "emulated" in player_of.cuda_device()
    from players import engine_model

    model = engine_model(spec, random_tensors(spec), core=core(), device="cuda")
    assert (model.isa, model.plan) == ("emulated", "first-light")
    assert model.cost["step_bytes"] > 0
