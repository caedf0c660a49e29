"""Named specs and recipes: what to build, and how its authors trained it.

A preset is one TOML file of `presets/`: `[model]` is the spec, `[data]` and `[train]` are the recipe, and `[guide]`
helps to choose. Every number is written out with its source in a comment beside it, so the file itself is the
documentation (`text(name)`). Only what is off may go unsaid, so that a new idea need not be denied in every file.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import pathlib
import tomllib
import typing

from ..errors import SpecError, UsageError, arguments, did_you_mean
from ..families import spec as specs
from ..families.registry import from_dict
from ..families.spec import Spec
from .recipe import DataRecipe, Guide, Recipe, TrainRecipe, replaced

_FOLDER = importlib.resources.files(__package__) / "presets"
_TABLES = ("model", "data", "train")


def presets() -> tuple[str, ...]:
    """The names of all presets, sorted.

    >>> "dadabots-2tier" in sharks.presets()
    True
    """
    return tuple(sorted(p.name.removesuffix(".toml") for p in _FOLDER.iterdir() if p.name.endswith(".toml")))


def preset(name: str) -> Spec:
    """The spec of a preset. An unknown name is a `UsageError` that says what is near.

    >>> spec = sharks.preset("dadabots-2tier")
    >>> spec.family, spec.sample_rate, spec.frame_sizes, spec.dim
    ('samplernn', 16000, (16,), 1024)
    """
    return _read(name)[0]


def recipe(name: str) -> Recipe:
    """The recipe of a preset: `.data` and `.train` numbers, `.about`, `.source`. An unknown name is a `UsageError`.

    >>> recipe = sharks.recipe("dadabots-2tier")
    >>> recipe.data.chunk_seconds, recipe.train.batch
    (8.0, 128)
    """
    return _read(name)[1]


def guide(name: str) -> Guide:
    """What helps to choose a preset: `.use`, `.minutes` of music, `.step_seconds`. Unknown: a `UsageError`."""
    return _read(name)[2]


def text(name: str) -> str:
    """The preset as it is written: every number with its source beside it. `UsageError` where there is none.

    A name that ends in .toml is the path of a file, which is written as the presets are.
    """
    if not isinstance(name, str):
        arguments.refuse("name", name, "a preset's name, such as dadabots-2tier, or a file's that ends in .toml")
    if name in presets():
        return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    if not name.endswith(".toml"):
        raise UsageError(f"unknown preset {name!r}{did_you_mean(name, presets())}")
    try:
        return pathlib.Path(name).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{name}: cannot be read ({error}); wanted a preset, as `sharks presets NAME` prints it"
        ) from None


def override(spec: Spec, recipe: Recipe, changes: dict[str, typing.Any]) -> tuple[Spec, Recipe]:
    """`spec` and `recipe` with fields changed: `{"model.dim": 512, "train.batch": 16, "data.chunk_seconds": 4.0}`.

    Unknown tables or fields and values of another type are a `UsageError` or `SpecError` that names them.
    """
    tables: dict[str, dict[str, typing.Any]] = {table: {} for table in _TABLES}
    for key, value in changes.items():
        table, dot, name = key.partition(".")
        if table not in tables or not dot:
            raise UsageError(f"cannot set {key!r}; a setting is model.FIELD, train.FIELD or data.FIELD")
        tables[table][name] = value
    data, train = replaced(recipe.data, tables["data"]), replaced(recipe.train, tables["train"])
    return specs.replace(spec, **tables["model"]), dataclasses.replace(recipe, data=data, train=train)


def _read(name: str) -> tuple[Spec, Recipe, Guide]:
    return _parse(name, text(name))


@functools.lru_cache
def _parse(name: str, written: str) -> tuple[Spec, Recipe, Guide]:
    """Spec, recipe and guide of a preset's text; a field that is unknown, or missing and not off, is refused."""
    try:
        tables = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: is no preset ({error}); wanted TOML, as `sharks presets NAME` prints it") from None
    guide = _guide(name, tables.pop("guide")) if "guide" in tables else Guide()
    words = {key: tables.pop(key, "") for key in ("about", "source")}
    for table in _TABLES:
        if not isinstance(tables.get(table), dict):
            raise SpecError(f"preset {name!r} has no [{table}]; wanted {', '.join(_TABLES)}")
    spec = from_dict(tables["model"])
    data, train = replaced(DataRecipe(), tables["data"]), replaced(TrainRecipe(), tables["train"])
    kinds: tuple[type[Spec | DataRecipe | TrainRecipe], ...] = (type(spec), DataRecipe, TrainRecipe)
    for table, kind in zip(_TABLES, kinds, strict=True):
        for wanted in dataclasses.fields(kind):
            if wanted.name not in tables[table] and not wanted.metadata.get("off"):
                raise SpecError(f"preset {name!r} does not say {table}.{wanted.name}; write every number out")
    for extra in tables.keys() - set(_TABLES):
        raise SpecError(f"preset {name!r} has an unknown table [{extra}]{did_you_mean(extra, _TABLES)}")
    return spec, Recipe(name, data=data, train=train, **words), guide


def _guide(name: str, table: dict[str, typing.Any]) -> Guide:
    wanted = {field.name for field in dataclasses.fields(Guide)}
    if table.keys() != wanted:
        raise SpecError(f"preset {name!r} has a [guide] of {sorted(table)}; wanted {sorted(wanted)}")
    return Guide(**table)
