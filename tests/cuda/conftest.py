"""The GPUs that `sharks` itself can be made to play on: the emulated one, and a real one with torch beside it."""

import sys

import pytest

import sharks
from emulated import core
from players import GPU


@pytest.fixture
def emulated_core(monkeypatch):
    monkeypatch.setattr(sharks, "_core", core())
    monkeypatch.setitem(sys.modules, "sharks._core", core())


@pytest.fixture
def card():
    if not GPU:
        pytest.skip("no GPU can play here; test_a_gpu_is_here says why")
    return pytest.importorskip("torch").device("cuda")
