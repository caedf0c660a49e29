"""Every package that is asked for is imported or run somewhere, and every one that is imported is asked for."""

import ast
import pathlib
import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

MODULES = {"pillow": "PIL"}  # distributions that are imported by another name
OPENED_BY = {"tensorboard": "torch.utils.tensorboard"}  # and what is imported where the package itself is not

OWN = ("tests", "tests/rulers", "bench", "examples")  # folders whose modules are imported by name

# Tools are not imported but run: the file that does so, and how.
TOOLS = {
    "pytest": ("Makefile", "-m pytest"),
    "pytest-timeout": ("pyproject.toml", "\ntimeout = "),
    "pytest-xdist": ("Makefile", "-n 2"),
    "ruff": ("Makefile", "$(BIN)/ruff check"),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "pyright": ("tests/house/test_types.py", 'said_by("pyright"'),
    "clang-format": ("Makefile", "$(BIN)/clang-format"),
    "build": (".ci/run", "-m build"),
    "cmake": ("tests/rulers/programs.py", "cmake"),
    "ninja": ("tests/rulers/programs.py", "-GNinja"),
    "scikit-build-core": ("pyproject.toml", "scikit_build_core.build"),
    "pybind11": ("Makefile", "pybind11"),
}


def declared(lines):
    return [Requirement(line).name for line in lines if not line.startswith("sharks-audio")]


def imported(folders):
    """Modules that the Python files below `folders` import, wherever they do: the names as they are written."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {name for file in files for name in imported_by(file.read_text())}


def imported_by(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "importlib.import_module",
            "pytest.importorskip",
        ):
            yield from (word.value for word in node.args if isinstance(word, ast.Constant))


def is_imported(name, modules):
    wanted = OPENED_BY.get(name) or MODULES.get(name) or re.sub(r"[-.]", "_", name)
    return any(module == wanted or module.startswith(f"{wanted}.") for module in modules)


def is_run(name, read=lambda file: (ROOT / file).read_text()):
    file, words = TOOLS.get(name, ("", ""))
    return bool(file) and words in read(file)


def unused(lines, modules):
    return [name for name in declared(lines) if not is_imported(name, modules) and not is_run(name)]


def undeclared(modules, lines):
    """Packages among `modules` that neither Python nor this repository brings, nor `lines` ask for."""
    brought = {MODULES.get(name, re.sub(r"[-.]", "_", name)) for name in declared(lines)}
    brought |= {path.stem for top in OWN for path in (ROOT / top).iterdir()} | {"sharks"}
    return sorted({module.partition(".")[0] for module in modules} - brought - sys.stdlib_module_names)


@pytest.mark.parametrize("extra", ["", "train"])
def test_the_package_imports_what_it_asks_for(extra):
    assert unused(EXTRAS[extra] if extra else PROJECT["dependencies"], imported(["python/sharks"])) == []


def test_the_tests_import_or_run_what_they_ask_for():
    assert unused(EXTRAS["dev"], imported(["tests", "bench"])) == []


def test_what_the_package_imports_is_asked_for():
    assert undeclared(imported(["python/sharks"]), PROJECT["dependencies"] + EXTRAS["train"]) == []


def test_what_the_tests_import_is_asked_for():
    asked = PROJECT["dependencies"] + EXTRAS["train"] + EXTRAS["dev"]
    assert undeclared(imported(["tests", "bench", "examples"]), asked) == []


def test_every_tool_is_declared():
    assert TOOLS.keys() <= set(declared(EXTRAS["dev"]))


def test_a_package_that_nobody_uses_is_seen():
    modules = {"numpy", "soundfile", "torch.nn"}
    assert unused(["numpy>=1", "librosa>=0.11", "rich"], modules) == ["librosa", "rich"]
    assert unused(["torch", "tensorboard"], modules) == ["tensorboard"]
    assert unused(["tensorboard"], modules | {"torch.utils.tensorboard"}) == []
    assert unused(["pillow", "sound"], {"PIL.Image", "soundfile"}) == ["sound"]
    assert not is_run("ruff", read=lambda file: "lint:\n\techo fine") and is_run("ruff") and not is_run("black")


def test_a_package_that_nobody_asks_for_is_seen():
    assert undeclared({"numpy", "json", "librosa.feature", "PIL.Image", "sharks.spec"}, ["numpy", "pillow"]) == [
        "librosa"
    ]


def test_imports_are_seen_wherever_they_are():
    source = "def f():\n    import numpy as np, scipy.signal\n    from torch import nn\nfrom . import here\n"
    source += "importlib.import_module('pybind11')\npytest.importorskip('onnx', reason='not there')"
    assert sorted(imported_by(source)) == ["numpy", "onnx", "pybind11", "scipy.signal", "torch"]
