"""The reader of what ptxas says of registers; `make cuda` reads all kernels with it."""

import pytest

from spills import usages

REPORT = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z4goodv' for 'sm_80'
ptxas info    : Function properties for _Z4goodv
    16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 368 bytes cmem[0]
ptxas info    : Compile time = 5.0 ms
ptxas info    : Compiling entry function '_Z3badv' for 'sm_90'
ptxas info    : Function properties for _Z3badv
    0 bytes stack frame, {stores} bytes spill stores, {loads} bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers
ptxas info    : Function properties for _Z6calledv
    0 bytes stack frame, 0 bytes spill stores, 8 bytes spill loads
"""


@pytest.mark.parametrize(("stores", "loads"), [(4, 0), (0, 4), (4, 8)])
def test_every_spill_is_seen(stores, loads):
    good, bad, called = usages(REPORT.format(stores=stores, loads=loads))
    assert (good.architecture, good.registers, good.stack, good.spilled) == ("sm_80", 40, 16, 0)
    assert (bad.kernel, bad.architecture, bad.registers, bad.spilled) == ("_Z3badv", "sm_90", 255, stores + loads)
    assert good.in_memory and bad.in_memory and called.in_memory and "STACK" in str(good)  # a stack is memory, too
    assert called.spilled == 8 and called.architecture == "sm_90"
    assert "SPILLS" in str(bad) and "SPILLS" not in str(good)


def test_what_lies_in_registers_alone_passes():
    kernels = usages(REPORT.replace("16 bytes stack", "0 bytes stack").format(stores=0, loads=0))
    assert [kernel.in_memory for kernel in kernels] == [False, False, True]


def test_a_report_that_cannot_be_read_is_no_good_news():
    with pytest.raises(ValueError, match="_Z3odd"):
        usages("Function properties for _Z3odd\n    something new\n")
