"""`generate --total 10h`: memory after the first minute and in the end, and whether it is all there."""

from __future__ import annotations

import json
import pathlib
import resource
import subprocess
import time

import pytest

import sharks
from command import COMMAND, ENVIRONMENT
from sharks.sound.reading import info
from torment import posix

# So small that ten hours, 288 million samples, take some minutes.
SPEC = sharks.SampleRNNSpec(
    sample_rate=8000, q_levels=16, frame_sizes=(16,), dim=8, embed_dim=2, layers=1, hidden_layers=1
)
LAYOUTS = {"ten clips of an hour": "1h", "one clip of ten hours": "10h"}
GROWTH = 8e6  # bytes
EVERY = 1.0  # seconds between two looks


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 when it has ended."""
    try:
        pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize()


@posix
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_does_not_grow(layout, figure, tmp_path):
    pack = sharks.random_pack(SPEC, seed=3).save(tmp_path / "small.safetensors")
    words = ["generate", pack, "-o", tmp_path / "out", "--seed", "7", "--total", "10h", "--length", LAYOUTS[layout]]
    began, seen = time.monotonic(), []
    command = [*COMMAND, *map(str, words), "--json"]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            if size := resident(process.pid):
                seen.append((time.monotonic() - began, size))
            time.sleep(EVERY)
        answer, errors = process.communicate()
    took = time.monotonic() - began
    assert process.returncode == 0, errors
    later = [size for seconds, size in seen if seconds >= 60]
    assert later, f"it took only {took:.0f} s; a machine as fast as this wants a larger spec here"
    files = json.loads(answer)["files"]
    frames = sum(info(file).frames for file in files)
    figure(f"{layout}: audio", f"{frames / SPEC.sample_rate / 3600:g} h in {took:.0f} s")
    figure(f"{layout}: RSS after a minute", f"{later[0] / 1e6:.1f} MB")
    figure(f"{layout}: RSS at the end", f"{later[-1] / 1e6:.1f} MB; the most in between {max(later) / 1e6:.1f} MB")
    assert frames == 36000 * SPEC.sample_rate
    assert abs(later[-1] - later[0]) <= GROWTH
    assert max(later) - later[0] <= GROWTH
    assert len(list((tmp_path / "out").iterdir())) == len(files) + 1, "the clips, the manifest and nothing else"
