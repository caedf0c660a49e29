"""The CUDA engine against the reference: every spec, every stage, both types of weights, companies of all sizes.

A CPU plays it always; a GPU too where there is one, by every spec's own plan and by first light: `pytest -m cuda`.
What holds of every player, chunks, company and pauses, test_players.py says of these too.
"""

import functools
import importlib
import signal
import threading
import weakref

import numpy as np
import pytest

import sharks
from compare import assert_close, assert_stages_close
from emulated import core
from players import GPU, emulated_gpu, engine, engine_model
from programs import BUILDS
from sharks import arrays, reference
from sharks.bench import bench
from sharks.engine import open_player
from sharks.presets import preset
from sharks.spec import replace, stages
from specs import SPECS, condition, levels, random_tensors

STEPS = 60
PLANS = ("default", "throughput", "first-light")
on_gpus = pytest.mark.parametrize(
    "make",
    [
        pytest.param(functools.partial(emulated_gpu, plan="first-light"), id="emulated", marks=BUILDS),
        *(
            pytest.param(functools.partial(make, plan=plan), id=f"cuda-{plan}", marks=pytest.mark.cuda)
            for make in GPU.values()
            for plan in PLANS
        ),
    ],
)


@pytest.mark.cuda
def test_a_gpu_is_here():
    """The one test that says why none of the others ran on a GPU."""
    core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")
    if trouble := core.cuda_status():
        pytest.skip(trouble)
    assert GPU and core.cuda_device()


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
@pytest.mark.parametrize("name", SPECS)
def test_every_stage_equals_the_reference(make, name, dtype):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 3)
    player = make(spec, weights, 3, given, dtype=dtype)
    got, want = (forced(each, spec, 3) for each in (player, reference.make(spec, weights, 3, given)))
    assert_stages_close(got, want, arithmetic=dtype)
    player.reset(levels(spec, 3, spec.lookback, seed=1))  # and without stages, which another plan may play
    assert_close(player.force(levels(spec, 3, STEPS))[0], want["logits"], arithmetic=dtype)


@on_gpus
@pytest.mark.parametrize("name", ["samplernn-lstm-graves-all", "samplernn-gru-reset-before", "wavenet-r9y9"])
def test_blocks_of_several_streams_equal_the_reference(make, name):
    spec, weights, given = SPECS[name], random_tensors(SPECS[name]), condition(SPECS[name], 11)
    got = forced(make(spec, weights, 11, given), spec, 11)
    assert_stages_close(got, forced(reference.make(spec, weights, 11, given), spec, 11))


@on_gpus
def test_ibab_wavenet_in_full_past_a_wrap_of_its_largest_ring(make):
    spec = preset("ibab-wavenet")
    steps, weights = max(spec.dilations) + 40, random_tensors(preset("ibab-wavenet"))
    got = forced(make(spec, weights, 1), spec, 1, steps)
    assert_stages_close(got, forced(reference.make(spec, weights, 1), spec, 1, steps))


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
    assert_stages_close(got, forced(reference.make(spec, weights, 9), spec, 9))


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


