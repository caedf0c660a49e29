"""What the CUDA engine's stage code is written in, and how plans are chosen; the programs say what is expected."""

import subprocess

import pytest

from programs import BUILDS, program


@BUILDS
@pytest.mark.parametrize("name", ["portable", "draw", "plans", "driver", "visible"])
def test_what_the_host_can_say_of_the_cuda_engine(name):
    done = subprocess.run([program(name)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
