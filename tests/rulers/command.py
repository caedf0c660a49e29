"""The command `sharks` in processes of its own: run to its end, or ended at any moment; and what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing
import wave

import soundfile

import sharks

COMMAND = [sys.executable, "-m", "sharks"]
# The package under test, from whatever folder a command runs in.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(sharks.__file__)))}
# The same command, but it sets a bookmark after every piece of work.
BOOKISH = [
    sys.executable,
    "-c",
    "import sys; from sharks.play import bookmark; bookmark.EVERY = 0; from sharks.cli import main; main(sys.argv[1:])",
]
PATIENCE = 240  # seconds for any command


def sharks_command(*words: object, cwd: pathlib.Path | None = None, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env=ENVIRONMENT | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def torchrun(processes: int, program: object, *words: object, **variables: str) -> subprocess.CompletedProcess:
    """A program started by torchrun, which starts it once more where a process is lost."""
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths} | variables
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [*launcher, "--max-restarts=1", *map(str, (program, *words))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


class Ended(typing.NamedTuple):
    code: int
    took: float  # seconds from the signal to the end
    errors: str


def ended_after(
    seconds: float, kind: signal.Signals, command: typing.Sequence[object], cwd: pathlib.Path | None = None
) -> Ended:
    """Start a command, and send it a signal so many seconds after it has begun to run Python code of sharks."""
    with subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _until_in_charge(process)
        time.sleep(seconds)
        process.send_signal(kind)
        begin = time.monotonic()
        errors = process.communicate(timeout=PATIENCE)[1]
    return Ended(process.returncode, time.monotonic() - begin, errors)


def _until_in_charge(process: subprocess.Popen) -> None:
    """Wait until `sharks.cli.main` has begun, which is when SIGTERM is no longer left to the system."""
    bit, deadline = 1 << (signal.SIGTERM - 1), time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        if int(caught, 16) & bit:
            return
        time.sleep(0.002)


def unplayable(folder: pathlib.Path) -> list[str]:
    """The WAV files in a folder that the `wave` module or libsndfile cannot read to the end, and why."""
    found = []
    for path in sorted(folder.rglob("*.wav")):
        try:
            with wave.open(str(path)) as file:
                promised = file.getnframes()
                held = len(file.readframes(promised)) // (file.getnchannels() * file.getsampwidth())
            lengths = {promised, held, soundfile.info(path).frames, len(soundfile.read(path)[0])}
            if len(lengths) > 1:
                found.append(f"{path.name}: is it {lengths} frames?")
        except (OSError, EOFError, wave.Error, soundfile.SoundFileError) as error:
            found.append(f"{path.name}: {error}")
    return found


def digests(folder: pathlib.Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder, hidden ones and those in folders below too."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
