"""The floor plan of the code, counted: `python tests/house/floor_plan.py [ROOT]` prints it for any tree of this kind.

A *room* is what lies directly below a folder: a folder, or the files of one stem (`player.h` and `player.cpp` are one
room). An *arrow* leads from a room to another one that it imports, however many of its files do, and at whatever depth
of a function. *Floors* are the rooms on the longest chain of arrows. A *circle* is a set of rooms that all reach one
another. An *arrow back up* leads from a room to one that `FLOORS` puts above it. A *listing* is what `ls` would show.
"""

import ast
import dataclasses
import functools
import pathlib
import re
import sys

PACKAGE = "python/sharks"
SOURCES = {".py", ".pyi", ".h", ".cpp", ".cu"}

# The rooms from low to high: a room may import those of lower floors, and those of its own where that is no circle.
# The package's face (`__init__`) stands on the ground: it loads nothing, and rooms ask it for the version.
FLOORS: dict[str, list[str]] = {
    PACKAGE: [
        "_core __init__ errors terminal",
        "levels features files",
        "sound families spec",
        "packs recipes clips",
        "engine dataset songs importers exporters",
        "play proof album",
        "training",
        "projects",
        "cli",
        "__main__",
    ],
    "csrc": ["core", "cpu cuda", "registry", "binding"],
    "csrc/cuda": [
        "cuda",
        "device",
        "exchange",
        "products",
        "player",
        "draw",
        "fallback",
        "samplernn wavenet",
        "probe stub",
    ],
}

# What is counted: the folders of which the rooms are the files and folders below.
COUNTED = [
    PACKAGE,
    f"{PACKAGE}/training",
    f"{PACKAGE}/importers",
    f"{PACKAGE}/families",
    "csrc",
    "csrc/core",
    "csrc/cpu",
    "csrc/cuda",
]

# Where these folders were before every file had a room.
FORMER = {f"{PACKAGE}/training": f"{PACKAGE}/train", f"{PACKAGE}/families": f"{PACKAGE}/models"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """The rooms of a folder, and who imports whom: room -> the rooms that it knows."""

    rooms: dict[str, frozenset[str]]

    @functools.cached_property
    def arrows(self) -> list[tuple[str, str]]:
        return sorted((room, known) for room, targets in self.rooms.items() for known in targets)

    @functools.cached_property
    def circles(self) -> list[list[str]]:
        """Rooms that reach one another, each set of them once."""
        reached = {room: self._reached_from(room) for room in self.rooms}
        sets = {frozenset(b for b in reached[a] if a in reached[b]) for a in self.rooms if a in reached[a]}
        return sorted(sorted(circle) for circle in sets)

    @functools.cached_property
    def floors(self) -> int:
        """Rooms on the longest chain of arrows; those of a circle share a floor."""
        circle_of = {room: "+".join(circle) for circle in self.circles for room in circle}
        home = {room: circle_of.get(room, room) for room in self.rooms}
        below: dict[str, set[str]] = {place: set() for place in home.values()}
        for room, known in self.arrows:
            below[home[room]] |= {home[known]} - {home[room]}

        @functools.cache
        def height(place: str) -> int:
            return 1 + max(map(height, below[place]), default=0)

        return max(map(height, below), default=0)

    def arrows_back_up(self, floors: list[str]) -> list[tuple[str, str]]:
        level = {room: height for height, rooms in enumerate(floors) for room in rooms.split()}
        return [(a, b) for a, b in self.arrows if a in level and b in level and level[b] > level[a]]

    def _reached_from(self, room: str) -> set[str]:
        found: set[str] = set()
        waiting = list(self.rooms[room])
        while waiting:
            if (known := waiting.pop()) not in found:
                found.add(known)
                waiting += self.rooms[known]
        return found


def plan_of(root: pathlib.Path, folder: str) -> Plan:
    """The floor plan of `folder`, a path below `root`."""
    files = [path for path in sorted((root / folder).rglob("*")) if path.suffix in SOURCES and path.is_file()]
    rooms: dict[str, set[str]] = {_room(root / folder, file): set() for file in files}
    for file in files:
        home = _room(root / folder, file)
        for target in known_files(root, file):
            if (root / folder) in target.parents:
                rooms[home] |= {_room(root / folder, target)} - {home}
    return Plan({room: frozenset(known & rooms.keys()) for room, known in rooms.items()})


def known_files(root: pathlib.Path, file: pathlib.Path) -> list[pathlib.Path]:
    """The files of this tree that `file` imports or includes. A stub, which type checkers alone read, has none."""
    if file.suffix == ".pyi":
        return []
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        found = [_python_file(root, module) for module in imported_modules(root, file, text)]
    else:
        found = [_included_file(root, file, name) for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M)]
    return [path for path in found if path is not None]


