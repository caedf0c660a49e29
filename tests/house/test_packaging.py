"""What is installed, and with what: one version, presets inside, nothing heavy by accident."""

import importlib.metadata
import importlib.resources
import pathlib
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import sharks

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements(*extras):
    """Requirements of the core, or of extras, those that they pull in included."""
    listed = PROJECT["project"]["optional-dependencies"]
    waiting = [line for extra in extras for line in listed[extra]] if extras else PROJECT["project"]["dependencies"]
    found = []
    for requirement in map(Requirement, waiting):
        if requirement.name == "sharks-audio":
            found += requirements(*sorted(requirement.extras))
        else:
            found.append(requirement)
    return found


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#"))


def test_the_version_lives_once():
    declared = PROJECT["tool"]["scikit-build"]["metadata"]["version"]
    written = re.findall(r'^__version__ = "([^"]+)"$', (ROOT / declared["input"]).read_text(), flags=re.M)
    assert written == [sharks.__version__] == [str(Version(sharks.__version__))]
    assert "version" in PROJECT["project"]["dynamic"] and "version" not in PROJECT["project"]
    assert f"## {sharks.__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_the_installed_version_is_this_one():
    try:
        installed = importlib.metadata.version("sharks-audio")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sharks-audio is not installed here; the tests run on the source tree")
    assert installed == sharks.__version__


def test_presets_and_types_travel_with_the_package():
    package = importlib.resources.files("sharks")
    names = {
        entry.name.removesuffix(".toml")
        for entry in (package / "recipes" / "presets").iterdir()
        if entry.name.endswith(".toml")
    }
    assert names == set(sharks.presets())
    assert {"dadabots-2tier", "prism-3tier", "ibab-wavenet", "dadabots-2tier-tiny"} <= names
    assert (package / "py.typed").is_file()


def test_the_core_is_light():
    core = {requirement.name for requirement in requirements()}
    assert core == {"numpy", "soundfile", "soxr", "typer", "jinja2", "pillow"}
    built_with = {Requirement(line).name for line in PROJECT["build-system"]["requires"]}
    assert built_with == {"scikit-build-core", "pybind11"}


def test_extras_hold_what_the_core_does_without():
    assert PROJECT["project"]["optional-dependencies"].keys() == {"train", "all", "dev"}
    assert {r.name for r in requirements("train")} == {"torch", "tensorboard"}
    assert {r.name for r in requirements("all")} == {r.name for r in requirements("train")}
    assert {r.name for r in requirements("dev")} >= {r.name for r in requirements("all")} | {"pytest", "ruff", "mypy"}


def test_every_requirement_is_pinned_within_its_range():
    pinned = pins()
    assert pinned["torch"] == "2.13.0"
    for requirement in requirements() + requirements("dev"):
        assert Version(pinned[requirement.name.lower()]) in requirement.specifier, requirement


def test_pins_of_this_file_are_read():
    """The reader of pins sees a pin outside a range, or none."""
    assert Version("2.5") not in Requirement("torch>=2.6").specifier
    assert "tensorflow" not in pins() and len(pins()) > 40 and pins()["numpy"].startswith("2.")


def test_the_examples_stay_out_of_the_wheel():
    settings = PROJECT["tool"]["scikit-build"]
    assert settings["wheel"]["packages"] == ["python/sharks"]
    assert (ROOT / "examples" / "muldjord" / "LICENSE.txt").exists()


def test_no_machine_is_named():
    """Neither paths of one machine nor hosts of registries stand in what a stranger clones."""
    own = re.compile(r"/(?:root|home|opt)/\w|file://|pythonhosted|index-url")
    texts = [
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        ".ci/run",
        "README.md",
        "CONTRIBUTING.md",
        "CMakeLists.txt",
    ]
    assert own.search("see /home/me/x") and own.search("--index-url x")
    assert {name: own.findall((ROOT / name).read_text()) for name in texts} == {name: [] for name in texts}
