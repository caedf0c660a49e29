"""What the tests build of C++, when one first asks for it, in a folder that git ignores: the programs of tests/cpp, and
the extension with the emulated GPU.

A test that calls `program` or `built` may compile the engine; give it the mark `BUILDS`.
"""

from __future__ import annotations

import functools
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import typing

import pytest

from turns import locked

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS = pytest.mark.timeout(1800)
PATH = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
CROSS = {"aarch64": "aarch64-linux-gnu-"}  # processor -> what its tools' names begin with


def tool(name: str) -> str:
    """The path of a command, from beside Python or the search path; the test is skipped where there is none."""
    found = shutil.which(name, path=PATH)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def program(name: str, processor: str | None = None) -> pathlib.Path:
    """The path of a program, up to date; `processor` builds it for another one, statically linked."""
    return built(name, processor) / "tests" / "cpp" / name


def built(target: str, processor: str | None = None) -> pathlib.Path:
    """The build folder with this target up to date."""
    folder = configured(processor)
    with _held(folder):
        cores = str(os.cpu_count() or 1)
        _run(tool("cmake"), "--build", str(folder), "--target", target, "--parallel", cores)
    return folder


@functools.cache
def configured(processor: str | None = None) -> pathlib.Path:
    """The build folder, configured as a wheel is, with the emulated GPU; for another processor, without it and Python.

    The programs and the extension stand on one library, which is compiled once.
    """
    if processor:
        compiler = tool(f"{CROSS[processor]}g++")
        options = ["-DSHARKS_CUDA=off", "-DSHARKS_BINDING=OFF"]
        options += ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={processor}"]
        options += [f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_EXE_LINKER_FLAGS=-static"]
    else:
        if not os.environ.get("CXX"):
            tool("c++")
        pybind11 = importlib.import_module("pybind11")
        options = ["-DSHARKS_CUDA=emulated", f"-DPython_EXECUTABLE={sys.executable}"]
        options += [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]
    folder = ROOT / "build" / f"tests-{processor or 'here'}"
    _configure(folder, "-DSHARKS_TESTS=ON", *options)
    return folder


def _configure(folder: pathlib.Path, *options: str) -> None:
    """Configured by just these options: anew where the last time had others, else what is built stays."""
    generator = ["-GNinja"] if shutil.which("ninja", path=PATH) else []
    options = ("-DCMAKE_BUILD_TYPE=Release", *generator, *options)
    wanted = "\n".join([*options, *(f"{name}={os.environ.get(name, '')}" for name in ("CC", "CXX", "CXXFLAGS"))])
    note = folder / "options.txt"
    with _held(folder):
        fresh = [] if note.exists() and note.read_text() == wanted else ["--fresh"]
        note.unlink(missing_ok=True)
        _run(tool("cmake"), *fresh, "-S", str(ROOT), "-B", str(folder), *options)
        note.write_text(wanted)


def _held(folder: pathlib.Path) -> typing.ContextManager[None]:
    """One process at a time configures or builds here; the others find it done."""
    return locked(folder.with_suffix(".lock"))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": PATH})
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
