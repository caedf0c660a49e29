"""Which architectures a build is for: CUDAARCHS says, as CMake's own variable does, or it is all of them."""

import os
import subprocess

import pytest

from programs import PATH, ROOT, tool


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("wanted", "option", "built"),
    [("90-real", [], "90-real"), ("90-real", ["-DCMAKE_CUDA_ARCHITECTURES=80"], "80"), ("", [], "75-real;80-real;")],
)
def test_a_build_is_for_the_architectures_asked_for(tmp_path, wanted, option, built):
    tool("nvcc")
    command = [tool("cmake"), "-S", str(ROOT), "-B", str(tmp_path), "-DSHARKS_CUDA=on", "-DSHARKS_BINDING=OFF", *option]
    environment = os.environ | {"PATH": PATH, "CUDAARCHS": wanted}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = (line for line in done.stdout.splitlines() if "CUDA engine:" in line)
    assert f" for {built}" in line
