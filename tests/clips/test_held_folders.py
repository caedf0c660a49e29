"""Who writes into a folder has it alone: the second is told who, a dead one holds nothing, and nothing is left over."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

import sharks
from command import ENVIRONMENT
from sharks.files.locks import held, started_together

pytest.importorskip("fcntl", reason="this system has no flock")

HOLDING = """
import sys
from sharks.files.locks import held
with held(sys.argv[1], "writes"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def elsewhere(folder: pathlib.Path) -> Iterator[subprocess.Popen]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        yield other
        other.communicate()


def free(folder: pathlib.Path) -> bool:
    try:
        with held(folder, "writes"):
            return True
    except sharks.ResourceError as error:
        assert "\n" not in str(error) and "another process writes" in str(error)
        return False


def test_the_second_is_told_who_has_it(tmp_path: pathlib.Path) -> None:
    with elsewhere(tmp_path) as other:
        with pytest.raises(sharks.ResourceError) as told, held(tmp_path, "trains into it"):
            pass
        who = f" (process {other.pid})" if pathlib.Path("/proc/locks").exists() else ""
        assert str(told.value) == (
            f"{tmp_path}: another process trains into it{who}; wait for it, or end it, or choose another folder"
        )
    assert free(tmp_path)


def test_tasks_of_srun_are_told_about_torchrun(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with elsewhere(tmp_path):
        with pytest.raises(sharks.ResourceError, match="choose another folder"), held(tmp_path, "trains into it"):
            pass  # a batch script, which is one process whatever the job has
        monkeypatch.setenv("SLURM_STEP_ID", "0")
        with pytest.raises(sharks.ResourceError, match="srun started 4 .* torchrun"), held(tmp_path, "trains into it"):
            pass


def test_who_is_killed_holds_nothing(tmp_path: pathlib.Path) -> None:
    with elsewhere(tmp_path) as other:
        other.kill()
    assert free(tmp_path)


def test_threads_are_told_apart_too(tmp_path: pathlib.Path) -> None:
    found: list[bool] = []
    with held(tmp_path, "writes"):
        thread = threading.Thread(target=lambda: found.append(free(tmp_path)))
        thread.start()
        thread.join()
        assert not free(tmp_path), "and it is not lost by asking"
    assert found == [False]


def test_a_folder_that_nothing_was_put_into_goes_again(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path / "runs" / "night", "writes"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "runs" / "night", "writes"):
        (tmp_path / "runs" / "kept").write_text("")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["kept"]
    (tmp_path / "empty").mkdir()
    assert free(tmp_path / "empty") and (tmp_path / "empty").exists(), "what was there before stays"


def test_who_waits_has_its_turn(tmp_path: pathlib.Path) -> None:
    """Though the first takes the folder away that the second waits for."""
    folder, order = tmp_path / "new", []

    def second() -> None:
        with held(folder, "writes", wait=True):
            order.append("second")
            (folder / "file").write_text("")

    with held(folder, "writes"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and (folder / "file").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_neither_lets_go_nor_keeps(tmp_path: pathlib.Path) -> None:
    reading, writing = os.pipe()
    with contextlib.ExitStack() as parent:
        parent.enter_context(held(tmp_path, "writes"))
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                os.close(writing)
                parent.close()  # as an exception would that leaves the block in the child
                os.read(reading, 1)
            os._exit(0)
        time.sleep(0.2)
        assert not free(tmp_path), "the child's end is not the parent's"
    assert free(tmp_path), "and the parent's end is, though the child lives on"
    os.write(writing, b".")
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)


def test_who_is_stopped_still_holds(tmp_path: pathlib.Path) -> None:
    with elsewhere(tmp_path) as other:
        other.send_signal(signal.SIGSTOP)
        assert not free(tmp_path)
        other.send_signal(signal.SIGCONT)


def test_who_was_started_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert not started_together()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert not started_together()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert started_together()
