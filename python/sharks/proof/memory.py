"""How much memory this process may still ask for: the least of what every limit leaves it.

Linux has four kinds: what the machine has free, the groups (cgroup v1 or v2) of a container, a systemd slice or a SLURM
job, each inside another, and the process's own `ulimit -v` and `ulimit -d`. Going beyond a group's limit kills without
a word, so it has to be known before. Elsewhere only what can be asked for counts.
"""

from __future__ import annotations

import pathlib
import re
import typing
from collections.abc import Iterator

UNLIMITED = 1 << 62  # bytes: nothing is known
_ROOT = pathlib.Path("/")


class _Kind(typing.NamedTuple):
    """Names of files in a group's folder, and of a line in its memory.stat."""

    limits: tuple[str, ...]
    used: str
    idle: str  # what of that is copies of files, which go when somebody needs the room


_V1 = _Kind(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Kind(("memory.max", "memory.high"), "memory.current", "inactive_file")


def available(root: pathlib.Path = _ROOT) -> int:
    """Bytes. `root` is where proc/ and sys/ are."""
    found = [kilobytes(root / "proc/meminfo", "MemAvailable"), *_of_groups(root), *_of_process(root)]
    return max(0, min([amount for amount in found if amount is not None], default=UNLIMITED))


def _of_process(root: pathlib.Path) -> Iterator[int]:
    try:
        import resource
    except ImportError:  # Windows
        return
    for limit, line in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most, used = resource.getrlimit(limit)[0], kilobytes(root / "proc/self/status", line)
        if most != resource.RLIM_INFINITY and used is not None:
            yield most - used


def _of_groups(root: pathlib.Path) -> Iterator[int]:
    """What is left of every limit of every group that this process is in, up to where their tree is mounted."""
    ours = dict(_groups(root))
    for kind, top, mount in _mounts(root):
        folder = mount / _below(ours.get("memory" if kind is _V1 else "", "/"), top)
        for group in (folder, *folder.parents):
            used = _number(group / kind.used)
            for most in (_number(group / name) for name in kind.limits):
                if most is not None and used is not None:
                    yield most - used + _stat(group / "memory.stat", kind.idle)
            if group == mount:
                break


def _groups(root: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Controller and path of each group; v2, which has all of them, goes by no name."""
    for line in _lines(root / "proc/self/cgroup"):  # 4:memory:/slurm/job_7
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _mounts(root: pathlib.Path) -> Iterator[tuple[_Kind, str, pathlib.Path]]:
    """Kind, the group that is its top, and place of each mounted tree of groups that may know of memory."""
    for line in _lines(root / "proc/self/mountinfo"):  # ... ROOT PLACE OPTIONS ... - KIND SOURCE OPTIONS
        before, _, after = line.partition(" - ")
        top, place = (_unescaped(word) for word in before.split()[3:5])
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "memory" in options.split(",")):
            yield (_V2 if kind == "cgroup2" else _V1), top, root / place.lstrip("/")


def _below(path: str, top: str) -> str:
    """Where a group is below a mount whose top is another; a container sees its own group as the top."""
    above = f"{top.rstrip('/')}/"
    return path.removeprefix(above).lstrip("/") if path.startswith(above) and ".." not in path.split("/") else ""


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def kilobytes(file: pathlib.Path, name: str) -> int | None:
    """Bytes, from the line of a file that says "name: count kB"."""
    return next((int(line.split()[1]) * 1024 for line in _lines(file) if line.startswith(f"{name}:")), None)


def _stat(file: pathlib.Path, name: str) -> int:
    """The number behind a name; 0 where it is not told."""
    return next((int(line.split()[1]) for line in _lines(file) if line.startswith(f"{name} ")), 0)


def _number(file: pathlib.Path) -> int | None:
    """None also for "max", which is no limit."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else None


def _lines(file: pathlib.Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
