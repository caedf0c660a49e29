"""A toy from songs to clips: it learns, is checked, plays in any company, goes on where it stopped."""

import numpy as np
import pytest

import sharks
from made_songs import songs
from players import engine
from sharks.families.initialise import initialise
from sharks.families.registry import torch_model
from specs import SPECS, levels, random_tensors

RATE, SPEC = 2000, SPECS["toy"]
SETTINGS = {
    "model.sample_rate": RATE,
    "data.chunk_seconds": 0.5,
    "train.batch": 3,
    "train.validate_every": 1,
    "train.validate_seconds": 1.0,
    "train.checkpoint_every": 2,
    "train.preview_seconds": 0.05,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    data = sharks.prepare(songs(folder / "songs", RATE, 4.0), folder / "data", sample_rate=RATE)
    sharks.train(data, folder / "run", "toy", steps=3, quiet=True, **SETTINGS)
    return folder / "run"


def clip(streams=1, threads=1, dtype="float32", parts=(64,)):
    player = engine(SPEC, random_tensors(SPEC), streams, threads=threads, dtype=dtype)
    player.reset(np.repeat(levels(SPEC, 1, SPEC.lookback), streams, 0))
    ids = np.arange(streams, dtype=np.int64)
    return np.concatenate([player.run(n, np.full((streams, n), 0.95, np.float32), 11, ids) for n in parts], axis=1)


def test_it_learns_and_its_pack_is_in_order(run):
    pack = sharks.load(run)
    assert pack.spec.family == "toy" and pack.about["step"] == 3
    first = torch_model(pack.spec)
    initialise(first, "irnn")
    assert not np.array_equal(pack.tensors["rnn.w_hh"], first.export()["rnn.w_hh"])
    assert sharks.check(run).ok


def test_it_plays_into_a_folder(run, tmp_path):
    sharks.generate(run, seconds=0.1, out=tmp_path / "clips", n=2)
    assert len(list((tmp_path / "clips").glob("*.wav"))) == 2


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_a_clip_depends_on_no_company_threads_or_chunks(dtype):
    alone = clip(dtype=dtype)
    assert len(np.unique(alone)) > 3
    for streams, threads in ((1, 2), (2, 2), (5, 2), (17, 1)):
        assert np.array_equal(clip(streams, threads, dtype)[:1], alone)
    assert np.array_equal(clip(dtype=dtype, parts=(1, 40, 23)), alone)


def test_a_state_goes_on_elsewhere():
    first, other = (engine(SPEC, random_tensors(SPEC), 1) for _ in range(2))
    first.reset(levels(SPEC, 1, SPEC.lookback))
    given = levels(SPEC, 1, 20)
    first.force(given, True, [])
    other.set_state(first.get_state())
    (want, _), (got, _) = (player.force(given, True, []) for player in (first, other))
    assert np.array_equal(got, want)


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_narrow_weights_are_used_and_stay_near(dtype):
    exact, narrow = (engine(SPEC, random_tensors(SPEC), 1, dtype=kind) for kind in ("float32", dtype))
    logits = []
    for player in (exact, narrow):
        player.reset(levels(SPEC, 1, 1))
        logits.append(player.force(levels(SPEC, 1, 50), True, [])[0])
    assert 0 < float(np.abs(logits[1] - logits[0]).max()) < 0.2 * float(np.ptp(logits[0]))
