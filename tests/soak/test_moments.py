"""Fifty moments of each kind: playable files after each, and in the end the same bytes."""

from __future__ import annotations

import pytest

import sharks
from torment import AT_ONCE, KINDS, LAYOUTS, SPEC, posix, torment

MOMENTS = 50


@posix
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_fifty_moments(kind, layout, figure, tmp_path):
    pack = sharks.random_pack(SPEC, seed=3).save(tmp_path / "small.safetensors")
    found = torment(pack, LAYOUTS[layout], KINDS[kind], MOMENTS, tmp_path)
    took = sorted(moment.took for moment in found)
    first, last = (pick(moment.seconds for moment in found) for pick in (min, max))
    figure(
        f"{kind}, {layout}",
        f"{len(found)} moments from {first:.2f} to {last:.2f} s, all files playable, finished to the same bytes; "
        f"ended after {took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (longest)",
    )
    assert took[-1] < AT_ONCE
