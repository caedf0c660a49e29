"""The judge of wheels; .ci/run calls it on the real one."""

from wheel_weight import troubles

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
