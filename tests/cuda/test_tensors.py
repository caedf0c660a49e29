"""Tensors of other libraries on a GPU are read and filled where they lie, in the order of their owner's streams.

The emulated GPU's memory is the host's, so there numpy's arrays stand for tensors.
"""

import numpy as np
import pytest

import sharks
from players import engine_model
from programs import BUILDS
from sharks.engine import arrays
from sharks.engine.door import open_player
from specs import SPECS, levels, random_tensors


class OnGpu:
    """A tensor that says it lies on a GPU, and hands out what `values` hand out."""

    def __init__(self, values, number=0):
        self.values, self.stream, self.number = values, None, number

    def __dlpack_device__(self):
        return (2, self.number)

    def __dlpack__(self, stream):
        self.stream = stream
        return self.values.__dlpack__()


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
