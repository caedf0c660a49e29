"""Is a wheel what was promised? At most 20 MB; its extension needs the C and C++ libraries and nothing of CUDA.

    python tests/rulers/wheel_weight.py WHEEL

Where nvcc is, the wheel was built with it: then it must hold kernels for every architecture, and PTX for later ones.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

MOST_BYTES = 20e6
KNOWN = re.compile(
    r"^(libc|libm|libgcc_s|libstdc\+\+|ld-linux.*|libpthread|libdl|librt)\.so\.\d+$"
)  # the last: in libc now
PROMISED = {"sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "PTX 90"}


def troubles(size: float, dynamic: str) -> list[str]:
    """What is wrong with a wheel of so many bytes, of whose extension `readelf -d` prints `dynamic`."""
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    found = [f"the extension needs {name}" for name in needed if not KNOWN.match(name)]
    if not needed:
        found.append("readelf names no library; is this an extension?")
    if size > MOST_BYTES:
        found.append(f"the wheel has {size / 1e6:.1f} MB; wanted at most {MOST_BYTES / 1e6:.0f}")
    return found


def kernels(extension: bytes) -> set[str]:
    """For what an extension holds kernels: "sm_90" for machine code, "PTX 90" for what a later driver compiles.

    nvcc puts both into fat binaries: a mark, version, the header's length and that of what follows, entry by entry.
    """
    found, at = set(), extension.find(_FAT)
    while at >= 0:
        version, header, size = struct.unpack_from("<HHQ", extension, at + len(_FAT))
        here, end = at + header, at + header + size
        while version == 1 and here < end:
            kind, _, header, size, *_, architecture = struct.unpack_from("<HHIQIIHHI", extension, here)
            found.add(f"{'PTX ' if kind == 1 else 'sm_'}{architecture}")
            here += header + size
        at = extension.find(_FAT, at + 1)
    return found


_FAT = b"\x50\xed\x55\xba"


def main(path: pathlib.Path) -> int:
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        (name,) = (name for name in wheel.namelist() if re.search(r"sharks/_core.*\.so$", name))
        command = ["readelf", "-dW", wheel.extract(name, folder)]
        dynamic = subprocess.run(command, capture_output=True, text=True, check=True)
        held = kernels(wheel.read(name))
    found = troubles(path.stat().st_size, dynamic.stdout)
    if shutil.which("nvcc"):
        found += [f"the extension has no kernels for {name}" for name in sorted(PROMISED - held)]
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, kernels for {', '.join(sorted(held)) or 'no GPU'}")
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
