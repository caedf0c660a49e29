"""A GPU that other programs keep busy, or that is small: fewer pipelines play, at last first light. That is said once,
and cannot be heard.

The emulated GPU promises a block for each of its processors and then lets fewer run at once, as a real one does while
another program holds processors.
"""

import subprocess
import warnings

import numpy as np
import pytest

import sharks
from compare import assert_close
from emulated import core
from players import engine, engine_model
from programs import BUILDS, program
from samplernn_plans import WIDE
from sharks import cli
from sharks.spec import replace
from specs import SPECS, levels, random_tensors

pytestmark = BUILDS

SOON = 1000  # milliseconds: how long blocks wait for others at the opening
WAVENET, SAMPLERNN, NARROW = SPECS["wavenet-filter-3"], WIDE["gru"], replace(WIDE["lstm"], dim=40)
IDLE = {"pipeline": "80 64 32", "persistent": "80 16 96", "throughput": "80 16 96"}
SPEC = {"pipeline": WAVENET, "persistent": SAMPLERNN, "throughput": SAMPLERNN}
DTYPE = {"pipeline": "float32", "persistent": "float32", "throughput": "float16"}
STREAMS = {"pipeline": 25, "persistent": 9, "throughput": 9}
plans = pytest.mark.parametrize("plan", IDLE)


def gpu(monkeypatch, plan, free=None, later=0, kind=None):
    """The plan's GPU, idle, or one on which `free` blocks find a place, after so many launches on an idle one."""
    kind = kind or IDLE[plan]
    monkeypatch.setenv("SHARKS_EMULATED", kind if free is None else f"{kind} {free} {SOON} {later}")


def opened(plan, spec=None, streams=None, by=None):
    spec = spec or SPEC[plan]
    streams = streams or STREAMS[plan]
    kind = {"core": core(), "device": "cuda", "dtype": DTYPE[plan]}
    return engine(spec, random_tensors(spec), streams, plan=by or plan, **kind)


def begin(player, spec):
    player.reset(np.repeat(levels(spec, 1, spec.lookback), player.streams, 0))


def heard(player, n=16):
    return player.run(n, np.full((player.streams, n), 0.95, np.float32), 11, np.arange(player.streams, dtype=np.int64))


def clip(player, spec):
    begin(player, spec)
    return heard(player)


def assert_same_state(got, want):
    got, want = got.get_state(), want.get_state()
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert np.array_equal(got[name], value), name


@plans
def test_an_idle_gpu_says_nothing(monkeypatch, plan):
    gpu(monkeypatch, plan)
    player = opened(plan)
    assert len(np.unique(clip(player, SPEC[plan]))) > 3
    assert player.notes == []


# Blocks that find a place, or, where negative, that CUDA agrees to launch -> who must do.
@pytest.mark.parametrize(
    ("plan", "free", "says"),
    [
        ("pipeline", 20, "2 pipelines on 12 blocks must do instead of 4 pipelines on 24 blocks"),
        ("pipeline", 11, "1 pipeline on 6 blocks must do instead of 4 pipelines on 24 blocks"),
        ("pipeline", -12, "2 pipelines on 12 blocks must do instead of 4 pipelines on 24 blocks"),
        ("persistent", 15, "1 pipeline on 8 blocks must do instead of 2 pipelines on 16 blocks"),
        ("persistent", 1, "1 pipeline on 1 block must do instead of 2 pipelines on 16 blocks"),
        ("persistent", -7, "1 pipeline on 4 blocks must do instead of 2 pipelines on 16 blocks"),
        ("throughput", 5, "1 pipeline on 4 blocks must do instead of 1 pipeline on 16 blocks"),
        ("throughput", -2, "1 pipeline on 2 blocks must do instead of 1 pipeline on 16 blocks"),
    ],
)
def test_a_busy_gpu_plays_the_same_with_less_of_itself(monkeypatch, plan, free, says):
    spec = SPEC[plan]
    gpu(monkeypatch, plan)
    idle = opened(plan)
    want = clip(idle, spec)
    gpu(monkeypatch, plan, free)
    player = opened(plan)
    assert np.array_equal(clip(player, spec), want)
    assert_same_state(player, idle)
    (note,) = player.notes
    assert "this GPU has too little room just now" in note and says in note
    assert np.array_equal(clip(player, spec), want) and len(player.notes) == 1, "it is said once"
    given = levels(spec, player.streams, 7)
    assert np.array_equal(player.force(given)[0], idle.force(given)[0])


