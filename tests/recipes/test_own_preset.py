"""A preset from a file of one's own."""

import pytest

import sharks
from made_songs import dataset
from sharks.errors import SpecError, UsageError
from sharks.recipes.presets import text
from small_runs import RATE, SMALL

TINY = text("dadabots-2tier-tiny")


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "my model.toml"
    path.write_text(TINY.replace("\ndim = 128 ", "\ndim = 48 "), encoding="utf-8-sig")  # as Notepad writes it
    return path


def test_it_is_read_like_one_that_comes_with_sharks(mine):
    theirs, ours = sharks.preset("dadabots-2tier-tiny"), sharks.preset(str(mine))
    assert ours.dim == 48 != theirs.dim and sharks.recipe(str(mine)).train == sharks.recipe("dadabots-2tier-tiny").train
    mine.write_text(TINY.replace("\ndim = 128 ", "\ndim = 32 "))
    assert sharks.preset(str(mine)).dim == 32, "as it is now"


def test_a_run_is_trained_with_it_and_goes_on(mine, tmp_path):
    data = dataset(RATE, (9000, 7000), (6000,))
    small = {name: value for name, value in SMALL.items() if name != "model.dim"}
    for steps in (1, 2):
        run = sharks.train(data, tmp_path / "run", str(mine), steps=steps, quiet=True, **small)
    assert (run.preset, run.step, run.spec.dim) == (str(mine), 2, 48)
    assert sharks.load(run.path).about["preset"] == str(mine)


@pytest.mark.parametrize(
    "written, error, sentence",
    [
        ("model = [", UsageError, "is no preset .*wanted TOML, as `sharks presets NAME` prints it"),
        ("", SpecError, "has no .model"),
        ("model = 3\ndata = 3\ntrain = 3\n", SpecError, "has no .model"),
        (TINY.replace("\nsteps = 3000 ", "\nstepps = 3000 "), SpecError, "stepps"),
        (TINY.replace("\nsteps = 3000 ", "\nsteps = 0 "), UsageError, "train.steps is 0"),
        (b"\xff\xfe", UsageError, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(written, error, sentence, tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(written if isinstance(written, bytes) else written.encode())
    with pytest.raises(error, match=sentence):
        sharks.preset(str(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="nowhere.toml: cannot be read"):
        sharks.preset(str(tmp_path / "nowhere.toml"))
    with pytest.raises(UsageError, match="unknown preset 'dadabots'"):
        sharks.preset("dadabots")
