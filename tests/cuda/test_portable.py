"""What the CUDA engine's stage code is written in; tests/cpp/portable.cpp says what is expected of it."""

import subprocess

from programs import BUILDS, program


@BUILDS
def test_the_host_compiles_stage_code_to_what_the_gpu_computes():
    done = subprocess.run([program("portable")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
