"""SampleRNN's plan for hundreds of streams, played by a CPU: blocks are threads that meet between phases."""

import numpy as np
import pytest

from compare import assert_stages_close
from emulated import core
from players import engine
from programs import BUILDS
from samplernn_plans import WIDE, WIRINGS, forced, free_run
from sharks.families.registry import reference_player
from specs import SPECS, levels, random_tensors

pytestmark = BUILDS


def throughput(spec, weights, streams):
    return engine(spec, weights, streams, core=core(), device="cuda", dtype="float16", plan="throughput")


@pytest.mark.parametrize("name", WIRINGS)
def test_every_stage_equals_the_reference(name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    got = forced(throughput(spec, weights, 3), spec, 3)
    assert_stages_close(got, forced(reference_player(spec, weights, 3), spec, 3), arithmetic="float16")


@pytest.mark.parametrize("streams", [1, 63, 64, 65, 130])
@pytest.mark.parametrize("family", WIDE)
def test_tiles_that_are_not_full_equal_the_reference(family, streams):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    got = forced(throughput(spec, weights, streams), spec, streams, steps=10, parts=(5,))
    want = forced(reference_player(spec, weights, streams), spec, streams, steps=10, parts=(5,))
    assert_stages_close(got, want, arithmetic="float16")


@pytest.mark.parametrize("family", WIDE)
def test_a_clip_depends_on_neither_company_nor_pieces_nor_blocks(family, monkeypatch):
    spec, weights = WIDE[family], random_tensors(WIDE[family])
    alone = free_run(throughput(spec, weights, 1), spec, 1)
    assert len(np.unique(alone)) > 3
    for parts in ((1,) * 12 + (48,), (5, 55)):
        assert np.array_equal(free_run(throughput(spec, weights, 1), spec, 1, parts), alone), parts
    for kind in ("75 1 48", "90 7 96"):
        monkeypatch.setenv("SHARKS_EMULATED", kind)
        assert np.array_equal(free_run(throughput(spec, weights, 70), spec, 70)[:1], alone), kind


def test_it_goes_on_where_another_plan_stopped():
    spec = WIDE["lstm"]
    weights, more = random_tensors(spec), levels(spec, 2, 20, seed=3)
    first = engine(spec, weights, 2, core=core(), device="cuda", dtype="float16", plan="persistent")
    first.reset(levels(spec, 2, spec.lookback))
    first.force(levels(spec, 2, spec.lookback + 3))
    second = throughput(spec, weights, 2)
    second.set_state(first.get_state())
    got, want = {"logits": second.force(more)[0]}, {"logits": first.force(more)[0]}
    assert_stages_close(got, want, arithmetic="float16")


def test_it_is_asked_for_by_name_and_float32_goes_another_way():
    spec, weights = WIDE["gru"], random_tensors(WIDE["gru"])
    tables = {"core": core(), "device": "cuda"}
    assert np.array_equal(
        free_run(engine(spec, weights, 2, dtype="float32", plan="throughput", **tables), spec, 2),
        free_run(engine(spec, weights, 2, dtype="float32", **tables), spec, 2),
    )
