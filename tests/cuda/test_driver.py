"""No driver, an old one and no GPU are told apart: the real door, in front of fake drivers."""

import os
import pathlib
import subprocess

import pytest

from programs import ROOT, tool

NEW, OLD = 13000, 12040  # as a driver numbers CUDA 13.0 and 12.4


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """A program that prints `sharks::cuda::status()`."""
    program = tmp_path_factory.mktemp("door") / "driver_status"
    sources = [ROOT / "tests/cpp/driver_status.cpp", ROOT / "csrc/cuda/device/device.cu"]
    _run(tool("nvcc"), "-std=c++17", f"-I{ROOT / 'csrc'}", *map(str, sources), "-ldl", "-o", str(program))
    return program


def status(door: pathlib.Path, driver: pathlib.Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    return _run(str(door), env=clean | {"LD_LIBRARY_PATH": str(driver), **environment})


def fake(folder: pathlib.Path, speaks: int) -> pathlib.Path:
    source = ROOT / "tests/cpp/fake_driver.c"
    _run(tool("cc"), f"-DSPEAKS={speaks}", "-shared", "-fPIC", str(source), "-o", str(folder / "libcuda.so.1"))
    return folder


def _run(*command: str, **how) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **how)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.timeout(180)
def test_an_old_driver_is_named(door, tmp_path):
    said = status(door, fake(tmp_path, OLD))
    assert "speaks CUDA 12.4, but this build wants 13." in said and "580 or newer" in said and "\n" not in said


@pytest.mark.timeout(180)
def test_a_driver_without_a_gpu_is_named(door, tmp_path):
    driver = fake(tmp_path, NEW + 990)  # newer than any build
    assert "the NVIDIA driver shows no GPU; check nvidia-smi" in status(door, driver)
    assert "CUDA_VISIBLE_DEVICES is '7'" in status(door, driver, CUDA_VISIBLE_DEVICES="7")


@pytest.mark.timeout(180)
def test_no_driver_is_named(door, tmp_path):
    (tmp_path / "libcuda.so.1").write_text("not a library")  # found before any real one, and no better than none
    assert "has no NVIDIA driver (libcuda.so.1 is not found)" in status(door, tmp_path)


@pytest.mark.timeout(180)
def test_trouble_is_not_remembered(door, tmp_path):
    """A driver that is there when asked again is found."""
    environment = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    (tmp_path / "libcuda.so.1").write_text("not a library")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([str(door)], env=environment, text=True, **pipes) as process:
        assert "has no NVIDIA driver" in process.stdout.readline()
        fake(tmp_path, NEW + 990)
        said, _ = process.communicate("\n", timeout=60)
    assert "the NVIDIA driver shows no GPU" in said
