"""The part of RESULTS.md that bench/gpu.py writes, and that bench/report.py leaves alone."""

from __future__ import annotations

import pathlib

HEAD = "## GPU"
NOT_YET = f"{HEAD}\n\nNot yet run on a GPU. `python bench/gpu.py` measures, and puts its tables here."


def gpu_section(results: pathlib.Path) -> str:
    """What the file says of a GPU."""
    text = results.read_text() if results.exists() else ""
    return text[text.index(HEAD) :].rstrip() if HEAD in text else NOT_YET


def put_gpu_section(results: pathlib.Path, section: str) -> None:
    """Write the section, which begins with its head, in the old one's place at the end of the file."""
    text = results.read_text() if results.exists() else "# Speed\n"
    rest = text[: text.index(HEAD)] if HEAD in text else text
    results.write_text(f"{rest.rstrip()}\n\n{section.rstrip()}\n")
