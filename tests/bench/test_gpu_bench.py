"""The GPU's benchmark, as far as a CPU can tell: its baseline does the engine's work, and its section is kept."""

import dataclasses
import json
import pathlib
import sys
import types

import pytest
import torch

import sharks
from specs import random_tensors, shrunk

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
import gpu  # noqa: E402
from floor import Gpu, floor  # noqa: E402
from gpu_section import HEAD, NOT_YET, gpu_section, put_gpu_section  # noqa: E402

# What an H100 is thought to need, before anybody has measured.
H100 = Gpu(shared_load=33, barrier=30, tile=28, hop=900, clock=1.755e9, processors=132)


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


def test_what_was_measured_before_a_failure_is_kept(monkeypatch, tmp_path):
    first = gpu.Row("a", "float16", "first-light", 1, 12345.6, 0.05, 24691.2, 100.0, 123.4)
    measured = iter([first])

    def measure(*_):
        for row in measured:
            return row
        raise RuntimeError("the GPU failed")

    monkeypatch.setattr(gpu, "measure", measure)
    monkeypatch.setattr(gpu._core, "cuda_status", lambda: "")
    probed = dataclasses.asdict(H100)
    monkeypatch.setattr(gpu._core, "probe_gpu", lambda: {name: probed[name] for name in probed if name != "processors"})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: types.SimpleNamespace(multi_processor_count=132))
    page, rows = tmp_path / "RESULTS.md", tmp_path / "rows.json"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--quick", "-o", str(page), "--json", str(rows)])
    with pytest.raises(RuntimeError, match="the GPU failed"):
        gpu.main()
    assert json.loads(rows.read_text()) == [dataclasses.asdict(first)]
    assert "| a | float16 | first-light | 1 | 12,346 |" in page.read_text()


def test_the_section_is_kept_and_replaced(tmp_path):
    file = tmp_path / "RESULTS.md"
    assert gpu_section(file) == NOT_YET
    file.write_text("# Speed\n\nof a CPU\n")
    put_gpu_section(file, f"{HEAD}\n\nfast\n")
    assert file.read_text() == f"# Speed\n\nof a CPU\n\n{HEAD}\n\nfast\n"
    assert gpu_section(file) == f"{HEAD}\n\nfast"
    other = gpu.Row("b", "float16", "first-light", 1, 2.0, 3.0, 4.0, None, None)
    rows = [gpu.Row("a", "float16", "first-light", 16, 12345.6, 0.05, 24691.2, 100.0, 123.4), other]
    put_gpu_section(file, gpu.section(rows, "1000 sharks", H100))
    text = file.read_text()
    assert "fast" not in text and "of a CPU" in text and text.count(HEAD) == 1
    assert (
        "| a | float16 | first-light | 16 | 12,346 | 0.05 | 24,691 | 50% | 100 | 123.4 |" in text
        and "torch failed" in text
    )


@pytest.mark.parametrize(
    ("name", "one"),
    [("ibab-wavenet", 97.5e3), ("deepvoice-wavenet", 114e3), ("prism-3tier", 568e3), ("dadabots-2tier", 568e3)],
)
def test_floors_of_one_stream_are_those_worked_out_by_hand(name, one):
    spec = sharks.preset(name)
    assert floor(spec, 1, H100) == pytest.approx(one, rel=0.01)
    floors = [floor(spec, streams, H100) for streams in (1, 16, 128, 1024)]
    assert floors == sorted(floors)
    slower = dataclasses.replace(H100, hop=2 * H100.hop)
    assert floor(spec, 1, slower) < floors[0]
