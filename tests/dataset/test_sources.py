"""What is found below a folder: all of it is named, and no folder that misbehaves stops the rest."""

import errno
import os
import sys

import numpy as np
import pytest

import sharks
from sharks.dataset.sources import find_sources
from sharks.errors import AudioError
from sharks.sound.wav import write_wav

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the folders of Linux")


@pytest.fixture
def music(tmp_path):
    (tmp_path / "music" / "good").mkdir(parents=True)
    write_wav(tmp_path / "music" / "good" / "a.wav", np.sin(np.arange(32000) / 9).astype(np.float32) / 2, 16000)
    return tmp_path / "music"


def problems(music):
    """What is wrong with each file, by its name: "" for nothing."""
    return {source.name: source.problem for source in find_sources([music], music / "out")}


@pytest.mark.parametrize("number", [errno.ENOTCONN, errno.EIO, errno.ESTALE, errno.EACCES, errno.ENAMETOOLONG])
def test_a_folder_that_cannot_be_entered_is_named(music, tmp_path, monkeypatch, number):
    """A dead mount, a broken disk, missing permissions: the system calls fail below it."""
    for name in ("album/one", "album/two"):
        (music / name).mkdir(parents=True)
    (music / "album" / "b.wav").write_bytes(b"x")
    inside = str(music / "album") + os.sep

    def failing(real):
        def call(path, *rest, **more):
            if str(path).startswith(inside):
                raise OSError(number, os.strerror(number), str(path))
            return real(path, *rest, **more)

        return call

    for function in ("stat", "scandir"):
        monkeypatch.setattr(os, function, failing(getattr(os, function)))
    found = problems(music)
    assert found.pop("good/a.wav") == ""
    assert set(found) == {"album/b.wav", "album/one", "album/two"}
    assert all(os.strerror(number) in problem or "cannot be listed" in problem for problem in found.values()), found
    assert [track.name for track in sharks.prepare(music, tmp_path / "data").of("train")] == ["good/a.wav"]


def test_a_mount_that_died_is_named_as_the_system_names_it(music, monkeypatch):
    dead = music / "phone"
    dead.mkdir()
    real = {name: getattr(os, name) for name in ("stat", "scandir")}

    def failing(name):
        def call(path, *rest, **more):
            if str(path) == str(dead):
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), str(path))
            return real[name](path, *rest, **more)

        return call

    for name in real:
        monkeypatch.setattr(os, name, failing(name))
    assert problems(music) == {"good/a.wav": "", "phone": f"cannot be opened ({os.strerror(errno.ENOTCONN)})"}


def test_paths_beyond_the_limit_are_named(music, tmp_path):
    """Folders in folders, deeper than a path may be long: made from inside."""
    here = os.open(music, os.O_RDONLY)
    try:
        for _ in range(25):
            os.mkdir("x" * 200, dir_fd=here)
            deeper = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
    finally:
        os.close(here)
    found = problems(music)
    assert found.pop("good/a.wav") == "" and len(found) == 1
    assert next(iter(found.values())) == "cannot be opened (File name too long)"
    assert len(sharks.prepare(music, tmp_path / "data").tracks) == 2  # of the only song: train and val


@pytest.mark.parametrize("place", ["/proc", "/proc/self", "/proc/self/fd", "/sys", "/dev"])
def test_folders_of_the_system_are_not_entered(music, place):
    (music / "link").symlink_to(place)
    assert problems(music) == {"good/a.wav": "", "link": "a folder of the system, not entered"}


def test_a_folder_of_the_system_given_by_name_is_not_entered(music):
    with pytest.raises(AudioError, match="none usable; the first, .*: a folder of the system, not entered"):
        sharks.prepare("/proc/self", music / "out")


def test_a_folder_without_permission_as_another_user(music, tmp_path):
    """What `chmod 444` on a folder does to those who are not root."""
    if os.geteuid() == 0:
        pytest.skip("root enters every folder")
    closed = music / "closed"
    (closed / "in it").mkdir(parents=True)
    (closed / "b.wav").write_bytes(b"x")
    closed.chmod(0o444)
    try:
        assert set(problems(music)) == {"good/a.wav", "closed/b.wav", "closed/in it"}
    finally:
        closed.chmod(0o755)


def test_a_hidden_file_that_is_named_outright_is_meant(tmp_path):
    write_wav(tmp_path / ".take.wav", np.full(800, 0.1, np.float32), 16000)
    (outright,) = find_sources([tmp_path / ".take.wav"], tmp_path / "out")
    (found,) = find_sources([tmp_path], tmp_path / "out")
    assert outright.problem == "" and found.problem == "hidden, so not looked at"
