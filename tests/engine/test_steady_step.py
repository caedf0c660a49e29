"""After warm-up a step neither allocates, nor locks, nor calls the system. tests/cpp/steady_step.cpp counts."""

import functools
import os
import re
import subprocess

import pytest

from programs import BUILDS, program

pytestmark = [BUILDS, pytest.mark.alone]

LINE = re.compile(r"(\S+) steps=(\d+) allocations=(\d+) locks=(\d+) system_calls=(-?\d+) yields=(\d+)")
QUIET = {"allocations": 0, "locks": 0, "system_calls": 0}


@functools.cache
def scenes():
    """name -> what was counted, of every line that the program prints."""
    environment = {key: value for key, value in os.environ.items() if key != "SHARKS_ISA"}
    done = subprocess.run([program("steady_step")], capture_output=True, text=True, env=environment, check=True)
    found = {}
    for line in done.stdout.splitlines():
        name, *numbers = LINE.fullmatch(line).groups()
        keys = ("steps", "allocations", "locks", "system_calls", "yields")
        found[name] = dict(zip(keys, map(int, numbers), strict=True))
    return found


def counted(name):
    """What the step did besides arithmetic; system calls only where the machine lets a program be traced."""
    return {key: scenes()[name][key] for key in QUIET if scenes()[name][key] >= 0}


def names(beginning):
    return [name for name in scenes() if name.startswith(beginning)]


def test_system_calls_are_counted_here():
    if any(scene["system_calls"] < 0 for scene in scenes().values()):
        pytest.skip("a program may not be traced here (ptrace), so its system calls cannot be counted")


def test_every_step_is_quiet():
    loud = {name: counted(name) for name in names("step/") if any(counted(name).values())}
    assert loud == {}


def test_every_kind_of_player_took_part():
    played = {tuple(name.split("/")[i] for i in (1, 3, 4, 5)): scenes()[name]["steps"] for name in names("step/")}
    for family in ("wavenet", "samplernn"):
        for dtype in ("float32", "bfloat16", "int8"):
            for streams in ("streams-1", "streams-5"):
                for threads in ("threads-1", "threads-2"):
                    assert played[family, dtype, streams, threads] > 1900


def test_only_threads_that_share_a_product_yield():
    """Which is their one system call: a thread that has waited long lets another run."""
    for name in names("step/"):
        if not name.endswith("streams-1/threads-2"):
            assert scenes()[name]["yields"] == 0, name


@pytest.mark.parametrize("thread", ["", "-on-a-serving-thread"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("new", "allocations"),
        ("malloc", "allocations"),
        ("free", "allocations"),
        ("lock", "locks"),
        ("notify", "locks"),
        ("system-call", "system_calls"),
    ],
)
def test_a_step_that_misbehaves_is_caught(fault, kind, thread):
    controls = names(f"control-{fault}{thread}/")
    assert controls
    for name in controls:
        assert scenes()[name]["steps"] > 0, name
        if kind in counted(name):
            assert counted(name)[kind] >= scenes()[name]["steps"] - 1, name
            # A lock that another thread holds is waited for in a system call.
            expected = {kind, "system_calls"} if kind == "locks" else {kind}
            assert not any(count for other, count in counted(name).items() if other not in expected), name
