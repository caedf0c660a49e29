"""Processes that share clips out and never speak: together they make what one would have made."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess

import numpy as np
import pytest

import sharks
from command import COMMAND, ENVIRONMENT, PATIENCE, digests, sharks_command
from players import PLAYERS
from sharks.clips import manifest
from sharks.play.share import of_environment

SPEC = sharks.SampleRNNSpec(sample_rate=8000, q_levels=32, frame_sizes=(4,), dim=16, embed_dim=8)
DEVICE = [*PLAYERS][-1]
SINE = 0.5 * np.sin(np.arange(40) / 5).astype(np.float32)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return sharks.random_pack(SPEC, seed=3).save(tmp_path_factory.mktemp("packs") / "small.safetensors")


def clips_of(folder: pathlib.Path) -> dict[str, str]:
    """Everything but the manifests."""
    return {name: digest for name, digest in digests(folder).items() if not name.startswith("manifest")}


# What a process is told


@pytest.mark.parametrize(
    ("environment", "share"),
    [
        ({}, None),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"RANK": "2", "WORLD_SIZE": "3"}, (2, 3)),
        ({"RANK": "2"}, None),
        ({"WORLD_SIZE": "3"}, None),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, (1, 4)),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9", "SLURM_STEP_ID": "0"}, (1, 4)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9"}, None),  # a batch script: one process
        ({"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, (0, 2)),  # torchrun under srun
    ],
)
def test_what_a_process_is_told(environment: dict[str, str], share: tuple[int, int] | None) -> None:
    assert of_environment(environment) == share


@pytest.mark.parametrize(
    ("rank", "of"), [("one", "2"), ("0", ""), ("2", "2"), ("-1", "2"), ("0", "0"), ("0.0", "2"), ("9" * 5000, "2")]
)
def test_what_it_cannot_be_told(rank: str, of: str) -> None:
    with pytest.raises(sharks.UsageError, match="RANK is '.*' and WORLD_SIZE is") as caught:
        of_environment({"RANK": rank, "WORLD_SIZE": of})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"share": (2, 2)}, "share is"),
        ({"share": (-1, 2)}, "share is"),
        ({"share": (0, 2), "seed": None}, "seed is not given"),
        ({"share": (4, 5)}, "only 4 streams"),
        ({"share": (0, 2), "streams": [1, 1, 2, 3]}, "one stream twice"),
    ],
)
def test_shares_that_are_none(arguments: dict, words: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(sharks.UsageError, match=words) as caught:
        play(tmp_path / "out", **arguments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


# What they make


def play(out: pathlib.Path | None, seconds: float = 0.02, n: int = 4, **more: object) -> sharks.Audio:
    arguments = {"seed": 5, "device": DEVICE, "threads": 1, "out": out} | more
    return sharks.generate(sharks.random_pack(SPEC), seconds, n, **arguments)


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_shares_are_the_whole(of: int, tmp_path: pathlib.Path) -> None:
    arguments = {
        "temperature": [0.5, 0.7, 0.9, 1.1],
        "streams": [7, 3, 5, 2],
        "prime": np.stack([np.roll(SINE, 9 * i) for i in range(4)])[:, None],
        "prime_rate": 8000,
        "include_prime": True,
    }
    whole = play(tmp_path / "whole", **arguments)
    for rank in reversed(range(of)):
        part = play(tmp_path / "out", share=(rank, of), **arguments)
        assert part.streams.tolist() == whole.streams[rank::of].tolist()
        assert np.array_equal(part.levels, whole.levels[rank::of])
        assert np.array_equal(play(None, share=(rank, of), **arguments).levels, part.levels)
    assert clips_of(tmp_path / "out") == clips_of(tmp_path / "whole")
    assert manifest.read(tmp_path / "out") == manifest.read(tmp_path / "whole")
    names = ["manifest.jsonl"] if of == 1 else [f"manifest.{rank}.jsonl" for rank in range(of)]
    assert sorted(path.name for path in (tmp_path / "out").glob("manifest*")) == names


def test_whoever_comes_next_finds_the_clips(tmp_path: pathlib.Path) -> None:
    """Among fewer processes, alone, and with one manifest in the end."""
    play(tmp_path / "whole", n=6)
    for rank in range(3):
        play(tmp_path / "out", share=(rank, 3))
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.wav")}
    for rank in range(2):
        play(tmp_path / "out", n=6, share=(rank, 2))
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    play(tmp_path / "out", n=6)
    assert manifest.read(tmp_path / "out") == manifest.read(tmp_path / "whole")
    clip = tmp_path / "out" / "0004.wav"
    pack = sharks.random_pack(SPEC)
    longer = sharks.extend(clip, 0.03, pack=pack, device=DEVICE, threads=1)
    assert np.array_equal(longer.levels[0], play(None, 0.03, n=6).levels[4])
    assert [path.name for path in (tmp_path / "out").glob("manifest*")] == ["manifest.jsonl"]
    sharks.extend(tmp_path / "whole" / "0004.wav", 0.03, pack=pack, device=DEVICE, threads=1)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_of_two_lines_for_a_clip_the_finished_one_counts(tmp_path: pathlib.Path) -> None:
    play(tmp_path, n=1)
    row = manifest.read(tmp_path)["0000.wav"]
    for rank, samples in ((0, 0), (1, 999), (2, 5)):
        manifest.write(tmp_path, [dataclasses.replace(row, samples=samples)], rank)
    assert manifest.read(tmp_path)["0000.wav"].samples == 999
    manifest.write(tmp_path, [])
    assert [path.name for path in tmp_path.glob("manifest*")] == ["manifest.jsonl"]
    assert manifest.read(tmp_path)["0000.wav"].samples == 999


def test_other_music_is_refused_before_it_is_played(tmp_path: pathlib.Path) -> None:
    """Even where the clip itself has gone: its line may be in a manifest that belongs to another process."""
    play(tmp_path, n=2, share=(1, 2))
    (tmp_path / "0001.wav").unlink()
    with pytest.raises(sharks.UsageError, match="is another clip, its seed"):
        play(tmp_path, n=2, share=(1, 2), seed=6)
    play(tmp_path, n=2, seed=6)
    assert [row.seed for row in manifest.read(tmp_path).values()] == [6, 6]


# The command


WORDS = ["-n", "7", "--length", "0.3s", "-t", "0.6,0.7,0.8,0.9,1.0,1.1,1.2", "--threads", "1"]
VARIABLES = {"torchrun": ("RANK", "WORLD_SIZE"), "srun": ("SLURM_PROCID", "SLURM_NTASKS")}


@pytest.fixture(scope="module")
def alone(pack: pathlib.Path) -> pathlib.Path:
    done = sharks_command("generate", pack, "-o", "alone", "--seed", "7", *WORDS, cwd=pack.parent)
    assert done.returncode == 0, done.stderr
    return pack.parent / "alone"


@pytest.mark.parametrize(("launcher", "of"), [("torchrun", 1), ("torchrun", 2), ("srun", 3)])
def test_processes_together_make_what_one_makes(
    launcher: str, of: int, pack: pathlib.Path, alone: pathlib.Path
) -> None:
    folder = pack.parent / f"shared-by-{of}"
    command = [*COMMAND, "generate", str(pack), "-o", folder.name, "--seed", "7", "--json", *WORDS]
    rank_name, of_name = VARIABLES[launcher]
    processes = [
        subprocess.Popen(
            command,
            cwd=pack.parent,
            env=ENVIRONMENT | {rank_name: str(rank), of_name: str(of)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(of)
    ]
    said = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0] * of, said
    files = [pathlib.Path(file).name for out, _ in said for file in json.loads(out)["files"]]
    assert sorted(files) == [f"000{i}.wav" for i in range(7)]
    assert clips_of(folder) == clips_of(alone)
    assert manifest.read(folder) == manifest.read(alone)
    if of == 1:
        assert digests(folder) == digests(alone)
    else:
        assert f"process 1 of {of}: {len(range(1, 7, of))} of 7 clips" in said[1][1]


def test_processes_need_one_seed(pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = sharks_command("generate", pack, "-o", tmp_path / "out", *WORDS, RANK="0", WORLD_SIZE="2")
    assert done.returncode == 2
    assert "2 processes share these clips" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_process_too_many_has_nothing_to_do(pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = sharks_command(
        "generate", pack, "-o", tmp_path / "out", "--seed", "1", "--stream", "3", RANK="1", WORLD_SIZE="2"
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "process 1 of 2: 0 of 1 clips" in done.stderr
    assert not (tmp_path / "out").exists()
