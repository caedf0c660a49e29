"""The door of the CUDA engine: who plays, by which plan, what is refused, how it ends, and what may leave and enter."""

import importlib
import signal
import threading
import weakref

import numpy as np
import pytest

import sharks
from compare import assert_close
from emulated import core
from gpu_plans import PLANS, on_gpus
from players import GPU, emulated_gpu, engine, engine_model
from programs import BUILDS
from sharks.engine.door import open_player
from sharks.proof.bench import bench
from sharks.recipes.presets import preset
from specs import SPECS, condition, levels, random_tensors


@pytest.mark.cuda
def test_a_gpu_is_here():
    """The one test that says why none of the others ran on a GPU."""
    core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")
    if trouble := core.cuda_status():
        pytest.skip(trouble)
    assert GPU and core.cuda_device()


@BUILDS
def test_it_says_that_it_is_emulated():
    spec = SPECS["samplernn-gru"]
    player_of = core()
    assert player_of.cuda_status() == "" and "emulated" in player_of.cuda_device()
    model = engine_model(spec, random_tensors(spec), core=core(), device="cuda", plan="first-light")
    assert (model.isa, model.plan) == ("emulated", "first-light")
    assert model.cost["step_bytes"] > 0


@BUILDS
def test_refusals_are_one_sentence():
    spec, weights = SPECS["samplernn-gru"], random_tensors(SPECS["samplernn-gru"])
    with pytest.raises(ValueError, match="plan is 'fastest', which cannot play .*; wanted default, throughput"):
        emulated_gpu(spec, weights, 1, plan="fastest")
    with pytest.raises(ValueError, match="dtype is 'int8'"):
        emulated_gpu(spec, weights, 1, dtype="int8")
    with pytest.raises(ValueError, match="plan is 'throughput'; the CPU has one"):
        engine(spec, weights, 1, plan="throughput")
    loud = weights | {"sample.out.weight": weights["sample.out.weight"] * 1e6}
    with pytest.raises(ValueError, match="beyond what float16 holds"):
        emulated_gpu(spec, loud, 1, dtype="float16")
    with pytest.raises(ValueError, match="a level is 32"):
        emulated_gpu(spec, weights, 1).reset(np.full((1, spec.lookback), 32, np.int32))


@BUILDS
@pytest.mark.parametrize("verb", ["stream", "logits", "check", "generate"])
def test_a_plan_that_cannot_play_is_refused_in_one_sentence(emulated_core, verb):
    spec = SPECS["samplernn-gru"]
    given = {"logits": [np.zeros((1, spec.lookback + 1), np.int32)]}.get(verb, [])
    with pytest.raises(
        sharks.UsageError, match="plan is 'pipeline', which cannot play this model here; wanted default"
    ):
        getattr(sharks, verb)(sharks.random_pack(spec), *given, device="cuda", plan="pipeline")


@BUILDS
def test_the_door_plays_on_it(emulated_core):
    spec = SPECS["preset-dadabots-2tier"]
    pack = sharks.Pack(spec, random_tensors(spec))
    audio = sharks.generate(pack, 0.02, 3, seed=5, device="auto", dtype="float16", plan="first-light")
    assert (audio.device, audio.dtype, audio.isa, audio.plan) == ("cuda", "float16", "emulated", "first-light")
    alone = sharks.generate(pack, 0.02, streams=[1], seed=5, device="cuda", dtype="float16", plan="first-light")
    assert np.array_equal(alone.levels, audio.levels[1:2])
    assert sharks.generate(pack, 0.001, seed=5, dtype="int8").device == "cpu"
    with pytest.raises(sharks.UsageError, match="plan is 'throughput'; device 'cpu' has one plan"):
        sharks.generate(pack, 0.001, device="cpu", plan="throughput")


@BUILDS
def test_every_verb_that_plays_takes_a_plan_and_says_which_it_was(emulated_core, tmp_path):
    spec = SPECS["wavenet-filter-3"]
    pack = sharks.random_pack(spec)
    pack.save(tmp_path / "a.safetensors")
    pack, on = sharks.load(tmp_path / "a.safetensors"), {"device": "cuda", "plan": "first-light"}
    assert open_player(pack, 1, device="cuda").plan == "pipeline"
    whole = sharks.generate(pack, 0.002, seed=5, out=tmp_path / "whole", **on)
    block = next(sharks.stream(pack, block=0.002, seed=5, **on))
    assert np.array_equal(block, whole.samples)
    history = levels(spec, 1, spec.lookback + 8)
    assert np.array_equal(
        sharks.logits(pack, history, **on), sharks.logits(pack, history, device="cuda", plan="first-light")
    )
    sharks.generate(pack, 0.001, seed=5, out=tmp_path / "cut", **on)
    longer = sharks.extend(tmp_path / "cut" / "0000.wav", 0.002, **on)
    assert longer.plan == "first-light" and np.array_equal(longer.levels, whole.levels)
    with pytest.raises(sharks.UsageError, match="is another clip, its plan is 'first-light', not 'pipeline'"):
        sharks.generate(pack, 0.003, seed=5, out=tmp_path / "cut", device="cuda")
    mixed = sharks.extend(tmp_path / "cut" / "0000.wav", 0.003, device="cuda")
    assert mixed.plan == "first-light, then pipeline"
    report = sharks.check(pack, **on)
    assert report.ok and report.plan == "first-light" and "cuda (emulated, float32, first-light)" in str(report)
    found = bench(str(tmp_path / "a.safetensors"), seconds=0.001, **on)
    assert found["rows"][0]["plan"] == "first-light"


