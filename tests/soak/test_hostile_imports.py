"""All damaged and hostile checkpoints, of which the normal run takes a share: about a minute on a core.

python -m pytest tests/soak/test_hostile_imports.py
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from importers import hostile_mutants
from importers.test_hostile import STIRRED, judge, judge_all, warm
from importers.test_import_hostile import judge_mutants, measured
from soak.conftest import Figure

__all__ = ["judge", "measured", "warm"]  # fixtures
MANY = 2000  # mutants of each good file


@pytest.mark.timeout(1800)
def test_all_mutants_of_files(judge: Callable[..., object], tmp_path: pathlib.Path, figure: Figure) -> None:
    count, refused = judge_all(judge, hostile_mutants.mutants(STIRRED), tmp_path)
    figure("damaged files read", f"{count}, refused {refused}")
    assert count > 10_000 and refused > count / 2


@pytest.mark.timeout(1800)
def test_many_mutants_of_networks(tmp_path: pathlib.Path, figure: Figure) -> None:
    refused = judge_mutants(tmp_path, MANY)
    figure("damaged networks imported", f"{MANY} of each kind, refused {refused}")
    assert refused > MANY
