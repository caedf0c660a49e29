"""Times and sizes are said as people say them, the same everywhere."""

import pytest

from sharks.terminal.units import duration, in_bytes, span


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0.0 s"),
        (0.25, "0.2 s"),
        (2.0, "2.0 s"),
        (9.97, "10 s"),
        (45, "45 s"),
        (59.6, "1 m 00 s"),
        (725, "12 m 05 s"),
        (3599.6, "1 h 00 m"),
        (63600, "17 h 40 m"),
        (3.6e6, "42 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (2400, "40 min"), (5400, "2 h"), (86400, "24 h"), (4.6e6, "53 days")],
)
def test_an_estimate_has_few_digits(seconds, shown):
    assert span(seconds) == shown


def test_sizes() -> None:
    assert [in_bytes(n) for n in (0, 12 << 20, 3 << 29)] == ["0 MB", "12 MB", "1.5 GB"]
