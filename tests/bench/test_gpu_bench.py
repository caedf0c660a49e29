"""The GPU's benchmark, as far as a CPU can tell: its baseline does the engine's work, and its section is kept."""

import pathlib
import sys

import pytest
import torch

import sharks
from specs import random_tensors, shrunk

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
import gpu  # noqa: E402
from gpu_section import HEAD, NOT_YET, gpu_section, put_gpu_section  # noqa: E402


def small(name):
    spec = shrunk(sharks.preset(name))
    return sharks.Pack(spec, random_tensors(spec))


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("name", gpu.PRESETS)
def test_the_baseline_gives_the_engine_s_logits(name, streams):
    gpu.check(small(name), "float32", streams, device="cpu")


def test_a_baseline_that_computes_something_else_is_refused(monkeypatch):
    pack = small("prism-3tier")
    real = gpu.step_on

    def late(*arguments):
        step = real(*arguments)
        with torch.inference_mode():
            step(torch.zeros(1, dtype=torch.int64))
        return step

    monkeypatch.setattr(gpu, "step_on", late)
    with pytest.raises(SystemExit, match="differs from the engine"):
        gpu.check(pack, "float32", 1, device="cpu")


def test_without_a_gpu_it_says_why_and_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu._core, "cuda_status", lambda: "there is none")
    monkeypatch.setattr(sys, "argv", ["gpu.py", "-o", str(tmp_path / "RESULTS.md")])
    with pytest.raises(SystemExit, match="no GPU can play: there is none"):
        gpu.main()
    assert list(tmp_path.iterdir()) == []


def test_the_section_is_kept_and_replaced(tmp_path):
    file = tmp_path / "RESULTS.md"
    assert gpu_section(file) == NOT_YET
    file.write_text("# Speed\n\nof a CPU\n")
    put_gpu_section(file, f"{HEAD}\n\nfast\n")
    assert file.read_text() == f"# Speed\n\nof a CPU\n\n{HEAD}\n\nfast\n"
    assert gpu_section(file) == f"{HEAD}\n\nfast"
    other = gpu.Row("b", "float16", "first-light", 1, 2.0, 3.0, None, None)
    rows = [gpu.Row("a", "float16", "first-light", 16, 12345.6, 0.05, 100.0, 123.4), other]
    put_gpu_section(file, gpu.section(rows, "1000 sharks"))
    text = file.read_text()
    assert "fast" not in text and "of a CPU" in text and text.count(HEAD) == 1
    assert "| a | float16 | first-light | 16 | 12,346 | 0.05 | 100 | 123.4 |" in text and "torch failed" in text
