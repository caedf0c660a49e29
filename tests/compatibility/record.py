"""How `recorded/` came about. Run with the code whose behaviour is to be kept (it was: commit 64c23c6):

    PYTHONPATH=python:tests python tests/compatibility/record.py

It makes packs, half-finished clips, a dataset and runs that were killed half way, on the steady machine of steady.py,
and writes down in `expected.json` what each scene finds in them. Made twice, it gives the same bytes, but for the hours
that the runs took and the times of the music's files.

To record again is to give up the promise that what was made before goes on as it was; where behaviour was meant to
change, let the old recordings fail first, and say in the commit why they may.
"""

from __future__ import annotations

import importlib
import json
import pathlib
import shutil
import sys
import tempfile

from compatibility import steady

MAKE = ("packs", "clips", "runs")  # scenes that leave something behind to go on with
SCENES = (*MAKE, "songs", "importers")
VERSIONS = ("numpy", "torch")  # others may compute other last bits


def main() -> None:
    """On the steady machine: make the files. On this one: begin anew, and have them made and looked at there."""
    if sys.argv[1:]:
        importlib.import_module(f"compatibility.scenes.{sys.argv[1]}").record(steady.RECORDED)
        return
    shutil.rmtree(steady.RECORDED, ignore_errors=True)
    steady.RECORDED.mkdir()
    for scene in MAKE:
        done = steady.python(__file__, scene)
        assert not done.returncode, done.stderr
    found: dict[str, object] = {"versions": {name: importlib.import_module(name).__version__ for name in VERSIONS}}
    for scene in SCENES:
        with tempfile.TemporaryDirectory() as scratch:
            found[scene] = steady.facts_of(scene, steady.RECORDED, pathlib.Path(scratch))
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (steady.RECORDED / "expected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
