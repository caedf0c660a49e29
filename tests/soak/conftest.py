"""What soaks have in common: each prints its figures, one a line, whatever pytest does with output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Figure = Callable[[str, object], None]


@pytest.fixture
def figure(capfd: pytest.CaptureFixture[str]) -> Figure:
    """figure("what was measured", "12.3 MB"): a line of the result, there at once."""

    def say(what: str, value: object) -> None:
        with capfd.disabled():
            print(f"\n{what}: {value}", end="", flush=True)

    return say
