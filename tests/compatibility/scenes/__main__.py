"""SCENE RECORDED SCRATCH: play one scene, and print what it found as one line of JSON."""

import importlib
import json
import pathlib
import shutil
import sys

if __name__ == "__main__":
    scene, recorded, scratch = sys.argv[1:]
    copy = pathlib.Path(scratch) / "recorded"  # scenes write into it
    shutil.copytree(recorded, copy)
    found = importlib.import_module(f"compatibility.scenes.{scene}").facts(copy)
    print(json.dumps(found))