@on_gpus
@pytest.mark.parametrize("name", ["preset-dadabots-2tier", "preset-prism-3tier", "preset-ibab-wavenet"])
def test_cpu_and_gpu_draw_the_same_levels_until_scores_tie(make, name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    clips = [free_run(play(spec, weights, 3), spec, 3, 300) for play in (engine, make)]
    assert np.array_equal(*clips), "no score of these seeds lies near a tie"


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


@BUILDS
def test_it_says_that_it_is_emulated():
    spec = SPECS["samplernn-gru"]
    player_of = core()
    assert player_of.cuda_status() == "" and "emulated" in player_of.cuda_device()
    model = engine_model(spec, random_tensors(spec), core=core(), device="cuda", plan="first-light")
    assert (model.isa, model.plan) == ("emulated", "first-light")
    assert model.cost["step_bytes"] > 0


@on_gpus
@pytest.mark.parametrize("name", ["preset-prism-3tier", "preset-ibab-wavenet"])
def test_twenty_runs_are_one(make, name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    player = make(spec, weights, 9)
    first = free_run(player, spec, 9)
    for _ in range(19):
        assert np.array_equal(free_run(player, spec, 9), first)


class OnGpu:
    """A tensor that says it lies on a GPU, and hands out what `values` hand out."""

    def __init__(self, values, number=0):
        self.values, self.stream, self.number = values, None, number

    def __dlpack_device__(self):
        return (2, self.number)

    def __dlpack__(self, stream):
        self.stream = stream
        return self.values.__dlpack__()


@pytest.fixture
def emulated_core(monkeypatch):
    monkeypatch.setattr(sharks, "_core", core())
    monkeypatch.setitem(__import__("sys").modules, "sharks._core", core())


@BUILDS
def test_levels_and_primers_may_lie_on_a_gpu(emulated_core):
    spec = SPECS["preset-prism-3tier"]
    pack = sharks.Pack(spec, random_tensors(spec))
    given = levels(spec, 2, spec.lookback + 20)
    there = OnGpu(given)
    assert np.array_equal(sharks.logits(pack, there, device="cuda"), sharks.logits(pack, given, device="cuda"))
    assert there.stream == 1, "the owner was not told which stream will read"
    prime = np.sin(np.arange(2000, dtype=np.float32) / 9)[None]
    clips = [
        sharks.generate(pack, 0.01, seed=1, prime=p, prime_rate=spec.sample_rate, device="cuda").levels
        for p in (prime, OnGpu(prime))
    ]
    assert np.array_equal(*clips)


@BUILDS
@pytest.mark.parametrize("handle", [None, 0, 77])
def test_results_are_put_into_tensors_on_a_gpu(emulated_core, handle):
    spec = SPECS["preset-prism-3tier"]
    pack = sharks.Pack(spec, random_tensors(spec))
    given, heat, ids = levels(spec, 2, 20), np.ones((2, 30), np.float32), np.arange(2)
    players = [open_player(pack, 2, device="cuda", plan="first-light", cuda_stream=stream) for stream in (None, handle)]
    for player in players:
        player.reset(levels(spec, 2, spec.lookback, seed=1))
    logits, drawn = OnGpu(np.zeros((2, 20, spec.q_levels), np.float32)), OnGpu(np.zeros((2, 30), np.int32))
    assert players[1].force(given, out=logits)[0] is logits
    assert players[1].run(30, heat, 5, ids, out=drawn) is drawn
    assert np.array_equal(logits.values, players[0].force(given)[0])
    assert np.array_equal(drawn.values, players[0].run(30, heat, 5, ids))
    assert logits.stream == drawn.stream, "the owner was not told which stream will write"
    assert logits.stream == {None: logits.stream, 0: 1, 77: 77}[handle] != 0  # as DLPack calls the default stream


@BUILDS
@pytest.mark.parametrize(
    ("place", "word"),
    [
        (OnGpu(np.zeros((1, 8), np.int32), number=1), "out lies on GPU 1, but GPU 0 plays"),
        (OnGpu(np.zeros((1, 8), np.int64)), "out has dtype int64; wanted int32"),
        (OnGpu(np.zeros((8, 1), np.int32)), r"out has shape \[8, 1\]; wanted \[1, 8\]"),
        (OnGpu(np.zeros((1, 16), np.int32)[:, ::2]), "not contiguous"),
        (OnGpu(np.frombuffer(bytes(32), np.int32)[None]), "readonly"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tensor_that_cannot_be_written_is_refused_before_anything_plays(emulated_core, place, word):
    spec = SPECS["samplernn-gru"]
    player = open_player(sharks.Pack(spec, random_tensors(spec)), 1, device="cuda")
    player.reset(levels(spec, 1, spec.lookback))
    with pytest.raises(sharks.UsageError, match=word):
        player.run(8, np.ones((1, 8), np.float32), 1, [0], out=place)
    assert player.get_state()["position"].tolist() == [0]
    assert not np.any(place.values)


@BUILDS
def test_a_stream_is_for_a_player_on_a_gpu(emulated_core):
    spec = SPECS["samplernn-gru"]
    pack = sharks.Pack(spec, random_tensors(spec))
    for device in ("cpu", "reference"):
        with pytest.raises(sharks.UsageError, match=f"cuda_stream is given, but device '{device}' plays"):
            open_player(pack, 1, device=device, cuda_stream=0)
    for handle in (-1, 1.5, "0", True, 1 << 64):
        with pytest.raises(sharks.UsageError, match="cuda_stream is .*; wanted a whole number"):
            open_player(pack, 1, device="cuda", cuda_stream=handle)
    with pytest.raises(ValueError, match="cuda_stream is given, but a CPU plays"):
        engine_model(spec, random_tensors(spec)).player(1, 1, 0)
    there = OnGpu(np.zeros((1, 8), np.int32))
    player = open_player(pack, 1, device="cpu")
    player.reset(levels(spec, 1, spec.lookback))
    with pytest.raises(sharks.UsageError, match="out lies on a GPU, but a CPU plays"):
        player.run(8, np.ones((1, 8), np.float32), 1, [0], out=there)


@BUILDS
@pytest.mark.parametrize(
    ("values", "word"),
    [(np.ones((4, 4), np.float32).T[:2], "contiguous"), (np.ones(3, np.complex64), "not one of numpy's")],
)
def test_a_tensor_that_cannot_be_read_is_refused(emulated_core, values, word):
    with pytest.raises(sharks.UsageError, match=f"prime lie on a GPU, and cannot be read: .*{word}"):
        arrays.on_host("prime", OnGpu(values))


def test_without_cuda_a_tensor_on_a_gpu_is_a_missing_resource(monkeypatch):
    real = pytest.importorskip("sharks._core", reason="the compiled engine is not built")
    if not real.cuda_status():
        pytest.skip("a GPU can play here")
    with pytest.raises(sharks.ResourceError, match="levels lie on a GPU, and cannot be read"):
        arrays.on_host("levels", OnGpu(np.zeros(3)))
    assert arrays.on_host("levels", [1, 2]) == [1, 2]


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


@BUILDS
@pytest.mark.parametrize("verb", ["stream", "logits", "check", "generate"])
def test_a_plan_that_cannot_play_is_refused_in_one_sentence(emulated_core, verb):
    spec = SPECS["samplernn-gru"]
    given = {"logits": [np.zeros((1, spec.lookback + 1), np.int32)]}.get(verb, [])
    with pytest.raises(
        sharks.UsageError, match="plan is 'pipeline', which cannot play this model here; wanted default"
    ):
        getattr(sharks, verb)(sharks.random_pack(spec), *given, device="cuda", plan="pipeline")


@pytest.fixture
def card():
    if not GPU:
        pytest.skip("no GPU can play here; test_a_gpu_is_here says why")
    return pytest.importorskip("torch").device("cuda")


@pytest.mark.cuda
def test_torch_tensors_on_the_gpu_are_heard(card):
    torch = pytest.importorskip("torch")
    spec = SPECS["preset-prism-3tier"]
    pack = sharks.Pack(spec, random_tensors(spec))
    given = levels(spec, 2, spec.lookback + 20)
    with torch.cuda.stream(torch.cuda.Stream()):  # not the one that reads: it must be waited for
        there = torch.from_numpy(given).to(card, non_blocking=True).repeat(1, 1)
        got = sharks.logits(pack, there, device="cuda")
    assert np.array_equal(got, sharks.logits(pack, given, device="cuda"))
    with pytest.raises(sharks.UsageError, match="contiguous"):
        sharks.logits(pack, there.T, device="cuda")


@pytest.mark.cuda
@pytest.mark.parametrize("whose", ["torch's", "its own"])
@pytest.mark.parametrize("name", ["preset-prism-3tier", "preset-ibab-wavenet"])
def test_work_comes_after_what_lies_in_torchs_stream_and_before_what_follows(card, name, whose):
    torch = pytest.importorskip("torch")
    spec = SPECS[name]
    pack = sharks.Pack(spec, random_tensors(spec))
    history, given, heat = levels(spec, 2, spec.lookback, seed=1), levels(spec, 2, 40), np.ones((2, 60), np.float32)
    plain = open_player(pack, 2, device="cuda")
    plain.reset(history)
    wanted = plain.force(given)[0], plain.run(60, heat, 5, [0, 1])
    side = torch.cuda.Stream()
    player = open_player(pack, 2, device="cuda", cuda_stream=side.cuda_stream if whose == "torch's" else None)
    player.reset(history)
    logits = torch.empty(wanted[0].shape, device=card)
    drawn = torch.empty(wanted[1].shape, dtype=torch.int32, device=card)
    for place, want, play in (
        (logits, wanted[0], lambda: player.force(given, out=logits)[0]),
        (drawn, wanted[1], lambda: player.run(60, heat, 5, [0, 1], out=drawn)),
    ):
        torch.cuda.synchronize()
        with torch.cuda.stream(side):
            torch.cuda._sleep(200_000_000)  # clocks: a tenth of a second
            place.fill_(9)  # after the results, if anything went past the stream
            assert play() is place
            after = place + 1
        torch.cuda.synchronize()
        assert np.array_equal(place.cpu().numpy(), want)
        assert np.array_equal(after.cpu().numpy(), want + 1)


@pytest.mark.cuda
def test_the_default_stream_may_be_named(card):
    torch = pytest.importorskip("torch")
    spec = SPECS["preset-prism-3tier"]
    pack = sharks.Pack(spec, random_tensors(spec))
    handle = torch.cuda.default_stream().cuda_stream
    clips = []
    for stream in (None, handle):
        player = open_player(pack, 1, device="cuda", cuda_stream=stream)
        player.reset(levels(spec, 1, spec.lookback))
        place = torch.empty((1, 50), dtype=torch.int32, device=card)
        clips.append(player.run(50, np.ones((1, 50), np.float32), 3, [0], out=place).cpu().numpy())
    assert np.array_equal(*clips)
    with pytest.raises(sharks.UsageError, match="require gradient"):
        logits = torch.zeros((1, 1, spec.q_levels), device=card, requires_grad=True)
        player.force(np.zeros((1, 1), np.int32), out=logits)


@pytest.mark.cuda
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_the_golden_steps_of_a_pack_are_played(card, name, dtype, plan):
    report = sharks.check(sharks.random_pack(preset(name), seed=1), device="cuda", dtype=dtype, plan=plan)
    assert report.ok, str(report)


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
    module = importlib.import_module("sharks.generate")
    monkeypatch.setattr(module.resource, "getrlimit", lambda _: (files, files))
    assert module.most_together(device, open_files) == most
