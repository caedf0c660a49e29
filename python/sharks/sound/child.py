"""The parent's end of the decoding child: start it, ask it, hear it with a deadline, end it."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

from ..errors import ResourceError
from . import records
from .decode_worker import PATIENCE

TICK = 0.1  # seconds of listening at a time
START_PATIENCE = 60.0  # seconds until a child must have started; a cold disk is slow
DISK_PATIENCE = 30.0  # seconds that a disk or a network drive may take to wake up


class ChildDied(Exception):
    """It crashed, was ended for its silence, or said what is no record."""


class Child:
    """A process that runs `decode_worker`. Its three standard streams lead nowhere: others may print into them."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "sharks.sound.decode_worker", str(theirs.fileno())]
        nowhere = subprocess.DEVNULL
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command,
                    stdin=nowhere,
                    stdout=nowhere,
                    stderr=nowhere,
                    env=_environment(),
                    cwd=os.sep,  # libsndfile takes a file "._" in the current folder for a part of any other
                    pass_fds=[theirs.fileno()],
                    process_group=0,  # so that what it started ends with it
                )
        except OSError as error:
            self._channel.close()
            raise ResourceError(f"{sys.executable}: cannot be started to decode audio ({error.strerror})") from None
        self.pid = self._process.pid
        self._channel.settimeout(TICK)
        try:
            if self._record(START_PATIENCE, starting=True) != (records.READY, b""):
                raise ChildDied
        except BaseException as error:
            self.close()
            if not isinstance(error, ChildDied):
                raise
            raise ResourceError(
                f"{sys.executable}: the process that decodes audio does not start; free memory, and see what "
                "`python -c 'import soundfile'` says"
            ) from None

    @property
    def dead(self) -> bool:
        return self._process.poll() is not None

    def ask(self, path: str, header_alone: bool) -> None:
        """Ask for a file. A dead child is met where its answer is heard."""
        try:
            self._channel.sendall(json.dumps([path, header_alone]).encode() + b"\n")
        except OSError:
            pass

    def answer(self) -> tuple[bytes, bytes]:
        """The next record (kind, payload); `ChildDied` where none comes in time. "wait" only renews the patience."""
        while True:
            kind, payload = self._record(PATIENCE)
            if kind != records.WAIT:
                return kind, payload

    def kill(self) -> None:
        if not self.dead:
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        self._channel.close()

    def _record(self, patience: float, starting: bool = False) -> tuple[bytes, bytes]:
        try:
            kind, size = records.parse(self._receive(records.HEAD.size, patience, starting))
        except records.Disorder:
            raise ChildDied from None
        return kind, self._receive(size, patience, starting)

    def _receive(self, count: int, patience: float, starting: bool) -> bytes:
        """So many bytes. Time is counted by what the child does in it: see `_spent`."""
        buffer = bytearray(count)
        rest, spent = memoryview(buffer), 0.0
        while rest:
            try:
                got = self._channel.recv_into(rest)
            except TimeoutError:
                spent += TICK * (1.0 if starting and _state(self.pid) not in "Tt" else self._spent())
                if spent > patience:
                    raise ChildDied from None
                continue
            except OSError:
                raise ChildDied from None
            if not got:
                raise ChildDied
            rest, spent = rest[got:], 0.0
        return bytes(buffer)

    def _spent(self) -> float:
        """How much of its patience a moment costs a child that says nothing.

        Nothing while it is stopped, by Ctrl-Z, a debugger or a suspended job. Nothing while it computes: its own timer
        of CPU time ends it. Little while it waits for a disk. A pause of both processes is a tick at most.
        """
        return {"T": 0.0, "t": 0.0, "R": 0.0, "D": PATIENCE / DISK_PATIENCE}.get(_state(self.pid), 1.0)


def _state(pid: int) -> str:
    """The letter of a process's state, as `ps` shows it; "?" where the system does not tell."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except (OSError, IndexError):
        return "?"


def _environment() -> dict[str, str]:
    """The child finds the modules that we find, but never those that lie in the current folder, beside the music."""
    here, home = os.path.realpath(os.curdir), os.path.realpath(pathlib.Path(__file__).parents[2])
    places = [os.path.abspath(place) for place in sys.path if place]
    places = [place for place in places if os.path.realpath(place) != here or here == home]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(places),
        "OPENBLAS_NUM_THREADS": "1",  # its threads would eat the child's address space
    }
