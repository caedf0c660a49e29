"""The model in the box plays from the core install; and what is in the box is what its card says."""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

import pytest

import sharks
from sharks.errors import UsageError
from sharks.projects import demo
from sharks.spec import SampleRNNSpec

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOX = pathlib.Path(demo.__file__).parent / "box" / "muldjord.safetensors"
boxed = pytest.mark.skipif(not BOX.exists(), reason="no model is in the box yet: examples/train_box.py makes it")


@pytest.fixture(scope="module")
def small():
    pack = sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=1), seed=0)
    return sharks.Pack(pack.spec, pack.tensors, about={"licence": "<b>CC</b>", "songs": ["a", "b"], "temperature": 1.0})


def test_clips_pictures_and_a_page(small, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "SECONDS", 0.5)
    played = demo.demo(tmp_path, pack=small)
    assert len(played.clips) == demo.CLIPS and played.seconds == 1.5
    text = played.page.read_text()
    sources = re.findall(r'src="([^"]+)"', text)
    assert len(sources) == 2 * demo.CLIPS and all((tmp_path / source).exists() for source in sources)
    assert "http" not in text.replace("http-equiv", "") and "<script" not in text  # no licence of a known address
    assert "&lt;b&gt;CC" in text and "<b>" not in text and "a, b" in text


def test_a_build_without_a_model_says_so(monkeypatch):
    monkeypatch.setattr("sharks.packs.box._PACK", "nothing.safetensors")
    with pytest.raises(UsageError, match="has no trained model in it; name music"):
        demo.box()


def test_the_box_has_its_licence():
    text = (BOX.parent / "LICENSE.txt").read_text()
    assert "Attribution-ShareAlike licence 3.0" in text and "Muldjord" in text


@boxed
def test_what_is_in_the_box_is_what_the_card_says():
    card, pack = (ROOT / "docs" / "model-card.md").read_text(), demo.box()
    assert BOX.stat().st_size <= 8_000_000
    assert hashlib.sha256(BOX.read_bytes()).hexdigest() in card
    assert (
        f"{pack.about['nll_bits']:.3f}" in card and "CC-BY-SA 3.0" in card and pack.about["licence"] == "CC-BY-SA 3.0"
    )
    assert all(song in card for song in pack.about["songs"])


@boxed
@pytest.mark.slow
def test_it_plays_without_torch(tmp_path):
    program = (
        "import sys; sys.modules['torch'] = None; from sharks.cli import main; main(['demo', '-o', 'x', '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["seconds"] >= 20 and (tmp_path / summary["page"]).exists()
