"""Is a wheel as light as promised? At most 20 MB, and its extension needs the C and C++ libraries and nothing of CUDA.

python tests/wheel_weight.py WHEEL
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

MOST_BYTES = 20e6
KNOWN = re.compile(
    r"^(libc|libm|libgcc_s|libstdc\+\+|ld-linux.*|libpthread|libdl|librt)\.so\.\d+$"
)  # the last: in libc now


def troubles(size: float, dynamic: str) -> list[str]:
    """What is wrong with a wheel of so many bytes, of whose extension `readelf -d` prints `dynamic`."""
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    found = [f"the extension needs {name}" for name in needed if not KNOWN.match(name)]
    if not needed:
        found.append("readelf names no library; is this an extension?")
    if size > MOST_BYTES:
        found.append(f"the wheel has {size / 1e6:.1f} MB; wanted at most {MOST_BYTES / 1e6:.0f}")
    return found


def main(path: pathlib.Path) -> int:
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        (name,) = (name for name in wheel.namelist() if re.search(r"sharks/_core.*\.so$", name))
        command = ["readelf", "-dW", wheel.extract(name, folder)]
        dynamic = subprocess.run(command, capture_output=True, text=True, check=True)
    found = troubles(path.stat().st_size, dynamic.stdout)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB", *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
