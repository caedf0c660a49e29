"""Where SampleRNN's weights lie on a GPU: tests/cpp/strips.cpp says what is expected, and makes faults to be found."""

import subprocess

from programs import BUILDS, program


@BUILDS
def test_every_strip_has_one_place_and_is_read_from_there():
    done = subprocess.run([program("strips")], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
