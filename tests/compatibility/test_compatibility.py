"""What sharks of commit 64c23c6 made loads, goes on, and gives the same bytes.

`recorded/` holds what it made, `expected.json` what it found in that; record.py is the program that recorded them. The
scenes are played on a machine that is the same everywhere (steady.py), so that a byte that differs is a change of
sharks.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from compatibility import facts, record, steady
from compatibility.scenes import clips, packs, runs

EXPECTED = json.loads((steady.RECORDED / "expected.json").read_text(encoding="utf-8"))
VERSIONS = EXPECTED.pop("versions")
CASES = [(scene, fact) for scene in EXPECTED for fact in EXPECTED[scene]]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a scene finds now; each is played once."""
    if not steady.POSSIBLE:
        pytest.skip("the bytes were recorded on x86-64; other CPUs have other products")

    @functools.cache
    def played(scene):
        if scene == "runs":
            skip_with_another_torch()
        return steady.facts_of(scene, steady.RECORDED, tmp_path_factory.mktemp(scene))

    return played


def skip_with_another_torch():
    """Another torch, or another build of it, may sum in another order. That constraints.txt names the recorded one, a
    test below sees to."""
    torch = pytest.importorskip("torch")
    if torch.__version__ != VERSIONS["torch"]:
        pytest.skip(f"the runs were recorded with torch {VERSIONS['torch']}, here is {torch.__version__}")


@pytest.mark.parametrize(("scene", "fact"), CASES)
def test_it_is_as_it_was(scene, fact, found):
    assert found(scene).get(fact) == EXPECTED[scene][fact]


@pytest.mark.parametrize("scene", EXPECTED)
def test_nothing_is_found_that_was_not_recorded(scene, found):
    assert list(found(scene)) == list(EXPECTED[scene])


def test_every_scene_was_recorded():
    assert tuple(EXPECTED) == record.SCENES


def test_the_versions_that_were_recorded_are_those_that_sharks_is_tested_with():
    text = (steady.TESTS.parent / "constraints.txt").read_text()
    tested = dict(re.findall(r"^(numpy|torch)==([^+\s]+)", text, re.MULTILINE))
    assert tested == {name: version.partition("+")[0] for name, version in VERSIONS.items()}


@pytest.mark.parametrize("name", packs.SPECS)
def test_a_pack_that_is_saved_again_is_the_recorded_file(name):
    file = facts.of_bytes(packs.path_of(steady.RECORDED, name).read_bytes())
    assert EXPECTED["packs"][f"{name}: saved again"] == EXPECTED["packs"][f"{name}: made anew"] == file


@pytest.mark.parametrize("name", clips.HALF_WAY)
def test_what_was_recorded_half_way_is_not_finished(name):
    """A beginning of the clip that it became: so the bytes at its end were played by the code that is tested."""
    folder, expected = steady.RECORDED / "clips" / name, EXPECTED["clips"]
    assert expected[f"{name}: gone on with"] == expected[f"{name}: played at once"]
    assert 0 < expected[f"{name}: its bookmark"] < clips.LONG["seconds"] * 16000 / 2
    assert expected[f"{name}: goes on from its bookmark"]
    assert all(path.stat().st_size < clips.LONG["seconds"] * 16000 * 2 for path in folder.glob("*.wav"))


@pytest.mark.parametrize("name", runs.RUNS)
def test_a_run_was_recorded_half_way(name):
    states = sorted(path.name for path in (steady.RECORDED / "trained" / name / "checkpoints").iterdir())
    assert states == ["0000000004.safetensors", "0000000004.state.safetensors"]
    assert EXPECTED["runs"][f"{name}: the run"][0] == runs.STEPS > runs.KILLED_AFTER
    assert EXPECTED["runs"][f"{name}: as if it had not been killed"]


# The rulers themselves: one byte or one name that differs is another fact.


@pytest.fixture
def copy(tmp_path):
    return pathlib.Path(shutil.copytree(steady.RECORDED, tmp_path / "copy"))


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_one_number_of_an_array_is_noticed():
    array = np.arange(6, dtype=np.float32)
    others = [array.copy(), array.astype(np.float64), array.reshape(2, 3), array[:5]]
    others[0][4] = np.nextafter(array[4], np.float32(9))
    assert all(facts.of_array(other) != facts.of_array(array) for other in others)
    assert facts.of_array(array.copy()) == facts.of_array(array)
    assert facts.of_arrays({"a": array}) != facts.of_arrays({"b": array})
    assert facts.of_arrays({"a": array, "b": others[0]}) != facts.of_arrays({"b": others[0], "a": array})


def test_one_byte_of_a_folder_is_noticed(copy):
    folder = copy / "clips" / "finished"
    before = facts.of_folder(folder)
    flip(folder / "0001.wav", -1)
    after = facts.of_folder(folder)
    assert [name for name in before if before[name] != after[name]] == ["0001.wav"]
    (folder / ".hidden").touch()
    assert facts.of_folder(folder).keys() - before.keys() == {".hidden"}


@pytest.mark.parametrize("file", ["best.safetensors", "checkpoints/0000000004.state.safetensors", "config.toml"])
def test_one_byte_of_a_run_is_noticed(copy, file):
    folder = copy / "trained" / "wavenet"
    before = runs.run_facts(folder)
    flip(folder / file, -1)
    after = runs.run_facts(folder)
    assert [name for name in before if before[name] != after[name]] == [file]


def test_a_line_of_a_runs_log_is_noticed(copy):
    folder = copy / "trained" / "samplernn"
    before = runs.run_facts(folder)
    text = (folder / "log.jsonl").read_text()
    (folder / "log.jsonl").write_text(text.replace('"nll": 3.', '"nll": 4.', 1))
    assert runs.run_facts(folder)["log.jsonl"] != before["log.jsonl"]


def test_one_byte_of_a_dataset_is_noticed(copy):
    before = runs.dataset_facts(copy / "dataset")
    flip(copy / "dataset" / "val.i16", 100)
    assert runs.dataset_facts(copy / "dataset") != before


def test_one_bit_of_a_pack_is_noticed(copy, tmp_path):
    """By the scene itself, all the way through another process."""
    flip(packs.path_of(copy, "wavenet"), -1)
    done = steady.python("-m", "compatibility.scenes", "packs", copy, tmp_path)
    assert done.returncode and "PackError" in done.stderr
