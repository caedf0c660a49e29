"""Compile every .cu as a wheel does, for all architectures, and demand that no kernel spills its registers to memory,
keeps an array there, or ends where its code leads on (ptx_ends.py).

    python tests/rulers/spills.py [pattern of the files to compile, by default all]

Needs nvcc and cmake, no GPU. Warnings are errors. Prints a line per kernel and architecture; exits 1 if one is
refused.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from ptx_ends import lost_ends

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "spills"
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


@dataclasses.dataclass(frozen=True)
class Usage:
    kernel: str
    architecture: str
    registers: int
    stack: int  # bytes
    spilled: int  # bytes stored and loaded again

    @property
    def in_memory(self) -> bool:
        """Whether anything of a thread's own lies outside registers: spilled, or an array indexed at run time."""
        return self.stack > 0 or self.spilled > 0

    def __str__(self) -> str:
        trouble = f", SPILLS {self.spilled} bytes" if self.spilled else ", STACK" if self.stack else ""
        return f"{self.architecture}: {self.registers} registers, {self.stack} bytes of stack{trouble}: {self.kernel}"


def usages(report: str) -> list[Usage]:
    """What ptxas -v says of every kernel, and of every function that it did not copy into one."""
    found, architecture = [], ""
    lines = report.splitlines()
    for i, line in enumerate(lines):
        if compiling := re.search(r"Compiling entry function '.*' for '(sm_\w+)'", line):
            architecture = compiling[1]
        if function := re.search(r"Function properties for (\S+)", line):
            numbers = SPILLS.search(lines[i + 1])
            used = re.search(r"Used (\d+) registers", lines[i + 2] if i + 2 < len(lines) else "")
            if numbers is None:
                raise ValueError(f"cannot read what ptxas says of {function[1]}: {lines[i + 1]!r}")
            stack, stored, loaded = map(int, numbers.groups())
            found.append(Usage(function[1], architecture, int(used[1]) if used else 0, stack, stored + loaded))
    return found


def commands() -> list[list[str]]:
    """How CMake compiles each .cu, made to report."""
    cmake = shutil.which("cmake") or str(pathlib.Path(sys.executable).with_name("cmake"))
    options = ["-DSHARKS_CUDA=on", "-DSHARKS_BINDING=OFF", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    subprocess.run([cmake, "-S", ROOT, "-B", FOLDER, *options], check=True, stdout=subprocess.DEVNULL)
    listed = json.loads((FOLDER / "compile_commands.json").read_text())
    return [
        [*shlex.split(entry["command"]), "-Xptxas=-v", "--threads=0"]
        for entry in listed
        if entry["file"].endswith(".cu") and (len(sys.argv) < 2 or re.search(sys.argv[1], entry["file"]))
    ]


def early_ends(folder: pathlib.Path) -> list[str]:
    """What is wrong with the ends of functions in the PTX that nvcc kept here, with the architecture it is for."""
    kept = sorted(folder.glob("*.ptx"))
    if not kept:
        raise ValueError("nvcc kept no PTX")
    return [f"{file.suffixes[0][1:]}: {trouble}" for file in kept for trouble in lost_ends(file.read_text())]


def main() -> int:
    spilling = kernels = early = 0
    for command in commands():
        with tempfile.TemporaryDirectory() as kept:
            command += ["--keep", f"--keep-dir={kept}"]
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
            if done.returncode:
                print(done.stdout + done.stderr, file=sys.stderr)
                return done.returncode
            ends = early_ends(pathlib.Path(kept))
        for usage in usages(done.stdout + done.stderr):
            print(usage)
            kernels += 1
            spilling += usage.in_memory
        for end in ends:
            print(f"ENDS TOO EARLY: {end}")
        early += len(ends)
    print(f"{kernels} kernels, {spilling} of them spill or have a stack, {early} end too early")
    return 1 if spilling or early or not kernels else 0


if __name__ == "__main__":
    sys.exit(main())
