"""An experiment is a file that says everything, and a table that was made, not written."""

import dataclasses
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


VALUES = """
[[value]]
name = 'a'
set = { model.dim = 8 }
[[value]]
name = 'b'
set = { model.dim = 9 }
"""
GOOD = "preset = 'dadabots-2tier-tiny'\n"


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
    assert [run.rsplit("-", 1)[0] for run in runs] == ["four-0", "four-1", "twelve-0", "twelve-1"]
    packs = [sharks.load(tmp_path / "out" / "runs" / run) for run in runs]
    assert [pack.spec.dim for pack in packs] == [4, 4, 12, 12] and [p.about["seed"] for p in packs] == [0, 1, 0, 1]
    bits = float(re.search(r"\| four .*? \| ([\d.]+) \(apart", rows[0])[1])
    assert 6 < bits < 9
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("log.jsonl")}
    again = sweep(experiment, data, tmp_path / "out").read_text()
    assert {path: path.stat().st_mtime_ns for path in logs} == logs, "nothing is trained twice"
    assert [line for line in again.splitlines() if line.startswith("| four")] == rows[:1]


def test_a_value_has_its_own_answer_whatever_was_there_before(experiment, tmp_path):
    """Edited, moved, or of another experiment in the same folder: every number is of the settings beside it."""
    data = dataset(RATE, (9000, 7000), (6000,))
    rates = {"slow": {"train.learning_rate": 1e-9}, "fast": {"train.learning_rate": 1e-2}}
    plain = dataclasses.replace(experiment, name="rates", seeds=(0,), changes=experiment.changes | {"model.dim": 4})
    first = _bits(sweep(dataclasses.replace(plain, values=rates), data, tmp_path / "shared"))
    edited = {"new": {"train.learning_rate": 1e-3}, "slow": {"train.learning_rate": 1e-2}, "fast": rates["slow"]}
    again = _bits(sweep(dataclasses.replace(plain, values=edited), data, tmp_path / "shared"))
    alone = _bits(sweep(dataclasses.replace(plain, values=edited), data, tmp_path / "alone"))
    assert again == alone and again["slow"] == first["fast"] != first["slow"] == again["fast"]
    other = dataclasses.replace(plain, name="clips", values={"fast": {"train.clip_at": 1e-6}, "slow": {}})
    apart = _bits(sweep(other, data, tmp_path / "alone"))
    assert apart == _bits(sweep(other, data, tmp_path / "clips")) != alone


def _bits(page):
    cells = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")][2:]
    return {row[0].removeprefix("| "): row[5] for row in cells}


def test_a_page_that_is_no_table_of_a_sweep_stays(experiment, tmp_path):
    (tmp_path / "units.md").write_text("# My notes\n")
    with pytest.raises(UsageError, match=r"units\.md: is there already"):
        sweep(experiment, dataset(RATE, (9000, 7000), (6000,)), tmp_path)
    assert (tmp_path / "units.md").read_text() == "# My notes\n" and not (tmp_path / "runs").exists()


def test_a_mark_at_the_beginning_is_no_part_of_an_experiment(tmp_path):
    (tmp_path / "x.toml").write_text("\ufeff" + GOOD + VALUES, encoding="utf-8")
    assert read(tmp_path / "x.toml").values == {"a": {"model.dim": 8}, "b": {"model.dim": 9}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("what = 1", "unknown field 'what'"),
        ("preset = 'x'\n[[value]]\nname = 'a'", "two or more"),
        ("preset = 'x'\n[[value]]\nname = 'a'\n[[value]]\nname = 'a'", "another name"),
        ("[", "is no experiment"),
        (GOOD + "seeds = []" + VALUES, "seeds is \\[\\]; wanted one or more"),
        (GOOD + "seeds = [true]" + VALUES, "seeds is"),
        (GOOD + "seeds = [1, 1]" + VALUES, "seeds is"),
        (GOOD + "seeds = 3" + VALUES, "seeds is 3"),
        (GOOD + "set = 3" + VALUES, "set is 3; wanted a table"),
        ("preset = 'x'\nvalue = 3", "value is 3; wanted two or more tables"),
        ("preset = 'x'\nvalue = [1, 2]", "value is"),
        ("preset = 3\n" + VALUES, "preset is 3; wanted a name"),
        (VALUES, "preset is None"),
        ("preset = 'dadabots'\n" + VALUES, "unknown preset 'dadabots'"),
        (GOOD + VALUES.replace("name = 'b'", "name = 2"), "another name"),
        (GOOD + VALUES.replace("set", "sett"), "unknown field 'sett'"),
        (GOOD + VALUES.replace("model.dim = 9", "model.dim = 'wide'"), "dim"),
        (GOOD + VALUES.replace("model.dim = 9", "model.dimm = 9"), "dimm"),
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
