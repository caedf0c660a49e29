"""`pytest -m cuda` on a machine with a GPU, torch and nvcc, but without the packages that read and judge audio."""

import ast
import subprocess
import sys

import pytest

from programs import ROOT

WITHOUT = ("soundfile", "soxr", "librosa", "pyloudnorm", "cffi")
COLLECT = f"""\
import sys
sys.modules.update(dict.fromkeys({WITHOUT}))
import pytest
sys.exit(pytest.main([*sys.argv[1:], "--collect-only", "-q", "-rs", "-p", "no:cacheprovider", "-o", "addopts="]))
"""
MARKED = {"EVERY", "on_gpus"}  # what of tests/rulers marks what a GPU plays


def collected(*arguments):
    command = [sys.executable, "-c", COLLECT, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)


def asks_a_gpu(file):
    imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imports for alias in node.names}
    return bool(names & MARKED) or "@pytest.mark.cuda" in file.read_text()


@pytest.mark.timeout(300)
def test_every_test_for_a_gpu_can_be_run():
    files = [str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("test_*.py") if asks_a_gpu(file)]
    assert "tests/cuda/test_parity.py" in files and "tests/engine/test_players.py" in files
    files.remove("tests/cuda/test_bare_machine.py")  # which speaks of the mark
    bare = collected("-m", "cuda", *sorted(files))
    assert bare.returncode == 0, bare.stdout[-2000:] + bare.stderr[-2000:]
    assert "test_parity.py::" in bare.stdout and "is not installed" not in bare.stdout, bare.stdout[-2000:]


@pytest.mark.timeout(300)
def test_what_lacks_a_package_is_skipped_with_its_name_and_only_for_a_gpu():
    files = ["tests/cuda/test_parity.py", "tests/sound/test_wav.py"]
    bare = collected("-m", "cuda", *files)
    assert bare.returncode == 0 and "soundfile is not installed" in bare.stdout, bare.stdout[-2000:]
    usual = collected(*files)
    assert usual.returncode != 0 and "ModuleNotFoundError" in usual.stdout, usual.stdout[-2000:]
