"""CONTRIBUTING.md names every file that a new family needs: a toy family is made from that list alone, and works.

A copy of the repository gets the files of `toy_family/` and a row in each shared file. There it is compiled, and the
copy's own tests of its own catalogue, its own house rules and the toy's own tests are run.
"""

import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from programs import BUILDS, PATH, ROOT, tool

HERE = pathlib.Path(__file__).parent / "toy_family"
CHAPTER = "To add a model family"
LEFT_OUT = "csrc/cuda/"  # a build without CUDA does without

# Shared file -> (line that is there, lines to put behind it).
ROWS = {
    "python/sharks/families/registry.py": [
        ("from .spec import Spec, replace", "from .toy.spec import ToySpec"),
        ("_ROWS = (", '    Family(ToySpec, "reference.Toy", "model.Toy", "initial.RULES"),'),
    ],
    "csrc/registry.cpp": [
        ('#include "cpu/samplernn/model.h"', '#include "cpu/toy/model.h"'),
        ("constexpr Family kFamilies[] = {", "    row<ToySpec>(),"),
    ],
    "tests/rulers/specs.py": [
        ("import numpy as np", "\nfrom sharks.families.toy.spec import ToySpec"),
        (
            "SPECS: dict[str, Spec] = _samplernn() | _wavenet() | _codes() | _OF_PRESETS",
            'SPECS["toy"] = ToySpec(q_levels=32)\n'
            'SPECS |= {f"toy-{n}": ToySpec(embed_dim=n, hidden=n, q_levels=n + 2) for n in ODD_WIDTHS if n > 1}',
        ),
    ],
    "tests/rulers/compare.py": [
        ('    ("head.0", "float32"): 2e-5,', '    ("hidden", "float32"): 2e-5,'),
    ],
}
MOST_SHARED = 4


def listed(text, name):
    """Files that the chapter's two tables ask a family for: (its own, shared ones), as sets of patterns."""
    chapter = text.split(f"## {CHAPTER}\n")[1].split("\n## ")[0]
    tables = [re.findall(r"^\| (`.*?) \|", table, re.M) for table in chapter.split("| file | what |")[1:]]
    own, shared = ({path for row in table for path in re.findall(r"`([^`]+)`", row)} for table in tables)
    return {file.replace("NAME", name) for path in own for file in spread(path)}, shared


def spread(path):
    """`a.{h,cpp}` as `a.h`, `a.cpp`."""
    parts = [part.strip("{}").split(",") for part in re.split(r"(\{[^}]*\})", path)]
    return ["".join(choice) for choice in itertools.product(*parts)]


def odd(wanted, files):
    """What the list asks for and is not there, and what is there and the list does not ask for."""

    def is_in(file, pattern):
        return file.startswith(pattern) if pattern.endswith("/") else file == pattern

    missing = {pattern for pattern in wanted if not any(is_in(file, pattern) for file in files)}
    return missing, {file for file in files if not any(is_in(file, pattern) for pattern in wanted)}


def added():
    return {path.relative_to(HERE).as_posix() for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def contributing():
    return (ROOT / "CONTRIBUTING.md").read_text()


def test_the_list_is_exact():
    own, shared = listed(contributing(), "toy")
    missing, extra = odd({path for path in own if not path.startswith(LEFT_OUT)}, added())
    assert (missing, extra) == (set(), set())
    assert shared == set(ROWS) and len(shared) <= MOST_SHARED
    assert len([path for path in own if path.startswith(LEFT_OUT)]) > 1


@pytest.mark.parametrize(
    "row", ["| `csrc/core/NAME/{state,folds}.h` |", "| `python/sharks/families/NAME/spec.py` |", "| `docs/NAME.md` |"]
)
def test_a_file_that_the_list_forgets_is_seen(row):
    text = contributing()
    assert row in text
    own, _ = listed(text.replace(row, "| nothing |"), "toy")
    assert odd(own, added())[1]


def test_a_file_that_nobody_writes_is_seen():
    text = contributing().replace("| `docs/NAME.md` |", "| `docs/NAME.md`, `csrc/core/NAME/sound.h` |")
    assert "csrc/core/toy/sound.h" in odd(listed(text, "toy")[0], added())[0]


def with_rows(text, rows):
    """A shared file with lines put in; each place must be there, once."""
    for there, more in rows:
        assert text.count(f"{there}\n") == 1, f"{there!r} is there {text.count(there)} times"
        text = text.replace(f"{there}\n", f"{there}\n{more}\n")
    return text


def run(*command, folder, **environment):
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": PATH} | environment
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{(done.stdout + done.stderr)[-6000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the repository with a third family, compiled for the CPU."""
    pybind11 = pytest.importorskip("pybind11")
    copy = tmp_path_factory.mktemp("house") / "sharks"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "demo", "__pycache__", "*.so")
    shutil.copytree(ROOT, copy, ignore=ignored)
    shutil.copytree(HERE, copy, dirs_exist_ok=True, ignore=ignored)
    for path, rows in ROWS.items():
        (copy / path).write_text(with_rows((copy / path).read_text(), rows))
    # Little is played here, so it is compiled quickly rather than well.
    options = ["-DSHARKS_CUDA=off", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1"]
    options += [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
    options += ["-GNinja"] if shutil.which("ninja", path=PATH) else []
    run(tool("cmake"), "-S", ".", "-B", "build", *options, folder=copy)
    run(tool("cmake"), "--build", "build", "--parallel", str(os.cpu_count() or 1), folder=copy)
    (extension,) = (copy / "build").glob("_core*.so")
    shutil.copy(extension, copy / "python" / "sharks")
    return copy


def passed_in(house, *arguments):
    """How many of the copy's own tests pass, in a fresh process that imports the copy; none may fail."""
    said = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, folder=house, PYTHONPATH="python"
    )
    return int(re.search(r"(\d+) passed", said)[1])


@pytest.mark.slow
@BUILDS
def test_a_third_family_trains_plays_and_agrees_with_its_judge(house):
    assert passed_in(house, "tests/families/toy") > 5
    parity = ["tests/parity/test_cpu_engine.py", "tests/families/test_models.py", "tests/families/test_specs.py"]
    assert passed_in(house, *parity, "-k", "toy") > 20
    assert (
        passed_in(house, "tests/engine/test_fields.py", "tests/engine/test_spec_tables.py", "-k", "not emulated") > 200
    )


@pytest.mark.slow
@BUILDS
def test_a_third_family_keeps_the_rules_of_the_house(house):
    rules = ["architecture", "cpp_architecture", "families", "floor_plan", "docs"]
    assert passed_in(house, *(f"tests/house/test_{rule}.py" for rule in rules)) > 100
    assert passed_in(house, "tests/recipes", "tests/families/test_answers.py", "tests/families/test_initialise.py") > 20
