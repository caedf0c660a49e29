"""An experiment is a file that says everything, and a table that was made, not written."""

import re

import pytest

import sharks
from made_songs import dataset
from sharks.errors import UsageError
from sharks.projects.sweep import read, sweep
from small_runs import RATE, SMALL

TEXT = """
question = "How many units?"
preset = "dadabots-2tier-tiny"
seeds = [0, 1]
[set]
{common}
[[value]]
name = "four"
set = {{ "model.dim" = 4 }}
[[value]]
name = "twelve"
set = {{ "model.dim" = 12 }}
"""


@pytest.fixture
def experiment(tmp_path):
    settings = {key: value for key, value in SMALL.items() if key != "model.dim"} | {"train.steps": 4}
    path = tmp_path / "units.toml"
    path.write_text(TEXT.format(common="\n".join(f'"{key}" = {value}' for key, value in settings.items())))
    return read(path)


def test_every_value_is_trained_with_every_seed_and_compared(experiment, tmp_path, capsys):
    data = dataset(RATE, (9000, 7000), (6000,))
    page = sweep(experiment, data, tmp_path / "out")
    text = page.read_text()
    assert page.name == "units.md" and text.startswith("# How many units?")
    rows = [line for line in text.splitlines() if line.startswith(("| four", "| twelve"))]
    assert len(rows) == 2 and "64 ms | 4 |" in rows[0] and "(apart " in rows[1]
    runs = sorted(path.name for path in (tmp_path / "out" / "runs").iterdir())
    assert runs == ["01-0", "01-1", "02-0", "02-1"]
    packs = [sharks.load(tmp_path / "out" / "runs" / run) for run in runs]
    assert [pack.spec.dim for pack in packs] == [4, 4, 12, 12] and [p.about["seed"] for p in packs] == [0, 1, 0, 1]
    bits = float(re.search(r"\| four .*? \| ([\d.]+) \(apart", rows[0])[1])
    assert 6 < bits < 9
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("log.jsonl")}
    again = sweep(experiment, data, tmp_path / "out").read_text()
    assert {path: path.stat().st_mtime_ns for path in logs} == logs, "nothing is trained twice"
    assert [line for line in again.splitlines() if line.startswith("| four")] == rows[:1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("what = 1", "unknown field 'what'"),
        ("preset = 'x'\n[[value]]\nname = 'a'", "two or more"),
        ("preset = 'x'\n[[value]]\nname = 'a'\n[[value]]\nname = 'a'", "another name"),
        ("[", "is no experiment"),
    ],
)
def test_what_is_no_experiment_is_refused(tmp_path, text, says):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read(path)
    with pytest.raises(UsageError, match="is no experiment"):
        read(tmp_path / "none.toml")


def test_the_experiments_of_the_docs_vary_one_thing():
    """Receptive fields grow; the number of parameters stays."""
    import pathlib

    from sharks.recipes.presets import override, preset, recipe
    from sharks.spec import parameters

    asked = read(pathlib.Path(__file__).parents[2] / "docs" / "experiments" / "receptive-field.toml")
    specs = [
        override(preset(asked.preset), recipe(asked.preset), asked.changes | changes)[0]
        for changes in asked.values.values()
    ]
    fields = [spec.receptive_field for spec in specs]
    assert fields == sorted(set(fields)) and fields[-1] > 50 * fields[0]
    assert len({parameters(spec) for spec in specs}) == 1