def imported_modules(root: pathlib.Path, file: pathlib.Path, text: str) -> list[str]:
    """The absolute names of what a Python file imports: modules, or names inside of them."""
    package = file.relative_to(root / "python").with_suffix("").parts[:-1]
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = [*package[: len(package) - node.level + 1]] if node.level else []
            found += [".".join([*start, *filter(None, [node.module]), name.name]) for name in node.names]
    return found


def placed(folder: str) -> set[str]:
    """The rooms of `folder` that `FLOORS` gives a floor."""
    return {room for floor in FLOORS.get(folder, []) for room in floor.split()}


def listings(root: pathlib.Path, tops: tuple[str, ...] = (PACKAGE, "csrc", "tests")) -> dict[str, int]:
    """How many names a reader sees in every folder below `tops`: folder -> files and folders in it."""
    ignored = {"__pycache__", ".hypothesis", ".pytest_cache"}
    found: dict[str, int] = {}
    for top in tops:
        folders = [root / top, *(path for path in (root / top).rglob("*") if path.is_dir())]
        for folder in folders:
            if ignored.isdisjoint(folder.parts):
                names = [path for path in folder.iterdir() if path.name not in ignored and path.suffix not in {".so"}]
                found[folder.relative_to(root).as_posix()] = len(names)
    return found


def table(root: pathlib.Path) -> str:
    """The whole plan as text, for people."""
    lines = [f"{'folder':26} {'rooms':>6} {'floors':>6} {'arrows':>6} {'circles':>8} {'back up':>8} {'listing':>8}"]
    shown = listings(root)
    for name in COUNTED:
        folder = name if (root / name).is_dir() else FORMER.get(name, name)
        if (root / folder).is_dir():
            plan = plan_of(root, folder)
            figures = (len(plan.rooms), plan.floors, len(plan.arrows), len(plan.circles))
            known = plan.rooms.keys() <= placed(folder)
            back = len(plan.arrows_back_up(FLOORS[folder])) if known else "-"
            lines.append("{:26} {:6} {:6} {:6} {:8} {:>8} {:8}".format(folder, *figures, back, shown[folder]))
    fattest = max(shown, key=lambda folder: shown[folder])
    return "\n".join([*lines, "", f"largest listing: {fattest}, {shown[fattest]} names"])


def _room(folder: pathlib.Path, file: pathlib.Path) -> str:
    return file.relative_to(folder).parts[0].split(".")[0]


def _python_file(root: pathlib.Path, module: str) -> pathlib.Path | None:
    """The file of a module, or of the module that a name is taken from."""
    while module:
        path = root / "python" / module.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py", path.with_suffix(".pyi")):
            if file.is_file():
                return file
        module = module.rpartition(".")[0]
    return None


def _included_file(root: pathlib.Path, file: pathlib.Path, name: str) -> pathlib.Path | None:
    for path in (file.parent / name, root / "csrc" / name):
        if path.is_file():
            return path.resolve()
    return None


if __name__ == "__main__":
    print(table(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
