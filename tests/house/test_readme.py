"""What README.md shows is what happens. That all it names exists is asked in test_docs.py, of every page."""

import pathlib
import re
import subprocess
import sys

import sharks
from sharks.spec import SampleRNNSpec

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


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
    assert _elsewhere(shown) == _elsewhere(f"$ sharks presets\n{done.stdout}")


def _elsewhere(table):
    """A table of presets without what differs from computer to computer."""
    without_times = re.sub(r"( +(\d+ (s|min|h|days)|-)){2}$", "", table, flags=re.M)
    return re.sub(r"^speed: .*$", "speed", without_times, flags=re.M)
