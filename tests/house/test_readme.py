"""What README.md, docs/walk.md and docs/live.md show is what happens."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

import sharks
from sharks.spec import SampleRNNSpec

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
WALK = (ROOT / "docs" / "walk.md").read_text()
LIVE = (ROOT / "docs" / "live.md").read_text()


def blocks(text, language=""):
    """The fenced blocks of this language, in order."""
    parts = re.split(r"^```(.*)\n", text, flags=re.M)  # prose, opening, code, closing, prose, ...
    return [code for opening, code in zip(parts[1::4], parts[2::4], strict=True) if opening == language]


def test_the_two_commands_come_early():
    lines = README.splitlines()
    assert [any(line.startswith(command) for line in lines[:24]) for command in ("make demo", "make test")] == [
        True
    ] * 2


def test_the_six_lines_make_sound(tmp_path, monkeypatch, capsys):
    (code,) = blocks(README, "python")
    assert len([line for line in code.splitlines() if line.strip()]) == 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo" / "run").mkdir(parents=True)
    sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4)).save(tmp_path / "demo" / "run" / "best.safetensors")
    said = {}
    exec(compile(code, "README.md", "exec"), said)
    assert said["audio"].samples.shape == (4, 1, 160000)
    assert sorted(path.name for path in (tmp_path / "clips").glob("*.wav")) == [f"000{i}.wav" for i in range(4)]
    assert capsys.readouterr().out == "(1, 1, 4000)\n"


def test_the_list_of_presets_is_this_one():
    (shown,) = [block for block in blocks(README) if block.startswith("$ sharks presets\n")]
    done = subprocess.run([sys.executable, "-m", "sharks", "presets"], capture_output=True, text=True, timeout=60)
    assert shown == f"$ sharks presets\n{done.stdout}"


def commands(text):
    """The commands `sharks` in the code blocks, as words; what starts them, such as srun, is left out."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    found = [re.search(r"(?:^|\s)(sharks .*)", line) for line in lines]
    return [shlex.split(line[1], comments=True) for line in found if line]


@pytest.mark.parametrize("words", commands(README) + commands(WALK) + commands(LIVE), ids=" ".join)
def test_every_command_that_is_shown_has_such_a_verb_and_such_options(words):
    shown = subprocess.run(
        [sys.executable, "-m", "sharks", words[1], "--help"], capture_output=True, text=True, timeout=60
    )
    assert shown.returncode == 0, shown.stderr
    options = [word for word in words[2:] if re.match(r"--?[a-z]", word)]
    assert [option for option in options if not re.search(rf"(^|\s|,){option}[\s,]", shown.stdout)] == []


def test_a_command_that_does_not_exist_would_be_seen():
    for line in ("sharks generate x --nonsense 3  # so", "torchrun -m sharks generate x --nonsense 3"):
        assert commands(f"```\n{line}\n```") == [["sharks", "generate", "x", "--nonsense", "3"]]
    shown = subprocess.run(
        [sys.executable, "-m", "sharks", "generate", "--help"], capture_output=True, text=True, timeout=60
    )
    assert "--nonsense" not in shown.stdout and "--prime" in shown.stdout


@pytest.mark.parametrize("page", [README, WALK], ids=["README.md", "walk.md"])
def test_links_lead_somewhere(page):
    home = ROOT if page is README else ROOT / "docs"
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", page)]
    assert [link for link in links if not (home / link).exists() and link != "bench/RESULTS.md"] == []
    assert len(re.findall(r"\]\(", README)) >= 5
