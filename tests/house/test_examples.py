"""The examples in the docstrings of the public names are run, and show what they say.

Each is run in a folder of its own, where `songs` and `takes` hold music, `run` a model of random weights, and
`wavenet.pt` another program's checkpoint.
"""

import doctest
import importlib.util
import pathlib
import shutil

import pytest

import sharks
from made_songs import music, songs
from sharks.sound.wav import write_wav

WAVENET = pathlib.Path(__file__).parents[1] / "importers" / "recorded" / "vincent_wavenet.pt"
NEEDS_TORCH = {"train"}


def examples(docstring, name):
    return doctest.DocTestParser().get_doctest(docstring, {"sharks": sharks}, name, None, 0)


def ran(test):
    """How many of a docstring's examples were run, and what those said that went wrong."""
    said = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    return runner.run(test, out=said.append).attempted, "".join(said)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    songs(folder / "songs", 16000, 4.0)
    for name in ("takes", "run"):
        (folder / name).mkdir()
    for i in range(2):
        write_wav(folder / "takes" / f"{i:04d}.wav", music(6.0, seed=i), 16000)
    sharks.random_pack(sharks.SampleRNNSpec(dim=16, embed_dim=4), seed=1).save(folder / "run" / "best.safetensors")
    shutil.copy(WAVENET, folder / "wavenet.pt")
    return folder


@pytest.mark.parametrize("name", sharks.__all__)
def test_the_example_shows_what_happens(name, material, tmp_path, monkeypatch):
    if name in NEEDS_TORCH and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    attempted, said = ran(examples(getattr(sharks, name).__doc__, name))
    assert attempted and not said, said or f"sharks.{name} has no example"


def test_a_stale_example_would_be_seen():
    assert ran(examples(">>> len(sharks.presets()) > 1\nTrue\n", "right")) == (1, "")
    attempted, said = ran(examples(">>> len(sharks.presets())\n0\n", "stale"))
    assert attempted == 1 and "Failed example" in said
    assert ran(examples("No example.", "none")) == (0, "")
