"""The name of the model in the box, wherever a pack may be named."""

from __future__ import annotations

import json
import pathlib

import pytest

import sharks
from command import sharks_command
from sharks.packs import box

FILE = pathlib.Path(sharks.__file__).parent / "projects" / "box" / "muldjord.safetensors"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="this build has no model in the box")
SPEC = sharks.SampleRNNSpec(sample_rate=1000, q_levels=32, frame_sizes=(4,), dim=8)


def test_it_is_the_pack_that_came_with_sharks(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sharks.load("box").sha256 == sharks.load(FILE).sha256
    (tmp_path / "box").mkdir()  # no pack and no run
    assert sharks.load("box").path == FILE


@pytest.mark.parametrize("place", ["box", "box/best.safetensors"])
def test_what_lies_here_under_that_name_comes_first(
    place: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = sharks.random_pack(SPEC)
    mine.save(tmp_path / "mine.safetensors")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / "mine.safetensors").rename(tmp_path / place)
    assert sharks.load("box").sha256 == mine.sha256


def test_a_path_that_ends_so_is_a_path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("./box", tmp_path / "box"):
        with pytest.raises(sharks.PackError, match="box: "):
            sharks.load(path)


def test_a_build_without_it_says_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(box, "_PACK", "nothing.safetensors")
    with pytest.raises(sharks.Error, match="this build of sharks has no trained model in it"):
        sharks.load("box")


def test_the_verbs_take_it(tmp_path: pathlib.Path) -> None:
    facts = json.loads(sharks_command("info", "box", "--json", cwd=tmp_path).stdout)
    assert (facts["kind"], facts["licence"]) == ("pack", "CC-BY-SA 3.0")
    played = sharks_command("generate", "box", "--length", "0.1s", "--seed", "1", cwd=tmp_path)
    assert (played.returncode, played.stdout.strip()) == (0, "out/box/0000.wav"), played.stderr
    longer = sharks_command("extend", "out/box/0000.wav", "--to", "0.2s", cwd=tmp_path)
    assert longer.returncode == 0, longer.stderr
    page = sharks_command("demo", "box", cwd=tmp_path)
    assert page.returncode == 0 and (tmp_path / "demo-box" / "index.html").exists(), page.stderr
