"""Whether clips fit onto a disk, said in a size that people can read."""

import types

import pytest

from sharks.clips.wavs import check_room
from sharks.errors import ResourceError


@pytest.mark.parametrize(
    ("needed", "free", "said"),
    [
        (2.5e12, 7e10, "2500.0 GB are needed, 70.0 GB are free"),
        (960_080, 307_200, "960.1 kB are needed, 307.2 kB are free"),
        (32_000_000, 0, "32.0 MB are needed, 0.0 MB are free"),
        (1_000_040_000, 1_000_010_000, "1.00004 GB are needed, 1.00001 GB are free"),
        (600, 100, "0.6 kB are needed, 0.1 kB are free"),
    ],
)
def test_what_is_needed_and_free_can_be_told_apart(needed, free, said, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=free))
    with pytest.raises(ResourceError, match=said):
        check_room(tmp_path, needed)
    check_room(tmp_path, free)
