"""How many rooms, who knows whom, and how much a reader sees at once: limits that the floor plan has to keep.

`python tests/house/floor_plan.py` prints the figures.
"""

import functools
import pathlib
import subprocess
import sys

import pytest

from house import floor_plan
from house.floor_plan import COUNTED, FLOORS, PACKAGE, Plan, listings, placed, plan_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_NAMES = 26  # in one listing: about what fits a screen
MOST_ROOMS = {PACKAGE: 24, "csrc/cuda": 14}
MOST_ARROWS = {PACKAGE: 100}


@functools.cache
def todays(folder):
    """The plan of the tree that these tests stand in."""
    return plan_of(ROOT, folder)


def fat(listed):
    return {folder: names for folder, names in listed.items() if names > MOST_NAMES}


@pytest.mark.parametrize("folder", COUNTED)
def test_no_circles(folder):
    assert todays(folder).circles == []


@pytest.mark.parametrize("folder", FLOORS)
def test_no_arrow_back_up(folder):
    plan = todays(folder)
    assert plan.arrows_back_up(FLOORS[folder]) == []
    assert plan.rooms.keys() <= placed(folder), "a new room wants a floor in floor_plan.FLOORS"


@pytest.mark.parametrize("folder, most", MOST_ROOMS.items())
def test_rooms_are_few(folder, most):
    assert len(todays(folder).rooms) <= most


@pytest.mark.parametrize("folder, most", MOST_ARROWS.items())
def test_arrows_are_few(folder, most):
    assert len(todays(folder).arrows) <= most


def test_no_folder_is_fat():
    assert fat(listings(ROOT)) == {}


def test_the_plan_has_something_to_count():
    plan = todays(PACKAGE)
    assert {"play", "training", "engine", "errors"} <= plan.rooms.keys()
    assert {("play", "engine"), ("cli", "play"), ("engine", "_core"), ("training", "packs")} <= set(plan.arrows)
    assert ("wavenet", "device") in todays("csrc/cuda").arrows
    assert ("binding", "core") in todays("csrc").arrows
    assert listings(ROOT)[PACKAGE] >= 20


# The ruler itself, on made-up trees


def tree(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def house(root, modules):
    return tree(root, {f"{PACKAGE}/{module}.py": text for module, text in modules.items()})


@pytest.mark.parametrize(
    "arrow",
    [
        "from ..engine import door",
        "from ..engine.door import open_player",
        "from .. import engine",
        "import sharks.engine.door",
        "from sharks.engine import door",
        "def lazily():\n    from ..engine import door",
    ],
)
def test_every_kind_of_import_is_an_arrow(tmp_path, arrow):
    house(tmp_path, {"play/generate": arrow, "engine/door": "", "engine/__init__": ""})
    plan = plan_of(tmp_path, PACKAGE)
    assert set(plan.rooms) == {"play", "engine"}
    assert plan.arrows == [("play", "engine")] and plan.floors == 2 and plan.circles == []


def test_imports_within_a_room_and_of_others_packages_are_none(tmp_path):
    house(tmp_path, {"play/generate": "from . import folder\nfrom .folder import x\nimport numpy", "play/folder": ""})
    assert plan_of(tmp_path, PACKAGE).arrows == []


def test_a_room_within_a_room_is_counted_from_there(tmp_path):
    house(tmp_path, {"training/loop": "from .step import learner", "files/atomic": ""})
    house(tmp_path, {"training/step/learner": "from ...files import atomic"})
    assert plan_of(tmp_path, f"{PACKAGE}/training").arrows == [("loop", "step")]
    assert plan_of(tmp_path, PACKAGE).arrows == [("training", "files")]


def test_circles_are_seen(tmp_path):
    knows = {"a": "b", "b": "c", "c": "a", "d": "a"}
    house(tmp_path, {room: f"from . import {known}" for room, known in knows.items()} | {"e": ""})
    plan = plan_of(tmp_path, PACKAGE)
    assert plan.circles == [["a", "b", "c"]] and plan.floors == 2


def test_two_circles_are_two():
    plan = Plan({name: frozenset(known) for name, known in {"a": "b", "b": "a", "c": "d", "d": "ca"}.items()})
    assert plan.circles == [["a", "b"], ["c", "d"]] and plan.floors == 2


def test_arrows_back_up_are_seen(tmp_path):
    house(
        tmp_path,
        {"levels/codecs": "from ..families import spec", "families/spec": "from .. import errors", "errors": ""},
    )
    plan = plan_of(tmp_path, PACKAGE)
    assert plan.arrows_back_up(FLOORS[PACKAGE]) == [("levels", "families")]
    assert plan.arrows_back_up(["errors", "families", "levels"]) == []


def test_includes_are_arrows(tmp_path):
    tree(
        tmp_path,
        {
            "csrc/core/engine.h": '#include "cuda/player/player.h"\n// #include "binding/module.h"',
            "csrc/cuda/player/player.h": "",
            "csrc/cuda/player/player.cpp": '#include "player.h"\n#include "../device/device.h"\n#include "core/a.h"',
            "csrc/cuda/device/device.h": '#  include "cuda/device/launch.h"',
            "csrc/cuda/device/launch.h": "",
            "csrc/binding/module.h": "",
            "csrc/core/a.h": "",
        },
    )
    plan = plan_of(tmp_path, "csrc")
    assert plan.circles == [["core", "cuda"]] and plan.arrows_back_up(FLOORS["csrc"]) == [("core", "cuda")]
    assert plan_of(tmp_path, "csrc/cuda").arrows == [("player", "device")]


def test_a_header_and_its_source_are_one_room(tmp_path):
    tree(tmp_path, {"csrc/core/weights.h": "", "csrc/core/weights.cpp": '#include "core/weights.h"'})
    plan = plan_of(tmp_path, "csrc/core")
    assert list(plan.rooms) == ["weights"] and plan.arrows == [] and plan.floors == 1


def test_a_stub_is_a_room_without_arrows(tmp_path):
    """The package's face lists in its stub what is public, in whatever room, and imports none of it."""
    house(tmp_path, {"__init__": "", "play/generate": "from .. import __version__, _core"})
    tree(tmp_path, {f"{PACKAGE}/__init__.pyi": "from .play.generate import generate", f"{PACKAGE}/_core.pyi": ""})
    assert plan_of(tmp_path, PACKAGE).arrows == [("play", "__init__"), ("play", "_core")]
    house(tmp_path, {"__init__": "import typing\nif typing.TYPE_CHECKING:\n    from .play import generate"})
    assert plan_of(tmp_path, PACKAGE).circles == [["__init__", "play"]]


def test_fat_folders_are_seen(tmp_path):
    tree(tmp_path, {f"tests/many/test_{i}.py": "" for i in range(MOST_NAMES)} | {"tests/few/__pycache__/x.pyc": ""})
    assert fat(listings(tmp_path, tops=("tests",))) == {}
    tree(tmp_path, {"tests/many/deeper/one.txt": ""})
    assert fat(listings(tmp_path, tops=("tests",))) == {"tests/many": MOST_NAMES + 1}


def test_the_table_is_printed():
    done = subprocess.run(
        [sys.executable, floor_plan.__file__, ROOT], capture_output=True, text=True, check=True, timeout=60
    )
    heading, *rows = done.stdout.split("\n\n")[0].splitlines()
    assert heading.split()[:4] == ["folder", "rooms", "floors", "arrows"]
    assert [row.split()[0] for row in rows] == COUNTED
    assert rows[0].split()[1] == str(len(todays(PACKAGE).rooms))
