"""Presets: known sizes, every number written out with its source, errors that say what to do."""

import pathlib
import re

import pytest

import sharks
from sharks.recipes import presets
from sharks.recipes.presets import _parse, override, text
from sharks.recipes.recipe import Guide
from sharks.spec import SampleRNNSpec, parameters, replace

NAMES = [
    "dadabots-2tier",
    "dadabots-2tier-small",
    "dadabots-2tier-tiny",
    "deepvoice-wavenet",
    "ibab-wavenet",
    "ibab-wavenet-tiny",
    "iclr2017-3tier",
    "prism-3tier",
    "prism-3tier-tiny",
    "sharks-wavenet-small",
    "sharks2020-2tier",
    "wavenet-music",
]


def test_names():
    """Every file is a preset, and no name goes that people may have in their commands."""
    folder = pathlib.Path(presets.__file__).parent / "presets"
    assert list(sharks.presets()) == sorted(file.stem for file in folder.iterdir())
    assert set(NAMES) <= set(sharks.presets())


@pytest.mark.parametrize(
    ("name", "changes", "count"),
    [
        # Counted in the original programs. Those with weight norm there hold one length per output more: see
        # tests/families, which counts them too.
        ("ibab-wavenet", {}, 1_515_968),
        ("prism-3tier", {}, 78_057_728),
        ("sharks2020-2tier", {}, 64_329_984),
        ("sharks2020-2tier", {"hidden_layers": 2}, 65_379_584),
        ("sharks2020-2tier", {"cell": "gru", "layers": 4}, 47_556_864),
        ("dadabots-2tier", {}, 66_755_840),
        ("dadabots-2tier", {"initial_state": "learned"}, 66_755_840 + 10_240),
        ("deepvoice-wavenet", {"dilations": tuple(2 ** (i % 8) for i in range(16))}, 740_288),
    ],
)
def test_parameter_counts(name, changes, count):
    assert parameters(replace(sharks.preset(name), **changes)) == count


def test_iclr_two_tier_count():
    spec = SampleRNNSpec(
        cell="gru-reset-before",
        layers=3,
        expand_top=False,
        upsample_bias=True,
        initial_state="learned",
    )
    assert parameters(spec) == 39_205_120


def test_receptive_fields():
    assert sharks.preset("ibab-wavenet").receptive_field == 5117
    music = sharks.preset("wavenet-music")
    assert music.receptive_field > music.sample_rate
    assert abs(music.residual_scale**2 - 0.5) < 1e-15
    assert abs(music.skip_scale**2 - 1 / music.layers) < 1e-15


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_its_source_beside_it(name):
    lines = text(name).split("[model]")[1].splitlines()
    cited = {word for word in re.findall(r"^\[(\w)\]", sharks.recipe(name).source, re.M)}
    for line in lines:
        if re.match(r"\w+ = ", line):
            comment = line.partition("#")[2]
            assert re.search(r"\[\w\]|ours|unused", comment) or line.startswith("family"), line
            assert set(re.findall(r"\[(\w)\]", comment)) <= cited, line


@pytest.mark.parametrize("name", NAMES)
def test_recipe_fits_its_spec(name):
    spec, recipe = sharks.preset(name), sharks.recipe(name)
    assert recipe.name == name and recipe.about and recipe.source
    assert recipe.train.chunk_len % spec.lookback == 0
    assert recipe.data.chunk_seconds * spec.sample_rate >= recipe.train.chunk_len
    assert spec.codec in ("MU-R", "MU-T", "LIN-P"), "a preset must be able to encode"


def test_unknown_name_says_what_is_near():
    with pytest.raises(sharks.UsageError, match="unknown preset 'prism'; did you mean 'prism-3tier'?"):
        sharks.preset("prism")
    with pytest.raises(sharks.UsageError, match="known are dadabots-2tier"):
        sharks.recipe("xyz")


