"""The WaveNet pipeline on emulated GPUs, every block a thread of its own: the stages, links and packer of real ones.

Tight GPUs force many short runs of layers and of rows; `near` ones let neighbouring blocks hand words over in shared
memory. Whatever the GPU, the same numbers must come out, to the bit.
"""

import itertools
import subprocess

import numpy as np
import pytest

from compare import assert_stages_close
from emulated import core
from players import emulated_gpu, engine, engine_model
from programs import BUILDS, program
from sharks.families.registry import reference_player
from sharks.recipes.presets import preset
from sharks.spec import replace, stages
from specs import SPECS, WAVENET, condition, levels, random_tensors

pytestmark = BUILDS

FAR, NEAR = 80, 90  # capabilities: without and with clusters
KIB = (12, 16, 24, 32, 48, 64, 96, 160, 227)
WAVENETS = [name for name, spec in SPECS.items() if spec.family == "wavenet"]
STREAMS = 3


def on_gpu(monkeypatch, capability, kib, processors=32):
    monkeypatch.setenv("SHARKS_EMULATED", f"{capability} {processors} {kib}")


def pipeline(*model, **kind):
    return emulated_gpu(*model, plan="pipeline", **kind)


def tightest(monkeypatch, capability, make):
    """What `make` makes on the smallest GPU on which it can, so that the work is cut as small as it goes."""
    for kib in KIB:
        on_gpu(monkeypatch, capability, kib)
        try:
            return make()
        except ValueError as refusal:
            assert "cannot play this model here" in str(refusal)
    pytest.fail("no emulated GPU can play this")


def forced(player, spec, streams, steps, cuts=()):
    """Every stage of `steps` forced levels, in calls that begin at `cuts`."""
    player.reset(levels(spec, streams, 1, seed=1))
    given = levels(spec, streams, steps)
    names = [stage.name for stage in stages(spec) if stage.name != "logits"]
    parts = []
    for start, end in itertools.pairwise([0, *cuts, steps]):
        logits, values = player.force(np.ascontiguousarray(given[:, start:end]), True, names)
        parts.append({**values, "logits": logits})
    return {name: np.concatenate([part[name] for part in parts], 1) for name in parts[0]}


def free_run(player, spec, streams, n, temperature=0.95, cuts=()):
    player.reset(np.repeat(levels(spec, 1, 1), streams, 0))
    heat = np.full((streams, n), temperature, np.float32)
    ids = np.arange(streams, dtype=np.int64)
    parts = []
    for start, end in itertools.pairwise([0, *cuts, n]):
        parts.append(player.run(end - start, np.ascontiguousarray(heat[:, start:end]), 11, ids))
    return np.concatenate(parts, 1)


@pytest.mark.parametrize("capability", [FAR, NEAR])
@pytest.mark.parametrize("name", WAVENETS)
def test_every_stage_equals_the_reference(monkeypatch, name, capability):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    given = condition(spec, STREAMS)
    player = tightest(monkeypatch, capability, lambda: pipeline(spec, weights, STREAMS, given))
    got = forced(player, spec, STREAMS, 30, cuts=(13,))
    assert_stages_close(got, forced(reference_player(spec, weights, STREAMS, given), spec, STREAMS, 30, cuts=(13,)))


@pytest.mark.parametrize("capability", [FAR, NEAR])
@pytest.mark.parametrize("name", ["wavenet-one-hot", "wavenet-filter-3", "wavenet-classes", "wavenet-odd-everything"])
def test_float16_is_as_near_as_its_rounding(monkeypatch, name, capability):
    """Besides the weights, z and x are rounded on their way into a product, and no more than that."""
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    given = condition(spec, STREAMS)
    player = tightest(monkeypatch, capability, lambda: pipeline(spec, weights, STREAMS, given, dtype="float16"))
    got = forced(player, spec, STREAMS, 30)
    want = forced(reference_player(spec, weights, STREAMS, given), spec, STREAMS, 30)
    assert_stages_close(got, want, arithmetic="float16")
    on_gpu(monkeypatch, capability, 227)
    exact = forced(pipeline(spec, weights, STREAMS, given), spec, STREAMS, 30)
    assert not np.array_equal(got["logits"], exact["logits"]), "the narrow type was not used"


@pytest.mark.parametrize("capability", [FAR, NEAR])
def test_a_layer_whose_composed_weights_are_beyond_float16_plays_uncomposed(monkeypatch, capability):
    """Layer 1 reads channel 3 of layer 0's way on: 400 times 400 is more than a half holds, though 400 is not."""
    spec, weights = SPECS["wavenet-one-hot"], random_tensors(SPECS["wavenet-one-hot"])
    for i in range(spec.layers):
        weights[f"blocks.{i}.dilated.weight"][:, 3] = 0
    weights["blocks.0.res.weight"][3, 2] = weights["blocks.1.dilated.weight"][1, 3, -1] = 400
    want = forced(reference_player(spec, weights, STREAMS), spec, STREAMS, 30)
    player = tightest(monkeypatch, capability, lambda: pipeline(spec, weights, STREAMS, dtype="float16"))
    assert_stages_close(forced(player, spec, STREAMS, 30), want, arithmetic="float16")


LONG = replace(WAVENET, dilations=(1, 256, 512, 3), residual=20, skip=20, head=20)


