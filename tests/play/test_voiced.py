"""Playing a model whose steps are no samples: clips, folders, bookmarks, primers, extensions are as for any other."""

import shutil

import numpy as np
import pytest

import sharks
from made_songs import music
from sharks.families.codes.tokenizer.fit import fit
from sharks.packs.pack import Pack, random_pack
from sharks.play.request import request
from sharks.play.voiced import VoicedSession, session_of
from sharks.spec import CodesSpec

SPEC = CodesSpec(bands=20, window=512, hop=128, dims=12, books=3, q_levels=32, hidden=16, width=12, order=8)
FRAME = SPEC.pace.samples


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    weights = dict(random_pack(SPEC, 1).tensors) | fit([lambda: music(8.0, 2)], SPEC, seed=0)
    pack = Pack(SPEC, weights)
    pack.save(tmp_path_factory.mktemp("packs") / "codes.safetensors")
    return pack


def test_a_clip_is_as_long_as_asked_and_is_sound(pack):
    for seconds in (1.0, 0.1, 1 / SPEC.sample_rate, (FRAME + 1) / SPEC.sample_rate):
        audio = sharks.generate(pack, seconds, n=2, seed=3)
        assert audio.samples.shape == (2, 1, round(seconds * SPEC.sample_rate))
        assert np.abs(audio.samples).max() <= 1 and audio.levels.dtype == np.uint16
    assert sharks.generate(pack, 1.0, seed=3).samples.std() > 0.001


def test_streams_threads_and_pieces_cannot_be_heard(pack):
    whole = sharks.generate(pack, 1.3, n=5, seed=3).levels
    assert not np.array_equal(whole[0], whole[1])
    assert np.array_equal(sharks.generate(pack, 1.3, streams=[3], seed=3).levels[0], whole[3])
    assert np.array_equal(sharks.generate(pack, 1.3, n=5, seed=3, threads=3).levels, whole)
    assert np.array_equal(sharks.generate(pack, 0.7, n=5, seed=3).levels, whole[..., : round(0.7 * SPEC.sample_rate)])
    blocks = sharks.stream(pack, n=5, seed=3, block=0.017)
    parts = np.concatenate([next(blocks) for _ in range(40)], axis=2)
    table = SPEC.sound.decode_table()
    assert np.array_equal(parts, table[whole][..., : parts.shape[2]])


def test_the_reference_plays_the_same_song(pack):
    ours, judge = (sharks.generate(pack, 0.5, n=2, seed=3, device=device) for device in ("cpu", "reference"))
    assert np.abs(ours.samples - judge.samples).max() <= 2 / 32768


@pytest.mark.parametrize("steps", [1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 7])
def test_a_state_is_a_value_in_the_middle_of_a_frame_too(pack, steps):
    def session():
        return session_of(request(pack, 2, temperature=[(0, 1.0), (0.5, 0.3)], seed=5), device="cpu")

    def played(one, samples):
        return np.concatenate([piece.copy() for piece in one.free(samples)], axis=1)

    whole, first, second = session(), session(), session()
    whole.begin(), first.begin()
    assert isinstance(whole, VoicedSession)
    wanted = played(whole, steps + 500)
    before = played(first, steps)
    state = {name: array.copy() for name, array in first.state().items()}
    assert state["step"].tolist() == [steps, steps]
    played(first, 100)  # does not touch it
    second.resume(state)
    assert np.array_equal(np.concatenate([before, played(second, 500)], axis=1), wanted)
    assert second.step == steps + 500


def test_temperature_follows_its_schedule(pack):
    cold = sharks.generate(pack, 1.0, n=2, seed=3, temperature=0.0)
    assert not np.array_equal(cold.levels[0], cold.levels[1]), "the voice's noise is each stream's own"
    falling = sharks.generate(pack, 1.0, seed=3, temperature=[(0, 1.0), (0.5, 1.0), (0.51, 0.0)])
    warm = sharks.generate(pack, 1.0, seed=3, temperature=1.0)
    half = round(0.5 * SPEC.sample_rate)
    assert np.array_equal(falling.levels[..., :half], warm.levels[..., :half])
    assert not np.array_equal(falling.levels, warm.levels)