@pytest.mark.parametrize(
    ("device", "files", "open_files", "most"),
    [
        ("cpu", 4096, True, 256),
        ("cuda", 4096, True, 1024),
        ("cuda", 1024, True, 960),
        ("cuda", 256, True, 256),
        ("cuda", 256, False, 1024),
    ],
)
def test_a_gpu_plays_a_thousand_clips_together(monkeypatch, device, files, open_files, most):
    module = importlib.import_module("sharks.play.generate")
    monkeypatch.setattr(module.resource, "getrlimit", lambda _: (files, files))
    assert module.most_together(device, open_files) == most


@BUILDS
@pytest.mark.parametrize("name", ["samplernn-lstm-graves-all", "wavenet-filter-3"])
def test_golden_steps_are_played_in_float16_within_its_bound(emulated_core, name):
    pack = sharks.random_pack(SPECS[name], seed=1)
    report = sharks.check(pack, device="cuda", dtype="float16", plan="first-light")
    assert report.ok, str(report)
    assert report.bound == 2.0**-8 * max(1.0, float(np.abs(pack.golden.logits).max()))
    assert 0 < report.max_error <= report.bound and report.dtype == "float16"
    bent = {key: value * np.float32(1 + 2.0**-6) for key, value in pack.tensors.items()}
    wrong = sharks.check(
        sharks.Pack(pack.spec, bent, golden=pack.golden), device="cuda", dtype="float16", plan="first-light"
    )
    assert not wrong.ok and wrong.max_error > wrong.bound


@pytest.mark.cuda
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_the_golden_steps_of_a_pack_are_played(card, name, dtype, plan):
    report = sharks.check(sharks.random_pack(preset(name), seed=1), device="cuda", dtype=dtype, plan=plan)
    assert report.ok, str(report)


@on_gpus
def test_ctrl_c_ends_a_long_run_between_chunks(make):
    spec, weights = SPECS["preset-prism-3tier"], random_tensors(SPECS["preset-prism-3tier"])
    player = make(spec, weights, 1)
    player.reset(levels(spec, 1, spec.lookback))
    n = 30_000_000
    heat, ids = np.ones((1, n), np.float32), np.zeros(1, np.int64)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        player.run(n, heat, 1, ids)
    timer.join()
    assert 0 < player.position < n
    state = player.get_state()  # and plays on from a valid one
    assert state["step"][0] == player.position
    free = player.run(20, np.ones((1, 20), np.float32), 1, ids)
    player.set_state(state)
    assert np.array_equal(player.run(20, np.ones((1, 20), np.float32), 1, ids), free)


@on_gpus
@pytest.mark.parametrize(
    "name", ["samplernn-lstm-3-frame-tiers", "samplernn-gru", "wavenet-scalar-32-taps", "wavenet-r9y9"]
)
def test_a_state_moves_between_cpu_and_gpu_in_the_middle_of_a_frame(make, name):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 3)
    cpu, gpu = engine(spec, weights, 3, given), make(spec, weights, 3, given)
    cpu.reset(levels(spec, 3, spec.lookback, seed=1))
    cpu.force(levels(spec, 3, 2 * spec.lookback + 5))
    state, more = cpu.get_state(), levels(spec, 3, 40, seed=3)
    gpu.set_state(state)
    for name, value in gpu.get_state().items():
        assert np.array_equal(value, state[name]), f"{name} changed on the way"
    assert_close(gpu.force(more)[0], cpu.force(more)[0])
    cpu.set_state(gpu.get_state())
    assert_close(cpu.force(more)[0], gpu.force(more)[0])


@BUILDS
@pytest.mark.parametrize("name", ["samplernn-gru", "wavenet-r9y9"])
def test_the_packs_own_weights_stay_as_long_as_a_plan_may_be_made_of_them(name):
    weights = random_tensors(SPECS[name])
    watched = [weakref.ref(value) for value in weights.values()]
    model = engine_model(SPECS[name], weights, core=core(), device="cuda")
    weights.clear()
    player = model.player(1, 1)
    del model
    assert all(array() is not None for array in watched)
    del player
    assert all(array() is None for array in watched)
