"""The judge of wheels; .ci/run calls it on the real one."""

import shutil
import struct
import subprocess

import pytest

from wheel_weight import kernels, troubles

NEEDED = " 0x0000000000000001 (NEEDED)             Shared library: [{}]\n"
LIBRARIES = ("libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2")
LIGHT = "".join(map(NEEDED.format, LIBRARIES))


def test_a_light_wheel_passes():
    assert troubles(7e6, LIGHT) == []


def test_what_is_too_much_is_named():
    for library in ("libcudart.so.13", "libcuda.so.1", "libtorch.so", "libcublas.so.13", "libc10.so"):
        assert troubles(7e6, LIGHT + NEEDED.format(library)) == [f"the extension needs {library}"]
    assert troubles(20.1e6, LIGHT) == ["the wheel has 20.1 MB; wanted at most 20"]
    assert troubles(7e6, "") == ["readelf names no library; is this an extension?"]


def fat_binary(*entries):
    """As nvcc lays it out: each entry is machine code (2) or PTX (1) for an architecture."""
    body = b"".join(
        struct.pack("<HHIQIIHHI", kind, 1, 64, 8, 0, 0, 0, 0, sm).ljust(64, b"\0") + b"\1" * 8 for kind, sm in entries
    )
    return b"\x50\xed\x55\xba" + struct.pack("<HHQ", 1, 16, len(body)) + body


def test_kernels_are_found_in_all_fat_binaries():
    extension = b"code" + fat_binary((2, 75), (2, 90)) + b"between" + fat_binary((1, 90)) + b"code"
    assert kernels(extension) == {"sm_75", "sm_90", "PTX 90"}
    assert kernels(b"an extension without any") == set()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nvcc"), reason="needs nvcc")
def test_kernels_are_found_where_nvcc_puts_them(tmp_path):
    (tmp_path / "one.cu").write_text("__global__ void one(int* x) { *x = 1; }\n")
    wanted = ["-gencode", "arch=compute_75,code=sm_75", "-gencode", "arch=compute_80,code=[sm_80,compute_80]"]
    subprocess.run(["nvcc", *wanted, "-c", "one.cu", "-o", "one.o"], cwd=tmp_path, check=True)
    assert kernels((tmp_path / "one.o").read_bytes()) == {"sm_75", "sm_80", "PTX 80"}
