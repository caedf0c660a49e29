"""A machine on which every byte is the same: any x86-64 CPU, held to one thread and to instructions that all of them
have.

Products in float32 end in other last bits with other vectors, and so would weights that were trained, or samples that
were mixed. Every library that chooses code by CPU is therefore told to take its oldest. What then differs between two
processes is what the code does.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import subprocess
import sys
import typing

import sharks

TESTS = pathlib.Path(__file__).resolve().parent.parent
RECORDED = pathlib.Path(__file__).resolve().parent / "recorded"
POSSIBLE = platform.machine() in ("x86_64", "AMD64")
ENVIRONMENT = {
    "SHARKS_ISA": "scalar",  # the engine
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",  # numpy
    "OPENBLAS_CORETYPE": "Nehalem",  # numpy's products
    "ATEN_CPU_CAPABILITY": "default",  # torch
    "MKL_CBWR": "COMPATIBLE",  # torch's products
    "ONEDNN_MAX_CPU_ISA": "SSE41",  # torch's convolutions
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",  # exp, sin and their like
    "CUDA_VISIBLE_DEVICES": "",  # no GPU, which previews would take
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(pathlib.Path(sharks.__file__).resolve().parent.parent), str(TESTS)]),
    "COLUMNS": "120",
}


def python(*words: object, cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
    """A Python process on the steady machine, run to its end."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=os.environ | ENVIRONMENT, capture_output=True, text=True, timeout=280)


def facts_of(scene: str, recorded: pathlib.Path, scratch: pathlib.Path) -> dict[str, typing.Any]:
    """What a scene (a module of `compatibility.scenes`) finds in a copy of what was recorded: name -> JSON value."""
    done = python("-m", "compatibility.scenes", scene, recorded, scratch)
    assert not done.returncode, done.stderr
    return typing.cast(dict[str, typing.Any], json.loads(done.stdout.splitlines()[-1]))
