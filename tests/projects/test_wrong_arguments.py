"""Every argument of every public function, given what cannot be meant: one sentence, at once, and nothing written."""

import dataclasses
import inspect
import math
import typing

import numpy as np
import pytest

import sharks
from made_songs import music
from sharks.errors import SpecError, UsageError
from sharks.sound.wav import write_wav

NO_NUMBERS = ["x", "3", b"x", math.nan, [1], [], (1, 2), {}, object(), np.arange(3.0), 1j, True, np.array(3), str]
NO_PATHS = [None, 3, math.nan, [3], {}, object(), b"x", np.arange(3)]
NO_LISTS_OF_PATHS = [None, 3, math.nan, [3], object(), b"x", [b"x"], [None], np.arange(3)]
NO_WORDS = ["x", "", 3, [], ["cpu"], {}, object(), np.arange(3), math.nan, b"cpu"]
NO_FUNCTIONS = [3, "x", [], object()]
NO_FLAGS = ["x", "yes", 3, 1, None, math.nan, [], np.arange(3)]
NO_LISTS = [3, math.nan, object(), "song1", [3], np.array(3)]

COUNTS = [*NO_NUMBERS, 0, -1, 2.5, 1.0, np.float32(1), -(10**400), 10**400, 10**5000, math.inf]
SEEDS = [*NO_NUMBERS, -1, 2.5, 1.0, np.int8(-1)]
TIMES = [*NO_NUMBERS, 0, -1, math.inf, -math.inf, 10**400, np.float32("nan")]