def test_a_primer_is_heard_as_codes(pack):
    riff = music(1.0, 2)
    told, other = (sharks.generate(pack, 0.5, seed=3, prime=p, prime_rate=16000) for p in (riff, riff[::-1].copy()))
    assert not np.array_equal(told.levels, sharks.generate(pack, 0.5, seed=3).levels)
    assert not np.array_equal(told.levels, other.levels)
    whole = sharks.generate(pack, 0.5, seed=3, prime=riff, prime_rate=16000, include_prime=True)
    assert np.abs(whole.samples[0, 0, :16000] - riff).max() < 1 / 32768
    assert np.array_equal(whole.levels[..., 16000:], told.levels)
    each = sharks.generate(pack, 0.5, n=2, seed=3, prime=np.stack([riff, riff[::-1]])[:, None], prime_rate=16000)
    assert np.array_equal(each.levels[0], told.levels[0])
    late = sharks.generate(pack, 0.5, seed=3, prime=np.concatenate([riff[:7], riff]), prime_rate=16000)
    assert np.array_equal(late.levels, told.levels), "whole frames are counted from the primer's end"
    assert sharks.generate(pack, 0.2, seed=3, prime=riff[:9], prime_rate=16000).samples.shape == (1, 1, 3200)


def test_a_folder_of_clips_goes_on_and_can_be_extended(pack, tmp_path):
    whole = sharks.generate(pack, 1.7, n=3, seed=3, out=tmp_path / "whole")
    short = sharks.generate(pack, 0.4, n=3, seed=3, out=tmp_path / "clips")
    longer = sharks.extend(short.files[1], 1.7)
    assert np.array_equal(longer.levels[0], whole.levels[1])
    again = sharks.generate(pack, 1.7, n=3, seed=3, out=tmp_path / "clips")
    assert np.array_equal(again.levels, whole.levels)


def test_a_clip_with_a_primer_can_be_extended(pack, tmp_path):
    how = {"seed": 3, "prime": music(0.5, 2), "prime_rate": 16000, "include_prime": True}
    whole = sharks.generate(pack, 1.1, out=tmp_path / "whole", **how)
    short = sharks.generate(pack, 0.3, out=tmp_path / "clips", **how)
    assert np.array_equal(sharks.extend(short.files[0], 1.1).levels, whole.levels)


def test_an_interrupted_folder_goes_on_from_its_bookmark(pack, tmp_path, monkeypatch):
    whole = sharks.generate(pack, 1.5, n=2, seed=3)

    class Enough(Exception):
        pass

    def interrupt(done, total, rate):
        if done > 0.5:
            raise KeyboardInterrupt

    monkeypatch.setattr("sharks.play.bookmark.EVERY", 0.0)
    monkeypatch.setattr("sharks.play.session.SPAN_SECONDS", 1e-6)
    with pytest.raises(KeyboardInterrupt):
        sharks.generate(pack, 1.5, n=2, seed=3, out=tmp_path / "clips", progress=interrupt)
    assert (tmp_path / "clips" / "0000.state.safetensors").exists()
    shutil.copytree(tmp_path / "clips", tmp_path / "copy")
    found = sharks.generate(pack, 1.5, n=2, seed=3, out=tmp_path / "clips")
    assert np.array_equal(found.levels, whole.levels)
    (tmp_path / "copy" / "0000.state.safetensors").write_bytes(b"damaged")
    found = sharks.generate(pack, 1.5, n=2, seed=3, out=tmp_path / "copy")
    assert np.array_equal(found.levels, whole.levels)


def test_a_clip_that_is_not_what_plays_here_is_not_extended(pack, tmp_path):
    clip = sharks.generate(pack, 0.4, seed=3, out=tmp_path).files[0]
    data = bytearray(clip.read_bytes())
    data[-9] ^= 1
    clip.write_bytes(data)
    with pytest.raises(sharks.AudioError, match=r"0000\.wav: is not what this computer plays"):
        sharks.extend(clip, 1.0)
    assert clip.read_bytes() == data


def test_a_gpu_is_refused_in_a_sentence_and_never_chosen(pack, monkeypatch):
    monkeypatch.setattr("sharks.engine.door.choose_device", lambda device, dtype: "cuda")
    with pytest.raises(sharks.UsageError, match="plays no codes yet; use 'cpu'"):
        sharks.generate(pack, 0.1, device="cuda")
    assert sharks.generate(pack, 0.1, device="auto").device == "cpu"


def test_logits_and_check_are_those_of_any_pack(pack):
    codes = np.random.default_rng(0).integers(0, 32, (2, 30))
    assert sharks.logits(pack, codes).shape == (2, 30 - 9, 32)
    assert sharks.check(pack).ok