@pytest.mark.parametrize("free", [3, 1, -3])
def test_where_wavenets_least_pipeline_has_no_room_first_light_plays(monkeypatch, free):
    gpu(monkeypatch, "pipeline")
    first_light = opened("pipeline", by="first-light")
    want = clip(first_light, WAVENET)
    gpu(monkeypatch, "pipeline", free)
    player = opened("pipeline")
    assert np.array_equal(clip(player, WAVENET), want)
    assert_same_state(player, first_light)
    (note,) = player.notes
    assert "first light must do instead of 4 pipelines on 24 blocks" in note


TIGHT = "80 16 20"  # so little shared memory that one block alone cannot hold the vectors of one stream


@pytest.mark.parametrize("free", [1, -1])
def test_where_samplernns_least_pipeline_has_no_room_first_light_plays(monkeypatch, free):
    gpu(monkeypatch, "persistent", kind=TIGHT)
    first_light = opened("persistent", streams=2, by="first-light")
    want = clip(first_light, SAMPLERNN)
    assert not opened("persistent", streams=2).notes
    gpu(monkeypatch, "persistent", free, kind=TIGHT)
    player = opened("persistent", streams=2)
    assert np.array_equal(clip(player, SAMPLERNN), want)
    assert_same_state(player, first_light)
    (note,) = player.notes
    assert "first light must do instead of" in note


@plans
def test_a_gpu_that_becomes_busy_in_the_middle_of_a_clip_goes_on_from_there(monkeypatch, plan):
    spec = SPEC[plan]
    gpu(monkeypatch, plan)
    idle = opened(plan)
    want = [clip(idle, spec), heard(idle)]
    player = opened(plan)
    begun = clip(player, spec)
    gpu(monkeypatch, plan, 11)
    assert np.array_equal(begun, want[0]) and not player.notes
    assert np.array_equal(heard(player), want[1])
    assert_same_state(player, idle)
    assert len(player.notes) == 1


@plans
def test_when_the_gpu_is_free_again_a_new_player_takes_all_of_it(monkeypatch, plan):
    spec = SPEC[plan]
    gpu(monkeypatch, plan, 5)
    slow = opened(plan)
    want = clip(slow, spec)
    assert len(slow.notes) == 1
    gpu(monkeypatch, plan)
    quick = opened(plan)
    assert np.array_equal(clip(quick, spec), want) and quick.notes == []
    assert np.array_equal(heard(slow), heard(quick)), "the old one plays on as it can"
    assert len(slow.notes) == 1


@pytest.mark.parametrize("free", [1, -1])
@pytest.mark.parametrize("launches", [1, 2])
def test_streams_that_were_played_before_others_found_no_room_are_not_played_twice(monkeypatch, launches, free):
    """48 streams take turns on 2 blocks, in three launches; after the first or second the GPU becomes busy."""
    crowd = "80 2 200"
    gpu(monkeypatch, "persistent", kind=crowd)
    idle = opened("persistent", NARROW, 48)
    want = [clip(idle, NARROW), heard(idle)]
    assert "room for 2 of the 6 pipelines" in idle.notes[0]
    gpu(monkeypatch, "persistent", free, later=launches, kind=crowd)
    player = opened("persistent", NARROW, 48)
    assert np.array_equal(clip(player, NARROW), want[0])
    assert len(player.notes) == 2 and "1 pipeline on 1 block must do" in player.notes[1]
    assert np.array_equal(heard(player), want[1])
    assert_same_state(player, idle)


