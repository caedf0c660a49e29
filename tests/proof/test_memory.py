"""What a process may still ask for: made-up trees of /proc and /sys, and the limits of this system."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from command import ENVIRONMENT
from sharks.proof.memory import UNLIMITED, available

GB = 1 << 30
HUGE = 9223372036854771712  # how cgroup v1 says that there is no limit
V1 = "35 31 0:32 {top} {place} rw,relatime shared:7 - cgroup cgroup rw,{controllers}\n"
V2 = "41 31 0:38 {top} {place} rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
SAYS = [sys.executable, "-c", "from sharks.proof.memory import available; print(available())"]


class Machine:
    """A made-up one with 64 GB free."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._put("proc/meminfo", f"MemTotal: {80 << 20} kB\nMemAvailable:   {64 << 20} kB\n")
        self._put("proc/self/status", "Name: x\nVmSize:\t  2097152 kB\nVmData:\t  1048576 kB\n")

    def groups(self, *lines: str, mounts: str = "") -> None:
        self._put("proc/self/cgroup", "".join(f"{line}\n" for line in lines))
        self._put("proc/self/mountinfo", f"27 1 254:0 / / rw - ext4 /dev/vda rw\n{mounts}")

    def v1(self, place: str, limit: int, used: int, idle: int = 0) -> None:
        self._put(f"{place}/memory.limit_in_bytes", f"{limit}\n")
        self._put(f"{place}/memory.usage_in_bytes", f"{used}\n")
        self._put(f"{place}/memory.stat", f"inactive_file 1\ntotal_inactive_file {idle}\n")

    def v2(self, place: str, limit: int | str, used: int, idle: int = 0, high: int | str = "max") -> None:
        self._put(f"{place}/memory.max", f"{limit}\n")
        self._put(f"{place}/memory.high", f"{high}\n")
        self._put(f"{place}/memory.current", f"{used}\n")
        self._put(f"{place}/memory.stat", f"anon 5\ninactive_file {idle}\n")

    def _put(self, place: str, text: str) -> None:
        path = self.root / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def test_without_groups_it_is_what_the_machine_has_free(machine: Machine) -> None:
    assert available(machine.root) == 64 * GB


def test_where_nothing_is_told_there_is_no_limit(tmp_path: pathlib.Path) -> None:
    assert available(tmp_path) == UNLIMITED


@pytest.mark.parametrize("tight", ["", "/user.slice", "/user.slice/run.scope"])
def test_the_tightest_of_nested_groups_counts(machine: Machine, tight: str) -> None:
    top = "/sys/fs/cgroup"
    machine.groups("0::/user.slice/run.scope", mounts=V2.format(top="/", place=top))
    for folder in ("", "/user.slice", "/user.slice/run.scope"):
        machine.v2(top + folder, 4 * GB if folder == tight else "max", 3 * GB)
    assert available(machine.root) == 1 * GB


def test_the_limit_at_which_a_group_is_slowed_counts_too(machine: Machine) -> None:
    machine.groups("0::/a", mounts=V2.format(top="/", place="/sys/fs/cgroup"))
    machine.v2("/sys/fs/cgroup/a", 8 * GB, 1 * GB, high=3 * GB)
    assert available(machine.root) == 2 * GB


def test_copies_of_files_count_as_free(machine: Machine) -> None:
    """A dataset that was just read fills a group, and goes when room is needed."""
    machine.groups("0::/a", mounts=V2.format(top="/", place="/sys/fs/cgroup"))
    machine.v2("/sys/fs/cgroup/a", 8 * GB, 8 * GB, idle=5 * GB)
    assert available(machine.root) == 5 * GB
    machine.v2("/sys/fs/cgroup/a", 8 * GB, 9 * GB)
    assert available(machine.root) == 0


def test_in_a_container_the_group_is_the_top(machine: Machine) -> None:
    """With a name space of its own, as Docker makes it under cgroup v2."""
    machine.groups("0::/", mounts=V2.format(top="/", place="/sys/fs/cgroup"))
    machine.v2("/sys/fs/cgroup", 3 * GB, 1 * GB)
    assert available(machine.root) == 2 * GB