@pytest.mark.parametrize("table", ["model", "data", "train"])
def test_an_unknown_or_missing_key_is_refused(table):
    written = text("prism-3tier")
    assert _parse("x", written)[0] == sharks.preset("prism-3tier")
    with pytest.raises(sharks.SpecError, match="dimm"):
        _parse("x", written.replace(f"[{table}]", f"[{table}]\ndimm = 1"))
    heading, _, rest = written.partition(f"[{table}]\n")
    dropped = next(line for line in rest.splitlines() if not line.startswith("family"))
    with pytest.raises(sharks.SpecError, match="does not say"):
        _parse("x", heading + f"[{table}]\n" + rest.replace(dropped + "\n", "", 1))


def test_only_what_is_off_may_go_unsaid():
    written = text("prism-3tier")
    unsaid = {"data": ("equaliser_db", "trim_db"), "train": ("compiled", "ema")}
    for table, names in unsaid.items():
        for name in names:
            assert re.search(rf"^{name} = .*\n", written, flags=re.M)
            written = re.sub(rf"^{name} = .*\n", "", written, flags=re.M)
            without = getattr(_parse("prism-3tier", written)[1], table)
            assert getattr(without, name) in (0, False, float("-inf"))
    heard = text("sharks-wavenet-small")
    assert re.sub(r"^equaliser_db = .*\n", "", heard, flags=re.M) != heard
    silent = _parse("x", re.sub(r"^equaliser_db = .*\n", "", heard, flags=re.M))[1]
    assert silent.data.equaliser_db == 0 < _parse("x", heard)[1].data.equaliser_db
    with pytest.raises(sharks.SpecError, match="does not say train.batch"):
        _parse("x", re.sub(r"^batch = .*\n", "", heard, flags=re.M))


def test_a_guide_says_all_or_is_not_there():
    written = text("prism-3tier")
    assert _parse("x", written)[2].minutes == 60
    without = written[: written.index("[guide]")]
    assert _parse("x", without)[2] == Guide()
    for other in ("minutes = 3", 'use = "x"\nminutes = 3\nstep_seconds = 1.0\nhours = 1'):
        with pytest.raises(sharks.SpecError, match=r"has a \[guide\] of .*; wanted"):
            _parse("x", f"{without}[guide]\n{other}\n")


def test_an_unknown_table_is_refused():
    with pytest.raises(sharks.SpecError, match="unknown table"):
        _parse("x", text("prism-3tier") + "\n[trian]\nbatch = 1\n")


def test_override():
    spec, recipe = sharks.preset("prism-3tier"), sharks.recipe("prism-3tier")
    changes = {"model.dim": 32, "train.batch": 2, "data.chunk_seconds": 4, "train.clip": "value"}
    small, changed = override(spec, recipe, changes)
    assert (small.dim, changed.train.batch, changed.data.chunk_seconds, changed.train.clip) == (32, 2, 4.0, "value")
    assert (spec.dim, recipe.train.batch) == (1024, 64), "presets do not change"
    assert changed.source == recipe.source and changed.data.val_fraction == 0.1


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("model.dimm", 32, "did you mean 'dim'"),
        ("model.dim", "32", "wanted int"),
        ("train.batch", 0, "train.batch is 0"),
        ("train.steps", 0, "train.steps is 0"),
        ("train.batch", 1.5, "wanted int"),
        ("train.learning_rate", float("nan"), "learning_rate"),
        ("train.clip", "valeu", "did you mean 'value'"),
        ("train.beta2", 1.0, "beta2"),
        ("data.chunk_seconds", -1.0, "chunk_seconds"),
        ("data.val_fraction", float("nan"), "val_fraction"),
        ("dim", 32, "model.FIELD"),
        ("network.dim", 32, "model.FIELD"),
    ],
)
def test_bad_overrides_are_usage_errors(key, value, says):
    spec, recipe = sharks.preset("prism-3tier"), sharks.recipe("prism-3tier")
    with pytest.raises(sharks.Error, match=says) as caught:
        override(spec, recipe, {key: value})
    assert caught.value.exit_code == 2