# What is wrong for each parameter. None is fine where there is a default of None, so it is left out here.
WRONG: dict[typing.Any, dict[str, list[typing.Any]]] = {}
PLAYING = {
    "n": [*COUNTS, None],
    "temperature": ["x", math.nan, -1, math.inf, 1e9, [], {}, object(), 1j, 10**400, [[1, 2, 3]], [(-1, 1)], [[1], 2]],
    "seed": [*SEEDS, 1 << 64, 10**5000],
    "streams": [3, "x", [-1], [0.5], [1, 2], [[1], 2], [1 << 32], object()],
    "prime": [3.5, [], [[1], 2], np.zeros((3, 4, 5, 6)), np.zeros(5, int), ["x"]],
    "prime_rate": [*NO_NUMBERS, 0, -1, 22050.7, math.inf],
    "start": NO_WORDS,
    "condition": [1, "x", [[1], 2], object()],
    "device": [*NO_WORDS, None, "cup"],
    "dtype": [*NO_WORDS, None, "float23"],
    "threads": COUNTS,
    "plan": [*NO_WORDS, None],
}
PACKS = {"pack": NO_PATHS}
WRONG[sharks.generate] = (
    PLAYING
    | PACKS
    | {
        "seconds": [*TIMES, None, 1e-9, 1e18],
        "include_prime": NO_FLAGS,
        "out": [value for value in NO_PATHS if value is not None],
        "share": [3, "x", (1,), (1, 1), (-1, 2), (0.5, 2), (0, 0), ("0", "1")],
        "progress": NO_FUNCTIONS,
    }
)
WRONG[sharks.stream] = PLAYING | PACKS | {"block": [*TIMES, None, 1e-9]}
WRONG[sharks.logits] = PACKS | {
    "levels": [3, "x", [[1], [1, 2]], np.zeros((2, 4, 9), int), np.zeros((1, 99)), [[-1] * 99], [[256] * 99], object()],
    **{name: PLAYING[name] for name in ("device", "dtype", "threads", "condition", "plan")},
}
WRONG[sharks.extend] = {
    "clip": NO_PATHS,
    "to_seconds": [*TIMES, None, 1e18],
    "pack": [value for value in NO_PATHS if value is not None],
    "progress": NO_FUNCTIONS,
    **{name: PLAYING[name] for name in ("device", "dtype", "threads", "plan")},
}
WRONG[sharks.check] = PACKS | {name: PLAYING[name] for name in ("device", "dtype", "plan")}
WRONG[sharks.load] = {"path": NO_PATHS}
WRONG[sharks.random_pack] = {"spec": [None, "x", 3, sharks.WaveNetSpec], "seed": [*SEEDS, None]}
WRONG[sharks.health] = {
    "samples": [3, "x", [[1], 2], np.zeros((2, 3, 4)), np.zeros(9, int), np.zeros((9, 2)), object()],
    "rate": [*NO_NUMBERS, None, 0, -1, 22050.7, math.inf],
}
WRONG[sharks.mel] = {
    "audio": [3, "x", [[1], 2], np.zeros((2, 9)), np.zeros(9, int), np.zeros(0), np.full(9, np.nan), object()],
    "spec": [None, "x", 3, {}, sharks.MelSpec],
}
WRONG[sharks.preset] = WRONG[sharks.recipe] = {"name": [*NO_WORDS, None]}
WRONG[sharks.presets] = {}
WRONG[sharks.import_checkpoint] = {"path": NO_PATHS, "kind": NO_WORDS, "config": [3, [], object(), b"x"]}
MINUTES = [None, 3, "35", (1,), (1, 2, 3), (3, 1), (0, 1), (-1, 1), ("1", "2"), (1, math.nan), (1, math.inf), object()]
WRONG[sharks.curate] = {
    "clips": NO_LISTS_OF_PATHS,
    "out": [value for value in NO_PATHS if value is not None],
    "songs": [*(value for value in COUNTS if not (isinstance(value, int) and value > 1)), None],
    "minutes": MINUTES,
    "crossfade": [*NO_NUMBERS, None, -1, 31, math.inf],
    "loudness": [*NO_NUMBERS, None, 1, -61, -math.inf],
    "progress": NO_FUNCTIONS,
}
WRONG[sharks.Playing] = {
    "songs": [*COUNTS, None],
    "minutes": MINUTES,
    "clip_seconds": [*TIMES, None, 1e-9],  # of a millionth of a millisecond there would be too many
    "temperature": [*PLAYING["temperature"], [0.9, 1.0], [0.9] * sharks.Playing().clips],
    "seed": [*SEEDS, None, 1 << 63],
}
WRONG[sharks.prepare] = {
    "src": NO_LISTS_OF_PATHS,
    "out": NO_PATHS,
    "preset": NO_WORDS,
    "sample_rate": [*NO_NUMBERS, 0, -1, 22050.7, 999, 10**6, math.inf],
    "channels": [*NO_WORDS, None],
    "val_fraction": [*NO_NUMBERS, -0.1, 0.91, math.inf],
    "val_tracks": [None, *NO_LISTS],
    "trim_db": [*NO_NUMBERS, 1, math.inf],
    "longest_silence": [*NO_NUMBERS, None, 0, -1],
    "replace": NO_FLAGS,
    "progress": NO_FUNCTIONS,
}
ASKED = {
    "preset": NO_WORDS,
    "steps": COUNTS,
    "hours": TIMES,
    "device": [*NO_WORDS, None, "reference"],
}
WRONG[sharks.train] = ASKED | {
    "data": NO_PATHS,
    "out": NO_PATHS,
    "batch": COUNTS,
    "seed": [*SEEDS, None, 1 << 63],
    "resume": NO_FLAGS,
    "start": [value for value in NO_PATHS if value is not None],
    "ask": NO_FUNCTIONS,
    "quiet": NO_FLAGS,
    "tensorboard": NO_FLAGS,
}
WRONG[sharks.make] = ASKED | {
    "songs": NO_PATHS,
    "project": NO_PATHS,
    "playing": [None, 3, {}, sharks.Playing],
    "ask": NO_FUNCTIONS,
    "tell": NO_FUNCTIONS,
    "progress": NO_FUNCTIONS,
}
WRONG[sharks.demo] = {
    "out": NO_PATHS,
    "pack": [value for value in NO_PATHS if value is not None],
    "seed": PLAYING["seed"],
    "temperature": PLAYING["temperature"],
    "progress": NO_FUNCTIONS,
}
CASES = [
    pytest.param(function, name, value, id=f"{function.__name__}-{name}-{i}")
    for function, table in WRONG.items()
    for name, values in table.items()
    for i, value in enumerate(values)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Music, a dataset, a pack and clips, which must stay as they are."""
    place = tmp_path_factory.mktemp("wrong")
    (place / "songs").mkdir()
    for i in range(2):
        write_wav(place / "songs" / f"{i}.wav", music(6, seed=i), 16000)
    sharks.prepare(place / "songs", place / "data")
    pack = sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4))
    pack.save(place / "pack.safetensors")
    sharks.generate(pack, 0.1, 2, seed=1, out=place / "clips")
    return place


def right(function, name):
    """Arguments that would do, in the folder, but for the one that is wrong."""
    pack = sharks.load("pack.safetensors")
    given = {
        sharks.generate: {"pack": pack, "seconds": 0.1},
        sharks.stream: {"pack": pack},
        sharks.logits: {"pack": pack, "levels": np.full((1, 99), 128)},
        sharks.extend: {"clip": "clips/0000.wav", "to_seconds": 0.2},
        sharks.check: {"pack": pack},
        sharks.random_pack: {"spec": pack.spec},
        sharks.mel: {"audio": np.zeros(1600, np.float32), "spec": sharks.MelSpec()},
        sharks.health: {"samples": np.zeros(16000, np.float32), "rate": 16000},
        sharks.import_checkpoint: {"path": "pack.safetensors"},
        sharks.curate: {"clips": "clips", "out": "album"},
        sharks.prepare: {"src": "songs", "out": "new"},
        sharks.train: {"data": "data", "out": "run", "preset": "dadabots-2tier-tiny", "quiet": True},
        sharks.make: {"songs": "songs", "project": "project", "preset": "dadabots-2tier-tiny"},
        sharks.demo: {"out": "demo", "pack": pack},
    }.get(function, {})
    if name == "prime":
        given["prime_rate"] = 16000
    if name == "prime_rate":
        given["prime"] = np.zeros(1600, np.float32)
    return given


def test_the_table_knows_every_parameter_of_every_public_function():
    public = {getattr(sharks, name) for name in sharks.__all__}
    errors = (sharks.Error, sharks.Notice)
    classes = {one for one in public if inspect.isclass(one) and one is not sharks.Playing}
    apart = {one for one in classes if issubclass(one, errors)} | {sharks.Pack, sharks.Audio}
    apart |= {
        sharks.WaveNetSpec,
        sharks.SampleRNNSpec,
        sharks.CodesSpec,
        sharks.MelSpec,
    }  # below: their fields have types
    functions = {one for one in public if callable(one)} - apart
    assert functions == set(WRONG)
    for function, table in WRONG.items():
        known = inspect.signature(function).parameters.values()
        assert {one.name for one in known if one.kind is not one.VAR_KEYWORD} == set(table), function.__name__


@pytest.mark.parametrize(("function", "name", "value"), CASES)
def test_what_cannot_be_meant_is_refused_in_a_sentence(function, name, value, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    with pytest.raises(UsageError) as refused:
        function(**(right(function, name) | {name: value}))
    sentence = str(refused.value)
    assert "\n" not in sentence and len(sentence) < 300
    assert name in sentence or (name in ("preset", "name") and "preset" in sentence), sentence
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before


@pytest.mark.parametrize("number", [np.int64, np.uint8, np.int16])
def test_whole_numbers_of_numpy_are_whole_numbers(number, folder, monkeypatch):
    monkeypatch.chdir(folder)
    pack = sharks.load("pack.safetensors")
    ours, theirs = (
        sharks.generate(pack, 0.1, n=kind(2), seed=kind(3), threads=kind(1), streams=[kind(4), kind(5)])
        for kind in (int, number)
    )
    assert np.array_equal(ours.levels, theirs.levels)
    assert type(sharks.random_pack(pack.spec, seed=number(3)).about["seed"]) is int
    playing = sharks.Playing(songs=number(2), seed=number(3), clip_seconds=np.float32(10))
    assert playing == sharks.Playing(songs=2, seed=3, clip_seconds=10.0)


def test_floats_of_numpy_are_floats(folder, monkeypatch):
    monkeypatch.chdir(folder)
    pack = sharks.load("pack.safetensors")
    levels = [
        sharks.generate(pack, kind(0.125), temperature=kind(0.5), seed=1).levels
        for kind in (float, np.float32, np.float64)
    ]
    assert all(np.array_equal(levels[0], others) for others in levels[1:])
    assert sharks.prepare("songs", "data", sample_rate=np.float64(16000)).sample_rate == 16000


@pytest.mark.parametrize("kind", [sharks.WaveNetSpec, sharks.SampleRNNSpec])
def test_fields_of_a_spec_have_types(kind):
    wrong = {
        "int": ["3", 2.5, None, [1], math.nan, True, np.arange(2), object(), 10**400],
        "float": ["3", None, [1], True, 1j, 10**400],
        "bool": [1, 0, "yes", None, []],
        "str": [3, None, [], b"zeros"],
        "tuple[int, ...]": [3, "12", None, [1.5], [True], ["1"], [[1]]],
    }
    for field in dataclasses.fields(kind):
        for value in wrong[field.type]:
            with pytest.raises(SpecError, match=field.name):
                kind(**{field.name: value})
    spec = kind(sample_rate=np.int64(8000))
    assert type(spec.sample_rate) is int and spec == kind(sample_rate=8000)
