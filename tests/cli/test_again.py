"""`sharks generate` again: another clip without a seed, the same one with it, and on where it was interrupted."""

import json
import signal
import subprocess
import time

import pytest

import sharks
from command import COMMAND, ENVIRONMENT, PATIENCE, digests, sharks_command
from sharks.clips import manifest
from sharks.spec import SampleRNNSpec


@pytest.fixture
def pack(tmp_path):
    return sharks.random_pack(SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4)).save(tmp_path / "pack.safetensors")


def generate(pack, *words, cwd, code=0):
    done = sharks_command("generate", pack, "-o", "out", "--length", "0.2s", *words, cwd=cwd)
    assert done.returncode == code, done.stderr
    return done.stdout.split(), done.stderr


def test_another_one(pack, tmp_path):
    first, _ = generate(pack, cwd=tmp_path)
    more, said = generate(pack, "-n", 3, cwd=tmp_path)
    assert first == ["out/0000.wav"] and more == [f"out/000{i}.wav" for i in (1, 2, 3)]
    assert "0001.wav-0003.wav: 3 clips more" in said
    again, said = generate(pack, cwd=tmp_path)
    assert again == ["out/0004.wav"] and "0004.wav: 1 clip more" in said
    assert len({row.seed for row in manifest.read(tmp_path / "out").values()}) == 1
    assert len(set(digests(tmp_path / "out").values())) == 5 + 1, "no two clips, and no manifest, are the same"


def test_the_same_seed_is_found(pack, tmp_path):
    first, said = generate(pack, "-n", 2, "--seed", 7, cwd=tmp_path)
    assert "already" not in said
    before = digests(tmp_path / "out")
    again, said = generate(pack, "-n", 2, "--seed", 7, cwd=tmp_path)
    assert again == first and "these 2 clips are already there" in said
    alone, said = generate(pack, "--seed", 7, "--stream", 1, cwd=tmp_path)
    assert alone == ["out/0001.wav"] and "this clip is already there" in said
    assert digests(tmp_path / "out") == before
    more, said = generate(pack, "-n", 3, "--seed", 7, cwd=tmp_path)
    assert len(more) == 3 and "already" not in said


def test_another_pack_begins_at_the_first_clip_of_its_own_seed(pack, tmp_path):
    other = sharks.random_pack(SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4), seed=9)
    other.save(tmp_path / "other.safetensors")
    generate(pack, cwd=tmp_path)
    _, said = generate(tmp_path / "other.safetensors", cwd=tmp_path, code=2)
    assert "is another clip" in said


def test_what_was_interrupted_goes_on_before_anything_is_added(tmp_path):
    """Ctrl-C sets the bookmark where it strikes: what was played is not played again."""
    pack = sharks.random_pack(SampleRNNSpec(frame_sizes=(16,), dim=64, embed_dim=16)).save(tmp_path / "p.safetensors")
    words = ["generate", str(pack), "-o", "out", "--length", "60s", "-n", "2"]
    child = subprocess.Popen(
        [*COMMAND, *words], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    wav = tmp_path / "out" / "0001.wav"
    deadline = time.monotonic() + PATIENCE
    while not (wav.exists() and wav.stat().st_size > 20_000):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    rows = manifest.read(tmp_path / "out")
    played = rows["0000.wav"].samples
    assert 10_000 < played < 60 * 16000 and (tmp_path / "out" / "0000.state.safetensors").exists()
    with bookmarked(tmp_path / "out" / "0000.state.safetensors") as step:
        assert step == played, "up to the last sample"
    done = sharks_command(*words, "--json", cwd=tmp_path)
    assert done.returncode == 0 and "goes on with 2 clips that were not finished" in done.stderr
    assert len(json.loads(done.stdout)["files"]) == 2 and len(manifest.read(tmp_path / "out")) == 2
    seed = rows["0000.wav"].seed
    whole = sharks_command(*words[:2], "-o", "whole", *words[4:], "--seed", seed, cwd=tmp_path)
    assert whole.returncode == 0 and digests(tmp_path / "whole") == digests(tmp_path / "out")


class bookmarked:
    """The sample up to which a bookmark has the clips."""

    def __init__(self, path):
        from sharks.files.tensorfile import TensorFile

        self._file = TensorFile(path)

    def __enter__(self):
        return int(self._file.__enter__().read("step")[0])

    def __exit__(self, *error):
        self._file.__exit__(*error)