@pytest.mark.parametrize("capability", [FAR, NEAR])
def test_rings_wrap_twice_wherever_calls_begin(monkeypatch, capability):
    weights, steps = random_tensors(LONG), 2 * 512 + 40
    want = forced(reference_player(LONG, weights, 1), LONG, 1, steps)
    whole = forced(tightest(monkeypatch, capability, lambda: pipeline(LONG, weights, 1)), LONG, 1, steps)
    assert_stages_close(whole, want)
    cuts = (1, 2, 3, 130, 513, 514, 1000)
    cut = forced(tightest(monkeypatch, capability, lambda: pipeline(LONG, weights, 1)), LONG, 1, steps, cuts)
    for name, values in whole.items():
        assert np.array_equal(cut[name], values), name


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_neither_company_nor_the_gpu_can_be_heard(monkeypatch, dtype):
    """1, 7, 8 and 9 streams; one chain block or many, near links or far, one pipeline or several."""
    spec, weights = SPECS["wavenet-filter-3"], random_tensors(SPECS["wavenet-filter-3"])
    clips, logits = {}, {}
    kinds = {"wide": (FAR, 227, 4), "tight": (FAR, 24, 32), "pipelines": (FAR, 32, 64), "near": (NEAR, 48, 32)}
    for name, (capability, kib, processors) in kinds.items():
        for streams in (1, 7, 8, 9, 25):
            on_gpu(monkeypatch, capability, kib, processors)
            player = pipeline(spec, weights, streams, dtype=dtype)
            clips[name, streams] = free_run(player, spec, streams, 40)
            logits[name, streams] = player.force(np.zeros((streams, 1), np.int32), True, [])[0]
    most = clips["wide", 25]
    assert len(np.unique(most)) > 3 and not np.array_equal(most[0], most[8])
    for (name, streams), clip in clips.items():
        assert np.array_equal(clip, most[:streams]), (name, streams)
        assert np.array_equal(logits[name, streams], logits["wide", 25][:streams]), (name, streams)


@pytest.mark.parametrize("name", ["wavenet-one-hot", "preset-ibab-wavenet", "preset-deepvoice-wavenet"])
def test_a_free_run_draws_what_the_cpu_draws(monkeypatch, name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    on_cpu = free_run(engine(spec, weights, STREAMS), spec, STREAMS, 150)
    for capability in (FAR, NEAR):
        player = tightest(monkeypatch, capability, lambda: pipeline(spec, weights, STREAMS))
        assert np.array_equal(free_run(player, spec, STREAMS, 150, cuts=(1, 70)), on_cpu), "no score lies near a tie"
    cold = free_run(engine(spec, weights, 1), spec, 1, 40, temperature=0)
    assert np.array_equal(free_run(pipeline(spec, weights, 1), spec, 1, 40, temperature=0), cold)


def test_a_state_moves_between_plans_and_devices_in_the_middle_of_a_clip(monkeypatch):
    spec, weights = SPECS["wavenet-filter-3"], random_tensors(SPECS["wavenet-filter-3"])
    on_gpu(monkeypatch, FAR, 48)
    gpu = pipeline(spec, weights, 2)
    whole = free_run(gpu, spec, 2, 120)
    heat, ids = np.full((2, 60), 0.95, np.float32), np.arange(2, dtype=np.int64)
    makers = (
        lambda: pipeline(spec, weights, 2),
        lambda: engine(spec, weights, 2),
        lambda: emulated_gpu(spec, weights, 2, plan="first-light"),
    )
    for before, after in itertools.product(makers, makers):
        first, second = before(), after()
        begun = free_run(first, spec, 2, 60)
        second.set_state(first.get_state())
        assert np.array_equal(np.concatenate([begun, second.run(60, heat, 11, ids)], 1), whole)


def test_twenty_runs_are_one(monkeypatch):
    spec, weights = SPECS["wavenet-one-hot"], random_tensors(SPECS["wavenet-one-hot"])
    player = tightest(monkeypatch, FAR, lambda: pipeline(spec, weights, 9, dtype="float16"))
    clips = {free_run(player, spec, 9, 30).tobytes() for _ in range(20)}
    assert len(clips) == 1


def test_a_gpu_too_small_is_refused_by_name_and_left_to_first_light_by_default(monkeypatch):
    spec = preset("wavenet-music")
    weights = random_tensors(spec)
    on_gpu(monkeypatch, 75, 64, 40)
    with pytest.raises(ValueError, match="cannot play this model here"):
        pipeline(spec, weights, 1)
    small, tiny = SPECS["wavenet-one-hot"], random_tensors(SPECS["wavenet-one-hot"])
    on_gpu(monkeypatch, 75, 64, 3)
    with pytest.raises(ValueError, match="cannot play this model here"):
        pipeline(small, tiny, 1)
    assert engine_model(small, tiny, core=core(), device="cuda").plan == "first-light"
    on_gpu(monkeypatch, 75, 64, 4)
    assert engine_model(small, tiny, core=core(), device="cuda").plan == "pipeline"


@pytest.mark.parametrize("name", ["wavenet_parts", "wavenet_dealing", "wavenet_stress"])
def test_parts_and_links_in_cpp(name):
    done = subprocess.run([program(name)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
