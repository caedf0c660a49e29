"""The objects that are compiled for one instruction set give the linker nothing to mistake.

A weak symbol (an inline function, an instantiated template) may stand in for its twin of any other object. If the copy
with AVX-512 were taken for the portable one, older CPUs would meet instructions that they do not know.
"""

import subprocess

import pytest

from programs import BUILDS, CROSS, configured, program, tool

SETS = [(None, isa) for isa in ("scalar", "avx2", "avx512", "avx512dot")] + [("aarch64", "scalar"), ("aarch64", "neon")]


def exports(object_file, prefix=""):
    """(name, letter of its kind) of every symbol that the linker sees defined in an object."""
    command = [tool(f"{prefix}nm"), "--defined-only", "--extern-only", "--demangle", "--format=posix", object_file]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [tuple(line.rsplit(" ", 3)[:2]) for line in lines]


def mistakable(symbols, isa):
    """Every symbol but the set's own table, strongly defined in read-only data."""
    return [symbol for symbol in symbols if symbol not in {(f"sharks::cpu::kernels_{isa}", kind) for kind in "RD"}]


@BUILDS
@pytest.mark.parametrize(("processor", "isa"), SETS)
def test_a_set_exports_its_table_alone(processor, isa):
    if processor is None and tool("uname") and subprocess.check_output(["uname", "-m"], text=True) != "x86_64\n":
        pytest.skip("this machine is no x86")
    program("play_sets", processor)
    folder = configured(processor) / "CMakeFiles" / f"sharks_kernels_{isa}.dir"
    symbols = exports(folder / "csrc" / "cpu" / "simd" / "kernels.cpp.o", CROSS.get(processor, ""))
    assert any(name == f"sharks::cpu::kernels_{isa}" for name, _ in symbols)
    assert mistakable(symbols, isa) == []


def test_an_inline_function_is_noticed(tmp_path):
    source = tmp_path / "kernels.cpp"
    source.write_text(
        "#include <algorithm>\n"
        "namespace sharks::cpu {\n"
        "inline int twice(int x) { return 2 * x; }\n"
        "int (*pointer)(int) = twice;\n"
        "extern const int kernels_new; const int kernels_new = 1;\n"
        "static int quadruple(int x) { return twice(twice(x)); }\n"
        "int (*another)(int) = quadruple;\n"
        "}\n"
    )
    subprocess.run([tool("c++"), "-std=c++17", "-O3", "-c", source, "-o", tmp_path / "kernels.o"], check=True)
    found = mistakable(exports(tmp_path / "kernels.o"), "new")
    assert ("sharks::cpu::twice(int)", "W") in found
    assert {name for name, _ in found} == {"sharks::cpu::twice(int)", "sharks::cpu::pointer", "sharks::cpu::another"}
