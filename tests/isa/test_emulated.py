"""CPUs that this machine is not: the extension on older x86, the engine on ARM. Emulated by qemu-user."""

import functools
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys

import pytest

from programs import BUILDS, program, tool

_core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")

pytestmark = BUILDS
x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="this machine is no x86")
SETS = {"Nehalem": ["scalar"], "Haswell": ["avx2", "scalar"]}  # CPU -> what it runs, best first

PLAY = """
import json, sys
import sharks
from sharks import _core
from sharks.spec import SampleRNNSpec, WaveNetSpec

heard = []
try:
    for spec in (
        SampleRNNSpec(frame_sizes=(4, 16), dim=40, layers=1, embed_dim=6, q_levels=32),
        WaveNetSpec(dilations=(1, 2, 4), residual=24, dilation=40, skip=33, head=24, q_levels=32),
    ):
        pack = sharks.random_pack(spec, seed=1)
        levels = sharks.generate(pack, 0.004, n=2, seed=7).levels
        for dtype in ("float32", "bfloat16", "int8"):
            heard.append(sharks.logits(pack, levels[:, 0], dtype=dtype).tolist())
        heard.append(levels.tolist())
except sharks.Error as error:
    sys.exit(f"refused: {error}")
print(json.dumps({"isas": _core.isas(), "isa": _core.isa(), "heard": heard}))
"""


def emulator(cpu):
    qemu = tool("qemu-x86_64")
    text = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.search(r"version (\d+)\.(\d+)", text).groups()))
    if version < (7, 2):
        pytest.skip(f"qemu {version[0]}.{version[1]} emulates no AVX2; 7.2 does")
    return [qemu, "-cpu", cpu]


def play(cpu=None, isa=""):
    """The finished process of `PLAY`, on an emulated CPU or on this one; SHARKS_ISA is `isa`."""
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), str(pathlib.Path(_core.__file__).parent.parent)]
    environment = os.environ | {
        "SHARKS_ISA": isa,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for of_this_cpu in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # what suits it may be unknown to the emulated one
        environment.pop(of_this_cpu, None)
    command = [*(emulator(cpu) if cpu else []), sys.executable, "-c", PLAY]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


@functools.cache
def here(isa):
    done = play(isa=isa)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@x86
@pytest.mark.parametrize("cpu", SETS)
def test_an_older_cpu_plays_with_what_it_has(cpu):
    done = play(cpu)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["isas"], got["isa"]) == (SETS[cpu], SETS[cpu][0])
    if SETS[cpu][0] not in _core.isas():
        pytest.skip(f"played, but this machine has no {SETS[cpu][0]} to compare with")
    assert got["heard"] == here(SETS[cpu][0])["heard"], "the same set plays the same bits on every CPU"


@x86
def test_a_lower_set_can_be_forced():
    done = play("Haswell", "scalar")
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["isas"], got["isa"]) == (SETS["Haswell"], "scalar")
    assert got["heard"] == here("scalar")["heard"]


@x86
@pytest.mark.parametrize(("cpu", "isa"), [("Nehalem", "avx2"), ("Haswell", "avx512dot")])
def test_a_set_that_the_cpu_lacks_is_refused_in_one_sentence(cpu, isa):
    done = play(cpu, isa)
    assert done.returncode == 1 and done.stdout == ""
    refusal = [line for line in done.stderr.splitlines() if not line.startswith("qemu-x86_64: warning")]
    assert refusal == [f"refused: SHARKS_ISA is '{isa}'; this CPU runs {', '.join(SETS[cpu])}"]


@x86
def test_an_emulated_cpu_stumbles_over_newer_instructions():
    """The other tests would not notice an illegal instruction if the emulator let it pass."""
    old = subprocess.run([*emulator("Nehalem"), program("faults"), "new-instruction"], capture_output=True)
    new = subprocess.run([*emulator("Haswell"), program("faults"), "new-instruction"], capture_output=True)
    assert old.returncode in (-signal.SIGILL, 128 + signal.SIGILL)
    assert new.returncode == 0


def lines_of(output, isa):
    """What a program printed of one set, without the set's name."""
    lines = [line.split() for line in output.splitlines()]
    return {" ".join(word for word in line if word != isa) for line in lines if isa in line and line[0] != "auto"}


def test_lines_are_told_apart():
    output = "auto neon\nclip a float32 neon 12\nclip a float32 scalar 13\n"
    assert lines_of(output, "neon") == {"clip a float32 12"} != lines_of(output, "scalar")


def test_arm_plays_the_same():
    """NEON and the plain set on ARM against each other, and the plain set against the plain set of this machine.

    The program itself holds every product against double precision.
    """
    qemu = tool("qemu-aarch64")
    arm = subprocess.run(
        [qemu, "-cpu", "cortex-a53", program("play_sets", "aarch64")], capture_output=True, text=True, timeout=600
    )
    assert arm.returncode == 0, arm.stdout + arm.stderr
    assert arm.stdout.startswith("auto neon\n")
    neon, plain = lines_of(arm.stdout, "neon"), lines_of(arm.stdout, "scalar")
    assert len(neon) > 10 and neon == {line for line in plain if not line.startswith("logits")}
    machine = subprocess.run([program("play_sets")], capture_output=True, text=True)
    assert machine.returncode == 0, machine.stdout
    assert plain == lines_of(machine.stdout, "scalar")


def test_every_set_of_this_machine_plays_the_same():
    machine = subprocess.run([program("play_sets")], capture_output=True, text=True)
    assert machine.returncode == 0, machine.stdout
    plain = lines_of(machine.stdout, "scalar")
    for isa in _core.isas():
        if isa != "scalar":
            assert lines_of(machine.stdout, isa) == {line for line in plain if not line.startswith("logits")}
