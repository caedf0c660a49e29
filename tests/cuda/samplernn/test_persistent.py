"""SampleRNN's persistent plan, played by a CPU: every block of a pipeline is a thread, the words between them are real.

Against the reference at every stage; and the promises that its sums make: bits do not depend on company, pieces, or on
how many blocks share the rows.
"""

import subprocess

import numpy as np
import pytest

from compare import assert_stages_close
from emulated import core
from players import engine
from programs import BUILDS, program
from samplernn_plans import WIDE, WIRINGS, forced, free_run
from sharks.families.registry import reference_player
from sharks.spec import replace
from specs import SPECS, levels, random_tensors

pytestmark = BUILDS


def persistent(spec, weights, streams, dtype="float32"):
    return engine(spec, weights, streams, core=core(), device="cuda", dtype=dtype, plan="persistent")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", WIRINGS)
def test_every_stage_equals_the_reference(name, dtype):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    got = forced(persistent(spec, weights, 2, dtype), spec, 2)
    assert_stages_close(got, forced(reference_player(spec, weights, 2), spec, 2), arithmetic=dtype)


@pytest.mark.parametrize("streams", [1, 7, 8, 9])
@pytest.mark.parametrize("family", WIDE)
def test_wide_layers_equal_the_reference(family, streams):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    for dtype in ("float32", "float16") if streams in (1, 9) else ("float32",):
        got = forced(persistent(spec, weights, streams, dtype), spec, streams, steps=20, parts=(9, 10))
        want = forced(reference_player(spec, weights, streams), spec, streams, steps=20, parts=(9, 10))
        assert_stages_close(got, want, arithmetic=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("family", WIDE)
def test_a_clip_depends_on_neither_company_nor_pieces(family, dtype):
    """More streams make more pipelines of fewer blocks, so this also shows that who owns a row cannot be heard."""
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    alone = free_run(persistent(spec, weights, 1, dtype), spec, 1)
    assert len(np.unique(alone)) > 3
    for streams in (7, 8, 9, 33):
        clips = free_run(persistent(spec, weights, streams, dtype), spec, streams)
        assert np.array_equal(clips[:1], alone), f"with {streams} streams"
    for parts in ((1,) * 20 + (40,), (5, 55), (16, 16, 28)):
        assert np.array_equal(free_run(persistent(spec, weights, 1, dtype), spec, 1, parts), alone), parts


# Capability, processors, KiB of shared memory: one block; few; clusters beside tier blocks, with room and without.
GPUS = {"one block": "75 1 96", "few blocks": "80 5 48", "clusters": "90 48 160", "tight clusters": "90 32 56"}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("family", WIDE)
def test_the_gpu_cannot_be_heard(family, dtype, monkeypatch):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    clips, logits = {}, {}
    for gpu, kind in GPUS.items():
        monkeypatch.setenv("SHARKS_EMULATED", kind)
        clips[gpu] = free_run(persistent(spec, weights, 3, dtype), spec, 3, (17, 23))
        logits[gpu] = forced(persistent(spec, weights, 1, dtype), spec, 1)["logits"]
    for gpu in GPUS:
        assert np.array_equal(clips[gpu], clips["one block"]), gpu
        assert np.array_equal(logits[gpu], logits["one block"]), gpu


@pytest.mark.parametrize("name", ["samplernn-relu-before-hidden", "samplernn-1-hidden", "samplernn-lstm-graves-all"])
def test_clusters_equal_the_reference(name, monkeypatch):
    """128 channels are the least that a cluster of 16 shares; with no, one and two hidden products left."""
    monkeypatch.setenv("SHARKS_EMULATED", "90 48 96")
    spec = replace(SPECS[name], dim=128)
    weights = random_tensors(spec)
    got = forced(persistent(spec, weights, 2), spec, 2, steps=24, parts=(11,))
    assert_stages_close(got, forced(reference_player(spec, weights, 2), spec, 2, steps=24, parts=(11,)))


@pytest.mark.parametrize("name", ["preset-dadabots-2tier", "preset-prism-3tier", "preset-iclr2017-3tier"])
def test_it_draws_the_levels_of_the_reference_until_scores_tie(name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    got = free_run(persistent(spec, weights, 3), spec, 3, (150,))
    assert np.array_equal(got, free_run(reference_player(spec, weights, 3), spec, 3, (150,)))


def test_temperature_zero_takes_the_lowest_of_equal_scores():
    spec = SPECS["samplernn-relu-logits"]
    weights = random_tensors(spec)
    weights["sample.out.bias"] = np.full_like(weights["sample.out.bias"], -100.0)  # every logit is 0 after the relu
    assert np.array_equal(free_run(persistent(spec, weights, 2), spec, 2, (10,), temperature=0.0), np.zeros((2, 10)))


@pytest.mark.parametrize("other", ["first-light", "cpu"])
def test_a_state_moves_to_another_plan_in_the_middle_of_a_frame(other):
    spec = WIDE["lstm"]
    weights = random_tensors(spec)
    kind = {"core": core()} | ({} if other == "cpu" else {"device": "cuda", "plan": other})
    first, second = persistent(spec, weights, 2), engine(spec, weights, 2, **kind)
    first.reset(levels(spec, 2, spec.lookback))
    first.force(levels(spec, 2, spec.lookback + 3))
    second.set_state(first.get_state())
    more = levels(spec, 2, 20, seed=3)
    got = {"logits": second.force(more)[0]}
    assert_stages_close({"logits": first.force(more)[0]}, got)
    first.set_state(second.get_state())
    assert_stages_close({"logits": first.force(more)[0]}, {"logits": second.force(more)[0]})


def test_no_order_is_kept_by_luck_alone():
    done = subprocess.run([program("samplernn_stress")], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
