"""The chapter of bench/RESULTS.md about training: written by training.py, kept by report.py."""

from __future__ import annotations

import pathlib
import re

from gpu_section import HEAD as GPU

CHAPTER = "## Training"
_FOUND = re.compile(rf"^{CHAPTER}$.*?(?=^## |\Z)", re.M | re.S)


def training_section(results: pathlib.Path) -> str:
    """The chapter as it stands in the file, or nothing."""
    found = _FOUND.search(results.read_text()) if results.exists() else None
    return found[0].rstrip() if found else ""


def put_training_section(results: pathlib.Path, text: str) -> None:
    """Put the chapter in the place of the one of the same name, or before the GPU's, which is the last."""
    page = results.read_text() if results.exists() else "# Speed\n"
    if _FOUND.search(page):
        page = _FOUND.sub(lambda _: text + "\n", page)
    else:
        before, head, gpu = page.partition(f"\n{GPU}\n")
        page = f"{before.rstrip()}\n\n{text}{head}{gpu}"
    results.write_text(page.rstrip() + "\n")