def test_neighbours_of_a_cluster_make_room_too(monkeypatch):
    """On sm_90 links are near; with half the blocks there are fewer pipelines of them, then far ones."""
    near = "90 48 48"
    gpu(monkeypatch, "pipeline", kind=near)
    idle = opened("pipeline")
    want = clip(idle, WAVENET)
    for free in (47, 20, 8):
        gpu(monkeypatch, "pipeline", free, kind=near)
        player = opened("pipeline")
        assert np.array_equal(clip(player, WAVENET), want)
        assert_same_state(player, idle)


@pytest.mark.parametrize(
    ("plan", "kind", "streams", "says"),
    [
        ("pipeline", "80 14 32", 25, "room for 2 of the 4 pipelines"),
        ("persistent", "80 1 512", 9, "room for 1 of the 2 pipelines"),
    ],
)
def test_a_small_gpu_says_that_streams_take_turns(monkeypatch, plan, kind, streams, says):
    gpu(monkeypatch, plan)
    want = clip(opened(plan), SPEC[plan])
    gpu(monkeypatch, plan, kind=kind)
    player = opened(plan, streams=streams)
    assert np.array_equal(clip(player, SPEC[plan]), want)
    heard(player)
    (note,) = player.notes
    assert says in note
    alone = opened(plan, streams=8)
    assert clip(alone, SPEC[plan]).shape[0] == 8 and alone.notes == []


@pytest.mark.parametrize(("plan", "kind"), [("pipeline", "80 3 32"), ("persistent", "80 1 12")])
def test_a_gpu_too_small_for_the_plan_says_so_when_the_model_is_made(monkeypatch, plan, kind):
    monkeypatch.setenv("SHARKS_EMULATED", kind)
    spec = SPEC[plan] if plan == "pipeline" else replace(SPEC[plan], dim=256)
    weights, on = random_tensors(spec), {"core": core(), "device": "cuda"}
    model = engine_model(spec, weights, **on)
    assert model.plan == "first-light"
    (note,) = model.notes
    assert f"too small for plan '{plan}'" in note and "first light plays it" in note
    assert engine_model(spec, weights, plan="first-light", **on).notes == []
    with pytest.raises(ValueError, match="cannot play this model here"):
        engine_model(spec, weights, plan=plan, **on)


def test_an_opening_is_unanimous():
    done = subprocess.run([program("opening")], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---- how it reaches people ----


@pytest.fixture
def emulated_core(monkeypatch):
    monkeypatch.setattr(sharks, "_core", core())
    monkeypatch.setitem(__import__("sys").modules, "sharks._core", core())


def test_python_warns_of_it_once(monkeypatch, emulated_core):
    pack = sharks.Pack(WAVENET, random_tensors(WAVENET))
    how = {"n": 25, "seed": 5, "start": "empty", "device": "cuda", "plan": "pipeline"}
    gpu(monkeypatch, "pipeline")
    with warnings.catch_warnings():
        warnings.simplefilter("error", sharks.Notice)
        idle = sharks.generate(pack, 0.004, **how)
    gpu(monkeypatch, "pipeline", 20)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", sharks.Notice)
        busy = sharks.generate(pack, 0.004, **how)
    assert [str(one.message) for one in said if one.category is sharks.Notice] == [
        "this GPU has too little room just now, perhaps because other programs use it, so 2 pipelines on 12 blocks "
        "must do instead of 4 pipelines on 24 blocks, which is slower; start again when the GPU is free"
    ]
    assert np.array_equal(busy.levels, idle.levels)
    gpu(monkeypatch, "pipeline", kind="80 3 32")
    small = sharks.Pack(WAVENET, random_tensors(WAVENET))
    with pytest.warns(sharks.Notice, match="too small for plan 'pipeline'"):
        logits = sharks.logits(small, levels(WAVENET, 1, 9), device="cuda")
    with pytest.warns(sharks.Notice):
        assert len(sharks.engine.open_player(small, 1, device="cuda").notes) == 1
    assert_close(logits, sharks.logits(small, levels(WAVENET, 1, 9), device="reference"))


def test_the_command_line_says_it_in_one_line(monkeypatch, capsys):
    others = []
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_, **__: others.append(str(message)))
        cli._show_notices()
        for _ in range(2):
            warnings.warn("the GPU is\nbusy", sharks.Notice, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "note: the GPU is busy\n"
    assert others == ["something else"]
