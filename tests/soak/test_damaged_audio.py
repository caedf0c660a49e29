"""Thousands of damaged files of every format: none hangs, and none raises anything but a sentence."""

from __future__ import annotations

import time

import pytest

import damaged_audio


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_damaged_files_of_every_format(tmp_path, figure, seed):
    began = time.monotonic()
    count, read = damaged_audio.hear(tmp_path, 20, seed)
    figure("damaged files", f"{count} heard in {time.monotonic() - began:.0f} s, {read} of them as sound")
    assert count > 6000