def test_in_a_container_that_is_told_the_names_outside(machine: Machine) -> None:
    """As Docker did under cgroup v1: the path is the machine's, and only what is below it is mounted."""
    place = "/sys/fs/cgroup/memory"
    mounts = V1.format(top="/docker/ab12", place=place, controllers="memory")
    machine.groups("4:memory:/docker/ab12", "1:cpu:/", mounts=mounts)
    machine.v1(place, 3 * GB, 1 * GB)
    assert available(machine.root) == 2 * GB
    machine.groups("4:memory:/docker/ab12/job", "1:cpu:/", mounts=mounts)
    machine.v1(f"{place}/job", 2 * GB, 1 * GB)
    assert available(machine.root) == 1 * GB


@pytest.mark.parametrize("tight", ["/slurm", "/slurm/uid_7", "/slurm/uid_7/job_9", "/slurm/uid_7/job_9/step_0"])
def test_jobs_of_slurm_under_the_first_cgroup(machine: Machine, tight: str) -> None:
    place, ours = "/sys/fs/cgroup/memory", "/slurm/uid_7/job_9/step_0"
    machine.groups(
        f"9:memory:{ours}", "8:cpu,cpuacct:/slurm", mounts=V1.format(top="/", place=place, controllers="memory")
    )
    for folder in ("", "/slurm", "/slurm/uid_7", "/slurm/uid_7/job_9", ours):
        machine.v1(place + folder, 700 << 20 if folder == tight else HUGE, 300 << 20, idle=100 << 20)
    assert available(machine.root) == 500 << 20


def test_groups_of_both_kinds_side_by_side(machine: Machine) -> None:
    """As systemd mounts them: memory is told by the first, and the second has no files about it."""
    v1, v2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"
    mounts = V1.format(top="/", place="/sys/fs/cgroup/cpu", controllers="cpu")
    mounts += V1.format(top="/", place=v1, controllers="memory") + V2.format(top="/", place=v2)
    machine.groups("9:memory:/job", "8:cpu:/job", "0::/user.slice", mounts=mounts)
    machine.v1(f"{v1}/job", 2 * GB, 1 * GB)
    machine.v1("/sys/fs/cgroup/cpu/job", 1, 0)
    assert available(machine.root) == 1 * GB


def test_a_place_with_a_blank_in_its_name(machine: Machine) -> None:
    machine.groups("0::/a b", mounts=V2.format(top="/", place="/sys/fs/my\\040groups"))
    machine.v2("/sys/fs/my groups/a b", 2 * GB, 1 * GB)
    assert available(machine.root) == 1 * GB


def test_a_group_from_outside_the_mounted_tree(machine: Machine) -> None:
    machine.groups("0::/../other", mounts=V2.format(top="/", place="/sys/fs/cgroup"))
    machine.v2("/sys/fs/cgroup", 2 * GB, 1 * GB)
    machine.v2("/sys/fs/other", 1, 0)
    assert available(machine.root) == 1 * GB


# The limits of this system


def told(*before: str) -> int:
    command = ["sh", "-c", "; ".join([*before, 'exec "$0" "$@"']), *SAYS]
    return int(subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells how much of a limit is used")
@pytest.mark.parametrize("kind", ["v", "d"])
def test_a_limit_of_the_process(kind: str) -> None:
    assert told() > 1 << 30
    assert 100 << 20 < told(f"ulimit -S{kind} {1 << 20}") < 1 << 30


@contextlib.contextmanager
def group(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no group of processes can be made here: {error}")
    try:
        yield folder
    finally:
        folder.rmdir()


def test_a_group_around_the_group_of_the_process() -> None:
    top = pathlib.Path("/sys/fs/cgroup/memory")
    if not (top / "memory.limit_in_bytes").exists():
        pytest.skip("memory is not limited by cgroup v1 here")
    with group(top / f"sharks-{os.getpid()}") as outer, group(outer / "inner") as inner:
        (outer / "memory.limit_in_bytes").write_text(str(700 << 20))
        found = told(f"echo $$ > {inner}/cgroup.procs")
    assert 500 << 20 < found < 700 << 20
